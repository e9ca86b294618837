"""The perceptual distance of volumes: features of their slices, all of a plane in one batch.

Moon et al. 2026 (doi 10.1002/hbm.70508): every slice of the present plane is shown to an ImageNet
VGG-16 up to relu4_3; the mean squared difference of the features is averaged over slices. Their
release scales prediction and target each by its own range, which hides an error of the SUVR's
level from the loss; here both are scaled by the target's (`RANGES`). Each slice counts alike,
slices without brain are left out, and pictures are cut to the brain's box.

The features' network is frozen, so that the gradient is taken at once, a chunk of slices at a time,
and only one chunk's activations are ever kept: checkpointing without a second forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ...errors import ErrorCode, PETSynthError
from .planes import AXIS
from .vgg import REDUCTION, VggFeatures

RANGES = ("target", "paper")
"""``target``: both pictures by the target's range, with ImageNet's normalisation. ``paper``: each
by its own range, without ImageNet's normalisation, as released."""
LEAST_RANGE = 1e-3
"""Range (network scale) below which a target counts as flat, lest noise be blown up."""
CHUNK_PIXELS = 16 * 96 * 112
MARGIN = 4
"""Pixels kept around the brain's box."""


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
            Key of `planes.AXIS`.
        every, first
            Only every so many-th slice counts, beginning with slice ``first``; an example without
            brain in any of these shows all it has.

        Returns
        -------
        Scalar: mean over the slices with brain of each example, then over examples.

        Raises
        ------
        PETSynthError
            ``BAD_DATA`` when an example has no brain.
        """
        axis = AXIS[plane] + 1
        box = brain_box(brain, plane)
        x, y, mask = (v[box].movedim(axis, 1) for v in (prediction, target, brain))
        shown = mask.flatten(2).any(2)
        due = torch.arange(shown.shape[1], device=shown.device) % every == first % every
        some = shown & due
        shown = torch.where(some.any(1, keepdim=True), some, shown)
        share = (1.0 / (shown.sum(1, keepdim=True) * len(shown))).expand_as(shown)[shown]
        return self.slices(x[shown], y[shown], share)

    def volume(self, prediction: Tensor, target: Tensor, brain: Tensor) -> Tensor:
        """Distance of whole volumes (N, I, J, K), for features inflated to three dimensions."""
        box = brain_box(brain)
        share = torch.full((len(target),), 1.0 / len(target), device=target.device)
        return self.slices(prediction[box], target[box], share)

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
        return squared.flatten(1).mean(1)


def extent(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Lowest value and range of each picture, shaped to be taken off it."""
    flat = pictures.flatten(1)
    view = (-1,) + (1,) * (pictures.dim() - 1)
    low, high = flat.amin(1), flat.amax(1)
    return low.reshape(view), (high - low).clamp_min(LEAST_RANGE).reshape(view)


def brain_box(brain: Tensor, plane: str | None = None) -> tuple[slice, ...]:
    """The part of (N, I, J, K) that holds every example's brain, with a margin.

    Along the axis that a plane's slices are stacked on nothing is cut; along the others the box is
    at least as wide as one feature where the volume is.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when an example has no brain, or the volume is smaller than one feature.
    """
    if not bool(brain.flatten(1).any(1).all()):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The perceptual loss met an example without brain in any {plane or 'axial'} slice.",
            "Look at the brain masks in the store's qc/index.html, and leave that subject out.",
        )
    box: list[slice] = [slice(None)]
    for axis in range(3):
        size = brain.shape[axis + 1]
        if plane is not None and AXIS[plane] == axis:
            box.append(slice(None))
            continue
        if size < REDUCTION:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"A grid of {size} voxels along an axis is too small for the perceptual loss.",
                f"It needs {REDUCTION} at least; leave it out with --perceptual none.",
            )
        others = [k for k in range(4) if k != axis + 1]
        rows = brain.amax(others).nonzero()
        first, last = int(rows[0]) - MARGIN, int(rows[-1]) + MARGIN + 1
        first, last = max(0, first), min(size, last)
        if last - first < REDUCTION:
            first = min(first, size - REDUCTION)
            last = first + REDUCTION
        box.append(slice(first, last))
    return tuple(box)


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
