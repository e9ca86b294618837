"""Held-out anatomies: what the regional spread must be multiplied by, and how good the model is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...assets import region_names
from ...generate.device import Placement
from ...generate.flow.network import MeanNetwork
from ...quantify import COMPOSITES
from ...quantify.regions import labels_of, template_regions
from ...tracers import all_tracers
from ..simulate.people import People
from ..simulate.store import training_grid
from ..simulate.uptake import BASES_OF, TRACERS, coefficients
from .examples import POOL, Examples
from .train_residual import mean_maps

DRAWS = 16
NOMINAL = 0.90
Z90 = 1.645
BIOLOGY_NODES = (5, 5, 6)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What `calibrate` found.

    Attributes
    ----------
    factor
        Tracer -> region -> factor from the mean voxel sd of a region to the sd of its mean.
    distance
        Exploratory tracer -> its target region -> healthy-to-Alzheimer difference in SUVR.
    metrics
        Tracer -> figures on test anatomies.
    """

    factor: dict[str, dict[str, float]]
    distance: dict[str, dict[str, float]]
    metrics: dict[str, dict[str, float]]


def measured_regions() -> dict[str, NDArray[np.bool_]]:
    """Masks (K, I, J) of every atlas region (both sides) and composite, as quantify has them."""
    labels = template_regions().crop(training_grid()).data
    names = [*sorted({name for name, _ in region_names().values()}), *COMPOSITES]
    masks = {name: np.isin(labels, labels_of(name, "both")) for name in names}
    return {name: m.transpose(2, 0, 1) for name, m in masks.items()}


@torch.no_grad()
def regional_errors(
    network: MeanNetwork, examples: Examples, placement: Placement
) -> dict[str, NDArray[np.float64]]:
    """Truth, prediction and predicted spread of regional means.

    Returns
    -------
    Tracer -> array (n, R, 3): true mean, predicted mean, mean voxel sd, SUVR, over `DRAWS` people
    (hidden state, biology, clinic with random gaps) for each anatomy.
    """
    masks = np.stack(list(measured_regions().values()))
    somewhere = masks.any(0)  # three quarters of the grid lie in no region
    stack = masks[:, somewhere].astype(np.float32)
    stack /= stack.sum(1, keepdims=True)
    rows: dict[str, list[NDArray[np.float64]]] = {t: [] for t in TRACERS}
    for anatomy in examples.anatomies:
        maps = mean_maps(
            network, examples, anatomy, anatomy % 2, placement, flair=bool(anatomy % 3)
        )[..., torch.from_numpy(somewhere)]
        basis = examples.cohort.basis[anatomy].transpose(1, 0, 2, 3)[:, somewhere]
        basis = basis.astype(np.float32)
        for _ in range(DRAWS):
            person = int(examples.rng.integers(POOL))
            clinic = torch.from_numpy(examples.clinic(anatomy, person, examples.draw_hidden()))
            mean, sd = network.combine(maps[None], network.scalars(clinic[None]))
            unknown = examples.biology(BIOLOGY_NODES, somewhere.shape)[:, somewhere]
            truth = examples.pet(anatomy, person, basis, 0) * unknown
            for t, tracer in enumerate(TRACERS):
                scale = examples.scale[t]
                columns = [truth[t], mean[0, t].numpy() * scale, sd[0, t].numpy() * scale]
                rows[tracer].append(np.stack([stack @ c for c in columns], -1))
    return {t: np.stack(r).astype(np.float64) for t, r in rows.items()}


def _people(kind: dict[str, float]) -> People:
    zero = np.zeros(1)
    fields = {name: zero + kind.get(name, 0.0) for name in People.__dataclass_fields__}
    fields["age"] = zero + 72.0
    return People(**fields)


def healthy_to_alzheimer(examples: Examples, region: NDArray[np.bool_], tracer: str) -> float:
    """Difference of a region between a healthy and a demented hidden state, SUVR."""
    healthy = _people({"tau": 0.1})
    alzheimer = _people(
        {"amyloid": 0.9, "tau": 0.65, "neurodegeneration": 0.65, "inflammation": 0.6}
    )
    change = (coefficients(alzheimer) - coefficients(healthy))[0][BASES_OF[tracer]]
    maps = [
        examples.cohort.basis[a][:, BASES_OF[tracer]].astype(np.float32) for a in examples.anatomies
    ]
    per_basis = np.mean([m.transpose(1, 0, 2, 3)[:, region].mean(1) for m in maps], axis=0)
    return float(abs(change @ per_basis))


def calibrate(
    network: MeanNetwork, held_out: Examples, test: Examples, placement: Placement
) -> Calibration:
    """Fit the factors on ``held_out`` and judge everything on ``test``.

    The factor is the 90th percentile of ``|truth - mean| / mean voxel sd`` over 1.645, so that
    ``mean +- 1.645 factor sd`` covers 90 % of the held-out people (split-conformal score).
    """
    masks = measured_regions()
    names = list(masks)
    fitted = regional_errors(network, held_out, placement)
    judged = regional_errors(network, test, placement)
    factor: dict[str, dict[str, float]] = {}
    distance: dict[str, dict[str, float]] = {}
    metrics: dict[str, dict[str, float]] = {}
    for tracer in TRACERS:
        truth, mean, sd = np.moveaxis(fitted[tracer], -1, 0)
        quantile = np.quantile(np.abs(truth - mean) / sd, NOMINAL, axis=0) / Z90
        factor[tracer] = {n: round(float(q), 4) for n, q in zip(names, quantile, strict=True)}
        target = all_tracers()[tracer].target_region
        if all_tracers()[tracer].exploratory:
            # Where MRI does not determine the tracer, a value must say more than this to be shown.
            gap = healthy_to_alzheimer(held_out, masks[target], tracer)
            distance[tracer] = {target: round(gap, 3)}
        metrics[tracer] = _judge(judged[tracer], quantile, names.index(target), fitted[tracer])
    return Calibration(factor, distance, metrics)


def _judge(
    judged: NDArray[np.float64],
    factor: NDArray[np.float64],
    target: int,
    fitted: NDArray[np.float64],
) -> dict[str, float]:
    truth, mean, sd = np.moveaxis(judged, -1, 0)
    inside = np.abs(truth - mean) <= Z90 * factor * sd
    population = fitted[:, target, 0].mean()
    result: dict[str, Any] = {
        "people": len(truth),
        "target_mae": np.abs(truth - mean)[:, target].mean(),
        "target_mae_of_population_mean": np.abs(truth[:, target] - population).mean(),
        "target_r": np.corrcoef(truth[:, target], mean[:, target])[0, 1],
        "target_coverage_90": inside[:, target].mean(),
        "all_regions_coverage_90": inside.mean(),
        "all_regions_mae": np.abs(truth - mean).mean(),
    }
    return {k: round(float(v), 4) for k, v in result.items()}
