"""The mean PET of the training people and how far people are off it, for `generate.rela.units`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from .interface import Material

MEAN, SD = "mean.", "sd."
"""Before a tracer's name, among what is prepared and in the bundle."""
LEAST_SD = 0.01
"""SUVR; of a tracer that everybody takes up alike."""


def mean_pets(material: Material, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
    """Mean PET (I, J, K) of each tracer, rounded as in the bundle, and the sd in the brain, SUVR.

    The sd is the root of the variance across people, averaged over the voxels that are brain in
    at least half of them. A tracer that nobody was trained with has mean 0 and sd 1.
    """
    prepared: dict[str, torch.Tensor] = {}
    shape = material.store.grid.shape
    for number, tracer in enumerate(material.store.tracers):
        tell("Mean PETs", number, len(material.store.tracers))
        people = [s for s in material.train if tracer in s.tracers]
        total, squares, brain = np.zeros((3, *shape))
        for subject in people:
            pet = material.pet(subject, tracer).astype(np.float64)
            total += pet
            squares += pet**2
            brain += material.store.brain(subject.row)
        count = max(len(people), 1)
        mean = total / count
        variance = np.maximum(squares / count - mean**2, 0)
        inside = (brain >= count / 2) & (brain > 0)
        sd = max(float(np.sqrt(variance[inside].mean())), LEAST_SD) if inside.any() else 1.0
        prepared[MEAN + tracer] = torch.from_numpy(mean).half().float()
        prepared[SD + tracer] = torch.tensor(round(sd, 4), dtype=torch.float64)
    return prepared
