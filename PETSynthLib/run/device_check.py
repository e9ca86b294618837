"""Does a device compute what the CPU computes? One template brain, generated on both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..assets import atlas_volume, region_names
from ..clinical import ClinicalRecord
from ..generate import Effort, Generated, GeneratorInput, LoadedGenerator, load_generator
from ..preprocess import NativeToTemplate
from ..progress import Silent
from ..tracers import tracer
from ..volume import Grid, Volume
from .memory import peak_memory_mb

LIMIT_PERCENT = 0.5
"""Largest difference of a regional mean, in percent of the CPU's."""


@dataclass(frozen=True)
class DeviceCheck:
    """Outcome of the comparison.

    Attributes
    ----------
    device, cpu
        What the generator reported about where it ran.
    worst_region
        Region whose mean differs most.
    difference_percent
        That difference, in percent of the CPU's value.
    seconds, cpu_seconds
        Time to generate on either.
    peak_memory_mb
        Peak memory of this process after both.
    """

    device: str
    cpu: str
    worst_region: str
    difference_percent: float
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float

    @property
    def passed(self) -> bool:
        """Whether the difference is within `LIMIT_PERCENT`."""
        return self.difference_percent <= LIMIT_PERCENT


def check_device(
    device: str,
    model: str = "flow",
    load: Callable[[str, str], LoadedGenerator] = load_generator,
) -> DeviceCheck:
    """Generate a PET of the template brain on ``device`` and on the CPU and compare regions.

    The tracer is the first that the model knows.
    """
    there, seconds, labels = _generate(load(model, device))
    here, cpu_seconds, _ = _generate(load(model, "cpu"))
    worst, difference = largest_difference(there, here, labels)
    return DeviceCheck(
        device=_words(there),
        cpu=_words(here),
        worst_region=worst,
        difference_percent=difference,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_memory_mb=peak_memory_mb(),
    )


def template_input(grid: Grid, tracer_key: str = "fdg", *, flair: bool = False) -> GeneratorInput:
    """The template's own T1 as a generator sees a scan, on ``grid``: known to everybody.

    Parameters
    ----------
    flair
        For a model that cannot do without one: the T1 serves, for only devices are compared.
    """
    same_place = NativeToTemplate(np.eye(4))
    brain = same_place.labels_to_native(atlas_volume("template_brain"), grid)
    t1 = same_place.to_template(atlas_volume("template_t1"), grid)
    scale = float(np.percentile(t1.data[brain.mask], 97.0))
    scaled = np.where(brain.mask, np.clip(t1.data / scale, 0.0, 1.6), 0.0)
    image = t1.with_data(scaled)
    second = image if flair else None
    return GeneratorInput(image, brain, second, tracer(tracer_key), ClinicalRecord())


def largest_difference(there: Generated, here: Generated, labels: Volume) -> tuple[str, float]:
    """Region and percentage of the largest relative difference between regional means."""
    numbers = np.array(sorted(region_names()))
    index = labels.data.astype(np.int64).ravel()
    count = np.maximum(np.bincount(index, minlength=numbers.max() + 1), 1)

    def means(generated: Generated) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        weights = generated.mean.data.ravel().astype(np.float64)
        sums = np.bincount(index, weights, minlength=numbers.max() + 1)
        return np.asarray((sums / count)[numbers])

    reference = means(here)
    percent = 100.0 * np.abs(means(there) - reference) / np.maximum(np.abs(reference), 1e-6)
    worst = int(np.argmax(percent))
    name, side = region_names()[int(numbers[worst])]
    return f"{name} {side}", float(percent[worst])


def _generate(loaded: LoadedGenerator) -> tuple[Generated, float, Volume]:
    bundle, grid = loaded.bundle, loaded.bundle.grid
    inputs = template_input(grid, bundle.tracers[0], flair=not bundle.suits(flair=False))
    started = time.perf_counter()
    generated = loaded.generator.generate(inputs, Effort(samples=0), Silent())
    seconds = time.perf_counter() - started
    labels = NativeToTemplate(np.eye(4)).labels_to_native(atlas_volume("regions"), grid)
    return generated, seconds, labels


def _words(generated: Generated) -> str:
    details = generated.details
    return f"{details.get('device', 'unknown')} ({details.get('precision', 'unknown')})"
