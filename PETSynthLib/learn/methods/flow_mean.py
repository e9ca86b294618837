"""The first stage of `flow`: the mean network, slice by slice, and the spread around its mean.

A 2.5D network maps a few neighbouring slices of T1, FLAIR and atlas to each tracer's mean and
standard deviation; the regional model's expectation (`flow_regional`) is painted in as an input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ...generate.condition import clinical_vector, scanner_vector
from ...generate.flow.features import FLAIR_SLICES, T1_SLICES
from ...generate.flow.network import Regional
from ...generate.flow.painting import paint_slices
from ..store import Subject
from .interface import Batch, Example, Player, Stage, Terms, scanner_of
from .people import hidden_clinic

if TYPE_CHECKING:
    from .flow import FlowMethod

OUTSIDE = 0.2
"""Weight of voxels outside the brain."""
SLICE_BATCH = 16


class MeanStage:
    """Examples, loss and predictions of the mean network."""

    def __init__(self, method: FlowMethod, subjects: tuple[Subject, ...]) -> None:
        self.method, self.subjects = method, subjects
        brain = method.material.store.brain(method.material.train[0].row)
        # Slices without brain teach nothing; the first training subject stands for all.
        self.slices = np.flatnonzero(brain.any((0, 1)))

    def stage(self, share: float) -> Stage:
        """The stage for the engine."""
        return Stage("mean", share, (Player("mean", self.method.mean, self.loss),), self.subjects)

    def draw(self, subject: Subject, rng: np.random.Generator) -> Example:
        """A few axial slices of a subject, some facts hidden."""
        method, config = self.method, self.method.config
        hide = config.hide
        clinical = hidden_clinic(subject, hide, rng)
        scanner = None if rng.random() < hide.average_scanner else scanner_of(subject)
        flair = subject.flair and rng.random() >= hide.no_flair
        ks = rng.choice(self.slices, config.slices)
        mirror = bool(rng.random() < config.mirror)
        contrast = rng.normal(0, (config.gamma, 0.06, config.gamma, 0.06))
        images = self.images(subject, ks, flair=flair, mirror=mirror, contrast=contrast)
        painted = self.painted(subject, ks, clinical, flair=flair, scanner=scanner)
        target, there = self.targets(subject, ks)
        brain = method.material.store.slices("brain", subject.row, ks).transpose(2, 0, 1)
        weight = np.where(brain > 0, np.float32(1), np.float32(OUTSIDE))[:, None]
        if mirror:
            painted, target, weight = (a[..., ::-1, :] for a in (painted, target, weight))
        return {
            "images": images,
            "context": self.context(scanner, flair),
            "clinical": clinical_vector(clinical, method.facts["clinical_scaling"]),
            "regional": np.ascontiguousarray(painted),
            "target": np.ascontiguousarray(target),
            "there": there,
            "weight": np.ascontiguousarray(weight),
        }

    def painted(
        self,
        subject: Subject,
        ks: NDArray[np.intp],
        clinical: dict[str, float | None],
        *,
        flair: bool,
        scanner: str | None,
    ) -> NDArray[np.float32]:
        """Slices (slices, 2, T, I, J) of what the regional model expects and how far it errs."""
        regional = self.method.regional.expects(subject, clinical, flair, scanner)
        slices = paint_slices(regional.reshape(-1, regional.shape[-1]), ks, self.method.grid)
        return slices.reshape(len(ks), 2, -1, *slices.shape[2:])

    def context(self, scanner: str | None, flair: bool) -> NDArray[np.float32]:
        """Acquisition vector: scanner, FLAIR shown."""
        return np.append(scanner_vector(scanner, self.method.facts), np.float32(flair))

    def images(
        self,
        subject: Subject,
        ks: NDArray[np.intp],
        *,
        flair: bool,
        mirror: bool = False,
        contrast: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float32]:
        """Input channels (slices, C, I, J) of the mean network.

        Parameters
        ----------
        contrast
            Log gamma and log gain of T1 and FLAIR, (4,).
        """
        store, grid, parts = self.method.material.store, self.method.grid, []
        for number, (count, shown) in enumerate(((T1_SLICES, True), (FLAIR_SLICES, flair))):
            if not shown:
                parts.append(np.zeros((len(ks), count, *grid.shape[:2]), np.float32))
                continue
            reach = np.arange(count) - count // 2
            near = np.clip(ks[:, None] + reach, 0, grid.shape[2] - 1)
            name = "flair" if number else "t1"
            stacks = store.slices(name, subject.row, near.ravel()).transpose(2, 0, 1)
            stacks = stacks.reshape(len(ks), count, *grid.shape[:2])
            if contrast is not None:
                gamma, gain = np.exp(np.clip(contrast[2 * number : 2 * number + 2], -0.5, 0.5))
                stacks = np.clip(stacks, 0, None) ** np.float32(gamma) * np.float32(gain)
            parts.append(stacks[:, :, ::-1] if mirror else stacks)
        atlas = self.method.atlas[:, ks].transpose(1, 0, 2, 3)
        return np.concatenate([*parts, atlas], 1)

    def targets(
        self, subject: Subject, ks: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Slices (slices, T, I, J) of every PET in network scale, and which tracers there are."""
        method = self.method
        there = np.array([t in subject.tracers for t in method.tracers], np.float32)
        rows = np.zeros((len(ks), len(method.tracers), *method.grid.shape[:2]), np.float32)
        for t, tracer in enumerate(method.tracers):
            if there[t]:
                rows[:, t] = method.material.pet_slices(subject, tracer, ks)
        return rows / method.scale[:, None, None], there

    def loss(self, batch: Batch) -> Terms:
        """Weighted squared error of the mean and likelihood of the spread, of present tracers."""
        network = self.method.mean
        flat = {k: batch[k].flatten(0, 1) for k in ("images", "regional", "target", "weight")}
        slices = batch["images"].shape[1]
        context = batch["context"].repeat_interleave(slices, 0)
        scalars = network.scalars(batch["clinical"]).repeat_interleave(slices, 0)
        images = flat["images"].contiguous(memory_format=torch.channels_last)
        maps = network.maps(images, context)
        with torch.autocast(maps.device.type, enabled=False):
            regional = Regional(*flat["regional"].unbind(1))
            mean, sd = network.combine(maps.float(), scalars.float(), regional)
            # Each example counts alike, whatever tracers it has: batches may then be split.
            there = batch["there"] * self.method.regional.tracer_weight.to(maps.device)
            share = (there / batch["there"].sum(1, keepdim=True)).repeat_interleave(slices, 0)
            squared = (mean - flat["target"]) ** 2
            image = ((flat["weight"] * squared).mean((2, 3)) * share).sum(1).mean()
            likelihood = 0.5 * squared.detach() / sd**2 + sd.log()
            plain = (batch["there"] / batch["there"].sum(1, keepdim=True)).repeat_interleave(
                slices, 0
            )
            spread = ((flat["weight"] * likelihood).mean((2, 3)) * plain).sum(1).mean()
            image = self.method.config.loss.mse * image
        terms = {"image": image, "spread": spread, **self.shown(mean, flat, batch)}
        dear = [terms[name] for name in terms if name not in ("image", "spread")]
        loss = image + self.method.config.spread_weight * spread
        return {"loss": torch.stack([loss, *dear]).sum(), **terms}

    def shown(self, mean: torch.Tensor, flat: Batch, batch: Batch) -> Terms:
        """The perceptual term of the slices, every present tracer's alike."""
        there = batch["there"].repeat_interleave(batch["images"].shape[1], 0) > 0
        brain = (flat["weight"] == 1).float().expand_as(mean)
        return self.method.image_loss.of_slices(mean[there], flat["target"][there], brain[there])

    @torch.no_grad()
    def volume_maps(
        self, subject: Subject, *, flair: bool, scanner: str | None, mirror: bool = False
    ) -> torch.Tensor:
        """Maps (T, M, K, I, J) of a whole brain in network scale, seen in a mirror or not."""
        context = torch.from_numpy(self.context(scanner, flair))
        network, depth, parts = self.method.mean, self.method.grid.shape[2], []
        device = next(network.parameters()).device
        for first in range(0, depth, SLICE_BATCH):
            ks = np.arange(first, min(first + SLICE_BATCH, depth))
            images = torch.from_numpy(self.images(subject, ks, flair=flair, mirror=mirror)).to(
                device
            )
            parts.append(
                network.maps(
                    images.contiguous(memory_format=torch.channels_last),
                    context.expand(len(ks), -1).to(device),
                ).cpu()
            )
        maps = torch.cat(parts).permute(1, 2, 0, 3, 4)
        return maps.flip(-2) if mirror else maps

    @torch.no_grad()
    def predict(
        self,
        subject: Subject,
        clinical: dict[str, float | None],
        *,
        flair: bool,
        scanner: str | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation (T, K, I, J) of a whole brain, in network scale."""
        maps = self.volume_maps(subject, flair=flair, scanner=scanner)
        return self.combined(maps, subject, clinical, flair=flair, scanner=scanner)

    @torch.no_grad()
    def combined(
        self,
        maps: torch.Tensor,
        subject: Subject,
        clinical: dict[str, float | None],
        *,
        flair: bool,
        scanner: str | None,
        spread: bool = True,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation (T, K, I, J) from a subject's maps, before the anchor."""
        method = self.method
        device = next(method.mean.parameters()).device
        vector = torch.from_numpy(clinical_vector(clinical, method.facts["clinical_scaling"]))
        scalars = method.mean.scalars(vector[None].to(device)).cpu()
        every = np.arange(method.grid.shape[2])
        painted = self.painted(subject, every, clinical, flair=flair, scanner=scanner)
        regional = Regional(*torch.from_numpy(painted.transpose(1, 2, 0, 3, 4))[:, None])
        mean, sd = method.mean.combine(maps[None], scalars, regional)
        factor = method.spread if spread else torch.ones(len(method.tracers))
        return mean[0], sd[0] * factor[:, None, None, None]
