"""The outline of the brain: the user's own, the scan's own, deepbet's, or the atlas's."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..assets import atlas_volume
from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..progress import Progress
from ..read import Scan
from ..volume import Volume
from .atlas_brain import atlas_brain
from .steps import Steps
from .stripped import BRAIN_ML, stripped_brain
from .transform import NativeToTemplate, resample

SMALLEST_ML, LARGEST_ML = BRAIN_ML
MARGIN_MM = 6.0
"""How far from the template's brain a voxel may lie and still belong to the brain. Beyond are the
remnants of orbits and sinuses."""
COVERED = (0.90, 0.995)


def find_brain(
    t1: Scan, mask: Scan | None, device: str, progress: Progress, steps: Steps
) -> tuple[Volume, list[Finding]]:
    """Brain mask (0/1) on the scan's canonical grid.

    Parameters
    ----------
    t1
        The scan; one without skull is its own outline.
    mask
        The user's own mask on the same grid, which then decides.
    device
        ``cuda`` or ``cuda:i`` runs deepbet there, everything else on the CPU.

    Raises
    ------
    PETSynthError
        ``BAD_MASK`` for a mask that does not fit, ``BAD_IMAGE`` when no brain is found.
    """
    if mask is not None:
        with steps.step("brain mask", "nibabel", {"source": "user"}) as outcome:
            brain = users_brain(t1, mask)
            outcome["ml"] = round(millilitres(brain))
        return brain, []
    own = stripped_brain(t1.volume)
    if own is not None:
        with steps.step("brain mask", "numpy", {"source": "scan without skull"}) as outcome:
            outcome["ml"] = round(millilitres(own))
        return own, []
    findings: list[Finding] = []
    reason = why_no_deepbet()
    if not reason:
        with steps.step("brain mask", "deepbet", {"threshold": 0.5}) as outcome:
            try:
                brain = deepbet_brain(t1.volume, device, outcome)
                outcome["ml"] = round(millilitres(brain))
            except Exception as problem:  # whatever torch may raise: there is a second way
                reason = f"deepbet failed ({type(problem).__name__})"
                outcome["failed"] = reason
    progress.check()
    if reason:
        findings.append(
            Finding(
                "brain_mask_method",
                "atlas",
                "deepbet",
                Verdict.AMBER,
                f"The brain was outlined with the atlas because {reason}; "
                "the outline is coarser, check it in the pictures.",
            )
        )
        with steps.step("brain mask", "SimpleITK", {"source": "atlas"}) as outcome:
            brain = atlas_brain(t1.volume, progress)
            outcome["ml"] = round(millilitres(brain))
    volume = millilitres(brain)
    if not SMALLEST_ML <= volume <= LARGEST_ML:
        raise PETSynthError(
            ErrorCode.BAD_IMAGE,
            f"No whole brain was found in the T1 (what looks most like one has {volume:.0f} mL).",
            "Check that this is a T1-weighted MRI of a whole head, or give a brain mask.",
        )
    return brain, findings


def users_brain(t1: Scan, mask: Scan) -> Volume:
    """The user's mask when it fits the scan.

    Raises
    ------
    PETSynthError
        ``BAD_MASK``.
    """

    def refuse(text: str, hint: str) -> PETSynthError:
        return PETSynthError(ErrorCode.BAD_MASK, text, hint)

    if not mask.volume.grid.same_as(t1.volume.grid, tolerance_mm=0.1):
        raise refuse(
            "The brain mask does not lie on the same grid as the T1.",
            "Make the mask on this T1, or resample it onto the T1 with nearest neighbour.",
        )
    brain = mask.volume.with_data(mask.volume.mask)
    volume = millilitres(brain)
    if volume == 0:
        raise refuse("The brain mask is empty.", "Choose the file that holds the mask.")
    if not SMALLEST_ML <= volume <= LARGEST_ML:
        raise refuse(
            f"The brain mask covers {volume:.0f} mL, but a brain has "
            f"{SMALLEST_ML:.0f} to {LARGEST_ML:.0f} mL.",
            "Choose the mask of the whole brain, or leave it out to have the brain found.",
        )
    return brain


def why_no_deepbet() -> str:
    """Why deepbet cannot be used here; empty when it can."""
    for package in ("deepbet", "torch"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed"
    return ""


def deepbet_brain(t1: Volume, device: str, outcome: dict[str, Any]) -> Volume:
    """Brain mask by deepbet (Fisch 2024), on an image in memory.

    deepbet's own choice of device is overruled: its networks are loaded on the CPU and moved.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from deepbet import BrainExtraction

        target = device if device.startswith("cuda") else "cpu"
        extraction = BrainExtraction(no_gpu=True)
        extraction.model.to(target)
        extraction.bbox_model.to(target)
        import nibabel as nib

        _, mask, _ = extraction.run(nib.Nifti1Image(t1.data, t1.affine))
    outcome["device"] = target
    return t1.with_data(largest_component(np.asarray(mask.dataobj) > 0))


def tidy(brain: Volume, transform: NativeToTemplate) -> Volume:
    """``brain`` (native) without what lies outside the widened template brain, in one piece."""
    near = Volume(_near_template(), atlas_volume("template_brain").affine)
    allowed = resample(near, transform.matrix, brain.grid) > 0.5
    return brain.with_data(largest_component(brain.mask & allowed))


def _near_template() -> NDArray[np.float32]:
    """1 within `MARGIN_MM` of the template's brain."""
    template = atlas_volume("template_brain")
    distance = ndimage.distance_transform_edt(~template.mask, sampling=template.grid.spacing)
    return np.asarray(distance <= MARGIN_MM, dtype=np.float32)


def coverage_finding(t1: Volume, transform: NativeToTemplate) -> Finding:
    """How much of the brain lies inside the scan's field of view."""
    template = atlas_volume("template_brain")
    inside = resample(t1.with_data(np.ones(t1.shape)), transform.inverse, template.grid, order=0)
    covered = float((inside[template.mask] > 0).mean())
    red, amber = COVERED
    verdict = grade(-covered, -amber, -red)
    sentence = {
        Verdict.GREEN: "The scan covers the whole brain.",
        Verdict.AMBER: f"The brain touches the edge of the scan: {100 * covered:.1f} % of it "
        "is covered, values near the edge are unreliable.",
        Verdict.RED: f"The scan covers only {100 * covered:.0f} % of the brain.",
    }[verdict]
    limit = f"amber below {amber:g}, red below {red:g}"
    return Finding("coverage", round(covered, 4), limit, verdict, sentence)


def millilitres(mask: Volume) -> float:
    """Volume of a mask."""
    return float(mask.mask.sum()) * mask.grid.voxel_ml


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest face-connected part of ``mask``; all False stays so."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())
