"""Train the residual flow on anatomies that the mean network never saw."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from ...generate.condition import scanner_vector
from ...generate.device import Placement
from ...generate.flow.features import FLAIR_SLICES, T1_SLICES, slice_stack
from ...generate.flow.network import MeanNetwork, ResidualNetwork, build_residual
from ..simulate.uptake import TRACERS
from .examples import POOL, Examples

LEARNING_RATE = 1e-3
BATCH = 2
SAVE_EVERY = 100
COARSE_NODES = (5, 5, 6)


@dataclass(frozen=True, eq=False)
class CoarseAnatomy:
    """What the residual needs of one anatomy, pooled to the coarse grid (k, i, j).

    Attributes
    ----------
    maps
        (T, K + 2, k, i, j): the mean network's maps.
    basis
        (B, k, i, j): PET basis maps, SUVR.
    t1, brain
        (k, i, j).
    """

    maps: torch.Tensor
    basis: torch.Tensor
    t1: torch.Tensor
    brain: torch.Tensor


@torch.inference_mode()
def mean_maps(
    network: MeanNetwork,
    examples: Examples,
    anatomy: int,
    view: int,
    placement: Placement,
    *,
    flair: bool,
) -> torch.Tensor:
    """Maps (T, K + 2, K_slices, I, J) of one rendering, in the network's scale."""
    t1 = examples.cohort.t1[anatomy, view].astype(np.float32)
    other = examples.cohort.flair[anatomy, view].astype(np.float32) * np.float32(flair)
    scanner = examples.facts["scanners"][int(examples.cohort.scanner[anatomy])]
    context = np.append(scanner_vector(scanner, examples.facts), np.float32(flair))
    parts = []
    for first in range(0, len(t1), 12):
        images = np.stack(
            [
                np.concatenate(
                    [
                        slice_stack(t1, k, T1_SLICES),
                        slice_stack(other, k, FLAIR_SLICES),
                        examples.atlas[:, k],
                    ]
                )
                for k in range(first, min(first + 12, len(t1)))
            ]
        )
        batch = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
        with placement.autocast():
            parts.append(network.maps(batch, torch.from_numpy(context).expand(len(images), -1)))
    return torch.cat(parts).permute(1, 2, 0, 3, 4)


def coarse_anatomy(
    network: MeanNetwork, examples: Examples, anatomy: int, placement: Placement
) -> CoarseAnatomy:
    """Pool one anatomy to the coarse grid."""
    factor = examples.facts["coarse_factor"]
    maps = mean_maps(network, examples, anatomy, anatomy % 2, placement, flair=bool(anatomy % 3))
    t1 = torch.from_numpy(examples.cohort.t1[anatomy, anatomy % 2].astype(np.float32))
    basis = torch.from_numpy(examples.cohort.basis[anatomy].astype(np.float32)).transpose(0, 1)

    def pool(v: torch.Tensor) -> torch.Tensor:
        return F.avg_pool3d(v[None], factor)[0]

    pooled_maps = torch.stack([pool(m) for m in maps]).clone()
    return CoarseAnatomy(
        maps=pooled_maps,
        basis=pool(basis),
        t1=pool(t1[None])[0],
        brain=pool((t1 > 0.05).float()[None])[0],
    )


class ResidualExamples:
    """Draws (r, conditioning volumes, condition vector) for the flow."""

    def __init__(
        self, examples: Examples, network: MeanNetwork, coarse: dict[int, CoarseAnatomy]
    ) -> None:
        self.examples, self.network, self.coarse = examples, network, coarse

    @torch.no_grad()
    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """One example: r (1, k, i, j), volumes (4, k, i, j), vector (C,)."""
        e, rng = self.examples, self.examples.rng
        anatomy = e.anatomies[int(rng.integers(len(e.anatomies)))]
        tracer = int(rng.integers(len(TRACERS)))
        coarse = self.coarse[anatomy]
        person = int(rng.integers(POOL))
        clinic = torch.from_numpy(e.clinic(anatomy, person, e.draw_hidden()))
        maps = coarse.maps[tracer : tracer + 1][None]
        scalars = self.network.scalars(clinic[None])[:, tracer : tracer + 1]
        mean, sd = (v[0, 0] for v in self.network.combine(maps, scalars))
        pet = e.pet(anatomy, person, coarse.basis.numpy(), 0)[tracer]
        pet = pet * e.biology(COARSE_NODES, pet.shape)[tracer] / e.scale[tracer]
        residual = (torch.from_numpy(pet) - mean) / sd
        residual = residual * (coarse.brain > 0.3)
        scanner = e.facts["scanners"][int(e.cohort.scanner[anatomy])]
        vector = torch.cat(
            [
                F.one_hot(torch.tensor(tracer), len(TRACERS)).float(),
                clinic,
                torch.from_numpy(scanner_vector(scanner, e.facts)),
            ]
        )
        volumes = torch.stack([mean, sd.log(), coarse.t1, coarse.brain])
        if rng.random() < 0.5:
            residual, volumes = residual.flip(-2), volumes.flip(-2)
        return residual[None], volumes, vector


def train_residual(
    source: ResidualExamples, facts: dict[str, Any], run: Path, steps: int, placement: Placement
) -> ResidualNetwork:
    """Rectified-flow training with data prediction; resumes from ``run``.

    ``x_t = (1 - t) eps + t r``; the loss is the squared error of r_hat in the brain, with t drawn
    more often near 0, where all of the structure is decided.
    """
    torch.manual_seed(1)
    network = build_residual(facts)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    saved, start = run / "residual.pt", 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        start = int(state["step"])
        source.examples.skip_to(start)
    started, total = time.perf_counter(), 0.0
    for step in range(start, steps):
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * (1.0 - 0.95 * step / steps)
        residual, volumes, vector = (
            torch.stack(c) for c in zip(*[source.draw() for _ in range(BATCH)], strict=True)
        )
        t = torch.rand(BATCH) ** 1.5
        eps = torch.randn_like(residual)
        at = t.reshape(-1, 1, 1, 1, 1)
        with placement.autocast():
            predicted = network((1 - at) * eps + at * residual, t, volumes, vector)
        brain = volumes[:, 3:] > 0.3
        loss = ((predicted - residual) ** 2 * brain).sum() / brain.sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        total += float(loss.detach())
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            seconds = round(time.perf_counter() - started)
            row = {"residual step": step + 1, "s": seconds, "loss": round(total / SAVE_EVERY, 4)}
            print(json.dumps(row), flush=True)
            total = 0.0
            state = {
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step + 1,
            }
            torch.save(state, saved.with_suffix(".part"))
            saved.with_suffix(".part").replace(saved)
    return network.eval()
