"""Brains that are made, not only warped: each seed has its own folding, atrophy and lesions.

Noise on the log tissue odds of the ICBM template, a sharp soft-max, and a smooth warp give
individual-looking gyri; atrophy and ventricles are shifts of the CSF odds. No real person's scan
enters, so the sample case can never have been trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F

from ...assets import atlas_volume, reference_mask
from ...generate.atlas.forward import deep_grey_labels, labels_named
from ...tracers import simulated_tracers
from ...volume import Grid
from .fields import blur, smooth_field
from .people import FloatVector
from .uptake import LOSS_AD, LOSS_FRONTOTEMPORAL

ODDS_FLOOR = 0.02


@dataclass(frozen=True, eq=False)
class Brain:
    """One anatomy on the cohort's grid.

    Attributes
    ----------
    tissues
        Grey, white, CSF fractions (3, I, J, K).
    labels
        Territory labels (I, J, K), long.
    deep
        Deep-grey mask (I, J, K).
    periventricular
        Nearness to the lateral ventricles, 0..1.
    lesions
        White-matter lesion fraction 0..1.
    """

    tissues: torch.Tensor
    labels: torch.Tensor
    deep: torch.Tensor
    periventricular: torch.Tensor
    lesions: torch.Tensor


class Template:
    """The atlas on one grid, as tensors, from which anatomies are made."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.shape = grid.shape
        self.grey = self._asset("template_gm")
        self.white = self._asset("template_wm")
        self.brain = self._asset("template_brain")
        self.csf = (self.brain - self.grey - self.white).clamp(0, 1)
        self.territories = self._asset("territories")
        self.deep = torch.as_tensor(
            deep_grey_labels(atlas_volume("regions").crop(grid).data)
        ).float()

    def _asset(self, name: str) -> torch.Tensor:
        return torch.as_tensor(atlas_volume(name).crop(self.grid).data.copy())

    @cached_property
    def reference(self) -> dict[str, torch.Tensor]:
        """Reference-region mask (I, J, K) by tracer."""
        return {
            key: torch.as_tensor(reference_mask(t.reference_region).crop(self.grid).mask)
            for key, t in simulated_tracers().items()
        }

    @cached_property
    def indices(self) -> torch.Tensor:
        """Voxel indices (3, I, J, K)."""
        axes = [torch.arange(n, dtype=torch.float32) for n in self.shape]
        return torch.stack(torch.meshgrid(*axes, indexing="ij"))

    @cached_property
    def periventricular(self) -> torch.Tensor:
        """The template's lateral ventricles, blurred, 0..1."""
        x, y, z = (
            float(self.grid.affine[a, 3]) + self.grid.spacing[a] * self.indices[a] for a in range(3)
        )
        beside = torch.isin(
            self.territories, torch.tensor(labels_named("thalamusproper", "caudate")).float()
        )
        box = (x.abs() < 38) & (y > -60) & (y < 38) & (z > -15) & (z < 32)
        ventricles = self.csf * (box & (beside | (x.abs() < 24)))
        soft = blur(ventricles[None], (2.0, 2.0, 2.0))[0]
        return soft / soft.max()

    def warp(self, rng: np.random.Generator) -> torch.Tensor:
        """Sampling grid (1, I, J, K, 3): affine jitter and a two-scale smooth displacement."""
        bend = 1.3 * smooth_field(rng, (6, 7, 6), self.shape, 3)
        bend = bend + 0.8 * smooth_field(rng, (12, 14, 12), self.shape, 3)
        linear = np.diag(1 + rng.normal(0, 0.03, 3)) + rng.normal(0, 0.02, (3, 3))
        linear[0, 1] = -linear[1, 0]
        centre = torch.tensor([(n - 1) / 2 for n in self.shape])[:, None, None, None]
        shift = torch.as_tensor(rng.normal(0, 0.9, 3), dtype=torch.float32)
        matrix = torch.as_tensor(linear, dtype=torch.float32)
        where = torch.einsum("ab,bijk->aijk", matrix, self.indices - centre) + centre
        where = where + shift[:, None, None, None] + bend
        unit = [2 * where[a] / (self.shape[a] - 1) - 1 for a in (2, 1, 0)]
        return torch.stack(unit, -1)[None]


def make_brain(template: Template, recorded: FloatVector, rng: np.random.Generator) -> Brain:
    """A new brain that shows the ``recorded`` numbers (order: `people.RECORDED`)."""
    left, right, frontal, ageing, load = (float(v) for v in recorded)
    shape = template.shape
    where = template.warp(rng)
    soft = torch.stack(
        [template.grey, template.white, template.csf, template.brain, template.periventricular]
    )
    grey, white, csf, brain, near = F.grid_sample(soft[None], where, align_corners=True)[0]
    hard = torch.stack([template.territories, template.deep])
    labels, deep = F.grid_sample(hard[None], where, mode="nearest", align_corners=True)[0]
    labels = labels.long()

    odds = [torch.log(t.clamp(0, 1) + ODDS_FLOOR) for t in (grey, white, csf)]
    outside = torch.log((1 - brain).clamp(0, 1) + 1e-3)
    cortex = ((deep < 0.5) & (labels > 0)).float()
    folding = rng.uniform(0.6, 1.7)
    fine = tuple(int(n * 0.45) for n in shape)
    coarse = tuple(int(n * 0.25) for n in shape)

    def folds() -> torch.Tensor:
        own = 0.9 * smooth_field(rng, (fine[0], fine[1], fine[2]), shape)[0]
        return folding * (
            own + 0.6 * smooth_field(rng, (coarse[0], coarse[1], coarse[2]), shape)[0]
        )

    x = template.grid.affine[0, 3] + template.grid.spacing[0] * template.indices[0]
    side = torch.where(x < 0, left, right)
    thinning = 2.2 * side * torch.as_tensor(LOSS_AD)[labels]
    thinning = thinning + 2.6 * frontal * torch.as_tensor(LOSS_FRONTOTEMPORAL)[labels]
    medial = labels_named("hippocampus", "entorhinal", "amygdala", "parahippocampal")
    thinning = thinning + 1.3 * side * torch.isin(labels, torch.tensor(medial))
    grey_odds = odds[0] + folds()
    widening = near * (1.8 * ageing + 1.1 * (left + right) / 2 + rng.normal(0, 0.8))
    csf_odds = odds[2] + cortex * (folds() + 0.6 * ageing + rng.normal(0, 0.25)) + thinning
    csf_odds = csf_odds + widening * (1 - 0.5 * cortex) - 0.2
    stack = torch.stack([grey_odds, odds[1], csf_odds, outside])
    tissues = torch.softmax(stack / rng.uniform(0.3, 0.55), 0)[:3]

    seeds = smooth_field(rng, (20, 24, 21), shape)[0] + 2.2 * near
    lesions = torch.sigmoid((seeds - 3.0 + 1.1 * load) * 6) * tissues[1]
    return Brain(tissues, labels, deep > 0.5, near, lesions)
