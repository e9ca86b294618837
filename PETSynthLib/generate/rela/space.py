"""Where the diffusion works: on voxels, or on the latents of autoencoders.

Either space turns a PET into what is made noisy and back, and the MRI into what stands beside it.
Everything else of the method is the same in both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..networks import GROUPS, GroupNorm
from ..scaling import EMPTY, Array

LATENT_BOUND = 4.0
"""Latents are standardised; samples are held within so many standard deviations."""


class Space(nn.Module):
    """What both spaces offer; a PET comes and goes in the numbers of `units`.

    Attributes
    ----------
    channels
        Of a PET in this space, and of each MRI.
    factor
        Voxels along an axis that become one position.
    bound
        What the clean prediction is held within.
    """

    channels: int
    factor: int
    bound: float

    def encode(self, pet: Tensor) -> Tensor:
        """(N, 1, I, J, K), in `units`, to (N, channels, I / factor, ...)."""
        raise NotImplementedError

    def decode(self, z: Tensor) -> Tensor:
        """The reverse of `encode`."""
        raise NotImplementedError

    def see(self, mri: Tensor) -> Tensor:
        """(N, 2, I, J, K), -1..1, to (N, 2 channels, I / factor, ...)."""
        raise NotImplementedError

    def cover(self, mask: Tensor) -> Tensor:
        """(N, 1, I, J, K), 0 or 1, to (N, channels, I / factor, ...): where any of it is 1."""
        raise NotImplementedError


class VoxelSpace(Space):
    """The voxels themselves; ``patch``^3 of them share a position (1: as published).

    Nothing is lost, and noise stays noise: it is the same diffusion with a network that works on a
    grid ``patch`` times as coarse.
    """

    def __init__(self, patch: int, bound: float = 1.0) -> None:
        super().__init__()
        self.factor, self.channels, self.bound = patch, patch**3, bound

    def encode(self, pet: Tensor) -> Tensor:
        """See `Space.encode`."""
        return fold(pet, self.factor)

    def decode(self, z: Tensor) -> Tensor:
        """See `Space.decode`."""
        return unfold(z, self.factor)

    def see(self, mri: Tensor) -> Tensor:
        """See `Space.see`."""
        return fold(mri, self.factor)

    def cover(self, mask: Tensor) -> Tensor:
        """See `Space.cover`."""
        return fold(mask, self.factor)


class LatentSpace(Space):
    """Latents of two autoencoders, one for PET of any tracer and one for MRI of either kind.

    Each image is encoded by itself, so that one that is not shown has a latent of its own.
    """

    bound = LATENT_BOUND
    centre: Tensor
    spread: Tensor

    def __init__(self, base: int, channels: int) -> None:
        super().__init__()
        self.channels, self.factor = channels, Autoencoder.factor
        self.pet = Autoencoder(base, channels)
        self.mri = Autoencoder(base, channels)
        # Of PET (row 0) and MRI (row 1): found when the autoencoders are trained.
        self.register_buffer("centre", torch.zeros(2, channels))
        self.register_buffer("spread", torch.ones(2, channels))

    def standardised(self, z: Tensor, row: int) -> Tensor:
        """Latents (N, channels, ...) with mean 0 and standard deviation 1 over people."""
        view = (1, -1, 1, 1, 1)
        return (z.float() - self.centre[row].view(view)) / self.spread[row].view(view)

    @torch.no_grad()
    def encode(self, pet: Tensor) -> Tensor:
        """See `Space.encode`."""
        return self.standardised(self.pet.encode(pet), 0)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """See `Space.decode`."""
        view = (1, -1, 1, 1, 1)
        return self.pet.decode(z * self.spread[0].view(view) + self.centre[0].view(view))

    @torch.no_grad()
    def see(self, mri: Tensor) -> Tensor:
        """See `Space.see`."""
        n, c = mri.shape[:2]
        z = self.standardised(self.mri.encode(mri.reshape(n * c, 1, *mri.shape[2:])), 1)
        return z.reshape(n, c * self.channels, *z.shape[2:])

    def cover(self, mask: Tensor) -> Tensor:
        """See `Space.cover`."""
        return F.max_pool3d(mask, self.factor).expand(-1, self.channels, -1, -1, -1)


class Autoencoder(nn.Module):
    """One image to latents four times as coarse, and back."""

    factor = 4

    def __init__(self, base: int, channels: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv3d(1, base, 2, stride=2),
            _Block(base),
            nn.Conv3d(base, 2 * base, 2, stride=2),
            _Block(2 * base),
            nn.Conv3d(2 * base, channels, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv3d(channels, 2 * base, 1),
            _Block(2 * base),
            nn.ConvTranspose3d(2 * base, base, 2, stride=2),
            _Block(base),
            nn.ConvTranspose3d(base, 1, 2, stride=2),
        )

    def encode(self, x: Tensor) -> Tensor:
        """(N, 1, I, J, K) to (N, channels, I / 4, ...)."""
        z: Tensor = self.encoder(x)
        return z

    def decode(self, z: Tensor) -> Tensor:
        """The reverse of `encode`, float32."""
        x: Tensor = self.decoder(z)
        return x.float()


class _Block(nn.Module):
    """Two convolutions behind group norm and SiLU, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = GroupNorm(GROUPS, channels), GroupNorm(GROUPS, channels)
        self.conv1 = nn.Conv3d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J, K) to the same shape."""
        out: Tensor = x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return out


def stacked(t1: Array | None, flair: Array | None, shape: tuple[int, ...]) -> Tensor:
    """T1 and FLAIR (2, I, J, K), -1..1; one that is not shown is as empty as the air."""
    empty = np.full(shape, EMPTY, np.float32)
    return torch.from_numpy(np.stack([empty if i is None else i for i in (t1, flair)]))


def fold(x: Tensor, patch: int) -> Tensor:
    """(N, C, I, J, K) to (N, C p^3, I / p, J / p, K / p): p^3 voxels become channels."""
    n, c, i, j, k = x.shape
    parts = x.reshape(n, c, i // patch, patch, j // patch, patch, k // patch, patch)
    return parts.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(
        n, c * patch**3, i // patch, j // patch, k // patch
    )


def unfold(z: Tensor, patch: int) -> Tensor:
    """The reverse of `fold`."""
    n, c, i, j, k = z.shape
    parts = z.reshape(n, c // patch**3, patch, patch, patch, i, j, k)
    return parts.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(
        n, c // patch**3, i * patch, j * patch, k * patch
    )


def padded(x: Tensor, multiple: int, empty: float = EMPTY) -> Tensor:
    """``x`` (..., I, J, K) with air behind it, so that every extent divides by ``multiple``."""
    pad = [p for n in reversed(x.shape[-3:]) for p in (0, -n % multiple)]
    return F.pad(x, pad, value=empty)


def build_space(facts: dict[str, Any]) -> Space:
    """The space that ``method_config["space"]`` describes."""
    if facts["kind"] == "voxel":
        return VoxelSpace(facts["patch"], facts["bound"])
    return LatentSpace(facts["base"], facts["channels"])
