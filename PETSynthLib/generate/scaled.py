"""A model adapted to a site: its SUVR times what a few people of that site have told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..progress import Progress
from ..volume import PetVolume
from .interface import Effort, Generated, Generator, GeneratorInput


@dataclass(frozen=True, eq=False)
class ScaledGenerator:
    """A loaded generator and a factor a tracer (see `Generator`).

    Attributes
    ----------
    generator
        The model as it was trained.
    factors
        Tracer -> factor on mean, standard deviation and samples; a tracer without one keeps its
        SUVR.
    """

    generator: Generator
    factors: Mapping[str, float]

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        made = self.generator.generate(inputs, effort, progress)
        factor = np.float32(self.factors.get(inputs.tracer.key, 1.0))

        def scaled(volume: PetVolume) -> PetVolume:
            return volume.with_data(volume.data * factor)

        return replace(
            made,
            mean=scaled(made.mean),
            sd=scaled(made.sd),
            samples=tuple(scaled(sample) for sample in made.samples),
            details={**made.details, "site_factor": float(factor)},
        )
