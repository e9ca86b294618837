"""Does an acquired PET lie on its T1? How far it is off, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..checks import Finding, Verdict, grade
from ..errors import ErrorCode, PETSynthError
from ..progress import Progress
from ..volume import Affine, Volume
from .pet import align_pet, explained, pet_space
from .steps import Steps
from .transform import NativeToTemplate, resample

ASIDE_MM = (1.5, 3.0)
"""Mean distance over the brain's surface: amber beyond the first number, refused beyond the second.
Own decision: half of the 6 mm that a PET resolves; the registration itself is good to 0.3 mm."""
MIRRORED = 0.01
"""By how much the mirrored PET has to fit better before it is said. Swapping the sides of eight
simulated pairs cost 0.03 to 0.06."""


@dataclass(frozen=True, eq=False)
class PetAlignment:
    """Where a PET lies.

    Attributes
    ----------
    t1_to_pet
        4x4, RAS mm of the T1 to RAS mm of the PET, as it is used.
    registered
        Whether the PET was moved.
    distance_mm
        Mean distance over the brain's surface between where the PET lies and where it belongs;
        0 for a PET that was drawn on this T1.
    likeness
        Correlation of the PET with what the T1 makes one expect (`pet.explained`), None when it
        was drawn on this T1.
    sentence
        What was found and done.
    """

    t1_to_pet: Affine
    registered: bool
    distance_mm: float
    likeness: float | None
    sentence: str


def drawn_on_this_t1() -> tuple[PetAlignment, list[Finding]]:
    """A synthetic PET on the T1 it was made from."""
    sentence = "The PET was drawn on this T1."
    finding = Finding("pet_alignment", 0.0, _limit(), Verdict.GREEN, sentence)
    return PetAlignment(np.eye(4), False, 0.0, None, sentence), [finding]


def place_pet(
    t1: Volume,
    brain: Volume,
    pet: Volume,
    label: str,
    to_template: NativeToTemplate,
    *,
    register: bool,
    progress: Progress,
    steps: Steps,
) -> tuple[PetAlignment, list[Finding]]:
    """Measure how far a PET lies from its T1; move it there when asked to.

    Parameters
    ----------
    t1, brain
        Bias-corrected native T1 and its mask.
    pet
        On its own grid, any unit.
    label
        The tracer's name, for the sentences.
    to_template
        T1 to template: says where the middle of the brain is.
    register
        Whether the PET may be moved.

    Raises
    ------
    PETSynthError
        ``ALIGNMENT`` with the distance when it is off and may not be moved; ``BAD_DATA`` when it
        shows another head.
    """
    fixed = pet_space(t1, brain)
    found, match = align_pet(fixed, pet, label, progress, steps)
    found = np.round(found, 6)
    distance = surface_distance(found, brain)
    amber, red = ASIDE_MM
    if not register and distance > red:
        raise PETSynthError(
            ErrorCode.ALIGNMENT,
            f"The {label} PET lies {distance:.1f} mm from the T1 (mean over the brain's surface, "
            f"at most {red:g} mm).",
            "Let it be registered with --register: the results then say how far it was moved.",
        )
    used = found if register else np.eye(4)
    verdict = Verdict.GREEN if register else grade(distance, amber, red)
    sentence = (
        f"The PET lay {distance:.1f} mm from the T1 (mean over the brain's surface) and was "
        "registered to it, rigidly."
        if register
        else f"The PET lies within {distance:.1f} mm of the T1 and was not moved."
    )
    seen = resample(pet, used, fixed.t1.grid, antialias=True)
    swapped = resample(pet, np.asarray(used @ mirror(to_template)), fixed.t1.grid, antialias=True)
    sides = explained(fixed, swapped) - explained(fixed, seen)
    findings = [
        Finding("pet_alignment", round(distance, 2), _limit(), verdict, sentence),
        match,
        mirrored_finding(sides),
    ]
    return (
        PetAlignment(used, register, round(distance, 2), float(match.value), sentence),
        findings,
    )


def surface_distance(matrix: Affine, brain: Volume) -> float:
    """Mean distance in mm by which ``matrix`` (4x4, RAS mm) moves the surface of a mask."""
    inside = np.pad(brain.mask, 1)
    rim = (inside & ~ndimage.binary_erosion(inside))[1:-1, 1:-1, 1:-1]
    points = np.argwhere(rim) @ brain.affine[:3, :3].T + brain.affine[:3, 3]
    moved = points @ (matrix[:3, :3] - np.eye(3)).T + matrix[:3, 3]
    return float(np.linalg.norm(moved, axis=1).mean())


def mirror(to_template: NativeToTemplate) -> Affine:
    """4x4, RAS mm of a scan to RAS mm of the same scan: left and right of the head swapped."""
    swap = np.diag([-1.0, 1.0, 1.0, 1.0])
    return np.asarray(to_template.inverse @ swap @ to_template.matrix)


def mirrored_finding(gain: float) -> Finding:
    """Whether the PET would fit its T1 better with left and right swapped.

    Parameters
    ----------
    gain
        What swapping adds to the correlation of `pet.explained`.
    """
    better = gain > MIRRORED
    return Finding(
        "pet_sides",
        round(gain, 3),
        f"swapping the sides gains at most {MIRRORED:g}",
        Verdict.AMBER if better else Verdict.GREEN,
        "With left and right swapped the PET would fit the T1 better: check its orientation."
        if better
        else "Left and right of the PET agree with the T1.",
    )


def pet_coverage(pet: Volume, brain: Volume) -> Finding:
    """How much of the brain shows uptake; what a cut-off PET lacks has none.

    Parameters
    ----------
    pet, brain
        On one grid; the PET is 0 outside its own field of view.
    """
    covered = float((pet.data[brain.mask] > 0.0).mean())
    amber, red = 0.98, 0.90
    verdict = grade(-covered, -amber, -red)
    return Finding(
        "pet_coverage",
        round(covered, 4),
        f"amber below {amber:g}, red below {red:g}",
        verdict,
        "The PET shows the whole brain."
        if verdict is Verdict.GREEN
        else f"The PET shows only {100 * covered:.0f} % of the brain.",
    )


def _limit() -> str:
    return f"amber beyond {ASIDE_MM[0]:g} mm, refused beyond {ASIDE_MM[1]:g} mm"
