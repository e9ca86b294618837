"""The walk from a scan to what a generator sees. Read `prepare` first."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..assets import atlas_volume
from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..progress import CheckList, Progress
from ..read import Scan
from ..volume import Grid, Volume
from .align import align
from .bias import bias_field, without_bias
from .brain import coverage_finding, find_brain, largest_component, tidy
from .flair import align_flair
from .intensity import HIGHEST, PERCENTILE, scaled
from .prepared import Prepared
from .space import read_space
from .steps import Steps
from .transform import NativeToTemplate, resample
from .unusual import enhancement_finding, sides_finding

CONTRAST = (1.0, 1.07)
"""White over grey matter. Measured: T1 1.30 (colin27) and 1.21 (a patient), his FLAIR 0.93."""
PURE, MOSTLY = 0.9, 0.6
"""Template probabilities above which a voxel counts as white, as grey matter."""


def prepare(
    t1: Scan,
    *,
    flair: Scan | None,
    mask: Scan | None,
    space: Path | None,
    grid: Grid,
    device: str,
    progress: Progress,
    overridden: Collection[str] = (),
) -> Prepared:
    """Bias field, brain mask, alignment and intensity of a T1 (and its FLAIR).

    Parameters
    ----------
    t1, flair, mask
        What was read; FLAIR and mask may be None.
    space
        Folder ``space/`` of an earlier result; its mask, transforms and bias fields are reused when
        they were made from the same files, and ignored otherwise.
    grid
        Grid of the generator in template space.
    device
        Where deepbet runs: ``cuda`` or ``cuda:i``, everything else means the CPU.
    progress
        Told of every step; may stop the walk.
    overridden
        Names of the checks whose red light the user overrode.

    Raises
    ------
    PETSynthError
        ``BAD_GEOMETRY``, ``BAD_IMAGE``, ``BAD_MASK``, ``BAD_FLAIR`` or ``ALIGNMENT``, each with
        a plain sentence.
    Cancelled
        When the user asked to stop.
    """
    steps = Steps()
    findings = CheckList(progress, overridden)
    total = 5 if flair is None else 6
    for scan in (t1, flair, mask):
        if scan is not None:
            findings.add(
                scan.findings,
                ErrorCode.BAD_GEOMETRY,
                "Use a scan with thin, nearly cubic voxels, best a 3D T1 of 1 mm.",
            )
    if "contrast_agent" in overridden:
        findings.add([_contrast_agent()], ErrorCode.BAD_IMAGE, "Use a scan without it.")
    sources = {
        "t1_sha256": t1.sha256,
        "flair_sha256": None if flair is None else flair.sha256,
        "mask_sha256": None if mask is None else mask.sha256,
    }
    earlier = None if space is None else read_space(space, t1, sources)
    progress.step(0, total)

    if earlier is None:
        brain, found = find_brain(t1, mask, device, progress, steps)
        findings.add(found, ErrorCode.BAD_IMAGE, "Give a brain mask.")
    else:
        brain = earlier.brain
        kept = {"source": "earlier result", "bias_fields": sorted(earlier.fields)}
        with steps.step("brain mask and alignment", "petsynth", kept):
            pass
    progress.step(1, total)

    if earlier is None:
        transform, found = _aligned(t1.volume, brain, mask, progress, steps)
        findings.add(found, ErrorCode.ALIGNMENT, "Give a brain mask.")
        brain = tidy(brain, transform)
    else:
        transform = earlier.transform
    findings.add(
        [coverage_finding(t1.volume, transform)],
        ErrorCode.BAD_GEOMETRY,
        "Use a scan that shows the whole brain, cerebellum included.",
    )
    template_brain = aligned_brain(brain, transform, grid)
    progress.step(2, total)

    fields = {} if earlier is None else dict(earlier.fields)
    if "t1" not in fields:
        fields["t1"] = bias_field(t1.volume, template_brain, transform, steps)
    native_t1 = without_bias(t1.volume, fields["t1"], transform)
    progress.step(3, total)

    with steps.step(
        "intensity", "numpy", {"percentile": PERCENTILE, "highest": HIGHEST}
    ) as outcome:
        template_t1 = in_brain(transform.to_template(native_t1, grid), template_brain)
        finding = contrast_finding(template_t1)
        outcome["white_over_grey"] = finding.value
    findings.add(
        [finding],
        ErrorCode.BAD_IMAGE,
        "Choose the T1-weighted image; FLAIR and T2 images cannot take its place.",
    )
    findings.add(
        [enhancement_finding(template_t1, template_brain)],
        ErrorCode.BAD_IMAGE,
        "Use a scan made without a contrast agent.",
    )
    findings.add(
        [sides_finding(template_t1, template_brain)], ErrorCode.BAD_IMAGE, "Use another scan."
    )
    progress.step(4, total)

    template_flair, t1_to_flair = None, None
    if flair is not None:
        t1_to_flair = None if earlier is None else earlier.flair
        if t1_to_flair is None:
            t1_to_flair, found = align_flair(native_t1, flair.volume, brain, progress, steps)
            findings.add(found, ErrorCode.BAD_FLAIR, "Leave the FLAIR out.")
        whole = NativeToTemplate(transform.matrix @ np.linalg.inv(t1_to_flair))
        if "flair" not in fields:
            name = "bias field of the FLAIR"
            fields["flair"] = bias_field(flair.volume, template_brain, whole, steps, name)
        corrected = without_bias(flair.volume, fields["flair"], whole)
        template_flair = in_brain(whole.to_template(corrected, grid), template_brain)
        progress.step(5, total)
    progress.step(total, total)
    return Prepared(
        t1=template_t1,
        brain=template_brain,
        flair=template_flair,
        native_brain=brain,
        native_t1=native_t1,
        transform=transform,
        findings=list(findings),
        steps=steps.records,
        sources=sources,
        t1_to_flair=t1_to_flair,
        fields=fields,
    )


def _contrast_agent() -> Finding:
    """What a user overrode who knew of a contrast agent; an image file itself does not tell."""
    return Finding(
        "contrast_agent",
        "given",
        "none",
        Verdict.RED,
        "A contrast agent was given; the models have not seen such images.",
    )


def _aligned(
    t1: Volume, brain: Volume, mask: Scan | None, progress: Progress, steps: Steps
) -> tuple[NativeToTemplate, list[Finding]]:
    """`align`, but blaming the user's mask when there is one."""
    try:
        return align(t1, brain, progress, steps)
    except PETSynthError as problem:
        if mask is None or problem.code is not ErrorCode.ALIGNMENT:
            raise
        raise PETSynthError(
            ErrorCode.BAD_MASK,
            "The brain mask does not fit the brain in the T1.",
            "Look at the mask over the T1 in 3D Slicer, or leave it out to have the brain found.",
        ) from problem


def aligned_brain(native_brain: Volume, transform: NativeToTemplate, grid: Grid) -> Volume:
    """A scan's brain mask on a template ``grid``, in one piece."""
    brain = transform.to_template(native_brain, grid)
    return brain.with_data(largest_component(brain.mask))


def aligned_head(prepared: Prepared, grid: Grid) -> Volume:
    """``prepared.t1`` on another template ``grid`` than its generator's."""
    if prepared.t1.grid.same_as(grid):
        return prepared.t1
    brain = aligned_brain(prepared.native_brain, prepared.transform, grid)
    return in_brain(prepared.transform.to_template(prepared.native_t1, grid), brain)


def in_brain(image: Volume, brain: Volume) -> Volume:
    """``image`` scaled by `scaled` and zero outside ``brain`` (same grid)."""
    return image.with_data(scaled(image.data, brain.mask) * brain.mask)


def contrast_finding(t1: Volume) -> Finding:
    """Whether white matter is brighter than grey, as in a T1 and in no FLAIR or T2.

    Parameters
    ----------
    t1
        Brain-only image in template space, any grid.
    """
    white, grey = (
        resample(atlas_volume(name), np.eye(4), t1.grid) for name in ("template_wm", "template_gm")
    )
    brain = t1.data > 0
    ratio = float(np.median(t1.data[(white > PURE) & brain]))
    ratio /= max(float(np.median(t1.data[(grey > MOSTLY) & brain])), 1e-6)
    red, amber = CONTRAST
    verdict = grade(-ratio, -amber, -red)
    sentence = {
        Verdict.GREEN: "The image has the contrast of a T1.",
        Verdict.AMBER: "White and grey matter hardly differ in the T1.",
        Verdict.RED: "The image given as T1 does not have the contrast of a T1: its white matter "
        "is darker than its grey matter.",
    }[verdict]
    return Finding(
        "t1_contrast",
        round(ratio, 3),
        f"white over grey matter: amber below {amber:g}, red below {red:g}",
        verdict,
        sentence,
    )
