"""The request for a synthesis."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from ..checks import OVERRIDABLE
from ..clinical import ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from .choices import (
    MOST_STEPS,
    REQUEST_VERSION,
    SCANNERS,
    SYNTHESIZE,
    Preset,
    Regions,
    checked_names,
)


@dataclass(frozen=True)
class SynthesisRequest:
    """Everything that decides a synthesis; equal requests give equal results.

    Attributes
    ----------
    t1
        Path of the T1-weighted MRI (NIfTI or NRRD).
    output
        Folder for the results.
    tracer
        Key of the tracer registry.
    flair, mask
        Paths of a T2-FLAIR and of a brain mask on the T1's grid, when the user has them.
    clinical
        What is known of the person.
    cognition_shapes_picture
        Whether the user allowed MMSE, ADAS-Cog-13 and APOE4 to shape the picture.
    pet_scanner
        Manufacturer whose PET is imitated; None for an average scanner.
    model
        Name of a shipped or installed bundle, or the path of one.
    preset
        Quality preset of the bundle.
    samples, steps
        Number of random samples and sampler steps; None takes the preset's.
    seed
        Seed of the samples.
    regions
        How the regions of the table are laid onto the MRI; affine is quicker, and small regions
        are off by millimetres.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:i``, ``mps`` or ``xpu``.
    overridden_checks
        Names from `checks.OVERRIDABLE` whose red light the user overrode ("Use anyway"); kept
        sorted, each once. Every result says which of them were red.
    """

    t1: str
    output: str
    tracer: str = "fdg"
    flair: str | None = None
    mask: str | None = None
    clinical: ClinicalRecord = field(default_factory=ClinicalRecord)
    cognition_shapes_picture: bool = False
    pet_scanner: str | None = None
    model: str = "flow"
    preset: Preset = Preset.BALANCED
    samples: int | None = None
    steps: int | None = None
    seed: int = 0
    regions: Regions = Regions.DEFORMABLE
    device: str = "auto"
    overridden_checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pet_scanner is not None and self.pet_scanner not in SCANNERS:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The PET scanner {self.pet_scanner!r} is not known.",
                f"Choose one of {', '.join(SCANNERS)}, or leave it out.",
            )
        names = checked_names(self.overridden_checks, OVERRIDABLE)
        object.__setattr__(self, "overridden_checks", names)
        _check_count("samples", self.samples, 0, 64)
        _check_count("steps", self.steps, 1, MOST_STEPS)
        _check_count("seed", self.seed, 0, 2**31 - 1)

    @property
    def clinical_for_picture(self) -> ClinicalRecord:
        """The clinical record as the generator may see it."""
        if self.cognition_shapes_picture:
            return self.clinical
        return self.clinical.without_cognition()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, with kind and version."""
        body = dataclasses.asdict(self)
        body["preset"] = self.preset.value
        body["regions"] = self.regions.value
        body["overridden_checks"] = list(self.overridden_checks)
        return {"version": REQUEST_VERSION, "kind": SYNTHESIZE, **body}


def _check_count(name: str, value: int | None, low: int, high: int) -> None:
    if value is not None and (isinstance(value, bool) or not low <= value <= high):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The number of {name} {value} is outside {low} to {high}."
            if name != "seed"
            else f"The seed {value} is outside {low} to {high}.",
            "Give a number in this range.",
        )
