"""Train the mean network: squared error, a pair loss for the clinic's share, and the spread."""

from __future__ import annotations

import copy
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import mse_loss

from ...generate.device import Placement, keep_big_buffers
from ...generate.flow.network import MeanNetwork, build_mean
from .examples import Batch, Examples

LEARNING_RATE = 2e-3
WARM_UP = 100
BATCH = 8
PAIR_WEIGHT = 8.0
SPREAD_WEIGHT = 0.02
EMA = 0.999
SAVE_EVERY = 250


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then cosine to 2 % of the peak."""
    warm = min(1.0, (step + 1) / WARM_UP)
    return LEARNING_RATE * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def mean_loss(network: MeanNetwork, batch: Batch, placement: Placement) -> dict[str, torch.Tensor]:
    """The three terms for one batch.

    ``image`` is the weighted squared error of the mean for the first person; ``pair`` the squared
    error of the *difference* between two people who fit the same MRI, which only the clinic can
    explain (so that its share does not leak into other regions); ``spread`` the Gaussian negative
    log-likelihood of the standard deviation, around a mean that it may not move.
    """
    with placement.autocast():
        maps = network.maps(batch.images.to(memory_format=torch.channels_last), batch.context)
    first, second = network.scalars(batch.clinical[:, 0]), network.scalars(batch.clinical[:, 1])
    mean, sd = network.combine(maps, first)
    weight = batch.weight
    image = (weight * (mean - batch.target[:, 0]) ** 2).mean()
    change = (maps[:, :, 1:-1] * (second - first)[:, :, :-1, None, None]).sum(2)
    pair = mse_loss(change, batch.target[:, 1] - batch.target[:, 0])
    error = (mean.detach() - batch.target[:, 0]) ** 2
    spread = (weight * (0.5 * error / sd**2 + sd.log())).mean()
    return {"image": image, "pair": pair, "spread": spread}


def train_mean(
    examples: Examples, facts: dict[str, Any], run: Path, steps: int, placement: Placement
) -> MeanNetwork:
    """Train for ``steps`` steps; resumes from ``run``; returns the averaged network."""
    keep_big_buffers()
    torch.manual_seed(0)
    network = build_mean(facts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-4)
    saved = run / "mean.pt"
    start = 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start = int(state["step"])
        examples.skip_to(start)
    started, totals = time.perf_counter(), {"image": 0.0, "pair": 0.0, "spread": 0.0}
    for step in range(start, steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps)
        terms = mean_loss(network, examples.batch(BATCH), placement)
        loss = terms["image"] + PAIR_WEIGHT * terms["pair"] + SPREAD_WEIGHT * terms["spread"]
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        decay = min(EMA, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
        for name, term in terms.items():
            totals[name] += float(term.detach())
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            seconds = time.perf_counter() - started
            row = {k: round(v / SAVE_EVERY, 5) for k, v in totals.items()}
            print(json.dumps({"step": step + 1, "s": round(seconds), **row}), flush=True)
            totals = dict.fromkeys(totals, 0.0)
            state = {
                "network": network.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step + 1,
            }
            torch.save(state, saved.with_suffix(".part"))
            saved.with_suffix(".part").replace(saved)
    averaged: MeanNetwork = average.eval()
    return averaged
