"""The perceptual distance of volumes: features of their slices, all of a plane in one batch.

Moon et al. 2026 (doi 10.1002/hbm.70508): every slice of the present plane is shown to an ImageNet
VGG-16 up to relu4_3; the mean squared difference of the features is averaged over slices. Their
release scales prediction and target each by its own range, which hides an error of the SUVR's
level from the loss; here both are scaled by the target's (`RANGES`). Each slice counts alike, and
slices without brain are left out. Of a slice only the brain's window is looked at, and counts by
its share of the slice: beyond it nothing is to be learnt, and a feature costs as much there.

The features' network is frozen, so that the gradient is taken at once, a chunk of slices at a time,
and only one chunk's activations are ever kept: checkpointing without a second forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from ...errors import ErrorCode, PETSynthError
from ...volume import PLANES
from .vgg import REDUCTION, VggFeatures

RANGES = ("target", "paper")
"""``target``: both pictures by the target's range, with ImageNet's normalisation, in units of an
ellipse's features. ``paper``: each by its own range, without either, as released."""
ELLIPSE_PIXELS = 32
LEAST_RANGE = 1e-3
"""Range (network scale) below which a target counts as flat, lest noise be blown up."""
CHUNK_PIXELS = 16 * 96 * 112
MARGIN = 2
"""Pixels kept around the brain."""
GRAIN = 8
"""A window's sides are a multiple of so many pixels, that many windows are of one size."""


class PerceptualDistance:
    """Distance of features.

    Parameters
    ----------
    features
        The frozen network, in the dimensions of what is compared.
    ranges
        One of `RANGES`.
    """

    def __init__(self, features: VggFeatures, ranges: str) -> None:
        self.features, self.ranges = features, ranges
        self.unit = 1.0 if ranges == "paper" else feature_unit(features)

    def plane(
        self,
        prediction: Tensor,
        target: Tensor,
        brain: Tensor,
        plane: str,
        every: int = 1,
        first: int = 0,
    ) -> Tensor:
        """Distance over the slices of one plane.

        Parameters
        ----------
        prediction, target, brain
            (N, I, J, K); brain is 0 or 1.
        plane
            Key of `PLANES`.
        every, first
            Only every so many-th slice counts, beginning with slice ``first``; an example without
            brain in any of these shows all it has.

        Returns
        -------
        Scalar: mean over the slices with brain of each example, then over examples.

        Raises
        ------
        PETSynthError
            ``BAD_DATA`` when an example has no brain, or a slice is smaller than one feature.
        """
        axis = PLANES[plane]
        _require_brain(brain, f"in any {plane} slice")
        _require_size(size for k, size in enumerate(brain.shape[1:]) if k != axis)
        x, y, mask = (v.movedim(axis + 1, 1) for v in (prediction, target, brain))
        shown = mask.flatten(2).any(2)
        due = torch.arange(shown.shape[1], device=shown.device) % every == first % every
        some = shown & due
        shown = torch.where(some.any(1, keepdim=True), some, shown)
        share = (1.0 / (shown.sum(1, keepdim=True) * len(shown))).expand_as(shown)[shown]
        x, y, pixels = x[shown], y[shown], mask[0, 0].numel()
        parts = []
        for window, chosen in windows(mask[shown]).items():
            own = share[list(chosen)] * (window[0] * window[1] / pixels)
            parts.append(self.slices(_cut(x, window, chosen), _cut(y, window, chosen), own))
        return torch.stack(parts).sum()

    def volume(self, prediction: Tensor, target: Tensor, brain: Tensor) -> Tensor:
        """Distance of whole volumes (N, I, J, K), for features inflated to three dimensions.

        As of a slice, only the box of the brain is looked at, and counts by its share.
        """
        box = _brain_box(brain)
        inside = target[box]
        part = inside.numel() / target.numel() / len(target)
        share = torch.full((len(target),), part, device=target.device)
        return self.slices(prediction[box], inside, share)

    def slices(self, prediction: Tensor, target: Tensor, share: Tensor) -> Tensor:
        """Weighted sum of the distances of pictures (M, H, W), or volumes for inflated features.

        Parameters
        ----------
        share
            (M,): weight of each.
        """
        chunk = max(1, CHUNK_PIXELS // target[0].numel())
        distance: Tensor = _AtOnce.apply(  # type: ignore[no-untyped-call]
            prediction.float(), target.float(), share, self._distances, chunk
        )
        return distance

    def _distances(self, prediction: Tensor, target: Tensor) -> Tensor:
        """(M,) mean squared difference of the features of each picture."""
        normalise = self.ranges == "target"
        low, span = extent(target)
        with torch.no_grad():
            known = self.features(((target - low) / span)[:, None], normalise=normalise)
        if not normalise:
            low, span = extent(prediction)
        found = self.features(((prediction - low) / span)[:, None], normalise=normalise)
        squared: Tensor = (found.float() - known.float()).square()
        return squared.flatten(1).mean(1) / self.unit


def feature_unit(features: VggFeatures) -> float:
    """Mean square of the features of a white ellipse, or ellipsoid, on black."""
    line = torch.linspace(-1, 1, ELLIPSE_PIXELS, device=next(features.buffers()).device)
    axes = torch.meshgrid(*[line] * features.dims, indexing="ij")
    inside = sum(((x / (0.9 - 0.1 * k)) ** 2 for k, x in enumerate(axes)), torch.zeros(())) < 1
    with torch.no_grad():
        return float(features(inside.float()[None, None]).square().mean())


def extent(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest value and range of each picture, shaped to be taken off it."""
    flat = pictures.flatten(1)
    view = (-1,) + (1,) * (pictures.dim() - 1)
    low, high = flat.amin(1), flat.amax(1)
    return low.reshape(view), (high - low).clamp_min(LEAST_RANGE).reshape(view)


def windows(brain: Tensor) -> dict[tuple[int, int], dict[int, tuple[int, int]]]:
    """The window of each slice that holds its brain with a margin.

    Parameters
    ----------
    brain
        (M, H, W), no slice of it empty.

    Returns
    -------
    Height and width of a window -> number of a slice that has it -> row and column of its corner.
    """
    rows, columns = (_reach(brain.any(axis)) for axis in (2, 1))
    found: dict[tuple[int, int], dict[int, tuple[int, int]]] = {}
    for number, ((top, height), (left, width)) in enumerate(zip(rows, columns, strict=True)):
        found.setdefault((height, width), {})[number] = (top, left)
    return found


def _reach(occupied: Tensor) -> list[tuple[int, int]]:
    """First pixel and length of the window along one axis (M, S) of each slice."""
    size = occupied.shape[1]
    first = occupied.int().argmax(1)
    beyond = size - occupied.flip(1).int().argmax(1)
    length = (-(-(beyond - first + 2 * MARGIN) // GRAIN) * GRAIN).clamp_max(size)
    start = ((first + beyond - length) // 2).clamp_min(0).minimum(size - length)
    return list(zip(start.tolist(), length.tolist(), strict=True))


def _cut(pictures: Tensor, window: tuple[int, int], corners: dict[int, tuple[int, int]]) -> Tensor:
    """Windows of one size out of some of (M, H, W)."""
    height, width = window
    return torch.stack(
        [pictures[k, r : r + height, c : c + width] for k, (r, c) in corners.items()]
    )


def _brain_box(brain: Tensor) -> tuple[slice, ...]:
    """The part of (N, I, J, K) that holds every example's brain, with a margin.

    Along each axis it is at least as wide as one feature.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when an example has no brain, or the volume is smaller than one feature.
    """
    _require_brain(brain, "at all")
    _require_size(brain.shape[1:])
    box: list[slice] = [slice(None)]
    for axis in range(1, 4):
        size = brain.shape[axis]
        rows = brain.amax([k for k in range(4) if k != axis]).nonzero()
        first, last = int(rows[0]) - MARGIN, int(rows[-1]) + MARGIN + 1
        first, last = max(0, first), min(size, last)
        if last - first < REDUCTION:
            first = min(first, size - REDUCTION)
            last = first + REDUCTION
        box.append(slice(first, last))
    return tuple(box)


def _require_brain(brain: Tensor, where: str) -> None:
    if not bool(brain.flatten(1).any(1).all()):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The perceptual loss met an example without brain {where}.",
            "Look at the brain masks in the store's qc/index.html, and leave that subject out.",
        )


def _require_size(sizes: Iterable[int]) -> None:
    for size in sizes:
        if size < REDUCTION:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"A grid of {size} voxels along an axis is too small for the perceptual loss.",
                f"It needs {REDUCTION} at least; leave it out with --perceptual none.",
            )


class _AtOnce(torch.autograd.Function):
    """Weighted sum of distances; its gradient is taken in the forward pass, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any,
        prediction: Tensor,
        target: Tensor,
        share: Tensor,
        distances: Callable[[Tensor, Tensor], Tensor],
        chunk: int,
    ) -> Tensor:
        """The sum; keeps the gradient with respect to the prediction."""
        wanted = ctx.needs_input_grad[0]
        total = torch.zeros((), dtype=torch.float32, device=prediction.device)
        parts: list[Tensor] = []
        for part in _chunks(len(prediction), chunk):
            with torch.set_grad_enabled(wanted):
                shown = prediction[part].detach().requires_grad_(wanted)
                value = (distances(shown, target[part]) * share[part]).sum()
                if wanted:
                    parts.extend(torch.autograd.grad(value, shown))
            total += value.detach()
        ctx.save_for_backward(torch.cat(parts) if wanted else prediction.new_empty(0))
        return total

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None, None, None]:
        """The kept gradient times what comes from above."""
        (kept,) = ctx.saved_tensors
        return above * kept, None, None, None, None


def _chunks(count: int, size: int) -> Iterator[slice]:
    for first in range(0, count, size):
        yield slice(first, first + size)
