"""PASTA's network: two arms of one build that read MRI and PET for each other.

An arm is a 2D U-Net over a stack of slices. As *conditioner* it reads a clean picture, predicts the
other modality from it (the predefined task) and hands over a feature map of every block; as
*denoiser* it predicts the clean picture from a noisy one, conditioned by those maps, by time and by
the clinic. PET from MRI: `encoder` conditions, `model` denoises; MRI from PET: the arms exchange
their roles, and no clinical fact is used.

Li et al., MICCAI 2024; Medical Image Analysis 2026, doi 10.1016/j.media.2026.104035. The names of
the parameters are those of the published checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..networks import GroupNorm, time_features
from .blocks import (
    CONDITIONS,
    GROUPS,
    Downsample,
    Fusion,
    HeadAttention,
    ResamplingBlock,
    ResidualBlock,
    Upsample,
)

Given = list[Tensor | None]
"""`ResidualBlock.given` of every block at constant resolution, in the order of the walk."""


@dataclass(frozen=True)
class ArmShape:
    """How an arm is built; the defaults are the paper's.

    Attributes
    ----------
    slices
        Slices of a stack, in and out.
    beside
        Further input channels of the arm that reads the MRI (FLAIR slices, tracer label).
    width, multipliers
        Channels of the first level, and factors of the levels; multiples of `GROUPS`.
    res_blocks
        Residual blocks a level on the way down; one more on the way up.
    attention
        Down-sampling factors of the levels with self-attention; the middle always has it.
    heads
        Attention heads.
    clinical
        Length of the clinical vector.
    conditions, fusion, dropout
        As in `ResidualBlock`.

    Raises
    ------
    ValueError
        When the stack has no middle slice.
    """

    slices: int = 15
    beside: int = 0
    width: int = 64
    multipliers: tuple[int, ...] = (1, 2, 3, 4)
    res_blocks: int = 4
    attention: tuple[int, ...] = (4, 8)
    heads: int = 4
    clinical: int = 12
    conditions: tuple[str, ...] = CONDITIONS
    fusion: Fusion = "adaptive"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.slices % 2 == 0:
            raise ValueError(f"a stack of {self.slices} slices has no middle")

    @property
    def multiple(self) -> int:
        """What the extent of a slice must be a multiple of."""
        return int(2 ** (len(self.multipliers) - 1))

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> ArmShape:
        """From the JSON form in a bundle."""
        shape: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()
        }
        return cls(**shape)


class Arm(nn.Module):
    """One arm; `beside` channels enter with the stack, the stack alone comes out."""

    def __init__(self, shape: ArmShape, beside: int = 0) -> None:
        super().__init__()
        self.shape = shape
        c_time = 4 * shape.width
        self.time_embed = nn.Sequential(
            nn.Linear(shape.width, c_time), nn.SiLU(), nn.Linear(c_time, c_time)
        )

        def residual(c_in: int, c_out: int) -> ResidualBlock:
            more = (shape.clinical, shape.conditions, shape.fusion, shape.dropout)
            return ResidualBlock(c_in, c_out, c_time, *more)

        def level_block(c_in: int, c_out: int, factor: int) -> nn.ModuleList:
            parts: list[nn.Module] = [residual(c_in, c_out)]
            if factor in shape.attention:
                parts.append(HeadAttention(c_out, shape.heads))
            return nn.ModuleList(parts)

        channels, factor = shape.width, 1
        stem = nn.Conv2d(shape.slices + beside, channels, 3, padding=1)
        self.input_blocks = nn.ModuleList([nn.ModuleList([stem])])
        skips = [channels]
        for level, m in enumerate(shape.multipliers):
            for _ in range(shape.res_blocks):
                self.input_blocks.append(level_block(channels, m * shape.width, factor))
                channels = m * shape.width
                skips.append(channels)
            if level < len(shape.multipliers) - 1:
                down = ResamplingBlock(channels, c_time, Downsample)
                self.input_blocks.append(nn.ModuleList([down]))
                skips.append(channels)
                factor *= 2
        self.middle_block = nn.ModuleList(
            [
                residual(channels, channels),
                HeadAttention(channels, shape.heads),
                residual(channels, channels),
            ]
        )
        self.output_blocks = nn.ModuleList()
        self.output_upsample_blocks = nn.ModuleList()
        for level, m in reversed(list(enumerate(shape.multipliers))):
            for _ in range(shape.res_blocks + 1):
                self.output_blocks.append(
                    level_block(channels + skips.pop(), m * shape.width, factor)
                )
                channels = m * shape.width
            if level:
                up = ResamplingBlock(channels, c_time, Upsample)
                self.output_upsample_blocks.append(nn.ModuleList([up]))
                factor //= 2
        self.out = nn.Sequential(
            GroupNorm(GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, shape.slices, 3, padding=1)
        )

    def condition(self, y: Tensor) -> tuple[list[Tensor], Tensor]:
        """Read a clean stack (N, slices + beside, I, J).

        Returns
        -------
        Every block's feature map (down with stem and resampling, middle, up), and the prediction
        (N, slices, I, J) of the predefined task.
        """
        maps: list[Tensor] = []
        return maps, self._walk(y, None, None, maps)

    def given(self, maps: Sequence[Tensor], clinical: Tensor | None) -> Given:
        """What another arm's maps and the clinic amount to in every block, whatever the step."""
        return [block.given(maps[place], clinical) for place, block in self.conditioned()]

    def denoise(self, x: Tensor, t: Tensor, given: Given) -> Tensor:
        """The clean stack (N, slices, I, J) that a noisy one (N, slices + beside, I, J) hides.

        Parameters
        ----------
        t
            Timesteps (N,) of the training's schedule, never their rank in a sampler's.
        given
            What `given` has returned.
        """
        time = self.time_embed(time_features(t, self.shape.width))
        return self._walk(x, time, iter(given), None)

    def conditioned(self) -> Iterator[tuple[int, ResidualBlock]]:
        """Every residual block with the place of its map in the conditioner's list."""
        down, up = list(self.input_blocks), list(self.output_blocks)
        middle = (self.middle_block[0], self.middle_block[2])
        for place, block in enumerate(down):
            first = cast(nn.ModuleList, block)[0]
            if isinstance(first, ResidualBlock):
                yield place, first
        yield from ((len(down), cast(ResidualBlock, block)) for block in middle)
        for place, block in enumerate(up, start=len(down) + 1):
            yield place, cast(ResidualBlock, cast(nn.ModuleList, block)[0])

    def _walk(
        self,
        x: Tensor,
        time: Tensor | None,
        given: Iterator[Tensor | None] | None,
        maps: list[Tensor] | None,
    ) -> Tensor:
        """Through the U-Net; ``maps`` collects what a conditioner hands over."""

        def through(parts: nn.Module, h: Tensor) -> Tensor:
            for part in cast(nn.ModuleList, parts):
                if isinstance(part, ResidualBlock):
                    h = part(h, time, None if given is None else next(given))
                else:
                    h = part(h)
            return h

        def note(h: Tensor) -> Tensor:
            if maps is not None:
                maps.append(h)
            return h

        h, kept = x, []
        for block in self.input_blocks:
            h = note(through(block, h))
            kept.append(h)
        h = note(through(self.middle_block, h))
        ups = iter(self.output_upsample_blocks)
        for number, block in enumerate(self.output_blocks, start=1):
            h = note(through(block, torch.cat([h, kept.pop()], 1)))
            if number % (self.shape.res_blocks + 1) == 0 and kept:
                h = through(next(ups), h)
        out: Tensor = self.out(h)
        return out


class DualArm(nn.Module):
    """Both arms and the two directions.

    Attributes
    ----------
    model
        Denoises PET; conditions when MRI is made from PET.
    encoder
        Conditions on the MRI; denoises it when the roles are exchanged.
    """

    def __init__(self, shape: ArmShape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Arm(shape)
        self.encoder = Arm(shape, shape.beside)

    def read_mri(self, mri: Tensor, clinical: Tensor | None) -> tuple[Given, Tensor]:
        """What the PET's denoiser is given, and the conditioner's own PET (N, slices, I, J).

        Parameters
        ----------
        mri
            (N, slices + beside, I, J).
        clinical
            (N, clinical) or None.
        """
        maps, prediction = self.encoder.condition(mri)
        return self.model.given(maps, clinical), prediction

    def pet_from_mri(
        self, noisy: Tensor, t: Tensor, mri: Tensor, clinical: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The clean PET in ``noisy`` (N, slices, I, J), and the conditioner's own prediction."""
        given, prediction = self.read_mri(mri, clinical)
        return self.model.denoise(noisy, t, given), prediction

    def mri_from_pet(self, noisy: Tensor, t: Tensor, pet: Tensor) -> tuple[Tensor, Tensor]:
        """The roles exchanged: the clean T1 in ``noisy``, and the conditioner's own prediction.

        Parameters
        ----------
        noisy
            (N, slices + beside, I, J): noisy T1, and beside it what is not noisy.
        pet
            (N, slices, I, J), in the same range as in training.
        """
        maps, prediction = self.model.condition(pet)
        return self.encoder.denoise(noisy, t, self.encoder.given(maps, None)), prediction
