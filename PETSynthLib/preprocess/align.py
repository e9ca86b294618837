"""From a brain to the template: twelve parameters, and the gates that catch a wrong answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..assets import atlas_volume
from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..progress import Progress
from ..volume import CANONICAL, Affine, FloatArray, Grid, Volume
from .greedy import THREADS, GreedyFailed, greedy_affine
from .intensity import scaled
from .itk_registration import register, turned_starts
from .lattice import centre_of, grid_around
from .steps import Steps
from .transform import NativeToTemplate, resample

REPEATABLE = "-dof 12 -jitter 0 -noise 0"
"""Greedy jitters its samples and adds noise from a clock-seeded generator: without these, and with
more than one thread, two runs differ by 0.1 mm."""
FIRST_PASS = f"{REPEATABLE} -m NMI -ia-image-centers -search 200 20 20 -n 60x20"
SECOND_PASS = f"{REPEATABLE} -m NCC 3x3x3 -ia-identity -n 20x15"
"""The second pass starts from the first result resampled onto one upright lattice, however the
head was turned: that leaves 0.1 mm of difference between turned heads, not 0.4."""
PITCHES_DEG = (0.0, -20.0, 20.0, -40.0, 40.0)
WORKING_MM = 1.7
"""Not the template's 2 mm: without jitter, coinciding lattices give mutual information false
peaks wherever voxels fall onto voxels, and the optimiser stops at the first."""

DETERMINANT = (0.45, 1.10)
"""Volume of the scanned brain over the template's. Real heads measured 0.63 to 1.02 (the template
is larger than most heads); failures of the optimiser measured 1.3, 3.9, 18 and -8570."""
STRETCH = 1.4
DICE = (0.90, 0.94)
NMI = (1.012, 1.025)
"""Refused below the first number, amber below the second."""


FLATTEN_VOXELS = 10.0
"""Width (sigma) of the blur that takes out a bias field, voxels of the template."""


@dataclass(frozen=True)
class Gates:
    """How well a brain lies on the template.

    Attributes
    ----------
    determinant
        Of the linear part, template to native: ratio of the volumes.
    stretch
        Largest over smallest singular value of the linear part.
    dice
        Overlap of the brain mask with the template's brain.
    nmi
        Normalised mutual information (1 none) of the T1 and the template's T1 in its brain.
    """

    determinant: float
    stretch: float
    dice: float
    nmi: float

    @property
    def failures(self) -> list[str]:
        """What fails, in words; empty when the alignment may be used."""
        low, high = DETERMINANT
        failed = []
        if self.determinant <= 0:
            failed.append("it would be mirrored")
        elif not low <= self.determinant <= high:
            failed.append(f"its size is {self.determinant:.2f} of the template's")
        if self.stretch > STRETCH:
            failed.append(f"it would be stretched {self.stretch:.2f}-fold in one direction")
        if self.dice < DICE[0]:
            failed.append(f"only {100 * self.dice:.0f} % of it overlaps")
        if self.nmi < NMI[0]:
            failed.append("its inside does not look like a brain's")
        return failed

    def as_dict(self) -> dict[str, float]:
        """JSON-ready, rounded."""
        return {name: round(value, 4) for name, value in vars(self).items()}


def align(
    t1: Volume, brain: Volume, progress: Progress, steps: Steps
) -> tuple[NativeToTemplate, list[Finding]]:
    """Affine alignment of a scan to the template.

    The brain alone is registered, never the head: a skull on one side only pulls any optimiser
    the wrong way. picsl-greedy first; when it is missing, crashes or fails a gate, SimpleITK from
    several starts; when that fails too, a refusal.

    Parameters
    ----------
    t1
        Native T1; a bias field does not matter to the local correlation of the second pass.
    brain
        Its brain mask, same grid.

    Raises
    ------
    PETSynthError
        ``ALIGNMENT`` when no result passes the gates.
    """
    template = Volume(
        atlas_volume("template_t1").data * atlas_volume("template_brain").mask,
        CANONICAL.affine,
        CANONICAL.name,
    )
    moving = brain_only(t1, brain, np.eye(4), grid_around(brain, WORKING_MM))
    findings: list[Finding] = []
    parameters = {"first": FIRST_PASS, "second": SECOND_PASS, "threads": THREADS}
    with steps.step("alignment", "picsl-greedy", parameters) as outcome:
        try:
            matrix = _greedy_twice(template, moving, t1, brain, progress)
            gates = gates_of(matrix, t1, brain)
            outcome |= {"gates": gates.as_dict(), "failures": gates.failures}
            reason = "its result was implausible" if gates.failures else ""
        except GreedyFailed as problem:
            outcome["failures"] = [str(problem)]
            reason = str(problem)
    if reason:
        findings.append(
            Finding(
                "alignment_method",
                "SimpleITK",
                "picsl-greedy",
                Verdict.AMBER,
                f"The head was aligned with the slower SimpleITK because {reason}.",
            )
        )
        starts = {"metric": "Mattes MI", "pitches_deg": list(PITCHES_DEG)}
        with steps.step("alignment, second method", "SimpleITK", starts) as outcome:
            matrix, gates = _itk_multi_start(template, moving, t1, brain, progress)
            outcome |= {"gates": gates.as_dict(), "failures": gates.failures}
        if gates.failures:
            raise PETSynthError(
                ErrorCode.ALIGNMENT,
                "The brain in the T1 could not be aligned with the template: "
                + " and ".join(gates.failures)
                + ".",
                "Check that this is a T1-weighted MRI of a whole head, and try again with a brain "
                "mask of your own.",
            )
    return NativeToTemplate(np.asarray(np.linalg.inv(matrix))), [*findings, overlap_finding(gates)]


def brain_only(t1: Volume, brain: Volume, to_native: Affine, grid: Grid) -> Volume:
    """``t1`` inside ``brain``, scaled, with a soft edge, sampled on ``grid`` (see `resample`)."""
    inside = resample(brain, to_native, grid, antialias=True)
    image = resample(t1, to_native, grid, antialias=True)
    return Volume(scaled(image * inside, inside > 0.5), grid.affine)


def _greedy_twice(
    template: Volume, moving: Volume, t1: Volume, brain: Volume, progress: Progress
) -> Affine:
    """Template to native by two passes of greedy."""
    first = greedy_affine(template, moving, FIRST_PASS, progress)
    if abs(np.linalg.det(first[:3, :3])) < 1e-3:
        raise GreedyFailed("greedy collapsed the image")
    # Only a start, so rounding costs nothing; it removes the last digits, in which two runs of
    # the first pass may still differ.
    first[:3, :3] = np.round(first[:3, :3] * 500.0) / 500.0
    first[:3, 3] = np.round(first[:3, 3] * 2.0) / 2.0
    lattice = grid_around(atlas_volume("template_brain"), WORKING_MM)
    upright = brain_only(t1, brain, first, lattice)
    return np.asarray(first @ greedy_affine(template, upright, SECOND_PASS, progress))


def _itk_multi_start(
    template: Volume, moving: Volume, t1: Volume, brain: Volume, progress: Progress
) -> tuple[Affine, Gates]:
    """Template to native by SimpleITK, and how good it is."""
    template_brain = atlas_volume("template_brain")
    ratio = (brain.mask.sum() * brain.grid.voxel_ml) / (template_brain.mask.sum() * 0.008)
    starts = turned_starts(
        centre_of(template_brain), centre_of(brain), PITCHES_DEG, float(np.cbrt(ratio))
    )
    everywhere = template_brain.with_data(np.ones(template_brain.shape))
    found = register(template, everywhere, moving, starts, progress, rigid=False)
    matrix = np.diag([0.0, 0.0, 0.0, 1.0]) if found is None else found.matrix
    return matrix, gates_of(matrix, t1, brain)


def gates_of(matrix: Affine, t1: Volume, brain: Volume) -> Gates:
    """How well ``matrix`` (template RAS mm to native RAS mm) lays a brain on the template."""
    singular = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    determinant = float(np.linalg.det(matrix[:3, :3]))
    if singular[-1] < 1e-3:
        return Gates(determinant, float("inf"), 0.0, 1.0)
    template_brain = atlas_volume("template_brain").mask
    ours = resample(brain, matrix, CANONICAL, antialias=True) > 0.5
    image = flattened(resample(t1, matrix, CANONICAL, antialias=True), ours)
    return Gates(
        determinant,
        float(singular[0] / singular[-1]),
        dice(ours, template_brain),
        normalised_mutual_information(
            image, atlas_volume("template_t1").data, template_brain & ours
        ),
    )


def flattened(image: FloatArray, inside: NDArray[np.bool_]) -> FloatArray:
    """``image`` over its own blurred self ``inside`` a mask: a bias field hides no likeness."""
    weight = inside.astype(np.float32)
    blurred = ndimage.gaussian_filter(image * weight, FLATTEN_VOXELS)
    blurred /= np.maximum(ndimage.gaussian_filter(weight, FLATTEN_VOXELS), 1e-3)
    return np.asarray(image / np.maximum(blurred, 1e-6))


def overlap_finding(gates: Gates) -> Finding:
    """The alignment as a traffic light (an alignment that is red never gets here)."""
    good = gates.dice >= DICE[1] and gates.nmi >= NMI[1]
    return Finding(
        "alignment",
        round(gates.dice, 3),
        f"overlap at least {DICE[1]:g}",
        Verdict.GREEN if good else Verdict.AMBER,
        f"The brain lies on the template (overlap {100 * gates.dice:.0f} %)."
        if good
        else f"The brain lies on the template less well than usual (overlap "
        f"{100 * gates.dice:.0f} %): check the outline in the pictures.",
    )


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """Twice the common volume over the sum of the volumes."""
    return 2.0 * float((first & second).sum()) / max(1.0, float(first.sum() + second.sum()))


def normalised_mutual_information(
    first: FloatArray, second: FloatArray, inside: NDArray[np.bool_], bins: int = 48
) -> float:
    """(H(a) + H(b)) / H(a, b) of two images ``inside`` a mask (Studholme 1999); 1 is none."""
    if int(inside.sum()) < 1000:
        return 1.0

    def levels(data: FloatArray) -> FloatArray:
        low, high = np.percentile(data[inside], (0.5, 99.5))
        return np.asarray(np.clip((data[inside] - low) / max(float(high - low), 1e-6), 0.0, 1.0))

    joint = np.histogram2d(levels(first), levels(second), bins)[0]
    p = joint / joint.sum()

    def entropy(q: NDArray[np.float64]) -> float:
        q = q[q > 0]
        return -float((q * np.log(q)).sum())

    return (entropy(p.sum(0)) + entropy(p.sum(1))) / max(entropy(p.ravel()), 1e-9)
