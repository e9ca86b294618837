"""The files shipped inside the package. They are opened here and nowhere else."""

from __future__ import annotations

import csv
import gzip
import io
import json
from contextlib import AbstractContextManager
from functools import cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from ..volume import CANONICAL, Volume, on_grid

REFERENCE_BITS = {
    "pons": 1,
    "cerebellum_whole": 2,
    "cerebellum_grey": 4,
    "cerebellum_grey_inferior": 8,
}
"""Bit of each reference region in ``atlas/references.nii.gz`` (the regions overlap)."""


def asset(name: str) -> Traversable:
    """The shipped file or folder ``name`` (posix path below ``assets/``)."""
    return files(__package__).joinpath(*name.split("/"))


def asset_path(name: str) -> AbstractContextManager[Path]:
    """A context in which the shipped file is a real path (a wheel may be zipped)."""
    return as_file(asset(name))


def read_json(name: str) -> Any:
    """The parsed content of a shipped JSON file."""
    return json.loads(asset(name).read_text(encoding="utf-8"))


@cache
def atlas_volume(name: str) -> Volume:
    """A shipped atlas volume on `CANONICAL`: ``template_t1``, ``regions``, ...

    Probabilities (``template_gm``, ``template_wm``) come as 0..1.
    """
    import nibabel as nib  # not at the top: the tables must be readable where it is missing

    raw = gzip.decompress(asset(f"atlas/{name}.nii.gz").read_bytes())
    data = np.asarray(nib.Nifti1Image.from_bytes(raw).dataobj, dtype=np.float32)
    if name in ("template_gm", "template_wm"):
        data = data / 255.0
    data.setflags(write=False)
    return Volume(data, CANONICAL.affine, CANONICAL.name)


@cache
def reference_mask(name: str) -> Volume:
    """Mask of a reference region (`REFERENCE_BITS`) on `CANONICAL`, eroded by one voxel."""
    bits = atlas_volume("references").data.astype(np.uint8)
    return on_grid((bits & REFERENCE_BITS[name]) > 0, CANONICAL)


@cache
def region_names() -> dict[int, tuple[str, str]]:
    """Label number -> (Desikan-Killiany name, ``L``/``R``/``B``); 84 and 85 are the cerebellum."""
    rows = csv.DictReader(io.StringIO(asset("atlas/regions.csv").read_text(encoding="utf-8")))
    return {int(row["id"]): (row["label"], row["hemisphere"]) for row in rows}


@cache
def composites() -> dict[str, tuple[str, ...]]:
    """Composite region -> Desikan-Killiany names (both hemispheres)."""
    table = read_json("atlas/composites.json")
    return {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
