"""UNETR (Hatamizadeh et al. 2022, arXiv 2103.10504): a vision transformer with a U-Net's way up.

Patches of 16 voxels, twelve blocks of self-attention over all patches; the states after blocks 3,
6, 9 and 12 are brought to the extents of a U-Net's levels. Names as in MONAI's ``UNETR``.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbone import conditioned
from .blocks import BasicBlock, Mlp, OutBlock, ProjectedUpBlock, UpBlock

PATCH, LAYERS = 16, 12


class _Attention(nn.Module):
    """Multi-head self-attention over all patches."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.out_proj = nn.Linear(width, width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        qkv = self.qkv(x).reshape(n, tokens, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        h: Tensor = self.out_proj(mixed.reshape(n, tokens, width))
        return h


class _Block(nn.Module):
    """Attention and a multi-layer perceptron, each after a layer norm and beside the identity."""

    def __init__(self, width: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.mlp = Mlp(width, hidden)
        self.norm1 = nn.LayerNorm(width)
        self.attn = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        h: Tensor = x + self.mlp(self.norm2(x))
        return h


class _Embedding(nn.Module):
    """Patches as vectors, with a learnt vector for each place."""

    def __init__(self, c_in: int, width: int, places: int) -> None:
        super().__init__()
        self.position_embeddings = nn.Parameter(torch.zeros(1, places, width))
        self.patch_embeddings = nn.Conv3d(c_in, width, PATCH, PATCH)
        nn.init.trunc_normal_(self.position_embeddings, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.patch_embeddings(x).flatten(2).transpose(1, 2)
        return h + self.position_embeddings


class _Transformer(nn.Module):
    """The encoder: every block's states."""

    def __init__(self, c_in: int, width: int, hidden: int, heads: int, places: int) -> None:
        super().__init__()
        self.patch_embedding = _Embedding(c_in, width, places)
        self.blocks = nn.ModuleList(_Block(width, hidden, heads) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        x, states = self.patch_embedding(x), []
        for block in self.blocks:
            x = block(x)
            states.append(x)
        return self.norm(x), states


class UNETR(nn.Module):
    """See the module's docstring.

    Parameters
    ----------
    extent
        The only (I, J, K) it takes; multiples of 16.
    feature_size
        Channels of the highest level.
    width, hidden, heads
        Of the transformer: channels, channels inside its perceptrons, attention heads.
    """

    multiple = least = PATCH

    def __init__(
        self,
        c_in: int,
        c_out: int,
        extent: tuple[int, ...],
        feature_size: int,
        width: int,
        hidden: int,
        heads: int,
    ) -> None:
        super().__init__()
        self.patches = tuple(n // PATCH for n in extent)
        i, j, k = self.patches
        f = feature_size
        self.vit = _Transformer(c_in, width, hidden, heads, i * j * k)
        self.encoder1 = BasicBlock(c_in, f)
        self.encoder2 = ProjectedUpBlock(width, 2 * f, 2)
        self.encoder3 = ProjectedUpBlock(width, 4 * f, 1)
        self.encoder4 = ProjectedUpBlock(width, 8 * f, 0)
        self.decoder5 = UpBlock(width, 8 * f)
        self.decoder4 = UpBlock(8 * f, 4 * f)
        self.decoder3 = UpBlock(4 * f, 2 * f)
        self.decoder2 = UpBlock(2 * f, f)
        self.out = OutBlock(f, c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, c_in, I, J, K) to (N, c_out, I, J, K)."""
        last, states = self.vit(x)
        h = self.decoder5(self._placed(last), self.encoder4(self._placed(states[9])))
        h = self.decoder4(h, self.encoder3(self._placed(states[6])))
        h = self.decoder3(h, self.encoder2(self._placed(states[3])))
        out: Tensor = self.out(self.decoder2(h, self.encoder1(x)))
        return out

    def _placed(self, states: Tensor) -> Tensor:
        """Vectors of patches (N, P, width) as a volume (N, width, i, j, k)."""
        return states.transpose(1, 2).reshape(len(states), -1, *self.patches)


def build_unetr(facts: dict[str, Any]) -> nn.Module:
    """The network that ``method_config`` of a bundle describes."""
    shape = facts["network"]

    def make(c_in: int, c_out: int) -> UNETR:
        return UNETR(
            c_in,
            c_out,
            tuple(shape["extent"]),
            shape["feature_size"],
            shape["width"],
            shape["hidden"],
            shape["heads"],
        )

    return conditioned(facts, make)
