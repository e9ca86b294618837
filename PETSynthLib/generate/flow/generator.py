"""Running a `flow` bundle: MRI in, mean, standard deviation and samples out."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ...volume import PetVolume, Volume
from ..bundle import Bundle
from ..condition import clinical_vector, scanner_vector
from ..device import Placement, keep_big_buffers, place
from ..interface import Effort, Generated, GeneratorInput
from ..samplers import sample_euler
from ..schedules import linear_times
from .anchor import Anchor
from .features import (
    FLAIR_SLICES,
    T1_SLICES,
    atlas_channels,
    slice_stack,
)
from .network import MeanNetwork, Regional, ResidualNetwork, build_mean, build_residual
from .painting import levels, paint, paint_levels
from .reading import REGIONS, Reading, read_mri, variables
from .regional import RegionalModel

SLICE_BATCH = 12
PREVIEW_EVERY = 2
VERSION = 4
"""Form of the bundles that are trained now."""
VERSIONS = (1, VERSION)
"""Forms of a bundle that can be run; the first has no regional model."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one MRI gives whatever the clinic says."""

    maps: torch.Tensor
    """(T, M, slices, I, J)."""
    regions: tuple[Reading, NDArray[np.float32]] | None
    """`read_mri`; None where there is no regional model."""


@dataclass(frozen=True, eq=False)
class FlowGenerator:
    """A loaded `flow` bundle (see `Generator`).

    Attributes
    ----------
    regional
        The regional model; None in bundles of the first version.
    anchor
        How far the network may leave the regional model's levels.
    spread
        (T,): factor on the mean network's standard deviation, found on people it had not seen.
    """

    bundle: Bundle
    mean_network: MeanNetwork
    residual_network: ResidualNetwork
    placement: Placement
    regional: RegionalModel | None
    anchor: Anchor
    spread: torch.Tensor
    _memory: dict[str, _Seen] = field(default_factory=dict, repr=False)

    @torch.inference_mode()
    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`. The mean is averaged over the scan and its mirror image."""
        started = time.perf_counter()
        tracer = self.bundle.facts["tracer_order"].index(inputs.tracer.key)
        clinical = clinical_vector(inputs.clinical.numbers(), self.bundle.facts["clinical_scaling"])
        blocks = -(-inputs.t1.shape[2] // SLICE_BATCH)
        total = 2 * blocks + effort.samples * effort.steps
        seen = self._see(inputs, tracer, progress, total)
        scalars = self.mean_network.scalars(self._tensor(clinical)[None])[:, tracer : tracer + 1]
        mean, sd = self._mean_and_sd(inputs, tracer, seen, scalars)
        brain = self._tensor(_slices_first(inputs.brain))
        mean_seconds = time.perf_counter() - started
        condition = torch.cat(
            [
                F.one_hot(torch.tensor(tracer), len(self.bundle.facts["tracer_order"])).float(),
                torch.from_numpy(clinical),
                torch.from_numpy(scanner_vector(inputs.pet_scanner, self.bundle.facts)),
            ]
        )
        samples = []
        for k in range(effort.samples):

            def report(step: int, _: torch.Tensor, sample: int = k) -> None:
                progress.step(2 * blocks + sample * effort.steps + step + 1, total)

            coarse = self._coarse(mean, sd, inputs, brain)
            residual = self._residual(coarse, condition, effort, effort.seed + k, report)
            drawn = mean + self._tied(sd * residual, inputs, tracer, seen, effort.seed + k)
            samples.append(drawn.clamp_min(0))
        scale = float(self.bundle.facts["suvr_scale"][inputs.tracer.key])
        return Generated(
            mean=self._pet(mean.clamp_min(0), scale, inputs, "mean"),
            sd=self._pet(sd * (brain > 0.5), scale, inputs, "sd"),
            samples=tuple(self._pet(s, scale, inputs, "sample") for s in samples),
            regional_sd_factor=self.bundle.regional_factors(inputs),
            details={
                **self.placement.as_dict(),
                "steps": effort.steps,
                "seeds": [effort.seed + k for k in range(effort.samples)],
                "mean_seconds": round(mean_seconds, 3),
                "seconds": round(time.perf_counter() - started, 3),
            },
        )

    def _see(self, inputs: GeneratorInput, tracer: int, progress: Progress, total: int) -> _Seen:
        """What the MRI alone gives; kept for the next call, which may ask of the same MRI."""
        digest = hashlib.sha1(str(inputs.pet_scanner).encode(), usedforsecurity=False)
        for volume in (inputs.t1, inputs.brain, inputs.flair):
            digest.update(b"none" if volume is None else volume.data.tobytes())
        key = digest.hexdigest()
        if key not in self._memory:
            self._memory.clear()
            read = read_mri(inputs.t1, inputs.brain, inputs.flair) if self.regional else None
            self._memory[key] = _Seen(self._maps(inputs, tracer, progress, total), read)
        return self._memory[key]

    def _known(self, inputs: GeneratorInput, reading: Reading) -> NDArray[np.float64]:
        """Everything the regional model may know of this person: (R, D)."""
        scanner = scanner_vector(inputs.pet_scanner, self.bundle.facts)
        return variables(reading, inputs.clinical.numbers(), scanner)

    def _mean_and_sd(
        self, inputs: GeneratorInput, tracer: int, seen: _Seen, scalars: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation (slices, I, J) in the network's scale."""
        maps, grid = seen.maps[tracer][None, None], inputs.t1.grid
        scale = float(self.bundle.facts["suvr_scale"][inputs.tracer.key])
        if self.regional is None or seen.regions is None:
            mean, sd = self.mean_network.combine(maps, scalars)
            return mean[0, 0], sd[0, 0]
        reading, grey = seen.regions
        known = self._known(inputs, reading)
        deviation = self.regional.deviation(known)[tracer]
        told = (deviation, self.regional.spread(known)[tracer])
        painted = (self._tensor(paint(v / scale, grid).transpose(2, 0, 1)) for v in told)
        both = self.mean_network.combine(maps, scalars, Regional(*(p[None, None] for p in painted)))
        mean, sd = (v[0, 0] for v in both)
        image = mean.clamp_min(0).float().cpu().numpy().transpose(1, 2, 0) * scale
        level = levels(image, grey, grid)
        correction = paint_levels(self.anchor.correction(level, deviation, tracer) / scale, grid)
        mean = mean + self._tensor(correction.transpose(2, 0, 1))
        return mean, sd * float(self.spread[tracer])

    def _tensor(self, array: NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.placement.device)

    def _maps(
        self, inputs: GeneratorInput, tracer: int, progress: Progress, total: int
    ) -> torch.Tensor:
        """Maps (T, M, slices, I, J), averaged over the scan and its mirror.

        Previews show ``tracer``.
        """
        t1 = _slices_first(inputs.t1)
        flair = np.zeros_like(t1) if inputs.flair is None else _slices_first(inputs.flair)
        atlas = atlas_channels(inputs.t1.grid, self.bundle.facts["tracer_order"])
        context = np.append(
            scanner_vector(inputs.pet_scanner, self.bundle.facts),
            np.float32(inputs.flair is not None),
        )
        done, parts = 0, []
        for first in range(0, len(t1), SLICE_BATCH):
            ks = range(first, min(first + SLICE_BATCH, len(t1)))
            both = []
            for mirror in (1, -1):
                stacks = [
                    np.concatenate(
                        [
                            slice_stack(t1, k, T1_SLICES)[:, ::mirror],
                            slice_stack(flair, k, FLAIR_SLICES)[:, ::mirror],
                            atlas[:, k],
                        ]
                    )
                    for k in ks
                ]
                images = self._tensor(np.stack(stacks)).contiguous(
                    memory_format=torch.channels_last
                )
                with self.placement.autocast():
                    maps = self.mean_network.maps(
                        images, self._tensor(context).expand(len(images), -1)
                    )
                both.append(maps if mirror == 1 else maps.flip(3))
                done += 1
                progress.step(done, total)
            parts.append((both[0] + both[1]) / 2)
            if len(parts) % PREVIEW_EVERY == 0:
                progress.preview(self._preview([p[:, tracer] for p in parts], inputs))
        return torch.cat(parts).permute(1, 2, 0, 3, 4)

    def _preview(self, parts: list[torch.Tensor], inputs: GeneratorInput) -> PetVolume:
        """The slices made so far, from the MRI alone; the rest is empty."""
        ready = torch.cat([p[:, 0] for p in parts])
        missing = inputs.t1.shape[2] - len(ready)
        slices = F.pad(ready, (0, 0, 0, 0, 0, missing)).clamp_min(0)
        slices = slices * self._tensor(_slices_first(inputs.brain))
        return self._pet(slices, self.bundle.facts["suvr_scale"][inputs.tracer.key], inputs, "mean")

    def _coarse(
        self, mean: torch.Tensor, sd: torch.Tensor, inputs: GeneratorInput, brain: torch.Tensor
    ) -> torch.Tensor:
        """Conditioning volumes (1, 4, k, i, j) on the coarse grid: mean, log sd, T1, brain."""
        stack = torch.stack([mean, sd.log(), self._tensor(_slices_first(inputs.t1)), brain])
        return F.avg_pool3d(stack[None], self.bundle.facts["coarse_factor"])

    def _residual(
        self,
        coarse: torch.Tensor,
        condition: torch.Tensor,
        effort: Effort,
        seed: int,
        report: Any,
    ) -> torch.Tensor:
        """One standardised residual on the full grid (slices, I, J)."""
        vector = condition.to(coarse.device)[None]
        # Drawn on the CPU so that a seed means the same picture on every device.
        start = torch.randn(
            (1, 1, *coarse.shape[2:]), generator=torch.Generator().manual_seed(seed)
        )

        def model(x: torch.Tensor, t: float) -> torch.Tensor:
            with self.placement.autocast():
                clock = torch.full((1,), t, device=x.device)
                predicted: torch.Tensor = self.residual_network(x, clock, coarse, vector)
                return predicted

        drawn = sample_euler(model, start.to(coarse.device), linear_times(effort.steps), report)
        fine = F.interpolate(
            drawn,
            scale_factor=self.bundle.facts["coarse_factor"],
            mode="trilinear",
            align_corners=False,
        )
        return fine[0, 0]

    def _tied(
        self,
        residual: torch.Tensor,
        inputs: GeneratorInput,
        tracer: int,
        seen: _Seen,
        seed: int,
    ) -> torch.Tensor:
        """A residual (slices, I, J) whose regional levels are a draw of the regional model.

        How much uptake a region has was learnt by the regional model, and how sure it is; the flow,
        which learns from few people, gives the pattern within and across regions.
        """
        if self.regional is None or seen.regions is None:
            return residual
        reading, grey = seen.regions
        rng = np.random.default_rng([seed, tracer])
        scale = float(self.bundle.facts["suvr_scale"][inputs.tracer.key])
        wanted = self.regional.draw(self._known(inputs, reading), tracer, rng) / scale
        image = residual.float().cpu().numpy().transpose(1, 2, 0)
        has = np.nan_to_num(levels(image, grey, inputs.t1.grid))
        added = paint_levels(wanted - has, inputs.t1.grid).transpose(2, 0, 1)
        return residual + self._tensor(added)

    def _pet(
        self, slices: torch.Tensor, scale: float, inputs: GeneratorInput, quantity: str
    ) -> PetVolume:
        data = slices.float().cpu().numpy().transpose(1, 2, 0) * np.float32(scale)
        return inputs.pet(data, quantity)


def _slices_first(volume: Volume) -> NDArray[np.float32]:
    """(I, J, K) as axial slices (K, I, J)."""
    return np.ascontiguousarray(volume.data.transpose(2, 0, 1))


def load_flow(bundle: Bundle, device: str) -> FlowGenerator:
    """Load the weights of ``bundle`` (float16 on disk) onto ``device``."""
    keep_big_buffers()
    placement = place(device)
    facts = bundle.facts
    if facts.get("version", 1) not in VERSIONS:
        raise PETSynthError(
            ErrorCode.BUNDLE_DAMAGED,
            f"The model {bundle.name} was trained by another version of flow.",
            "Train it again with this version of PETSynth.",
        )
    weights = {k: v.float() for k, v in load_file(bundle.weights).items()}

    def part(prefix: str) -> dict[str, torch.Tensor]:
        return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}

    mean, residual = build_mean(facts), build_residual(facts)
    for prefix, network in (("mean.", mean), ("residual.", residual)):
        network.load_state_dict(part(prefix))
        network.to(placement.device).eval()
    mean.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    arrays = {k: v.numpy() for k, v in part("regional.").items()}
    regional = RegionalModel.from_arrays(arrays) if arrays else None
    tracers = len(facts["tracer_order"])
    spread = weights.get("spread", torch.ones(tracers))
    trust = weights.get("anchor.trust", torch.ones(tracers))
    nothing = torch.zeros(tracers, len(REGIONS))
    centre = weights.get("anchor.centre", nothing)
    offset = weights.get("anchor.offset", nothing)
    anchor = Anchor(*(a.double().numpy() for a in (centre, trust, offset)))
    return FlowGenerator(bundle, mean, residual, placement, regional, anchor, spread)
