"""Cost of the perceptual loss and of U-Net inference: called by ``training.py`` (``make bench``).

At 2 mm, all rivals taking turns in one process: the cyclic term with its gradient against the
generator's own training step, and all slices at once against one slice after another. The weights
are random: time does not depend on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from run import verdict
from torch import Tensor

from PETSynthLib.generate.backbone import condition_length
from PETSynthLib.generate.device import place
from PETSynthLib.generate.unet.network import build_unet
from PETSynthLib.learn.losses.image import LossConfig
from PETSynthLib.learn.losses.perceptual import PerceptualDistance, extent
from PETSynthLib.learn.losses.vgg import BLOCKS, VggFeatures
from PETSynthLib.learn.prepare.grids import GRIDS
from PETSynthLib.request import SCANNERS
from PETSynthLib.run.memory import peak_memory_mb

LARGEST_OVER_STEP, LEAST_OVER_LOOP = 2.0, 3.0
INFERENCE_S, INFERENCE_MB = 3.0, 2000.0
PLANE = "axial"
FACTS: dict[str, Any] = {
    "tracer_order": ["fdg"],
    "scanners": list(SCANNERS),
    "network": {"base": 16, "multipliers": [1, 2, 3]},
}
PUBLISHED = {**FACTS, "network": {"channels": [64, 128, 256, 512, 1024], "inputs": "t1"}}


def random_weights() -> dict[str, tuple[Tensor, Tensor]]:
    """Name -> kernel and bias of each convolution of VGG-16 up to relu4_3."""
    table, before = {}, 3
    for block, (wide, count) in enumerate(BLOCKS, 1):
        for number in range(1, count + 1):
            kernel = torch.randn(wide, before, 3, 3) * (2 / (9 * before)) ** 0.5
            table[f"block{block}_conv{number}"] = (kernel, torch.zeros(wide))
            before = wide
    return table


def plain_layers(weights: dict[str, tuple[Tensor, Tensor]]) -> torch.nn.Sequential:
    """The same network out of torch's own layers, frozen: what the released loop calls."""
    layers: list[torch.nn.Module] = []
    for name, (kernel, bias) in weights.items():
        if name.endswith("conv1") and layers:
            layers.append(torch.nn.MaxPool2d(2))
        layer = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        layer.load_state_dict({"weight": kernel, "bias": bias})
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers).requires_grad_(False)


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def brain_of(shape: tuple[int, int, int]) -> Tensor:
    """An ellipsoid about as large in the grid as a brain, (1, I, J, K)."""
    axes = [torch.linspace(-1, 1, n) for n in shape]
    x, y, z = torch.meshgrid(*axes, indexing="ij")
    return ((x / 0.85) ** 2 + (y / 0.85) ** 2 + (z / 0.8) ** 2 < 1).float()[None]


def slice_loop(layers: torch.nn.Sequential, prediction: Tensor, target: Tensor) -> None:
    """The loss as released: every slice by itself, also background, with autograd's own graph."""
    parts = []
    for x, y in zip(prediction[0].unbind(2), target[0].unbind(2), strict=True):
        low, span = extent(y[None])
        pair = [layers(((v[None] - low) / span)[:, None].expand(-1, 3, -1, -1)) for v in (x, y)]
        parts.append(torch.nn.functional.mse_loss(*pair))
    torch.stack(parts).mean().backward()


def measure_perceptual(rounds: int) -> dict[str, float]:
    """Median seconds of the term (as by default, and of all slices) and of its rivals."""
    shape, placement = GRIDS["2mm"].shape, place("cpu")
    brain = brain_of(shape)
    target = torch.rand(1, *shape) * brain
    weights = random_weights()
    distance = PerceptualDistance(VggFeatures(weights, torch.zeros(3)), "target")
    layers = plain_layers(weights)
    ours, published = build_unet(FACTS), build_unet(PUBLISHED)
    images = torch.cat([target, target, brain])[None]
    told = torch.zeros(1, condition_length(FACTS))

    def step(network: torch.nn.Module) -> None:
        with placement.autocast():
            mean, _ = network(images, told)
        (mean[:, 0] - target).square().mean().backward()

    def term(every: int) -> None:
        guess = (target + 0.1 * torch.rand_like(target)).requires_grad_()
        with placement.autocast():
            value = distance.plane(guess, target, brain, PLANE, every)
        value.backward()

    def loop() -> None:
        guess = (target + 0.1 * torch.rand_like(target)).requires_grad_()
        with placement.autocast():
            slice_loop(layers, guess, target)

    def infer() -> None:
        with torch.inference_mode(), placement.autocast():
            ours(images, told)

    rivals = {
        "all_slices": lambda: term(1),
        "term": lambda: term(LossConfig().every),
        "loop": loop,
        "step": lambda: step(ours),
        "published_step": lambda: step(published),
        "inference": infer,
    }
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds + 1):
        for name, work in rivals.items():
            times[name].append(seconds(work))
    return {name: float(np.median(rows[1:])) for name, rows in times.items()}


def perceptual_verdicts(found: dict[str, float]) -> list[str]:
    """Each promise with what was measured."""
    own, published = found["term"] / found["step"], found["term"] / found["published_step"]
    faster, peak = found["loop"] / found["all_slices"], peak_memory_mb()
    return [
        verdict(
            published <= LARGEST_OVER_STEP,
            f"perceptual term at 2 mm: {published:.1f} steps of the published U-Net "
            f"(at most {LARGEST_OVER_STEP:g})",
        ),
        verdict(
            own <= LARGEST_OVER_STEP,
            f"perceptual term at 2 mm: {own:.1f} steps of our own U-Net "
            f"(at most {LARGEST_OVER_STEP:g})",
        ),
        verdict(
            faster >= LEAST_OVER_LOOP,
            f"perceptual term of all slices: {faster:.1f} times as fast as the slice loop "
            f"(at least {LEAST_OVER_LOOP:g})",
        ),
        verdict(
            found["inference"] <= INFERENCE_S,
            f"unet inference at 2 mm: {found['inference']:.2f} s (at most {INFERENCE_S:g}), "
            f"peak of the whole process {peak:.0f} MB (inference alone: {INFERENCE_MB:g})",
        ),
    ]
