"""An acquired PET onto its own T1: six parameters and a measure of how well the two agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..progress import Progress
from ..volume import Affine, FloatArray, Volume
from .rigid import AroundBrain, around_brain, register_rigidly, starts_of
from .steps import Steps
from .transform import FWHM_TO_SIGMA, resample

WORKING_MM = 4.0
"""A PET resolves 4 to 8 mm. Measured on made brains: within 0.3 mm, as on 2.5 mm, in half the
time."""
SHRINK, SMOOTHING_MM = (2, 1), (6.0, 2.0)
THINNED_MM = 3.0
"""Half the time of 2 mm for at most 0.1 mm."""
RIM_MM = 6.0
RESOLUTION_MM = 6.0
SHADES = 5
LIKENESS = (0.70, 0.85)
"""Refused below the first number, amber below the second. Measured on simulated pairs with noise
0.89 to 0.98; with another person's PET, laid on as well as it goes, FDG fell from 0.93-0.96 to
0.59-0.88. What is unusual depends on tracer and scanner: among the pairs of one data set a low rank
says more than these limits."""


def pet_space(t1: Volume, brain: Volume) -> AroundBrain:
    """What every PET of a person is laid on; made once.

    Parameters
    ----------
    t1
        Bias-corrected native T1.
    brain
        Mask on its grid.
    """
    return around_brain(t1, brain, WORKING_MM, RIM_MM)


def align_pet(
    fixed: AroundBrain, pet: Volume, label: str, progress: Progress, steps: Steps
) -> tuple[Affine, Finding]:
    """Rigid transform from T1 to PET.

    Parameters
    ----------
    fixed
        `pet_space` of the T1.
    pet
        Acquired PET on its own grid, any unit.
    label
        The tracer's name, for the sentences.

    Returns
    -------
    matrix, finding
        4x4, RAS mm of the T1 to RAS mm of the PET; how much of the PET the T1 explains.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the two do not show the same head.
    """
    parameters = {"metric": "Mattes MI", "dof": 6, "working_mm": WORKING_MM}
    with steps.step(f"{label} PET to T1", "SimpleITK", parameters) as outcome:
        found = register_rigidly(
            fixed, pet, starts_of(fixed.t1, pet), progress, SHRINK, SMOOTHING_MM, THINNED_MM
        )
        likeness = 0.0
        if found is not None:
            image = resample(pet, found.matrix, fixed.t1.grid, antialias=True)
            likeness = explained(fixed, image)
        outcome["likeness"] = round(likeness, 3)
    red, amber = LIKENESS
    if found is None or likeness < red:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The {label} PET does not fit the T1 (the T1 explains it with a correlation of "
            f"{likeness:.2f}, at least {red:g} is needed).",
            "Check that both are of the same person and that the PET shows the whole brain.",
        )
    verdict = grade(-likeness, -amber, -red)
    return found.matrix, Finding(
        "pet_match",
        round(likeness, 3),
        f"amber below {amber:g}, red below {red:g}",
        verdict,
        f"The {label} PET matches the T1."
        if verdict is Verdict.GREEN
        else f"The {label} PET matches the T1 only roughly: look at the picture.",
    )


def explained(fixed: AroundBrain, pet: FloatArray) -> float:
    """Multiple correlation 0..1 of a PET with what its T1 would look like in a PET scanner.

    The brain is cut into `SHADES` classes by the brightness of the T1, each blurred to
    `RESOLUTION_MM`; the PET (on the lattice of ``fixed``) is regressed on them in the brain and its
    rim. No tracer's pattern is assumed. Moving the PET by 6 mm costs 0.1.
    """
    values, inside, near = fixed.t1.data, fixed.inside, fixed.near.mask
    edges = np.quantile(values[inside], np.arange(1, SHADES) / SHADES)
    shade = np.digitize(values, edges)
    sigma = FWHM_TO_SIGMA * RESOLUTION_MM / np.asarray(fixed.t1.grid.spacing)
    columns = [_blurred(inside & (shade == k), sigma)[near] for k in range(SHADES)]
    design = np.stack([*columns, np.ones(int(near.sum()))], axis=1).astype(np.float64)
    uptake = pet[near].astype(np.float64)
    if uptake.std() < 1e-6 * max(float(np.abs(uptake).max()), 1e-30):
        return 0.0
    fit = design @ np.linalg.lstsq(design, uptake, rcond=None)[0]
    return float(np.sqrt(np.clip(1.0 - (uptake - fit).var() / uptake.var(), 0.0, 1.0)))


def _blurred(mask: NDArray[np.bool_], sigma: NDArray[np.float64]) -> FloatArray:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), sigma))
