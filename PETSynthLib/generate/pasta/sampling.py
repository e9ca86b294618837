"""From an MRI to PET volumes: stack by stack, each drawn by a diffusion, all draws at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import torch
from torch import Tensor

from ..diffusion import Diffusion
from ..samplers import sample_ddim
from ..scaling import EMPTY
from ..schedules import cosine_alphas, trailing_steps
from .inputs import with_label
from .network import DualArm, Given
from .stacks import (
    Assembly,
    rounded_up,
    slices_of,
    stack_centres,
    stacks_at,
    volume_of,
    widened,
)

BATCH_VALUES = 3_000_000
"""Values of one full-resolution feature map that a batch of stacks may hold: what bounds memory."""

Report = Callable[[int, int, Callable[[], Tensor]], None]
"""Is told how many evaluations are done, of how many, and how to get what the first draw shows."""


@dataclass(frozen=True)
class Drawing:
    """How volumes are drawn.

    Attributes
    ----------
    steps
        Evaluations of the denoiser.
    seeds
        One a draw: a seed means the same picture on every device, in batches of any size.
    stride
        Slices between the centres of two stacks.
    planes
        Planes in which volumes are made; several are averaged.
    every
        Timesteps between two that the network was trained on: only those are asked of it.
    """

    steps: int
    seeds: tuple[int, ...]
    stride: int
    planes: tuple[str, ...]
    every: int = 1


def diffusion_of(facts: dict[str, Any]) -> Diffusion:
    """The path that ``method_config`` of a bundle describes; the network says the clean picture."""
    body = facts["diffusion"]
    return Diffusion(cosine_alphas(body["timesteps"], body["offset"]), "clean")


def draw_volumes(
    network: DualArm,
    images: Sequence[Tensor],
    label: Tensor,
    known: Tensor,
    path: Diffusion,
    drawing: Drawing,
    report: Report | None = None,
) -> Tensor:
    """Draw PETs of one MRI.

    The conditioner reads each stack once, whatever the number of steps and draws. All stacks of a
    draw start from one noise volume, so that overlapping stacks agree on what they show.

    Parameters
    ----------
    images
        T1, and FLAIR where the network reads one: (I, J, K) in [-1, 1], on the network's device.
    label
        Tracer label (T,), may be empty.
    known
        Clinical vector (D,).
    path
        Of the training.
    drawing
        How.
    report
        Is told of every evaluation.

    Returns
    -------
    Tensor (draws, I, J, K), float32, in the network's range.

    Raises
    ------
    ValueError
        When a stack is thicker than the volume.
    """
    slices, planes = network.shape.slices, drawing.planes
    thinnest = min(len(slices_of(images[0], plane)) for plane in planes)
    if slices > thinnest:
        raise ValueError(f"stacks of {slices} slices are thicker than {thinnest}")
    work = [(plane, _batches(network, images[0], plane, drawing.stride)) for plane in planes]
    taught = path.total // drawing.every
    steps = [drawing.every * step for step in trailing_steps(taught, drawing.steps)]
    each = len(drawing.seeds) * len(steps)
    total, ticks = each * sum(len(batches) for _, batches in work), count(1)
    volumes = []
    for plane, batches in work:
        cut = _cut(network, images, plane)
        starts = [_noise(network, seed, images[0], plane) for seed in drawing.seeds]
        size = slices_of(images[0], plane).shape
        made = [Assembly((size[0], size[1], size[2]), slices, cut.device) for _ in starts]
        for centres in batches:
            mri = torch.cat([stacks_at(c, centres, slices, EMPTY) for c in cut], 1)
            mri = with_label(mri, label).contiguous(memory_format=torch.channels_last)
            given, _ = network.read_mri(mri, known.expand(len(mri), -1))
            for noise, assembly in zip(starts, made, strict=True):
                start = torch.stack([noise[k : k + slices] for k in centres])
                denoise = partial(_denoised, network, given)
                tick = partial(_told, report, ticks, total, partial(_shown, made[0], plane))
                start = start.to(mri.device)
                stacks = sample_ddim(denoise, start, path.alphas, steps, callback=tick)
                assembly.add(centres, stacks)
        volumes.append(torch.stack([volume_of(assembly.slices(), plane) for assembly in made]))
    return torch.stack(volumes).mean(0)


def _denoised(network: DualArm, given: Given, x: Tensor, t: int) -> Tensor:
    x = x.contiguous(memory_format=torch.channels_last)
    return network.model.denoise(x, torch.full((len(x),), t, device=x.device), given).float()


def _told(
    report: Report | None,
    ticks: Iterator[int],
    total: int,
    so_far: Callable[[], Tensor],
    step: int,
    prediction: Tensor,
) -> None:
    """One evaluation of the denoiser is done, whichever step of whichever stack it was."""
    del step, prediction
    if report is not None:
        report(next(ticks), total, so_far)


def _shown(assembly: Assembly, plane: str) -> Tensor:
    return volume_of(assembly.slices(), plane).nan_to_num(EMPTY)


def _cut(network: DualArm, images: Sequence[Tensor], plane: str) -> Tensor:
    """Every image as slices of a plane, on a canvas that the levels divide: (images, n, H, W)."""
    multiple = network.shape.multiple
    cut = [slices_of(image, plane) for image in images]
    wide = rounded_up((cut[0].shape[1], cut[0].shape[2]), multiple)
    return torch.stack([widened(slices, wide, EMPTY) for slices in cut])


def _batches(network: DualArm, image: Tensor, plane: str, stride: int) -> list[list[int]]:
    slices, high, wide = slices_of(image, plane).shape
    size = max(1, BATCH_VALUES // (high * wide * network.shape.width))
    centres = stack_centres(slices, stride)
    return [centres[i : i + size] for i in range(0, len(centres), size)]


def _noise(network: DualArm, seed: int, image: Tensor, plane: str) -> Tensor:
    """Standard normal slices (n + slices - 1, H, W) of an image, from one box for all planes."""
    half, multiple = network.shape.slices // 2, network.shape.multiple
    margin = half + multiple
    # Drawn on the CPU so that a seed means the same picture on every device.
    generator = torch.Generator().manual_seed(seed)
    box = torch.randn([n + 2 * margin for n in image.shape], generator=generator)
    number, *extent = slices_of(image, plane).shape
    high, wide = rounded_up((extent[0], extent[1]), multiple)
    first = margin - half
    inner = slices_of(box, plane)[first : first + number + 2 * half]
    return inner[:, margin : margin + high, margin : margin + wide]
