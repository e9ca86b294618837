"""Does the pattern land on the right gyri? Regional FDG against a real group mean.

A pipeline check: the simulator's uptake table was fitted to this very image, so agreement says that
the road puts the taught pattern in its place on an unseen real brain, not that the model knows
metabolism.
"""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from PETSynthLib.assets import region_names
from PETSynthLib.quantify.regions import labels_of, template_regions
from PETSynthLib.volume import CANONICAL

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
GROUP_MEAN = SHARED / "pet" / "fdg_dementia_template_2mm.nii.gz"
"""FDG of 50 controls and 50 patients (Della Rosa 2014), never part of this repository."""


def group_mean_by_region() -> dict[str, float]:
    """Mean uptake of every Desikan-Killiany region in the group image, left and right averaged."""
    image = nib.load(GROUP_MEAN)
    data = np.squeeze(np.asarray(image.dataobj, dtype=np.float32))
    matrix = np.linalg.inv(image.affine) @ CANONICAL.affine
    pet = ndimage.affine_transform(
        data, matrix[:3, :3], matrix[:3, 3], output_shape=CANONICAL.shape, order=1
    )
    labels = template_regions().data
    return {
        name: float(np.mean([pet[labels == k].mean() for k in labels_of(name, "both")]))
        for name in sorted({n for n, _ in region_names().values()} - {"cerebellum"})
    }


def synthetic_by_region(table: Path) -> dict[str, float]:
    """Mean SUVR of every region of a ``*_regions.tsv``, left and right averaged."""
    sides: dict[str, list[float]] = {}
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            if row["side"] in ("L", "R", "B") and row["suvr"] not in ("", "n/a"):
                sides.setdefault(row["region"], []).append(float(row["suvr"]))
    return {name: float(np.mean(values)) for name, values in sides.items()}


def correlation(table: Path) -> float:
    """Pearson r between a synthetic FDG table and the group mean over the shared regions."""
    real, synthetic = group_mean_by_region(), synthetic_by_region(table)
    names = sorted(set(real) & set(synthetic))
    pairs = np.array([[real[n], synthetic[n]] for n in names])
    return float(np.corrcoef(pairs.T)[0, 1])
