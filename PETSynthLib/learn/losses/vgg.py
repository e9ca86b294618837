"""VGG-16 up to relu4_3 (Simonyan & Zisserman 2015, arXiv 1409.1556), from a plain state dict.

Two layouts of the published ImageNet weights are read, and give the same features for the same
picture: torchvision's (``features.0.weight``, RGB, mean and sd of 0..1 values) and Keras' or
Caffe's (``block1_conv1.weight``, BGR, mean of 0..255 values). torchvision itself is not needed.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from ...errors import ErrorCode, PETSynthError

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3))
"""Channels and convolutions of each block; a max-pooling lies between two blocks."""
REDUCTION = 2 ** (len(BLOCKS) - 1)
"""Pixels of the picture along each axis for one of the features."""
RGB_MEAN, RGB_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""torchvision's normalisation of values 0..1."""
BGR_MEAN = (103.939, 116.779, 123.68)
"""Caffe's normalisation of values 0..255."""
_NAMES = [f"block{b}_conv{c + 1}" for b, (_, n) in enumerate(BLOCKS, 1) for c in range(n)]
_TORCHVISION = dict(zip(_NAMES, (0, 2, 5, 7, 10, 12, 14, 17, 19, 21), strict=True))


class VggFeatures(nn.Module):
    """The first 23 layers of VGG-16, frozen; in two dimensions, or inflated to three.

    Parameters
    ----------
    weights
        Name of a convolution (``block1_conv1``) -> weight (O, I, 3, 3) and bias (O,), RGB, for
        values normalised as torchvision does.
    padding_colour
        (3,): what the first convolution sees beyond the picture's edge, normalised; 0 is the mean
        colour of torchvision, Caffe's mean is a little other.
    dims
        3: every kernel is repeated three times along a third axis and divided by three, so that a
        picture that is constant along it has the features of its slices (Carreira & Zisserman
        2017, arXiv 1705.07750).
    """

    def __init__(
        self, weights: dict[str, tuple[Tensor, Tensor]], padding_colour: Tensor, dims: int = 2
    ) -> None:
        super().__init__()
        self.dims = dims
        for name, (weight, bias) in weights.items():
            kernel = weight if dims == 2 else weight[:, :, None].repeat(1, 1, 3, 1, 1) / 3
            self.register_buffer(f"{name}_weight", kernel.float().contiguous())
            self.register_buffer(f"{name}_bias", bias.float())
        self.register_buffer("padding_colour", padding_colour.float())
        self.register_buffer("mean", torch.tensor(RGB_MEAN))
        self.register_buffer("sd", torch.tensor(RGB_SD))
        self._ready: dict[tuple[str, torch.device, torch.dtype], Tensor] = {}

    def forward(self, grey: Tensor, *, normalise: bool = True) -> Tensor:
        """Features of grey pictures, shown as three equal channels.

        Parameters
        ----------
        grey
            (N, 1, H, W), or (N, 1, I, J, K) when inflated; 0..1 is black to white.
        normalise
            Whether ImageNet's mean and sd are taken off first.

        Returns
        -------
        (N, 512, H // 8, W // 8), after the ReLU.
        """
        view = (1, 3) + (1,) * self.dims
        h = grey.expand(-1, 3, *grey.shape[2:])
        if normalise:
            h = (h - self._get("mean").reshape(view)) / self._get("sd").reshape(view)
        # Padding with the colour that the weights' own mean has keeps both layouts alike.
        edge = self._get("padding_colour").reshape(view)
        h = F.pad(h - edge, (1, 1) * self.dims) + edge
        conv = F.conv2d if self.dims == 2 else F.conv3d
        pool = F.max_pool2d if self.dims == 2 else F.max_pool3d
        if self.dims == 2:
            h = h.contiguous(memory_format=torch.channels_last)
        for name, after in pairwise([*_NAMES, ""]):
            padding = 0 if name == _NAMES[0] else 1
            weight, bias = (self._as_computed(f"{name}_{kind}") for kind in ("weight", "bias"))
            h = F.relu(conv(h, weight, bias, 1, padding))
            if after and after[5] != name[5]:
                h = pool(h, 2)
        return h

    def _get(self, name: str) -> Tensor:
        buffer: Tensor = getattr(self, name)
        return buffer

    def _as_computed(self, name: str) -> Tensor:
        """A frozen number in the precision and the order of memory that it is computed with.

        Autocast would turn it anew at every call: a tenth of the time of a small batch.
        """
        buffer = self._get(name)
        kind = buffer.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else buffer.dtype
        key = (name, buffer.device, dtype)
        if key not in self._ready:
            ready = buffer.to(dtype)
            if buffer.dim() == 4:
                ready = ready.contiguous(memory_format=torch.channels_last)
            self._ready[key] = ready
        return self._ready[key]


def load_vgg(path: Path, dims: int = 2) -> VggFeatures:
    """The features from a file of weights (.pth, .pt, .npz or .safetensors), read as numbers only.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the file cannot be read or holds another network.
    """
    table = _read(path)
    try:
        if "features.0.weight" in table:
            weights, colour = from_torchvision(table)
        else:
            weights, colour = from_caffe(table)
        _check(weights)
    except (KeyError, ValueError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"{path.name} does not hold the convolutions of VGG-16 ({problem}).",
            "Give the published vgg16 file (torchvision's names, or Keras' block1_conv1 names).",
        ) from problem
    return VggFeatures(weights, colour, dims)


def from_torchvision(
    table: dict[str, Tensor],
) -> tuple[dict[str, tuple[Tensor, Tensor]], Tensor]:
    """Weights in torchvision's layout, and the colour beyond the edge: its mean."""
    found = {
        name: (table[f"features.{k}.weight"], table[f"features.{k}.bias"])
        for name, k in _TORCHVISION.items()
    }
    return found, torch.zeros(3)


def from_caffe(table: dict[str, Tensor]) -> tuple[dict[str, tuple[Tensor, Tensor]], Tensor]:
    """Weights for BGR values 0..255 without their mean, made to take torchvision's normalisation.

    With z = (v - mean) / sd of RGB values v in 0..1, the Caffe network sees
    ``255 (z sd + mean) - own``: the first kernel takes the factor, its bias the rest.
    """
    found = {n: (table[f"{n}.weight"].float(), table[f"{n}.bias"].float()) for n in _NAMES}
    weight, bias = found[_NAMES[0]]
    weight = weight.flip(1).double()
    mean, sd = (torch.tensor(v, dtype=torch.float64) for v in (RGB_MEAN, RGB_SD))
    own = torch.tensor(BGR_MEAN[::-1], dtype=torch.float64)
    shift = (weight.sum((2, 3)) * (255 * mean - own)).sum(1)
    scaled = weight * (255 * sd).reshape(1, 3, 1, 1)
    found[_NAMES[0]] = (scaled.float(), (bias.double() + shift).float())
    return found, (own / 255 - mean) / sd


def _check(weights: dict[str, tuple[Tensor, Tensor]]) -> None:
    before = 3
    for (name, (weight, bias)), out in zip(
        weights.items(), (c for c, n in BLOCKS for _ in range(n)), strict=True
    ):
        if weight.shape != (out, before, 3, 3) or bias.shape != (out,):
            raise ValueError(f"{name} has the shape {tuple(weight.shape)}")
        before = out


def _read(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file by name."""
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        if path.suffix == ".safetensors":
            return load_file(path)
        body: Any = torch.load(path, map_location="cpu", weights_only=True)
        return {str(name): value for name, value in body.items()}
    except Exception as problem:  # a damaged file may raise anything
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The weights {path.name} cannot be read.",
            "Give the published vgg16 file, unchanged.",
        ) from problem
