"""Brains that are made, not only warped: each seed has its own folding, atrophy and lesions.

What disease does to the shape enters through the recorded numbers alone; warp and folding are
independent of it. No real person's scan is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ...generate.atlas.forward import labels_named
from ...volume import Grid
from .evidence import RECORDED, Shown
from .fields import FloatMap, smooth_field
from .parameters import ANATOMY
from .template import Template
from .uptake import CSF, LESION, LOSS_AD, LOSS_FRONTAL, LOSS_OCCIPITAL, WHITE, WHITE_CEREBELLUM

ODDS_FLOOR = 0.02
CEREBELLUM = 84
"""Labels from here on are the cerebellum."""


@dataclass(frozen=True, eq=False)
class Brain:
    """One anatomy on the simulation grid; all arrays (I, J, K).

    Attributes
    ----------
    grid
        The lattice, 1 mm.
    grey
        Fraction of grey matter; in deep structures of all tissue.
    fractions
        Fraction of every other class (`uptake.WHITE` and following).
    classes
        Region label whose grey matter a voxel's grey matter is.
    regions
        The subject's label map: cortex where grey matter prevails, deep structures whole.
    deep
        Label of the deep structure a voxel lies in, else 0.
    thickness
        Thickness of the cortex relative to its mean, smooth, about 1.
    references
        Mask of every reference region.
    """

    grid: Grid
    grey: FloatMap
    fractions: dict[int, FloatMap]
    classes: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    deep: NDArray[np.uint8]
    thickness: FloatMap
    references: dict[str, NDArray[np.bool_]]

    @property
    def tissue(self) -> FloatMap:
        """Share of the voxel that is brain or its fluid."""
        return np.asarray(self.grey + sum(self.fractions.values()), dtype=np.float32)


def displacement(template: Template, rng: np.random.Generator) -> torch.Tensor:
    """Sampling grid (1, I, J, K, 3) of `grid_sample`: size, shear and a smooth bend."""
    shape = template.grid.shape
    bend = np.zeros((3, *shape), np.float32)
    for sd, nodes in zip(ANATOMY.bend_mm, (20.0, 10.0), strict=True):
        field = smooth_field(rng, nodes, shape, template.spacing, 3)
        bend += np.float32(sd / template.spacing) * field
    linear = np.diag(rng.normal(*ANATOMY.shrink) + rng.normal(0, ANATOMY.shear_sd, 3))
    linear = linear + rng.normal(0, ANATOMY.shear_sd, (3, 3))
    centre = np.array([(n - 1) / 2 for n in shape], np.float32)
    axes = np.meshgrid(
        *[np.arange(n, dtype=np.float32) - c for n, c in zip(shape, centre, strict=True)],
        indexing="ij", sparse=True,
    )  # fmt: skip
    unit = []
    for a in (2, 1, 0):
        where = bend[a] + centre[a]
        for b in range(3):
            where = where + np.float32(linear[a, b]) * axes[b]
        unit.append(2 * where / np.float32(shape[a] - 1) - 1)
    return torch.from_numpy(np.stack(unit, -1)[None])


def atrophy(template: Template, shown: Shown, labels: NDArray[np.uint8]) -> FloatMap:
    """Log odds (I, J, K) that the recorded numbers add to CSF, by region and side."""
    left, right, frontal, occipital, ageing, _ = shown.numbers
    ad, front, back, medial, everywhere, focal = ANATOMY.thinning
    inner = labels_named("hippocampus", "entorhinal", "amygdala", "parahippocampal")
    one_side = ad * LOSS_AD
    one_side[inner] += medial
    both = front * frontal * LOSS_FRONTAL + back * occipital * LOSS_OCCIPITAL
    both += everywhere * ageing * (np.arange(len(both)) > 0)
    both[shown.focal_label] += focal * shown.focal_extent
    by_side = [(both + n * one_side).astype(np.float32)[labels] for n in (left, right)]
    return np.asarray(np.where(template.coordinates[0] < 0, *by_side), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Warped:
    """The atlas bent into a subject's shape; arrays (I, J, K)."""

    grey: FloatMap
    white: FloatMap
    csf: FloatMap
    brain: FloatMap
    near_ventricles: FloatMap
    labels: NDArray[np.uint8]
    deep: NDArray[np.uint8]
    references: dict[str, FloatMap]


def _warp(template: Template, where: torch.Tensor) -> _Warped:
    t = template
    soft = np.stack([t.grey, t.white, t.csf, t.brain, t.ventricles, *t.references.values()])
    maps = F.grid_sample(torch.from_numpy(soft)[None], where, align_corners=True)[0].numpy()
    hard = torch.from_numpy(np.stack([t.territories, t.deep]).astype(np.float32))[None]
    picked = F.grid_sample(hard, where, mode="nearest", align_corners=True)[0].numpy()
    labels, deep = picked.astype(np.uint8)
    grey, white, csf, brain, near = maps[:5]
    references = dict(zip(t.references, maps[5:], strict=True))
    return _Warped(grey, white, csf, brain, near, labels, deep, references)


def make_brain(template: Template, shown: Shown, rng: np.random.Generator) -> Brain:
    """A new brain that shows the recorded numbers ``shown``."""
    shape, spacing = template.grid.shape, template.spacing
    warped = _warp(template, displacement(template, rng))
    thickness = 1 + ANATOMY.thickness_sd * smooth_field(rng, 25.0, shape, spacing)[0]
    grey, white, csf = _tissues(template, warped, shown, thickness, rng)

    per_near, threshold, per_load = ANATOMY.lesions
    seeds = smooth_field(rng, 8.0, shape, spacing)[0] + per_near * warped.near_ventricles
    load = shown.numbers[RECORDED.index("lesion_load")]
    lesion = white / (1 + np.exp(-6 * (seeds - threshold + per_load * (load - 0.5))))

    deep, cerebellum = warped.deep > 0, warped.labels >= CEREBELLUM
    lesion = np.where(deep | cerebellum, 0, lesion).astype(np.float32)
    grey = np.where(deep, grey + white, grey)
    white = np.where(deep, 0, white)
    cortex = np.where(grey > 0.5, warped.labels, 0)
    return Brain(
        grid=template.grid,
        grey=grey,
        fractions={
            WHITE: np.where(cerebellum, 0, white - lesion),
            WHITE_CEREBELLUM: np.where(cerebellum, white, 0),
            CSF: csf,
            LESION: lesion,
        },
        classes=np.where(deep, warped.deep, warped.labels),
        regions=np.where(deep, warped.deep, cortex),
        deep=warped.deep,
        thickness=thickness.astype(np.float32),
        references={
            name: (mask > 0.5) & (csf < 0.3) & (warped.brain > 0.5)
            for name, mask in warped.references.items()
        },
    )


def _tissues(
    template: Template,
    warped: _Warped,
    shown: Shown,
    thickness: FloatMap,
    rng: np.random.Generator,
) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Fractions of grey matter, white matter and CSF: a soft-max of noisy log odds."""
    shape = template.grid.shape

    def folds() -> FloatMap:
        field = np.zeros(shape, np.float32)
        for sd, nodes in ANATOMY.folding:
            field += np.float32(sd) * smooth_field(rng, nodes, shape, template.spacing)[0]
        return field

    left, right, _, _, ageing, _ = shown.numbers
    older, older_sd, ventricle_sd = ANATOMY.fluid
    per_global, per_side = ANATOMY.ventricles
    cortex = ((warped.deep == 0) & (warped.labels > 0)).astype(np.float32)
    grey, white, csf = (
        np.log(np.clip(m, 0, 1) + ODDS_FLOOR) for m in (warped.grey, warped.white, warped.csf)
    )
    grey = grey + folds() + ANATOMY.thick_log_odds * cortex * (thickness - 1)
    csf = csf + cortex * (folds() + older + rng.normal(0, older_sd))
    csf += atrophy(template, shown, warped.labels) * (warped.labels < CEREBELLUM)
    widening = per_global * ageing + per_side * (left + right) + rng.normal(0, ventricle_sd)
    csf += widening * warped.near_ventricles * (1 - 0.5 * cortex)
    outside = np.log(np.clip(1 - warped.brain, 0, 1) + 1e-3)
    odds = np.stack([grey, white, csf, outside]).astype(np.float32)
    odds /= np.float32(rng.uniform(*ANATOMY.sharpness))
    maps = torch.softmax(torch.from_numpy(odds), 0).numpy()
    return maps[0], maps[1], maps[2]
