"""Models with known answers on the tiny store: for tests of the evaluation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import store_case

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.generate.bundle import Bundle, LoadedGenerator
from PETSynthLib.generate.interface import Effort, Generated, GeneratorInput
from PETSynthLib.learn.evaluate.predictor import Predictor
from PETSynthLib.learn.regions import region_keys
from PETSynthLib.learn.store import Store
from PETSynthLib.progress import Progress
from PETSynthLib.volume import PetVolume

PLAIN = [key.partition(".")[0] for key in region_keys()]
"""Region names as bundles key their factors."""


class KnowsTheMri:
    """The best possible reader of the tiny store's MRI and MMSE.

    It finds the recorded number from how dark the cortex of the T1 is, adds age and MMSE as the
    oracle does, and paints that person's expected PET.
    """

    def __init__(self, store: Store) -> None:
        self.labels = store.regions(0)
        self.cortex = store_case.cortical_labels()[self.labels]
        self.grid = store.grid
        everyone = [store.t1(s.row)[self.cortex].mean() for s in store.subjects]
        recorded = [store_case.make_person(0, s.row).recorded for s in store.subjects]
        self.line = np.polyfit(everyone, recorded, 1)

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        recorded = float(np.polyval(self.line, inputs.t1.data[self.cortex].mean()))
        clinical = inputs.clinical
        if clinical.age is None:
            clinical = replace(clinical, age=70.0)
        person = store_case.Person(0.0, recorded, clinical)
        mean, sd = person.posterior("both" if inputs.clinical.mmse is not None else "mri")
        rng = np.random.default_rng(effort.seed)

        def pet(latent: float, quantity: str) -> PetVolume:
            uptake = store_case.label_uptake(inputs.tracer.key, latent)
            data = uptake[self.labels] * inputs.brain.data
            return PetVolume(
                data.astype(np.float32),
                inputs.t1.affine,
                inputs.t1.space,
                tracer=inputs.tracer.key,
                reference_region=inputs.tracer.reference_region,
                quantity=quantity,
            )

        spread = np.where(self.cortex, store_case.SLOPE_SUVR * sd, 0.01)
        return Generated(
            mean=pet(mean, "mean"),
            sd=pet(mean, "sd").with_data(spread),
            samples=tuple(pet(rng.normal(mean, sd), "sample") for _ in range(effort.samples)),
            regional_sd_factor=dict.fromkeys(PLAIN, 1.0),
        )


class AlwaysTheSame(KnowsTheMri):
    """Paints the average person whatever it is shown."""

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        told = GeneratorInput(
            t1=inputs.t1.with_data(np.where(self.cortex, -self.line[1] / self.line[0], 0.0)),
            brain=inputs.brain,
            flair=None,
            tracer=inputs.tracer,
            clinical=ClinicalRecord(age=70.0),
        )
        return super().generate(told, effort, progress)


def make_predictor(
    store: Store, label: str = "reader", seed: int = 0, kind: type[KnowsTheMri] = KnowsTheMri
) -> Predictor:
    """A predictor on the store's own grid (its bundle has no folder)."""
    config = {
        "name": label,
        "version": "1",
        "method": "atlas",
        "trained_on": "simulation",
        "tracers": list(store.tracers),
        "uses": ["age", "mmse"],
        "grid": json.loads(json.dumps(store.facts["grid"])),
        "presets": {name: {"samples": 4, "steps": 1} for name in ("fast", "balanced", "best")},
    }
    bundle = Bundle(Path("nowhere"), config, "0" * 64)
    return Predictor(label, seed, bundle, LoadedGenerator(bundle, kind(store)))
