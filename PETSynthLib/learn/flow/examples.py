"""Training examples: an anatomy of the cohort, a hidden state that fits its MRI, a clinic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ...clinical import COGNITION, FIELDS
from ...generate.condition import clinical_vector, scanner_vector
from ...generate.flow.features import (
    FLAIR_SLICES,
    T1_SLICES,
    atlas_channels,
    slice_stack,
)
from ..simulate.people import People, draw_people, people_with
from ..simulate.store import VIEWS, Cohort, training_grid
from ..simulate.uptake import (
    BASES_OF,
    FIELD_SD,
    SCALE_SD,
    TEXTURE_SD,
    TRACERS,
    coefficients,
)

PRIOR_DRAWS = 100_000
POOL = 512
P_FLAIR = 0.6
P_AVERAGE_SCANNER = 0.3
P_NO_CLINIC = 0.25
P_NO_COGNITION = 0.25
P_MISSING = {"age": 0.1, "sex": 0.1, "education": 0.3, "mmse": 0.3, "adas13": 0.4, "apoe4": 0.4}

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Batch:
    """Tensors of one training step.

    Attributes
    ----------
    images, context
        Inputs of `MeanNetwork.maps`.
    clinical
        (N, 2, C): two people who fit the same MRI.
    target
        (N, 2, T, I, J): their PETs in the network's scale.
    weight
        (N, 1, I, J): 1 in the brain, less outside.
    """

    images: torch.Tensor
    context: torch.Tensor
    clinical: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor


class Examples:
    """Draws examples from a cohort; equal seeds draw equal examples."""

    def __init__(self, cohort: Cohort, facts: dict[str, Any], anatomies: list[int], seed: int):
        self.cohort, self.facts, self.anatomies = cohort, facts, anatomies
        self.seed = seed
        self.rng = np.random.default_rng([seed, 1])
        self.atlas = atlas_channels(training_grid(), facts["tracer_order"])
        prior = draw_people(PRIOR_DRAWS, np.random.default_rng([seed, 2]))
        pool_rng = np.random.default_rng([seed, 3])
        self.pools: dict[int, People] = {}
        for i in anatomies:
            self.pools[i], _ = people_with(cohort.recorded[i], prior, POOL, pool_rng)
        self.clinics = {i: p.clinical() for i, p in self.pools.items()}
        self.coefficients = {i: coefficients(p) for i, p in self.pools.items()}
        self.scale = np.array([facts["suvr_scale"][t] for t in TRACERS], np.float32)

    def skip_to(self, step: int) -> None:
        """Go on after an interruption with examples that were not drawn before it."""
        self.rng = np.random.default_rng([self.seed, 1, step])

    def clinic(self, anatomy: int, person: int, hide: dict[str, bool]) -> Array:
        """Clinical vector of a person of the anatomy's pool with some fields hidden."""
        row = self.clinics[anatomy][person]
        numbers = {
            name: None if hide[name] else float(value)
            for name, value in zip(FIELDS, row, strict=True)
        }
        return clinical_vector(numbers, self.facts["clinical_scaling"])

    def draw_hidden(self) -> dict[str, bool]:
        """Which clinical fields are missing in this example."""
        if self.rng.random() < P_NO_CLINIC:
            return dict.fromkeys(FIELDS, True)
        no_cognition = self.rng.random() < P_NO_COGNITION
        return {
            name: (no_cognition and name in COGNITION) or self.rng.random() < P_MISSING[name]
            for name in FIELDS
        }

    def draw_context(self, anatomy: int) -> tuple[Array, bool]:
        """Scanner and FLAIR flag; whether the FLAIR is shown."""
        name = self.facts["scanners"][int(self.cohort.scanner[anatomy])]
        shown = None if self.rng.random() < P_AVERAGE_SCANNER else name
        flair = bool(self.rng.random() < P_FLAIR)
        return np.append(scanner_vector(shown, self.facts), np.float32(flair)), flair

    def biology(self, nodes: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        """Factor (T, *shape) of what MRI cannot know: log-normal level, field and texture."""
        t = len(TRACERS)
        mode = "bilinear" if len(shape) == 2 else "trilinear"
        noise = torch.as_tensor(self.rng.normal(size=(1, t, *nodes)), dtype=torch.float32)
        field = F.interpolate(noise, size=shape, mode=mode, align_corners=True)[0].numpy()
        fine = tuple(4 * n for n in nodes)
        noise = torch.as_tensor(self.rng.normal(size=(1, t, *fine)), dtype=torch.float32)
        texture = F.interpolate(noise, size=shape, mode=mode, align_corners=True)[0].numpy()
        normal = self.rng.normal(size=t)

        def spread(table: dict[str, float]) -> Array:
            column = np.array([table[name] for name in TRACERS], np.float32)
            return column.reshape(-1, *[1] * len(shape))

        level = normal.reshape(-1, *[1] * len(shape)).astype(np.float32)
        log = spread(SCALE_SD) * level + spread(FIELD_SD) * field + spread(TEXTURE_SD) * texture
        return np.asarray(np.exp(log), dtype=np.float32)

    def pet(self, anatomy: int, person: int, maps: Array, basis_axis: int) -> Array:
        """Expected PET of a person, (T, ...), from basis maps with the basis on ``basis_axis``."""
        c = self.coefficients[anatomy][person]
        moved = np.moveaxis(maps, basis_axis, 0)
        pets = [np.tensordot(c[BASES_OF[t]], moved[BASES_OF[t]], 1) for t in TRACERS]
        return np.asarray(np.stack(pets), dtype=np.float32)

    def draw_slice(self) -> tuple[NDArray[Any], ...]:
        """One axial slice: images, context, clinical (2), target (2, T), weight."""
        rng = self.rng
        anatomy = self.anatomies[rng.integers(len(self.anatomies))]
        k = int(rng.integers(self.cohort.t1.shape[2]))
        context, show_flair = self.draw_context(anatomy)
        t1 = self._mri(self.cohort.t1, anatomy, k, T1_SLICES)
        flair = self._mri(self.cohort.flair, anatomy, k, FLAIR_SLICES) * np.float32(show_flair)
        maps = self.cohort.basis[anatomy, k].astype(np.float32)
        hide = self.draw_hidden()
        people = rng.integers(POOL, size=2)
        clinics = np.stack([self.clinic(anatomy, int(p), hide) for p in people])
        unknown = self.biology((5, 6), maps.shape[1:])
        unknown = unknown / self.scale[:, None, None]
        pets = np.stack([self.pet(anatomy, int(p), maps, 0) * unknown for p in people])
        weight = np.where(maps[0] > 0.05, 1.0, 0.2).astype(np.float32)[None]
        if rng.random() < 0.5:  # left-right mirror; the atlas channels keep their side
            t1, flair, pets = (a[..., ::-1, :] for a in (t1, flair, pets))
            weight = weight[..., ::-1, :]
        images = np.concatenate([t1, flair, self.atlas[:, k]])
        return images, context, clinics, pets, weight

    def _mri(self, source: NDArray[np.float16], anatomy: int, k: int, count: int) -> Array:
        view = int(self.rng.integers(VIEWS))
        stack = slice_stack(source[anatomy, view], k, count).astype(np.float32)
        gamma = np.exp(np.clip(self.rng.normal(0, 0.22), -0.5, 0.5))
        return np.asarray(stack**gamma * np.exp(self.rng.normal(0, 0.06)), dtype=np.float32)

    def batch(self, n: int) -> Batch:
        """``n`` slices as tensors."""
        columns = zip(*[self.draw_slice() for _ in range(n)], strict=True)
        arrays = [torch.from_numpy(np.ascontiguousarray(np.stack(c))) for c in columns]
        return Batch(*arrays)
