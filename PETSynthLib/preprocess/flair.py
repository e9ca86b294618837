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
from .rigid import around_brain, register_rigidly, starts_of
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
    fixed = around_brain(t1, brain, WORKING_MM, RIM_MM)
    with steps.step("FLAIR to T1", "SimpleITK", {"metric": "Mattes MI", "dof": 6}) as outcome:
        found = register_rigidly(fixed, flair, starts_of(t1, flair), progress)
        likeness = 0.0
        if found is not None:
            image = resample(flair, found.matrix, fixed.t1.grid, antialias=True)
            likeness = edge_likeness(fixed.t1.data, image, fixed.inside)
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
