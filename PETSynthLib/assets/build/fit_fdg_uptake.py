"""Fit the regional FDG uptake of ``uptake.json`` to a published group-mean FDG image.

``python -m PETSynthLib.assets.build.fit_fdg_uptake TEMPLATE.nii.gz`` reads the dementia-specific
FDG template of Della Rosa et al. 2014 (Neuroinformatics, MIT licence; not shipped), warps it onto
the ICBM tissue maps, and solves for the uptake of each territory *before* the scanner's blur
(geometric transfer matrix, non-negative, ridge towards a prior): group images are already blurred,
so their regional means must be deconvolved or the blur is applied twice. Prints JSON; the image
itself goes nowhere.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import lsq_linear

from PETSynthLib.assets import atlas_volume, reference_mask, region_names
from PETSynthLib.generate.atlas.forward import deep_grey_labels, scanner_blur
from PETSynthLib.volume import CANONICAL

RIDGE = 60.0
WIDTHS = (8.0, 9.0, 10.0)
"""FWHM in mm tried for scanner and group smoothing (wider ones trade blur for false contrast)."""


def warp_to_template(path: Path, pseudo: NDArray[np.float32]) -> NDArray[np.float32]:
    """The group image warped onto a pseudo-PET made from the ICBM tissue maps (greedy, NCC)."""
    from picsl_greedy import Greedy3D

    image: Any = nib.load(path)
    data = np.clip(np.squeeze(np.asarray(image.dataobj, dtype=np.float32)), 0, None)
    matrix = np.linalg.inv(image.affine) @ CANONICAL.affine
    moving = ndimage.affine_transform(
        data, matrix[:3, :3], matrix[:3, 3], output_shape=CANONICAL.shape, order=1
    )
    fixed_image, moving_image = sitk_of(pseudo), sitk_of(moving)
    greedy = Greedy3D()
    greedy.execute(
        "-i f m -a -dof 12 -m NCC 4x4x4 -ia-identity -n 60x40x20 -o aff -V 0",
        f=fixed_image, m=moving_image, aff=None,
    )  # fmt: skip
    greedy.execute("-i f m -it aff -m NCC 4x4x4 -n 60x40x0 -s 4vox 2vox -o warp -V 0", warp=None)
    greedy.execute("-rf f -rm m resliced -r warp aff -V 0", resliced=None)
    return np.asarray(sitk.GetArrayFromImage(greedy["resliced"]).T, dtype=np.float32)


def sitk_of(data: NDArray[np.float32]) -> sitk.Image:
    """A SimpleITK image of an array on `CANONICAL` (geometry up to a common origin)."""
    image: Any = sitk.GetImageFromArray(np.ascontiguousarray(data.T))
    image.SetSpacing(CANONICAL.spacing)
    return image  # type: ignore[no-any-return]


def fit(path: Path) -> dict[str, object]:
    """Solve for the uptake by territory; returns the rows of ``uptake.json``."""
    grey, white = atlas_volume("template_gm").data, atlas_volume("template_wm").data
    brain = atlas_volume("template_brain").mask
    territories = atlas_volume("territories").data.astype(int)
    deep = deep_grey_labels(atlas_volume("regions").data)
    pseudo = scanner_blur(1.6 * grey + 0.7 * white, 11.0, CANONICAL)
    pet = warp_to_template(path, pseudo)
    pet = pet / pet[reference_mask("pons").mask].mean()

    grey_all = grey + np.where(deep, white, 0)
    white_all = np.where(deep, 0, white)
    csf = np.clip(brain - grey - white, 0, 1)
    cerebellum = territories >= 84
    names = region_names()
    groups = sorted({name for name, _ in names.values()})
    fractions = [
        grey_all * np.isin(territories, [k for k, (n, _) in names.items() if n == group])
        for group in groups
    ]
    fractions += [white_all * ~cerebellum, white_all * cerebellum, csf]
    prior = np.array([1.6] * len(groups) + [0.75, 0.75, 0.2])

    inside = brain & (pet > 0.05)
    best: tuple[float, float, NDArray[np.float64]] | None = None
    for fwhm in WIDTHS:
        columns = [scanner_blur(f.astype(np.float32), fwhm, CANONICAL)[inside] for f in fractions]
        weight = np.sqrt(RIDGE)
        matrix = np.vstack([np.stack(columns, 1), weight * np.eye(len(prior))])
        target = np.r_[pet[inside], weight * prior]
        solved = lsq_linear(matrix, target, bounds=(0, 4)).x
        residual = float((matrix[: inside.sum()] @ solved - pet[inside]).std())
        if best is None or residual < best[0]:
            best = (residual, fwhm, solved)
    assert best is not None
    residual, fwhm, solved = best
    return {
        "fwhm_mm": fwhm,
        "residual_sd": round(residual, 3),
        "grey": {g: round(float(u), 2) for g, u in zip(groups, solved, strict=False)},
        "white, white_cerebellum, csf": [round(float(u), 2) for u in solved[len(groups) :]],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", type=Path)
    print(json.dumps(fit(parser.parse_args().template), indent=1))
