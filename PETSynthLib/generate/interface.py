"""What every generator is: MRI on the template grid in, SUVR volumes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..clinical import ClinicalRecord
from ..progress import Progress
from ..tracers import Tracer
from ..volume import PetVolume, Volume


@dataclass(frozen=True, eq=False)
class GeneratorInput:
    """What a generator sees. All volumes lie on one grid, the bundle's.

    Attributes
    ----------
    t1
        Bias-corrected, brain-only T1; 1.0 is the 97th percentile inside the brain.
    brain
        Brain mask (0/1).
    flair
        T2-FLAIR aligned to the T1 and scaled the same way, or None.
    tracer
        What to generate.
    clinical
        Facts that may shape the picture (missing ones are None).
    pet_scanner
        ``ge``, ``philips``, ``siemens`` or None for an average scanner.
    """

    t1: Volume
    brain: Volume
    flair: Volume | None
    tracer: Tracer
    clinical: ClinicalRecord
    pet_scanner: str | None = None

    def pet(self, suvr: NDArray[np.float32], quantity: str = "mean") -> PetVolume:
        """SUVR (I, J, K) on this grid as the PET that was asked for."""
        return PetVolume(
            np.asarray(suvr, np.float32),
            self.t1.affine,
            self.t1.space,
            tracer=self.tracer.key,
            reference_region=self.tracer.reference_region,
            quantity=quantity,
        )


INFORMATION = ("mri", "both", "no_flair")
"""Information sets with intervals of their own: T1 and FLAIR as there are, age, sex | the clinical
scores too | T1 alone, age, sex."""


def information_set(inputs: GeneratorInput) -> str:
    """Which of `INFORMATION` comes nearest to what a generator was given."""
    if inputs.clinical.cognition():
        return "both"
    return "no_flair" if inputs.flair is None else "mri"


@dataclass(frozen=True)
class Effort:
    """How much work to spend on samples.

    Attributes
    ----------
    samples
        Number of random samples K (0: mean and standard deviation only).
    steps
        Steps of the sampler.
    seed
        Seed of the first sample; sample k uses ``seed + k``.
    """

    samples: int = 0
    steps: int = 2
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Generated:
    """What a generator returns, on the input's grid, in SUVR.

    Attributes
    ----------
    mean
        The expected PET.
    sd
        Voxel-wise predicted standard deviation.
    samples
        K plausible PETs (may be empty).
    regional_sd_factor
        Composite or region name -> factor that turns the mean of ``sd`` over the region into
        the standard deviation of the region's mean, fitted on held-out anatomies.
    details
        JSON-ready facts for the provenance: precision, device, seconds, ...
    """

    mean: PetVolume
    sd: PetVolume
    samples: tuple[PetVolume, ...] = ()
    regional_sd_factor: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class Generator(Protocol):
    """A method with its bundle loaded: one of the packages beside this file."""

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """Turn the MRI into a PET with its uncertainty."""
        ...
