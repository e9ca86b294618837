"""The blocks of PASTA's arms: residual, resampling, attention, time.

The parameters carry the names of the published checkpoints, so that those load as they are.
Li et al., Medical Image Analysis 2026, doi 10.1016/j.media.2026.104035.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..networks import GroupNorm, start_at_zero

GROUPS = 32
CONDITIONS = ("time", "map", "clinical")
"""What the adaptive conditional module can be told, in the order in which it acts."""
Fusion = Literal["adaptive", "concatenation"]


class ResidualBlock(nn.Module):
    """Residual block with the adaptive conditional module between its two convolutions.

    ``h * (1 + t_s) + t_b`` (time), ``* (1 + m)`` (the conditioner's map, voxel by voxel),
    ``* (1 + c)`` (clinic), each after the group norm. The last two do not change from step to step
    of a sampler and are computed once (`given`).

    Parameters
    ----------
    c_in, c_out, c_time
        Channels, and length of the time embedding.
    clinical
        Length of the clinical vector.
    conditions
        Which of `CONDITIONS` act (the paper: all).
    fusion
        ``adaptive``, or ``concatenation``: map and clinic beside the features, mixed by a
        1x1 convolution that starts by ignoring them (the paper's ablation).
    dropout
        Share of features dropped in training.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        c_time: int,
        clinical: int,
        conditions: Collection[str] = CONDITIONS,
        fusion: Fusion = "adaptive",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.conditions = tuple(c for c in CONDITIONS if c in conditions)
        self.in_layers = nn.Sequential(
            GroupNorm(GROUPS, c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(c_time, 2 * c_out))
        self.tab_embed = nn.Sequential(
            nn.Linear(clinical, c_time), nn.SiLU(), nn.Linear(c_time, c_out)
        )
        self.out_layers = nn.Sequential(
            GroupNorm(GROUPS, c_out),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Conv2d(c_out, c_out, 3, padding=1),
        )
        self.skip_connection = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        start_at_zero(self.out_layers[3])
        beside = len(set(self.conditions) - {"time"})
        self.mix: nn.Conv2d | None = None
        if fusion == "concatenation" and beside:
            self.mix = nn.Conv2d((1 + beside) * c_out, c_out, 1)
            start_at_zero(self.mix)
            with torch.no_grad():
                self.mix.weight[:, :c_out, 0, 0] = torch.eye(c_out)

    def given(self, map_: Tensor, clinical: Tensor | None) -> Tensor | None:
        """What the conditioner's map and the clinic amount to, whatever the step.

        Parameters
        ----------
        map_
            The conditioner's feature (N, c_out, I, J).
        clinical
            (N, clinical); None where there is none (MRI from PET).

        Returns
        -------
        A factor on the normalised features, or with concatenation what is laid beside them; None
        when neither is used.
        """
        facts: list[Tensor] = [map_] if "map" in self.conditions else []
        if "clinical" in self.conditions:
            scale = torch.zeros_like(map_[:, :, 0, 0])
            if clinical is not None:
                scale = self.tab_embed(clinical)
            facts.append(scale[:, :, None, None])
        if self.mix is not None:
            return torch.cat([f.expand_as(map_) for f in facts], 1)
        factor: Tensor | None = None
        for fact in facts:
            factor = 1 + fact if factor is None else factor * (1 + fact)
        return factor

    def forward(self, x: Tensor, time: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Map (N, c_in, I, J) to (N, c_out, I, J).

        Parameters
        ----------
        time
            Time embedding (N, c_time); None in the conditioner, which nothing conditions.
        given
            What `given` has returned.
        """
        norm, *rest = self.out_layers
        h = norm(self.in_layers(x))
        if time is not None:
            if "time" in self.conditions:
                scale, shift = self.emb_layers(time)[:, :, None, None].chunk(2, 1)
                h = h * (1 + scale) + shift
            if given is not None:
                h = h * given if self.mix is None else self.mix(torch.cat([h, given], 1))
        for layer in rest:
            h = layer(h)
        out: Tensor = self.skip_connection(x) + h
        return out


class Downsample(nn.Module):
    """Half the extent, by a 3x3 convolution of stride 2."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J) to (N, C, I / 2, J / 2)."""
        out: Tensor = self.op(x)
        return out


class Upsample(nn.Module):
    """Twice the extent: nearest neighbour, then a 3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J) to (N, C, 2 I, 2 J)."""
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class ResamplingBlock(nn.Module):
    """Residual block that halves or doubles the extent; nothing conditions it, not even time.

    The published checkpoints hold time weights for it (``emb_layers``) that are never used; they
    are kept so that the names and the number of parameters agree.
    """

    def __init__(self, channels: int, c_time: int, resample: type[Downsample | Upsample]) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            GroupNorm(GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.h_upd = resample(channels)
        self.x_upd = resample(channels)
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(c_time, 2 * channels))
        self.out_layers = nn.Sequential(
            GroupNorm(GROUPS, channels),
            nn.SiLU(),
            nn.Identity(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        start_at_zero(self.out_layers[3])

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J) to half or twice the extent."""
        norm, activation, convolution = self.in_layers
        h = self.out_layers(convolution(self.h_upd(activation(norm(x)))))
        out: Tensor = self.x_upd(x) + h
        return out


class HeadAttention(nn.Module):
    """Self-attention over all pixels; query, key and value lie head by head (the older order)."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = GroupNorm(GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)
        start_at_zero(self.proj_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, I, J) to the same shape."""
        n, c = x.shape[:2]
        qkv = self.qkv(self.norm(x).flatten(2)).reshape(n, self.heads, 3 * c // self.heads, -1)
        # The attention that never holds all pairs of pixels wants a head's channels side by side.
        q, k, v = (part.contiguous() for part in qkv.transpose(-1, -2).chunk(3, -1))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(n, c, -1)
        out: Tensor = x + self.proj_out(mixed).reshape(x.shape)
        return out
