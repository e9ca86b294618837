"""A FLAIR onto its own T1, never onto the template: six parameters and a gate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..progress import Progress
from ..volume import Affine, FloatArray, Volume
from .align import WORKING_MM
from .itk_registration import register
from .lattice import grid_around
from .steps import Steps
from .transform import resample

EDGES = (0.40, 0.55)
"""Correlation of the edges of T1 and FLAIR in the brain: refused below the first number, amber
below the second. Measured: 0.85 for a T1 and FLAIR of one visit (0.82 with the FLAIR made 6 mm
thick), at most 0.33 for two heads."""
RIM_MM = 6.0


def align_flair(
    t1: Volume, flair: Volume, brain: Volume, progress: Progress, steps: Steps
) -> tuple[Affine, list[Finding]]:
    """Rigid transform from T1 to FLAIR.

    Parameters
    ----------
    t1
        Bias-corrected native T1.
    flair
        The FLAIR on its own grid; where the scanner put it is the first guess, its middle on the
        T1's middle the second.
    brain
        Mask on the T1's grid.

    Returns
    -------
    matrix, findings
        4x4, RAS mm of the T1 to RAS mm of the FLAIR.

    Raises
    ------
    PETSynthError
        ``BAD_FLAIR`` when the two do not show the same head.
    """
    grid = grid_around(brain, WORKING_MM)
    identity = np.eye(4)
    fixed = Volume(resample(t1, identity, grid, antialias=True), grid.affine)
    inside = resample(brain, identity, grid, antialias=True) > 0.5
    reach = int(np.ceil(RIM_MM / grid.spacing[0]))
    near = fixed.with_data(ndimage.binary_dilation(inside, iterations=reach))
    centred = np.eye(4)
    centred[:3, 3] = middle(flair) - middle(t1)
    with steps.step("FLAIR to T1", "SimpleITK", {"metric": "Mattes MI", "dof": 6}) as outcome:
        starts = [identity, centred]
        found = register(fixed, near, flair, starts, progress, rigid=True)
        likeness = 0.0
        if found is not None:
            image = resample(flair, found.matrix, grid, antialias=True)
            likeness = edge_likeness(fixed.data, image, inside)
        outcome["edge_correlation"] = round(likeness, 3)
    if found is None or likeness < EDGES[0]:
        raise PETSynthError(
            ErrorCode.BAD_FLAIR,
            "The FLAIR does not show the same head as the T1 "
            f"(their edges agree by {max(0.0, likeness):.2f}, at least {EDGES[0]:g} is needed).",
            "Choose the FLAIR of the same person and visit, or leave it out.",
        )
    good = likeness >= EDGES[1]
    return found.matrix, [
        Finding(
            "flair_match",
            round(likeness, 3),
            f"at least {EDGES[1]:g}",
            Verdict.GREEN if good else Verdict.AMBER,
            "The FLAIR matches the T1."
            if good
            else "The FLAIR matches the T1 only roughly: check that it is of the same visit.",
        )
    ]


def edge_likeness(first: FloatArray, second: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Correlation of the gradient magnitudes of two images ``inside`` a mask.

    Where tissue borders lie does not depend on which tissue is bright, so images of different
    contrast can be compared, and folds differ between people like fingerprints.
    """
    one, two = (ndimage.gaussian_gradient_magnitude(data, 1.0)[inside] for data in (first, second))
    if float(one.std()) < 1e-6 or float(two.std()) < 1e-6:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def middle(volume: Volume) -> NDArray[np.float64]:
    """Brightness-weighted centre (3,) of an image in RAS mm."""
    bright = np.clip(volume.data, 0.0, None)
    centre = np.asarray(ndimage.center_of_mass(bright))
    return np.asarray(volume.affine[:3, :3] @ centre + volume.affine[:3, 3])
