"""Training `flow`: a regional model in closed form, the mean network, then the residual flow.

1. The *regional model* (`generate.flow.regional`) is fitted by cross-validation; while the network
   is trained, every subject gets the expectation of a model that never saw that person.
2. Stage ``mean``: squared error of the mean, weighted by how well each tracer can be known at all,
   and the likelihood of the spread around a mean that it may not move.
3. Stage ``residual``: rectified flow of the standardised residual on a coarse grid, on subjects
   that the mean network has not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.condition import clinical_vector, scanner_vector
from ...generate.flow.features import (
    FLAIR_SLICES,
    T1_SLICES,
    atlas_channels,
)
from ...generate.flow.network import build_mean, build_residual
from ...generate.flow.regional import (
    REGIONS,
    Anchor,
    Reading,
    RegionalModel,
    levels,
    paint_levels,
    paint_slices,
    read_mri,
    variable_names,
    variables,
)
from ...request import SCANNERS
from ..regions import label_sums
from ..settings import setting
from ..store import Subject
from .figures import picture_of, scores_of
from .flow_residual import ResidualStage
from .interface import Batch, Example, Material, Player, Stage, Terms, TrainingMethod, scanner_of
from .people import HidingConfig, clinical_scaling, hidden_clinic, suvr_scale
from .regional_fit import fit_folds, folds, held_out_error

OUTSIDE = 0.2
"""Weight of voxels outside the brain."""
PRESETS = {
    "fast": {"samples": 0, "steps": 1},
    "balanced": {"samples": 1, "steps": 2},
    "best": {"samples": 16, "steps": 4},
}
SLICE_BATCH = 16
MOST_HELD = 32
"""People kept for the residual at most: their coarse maps stay in memory."""


@dataclass(frozen=True)
class FlowConfig:
    """Settings of `flow`."""

    base: int = setting(16, "channels of the mean network's first level", low=8)
    multipliers: tuple[int, ...] = setting((1, 2, 4), "channels of each level over base", low=1)
    severities: int = setting(0, "clinical scalars a tracer beside the regional model", low=0)
    slices: int = setting(2, "axial slices of each drawn subject", low=1)
    spread_weight: float = setting(0.02, "weight of the spread's likelihood", low=0.0)
    mirror: float = setting(0.5, "share of examples mirrored left to right", low=0, high=1)
    gamma: float = setting(0.22, "sd of the logarithm of the contrast change", low=0.0)
    residual_base: int = setting(16, "channels of the residual network's first level", low=8)
    residual_share: float = setting(0.2, "share of the budget for the residual", low=0.01, high=0.9)
    residual_rate: float = setting(0.5, "residual's learning rate over the mean's", low=0.0)
    hold_out: float = setting(
        0.1, "share of training people kept from the mean network for the residual", low=0, high=0.5
    )
    hide: HidingConfig = field(default_factory=HidingConfig)


class FlowMethod(TrainingMethod):
    """See the module's docstring."""

    name = "flow"
    config_type = FlowConfig

    def __init__(self, config: FlowConfig, material: Material, seed: int) -> None:
        self.config, self.material, self.seed = config, material, seed
        self.tracers = list(material.store.tracers)
        self.grid = material.store.grid
        self.atlas = atlas_channels(self.grid, self.tracers)
        self.facts: dict[str, Any] = {
            "version": 2,
            "tracer_order": self.tracers,
            "scanners": list(SCANNERS),
            "suvr_scale": suvr_scale(self.tracers),
            "clinical_scaling": clinical_scaling(material.train),
            "mean_network": {
                "image_channels": T1_SLICES + FLAIR_SLICES + len(self.atlas[:, 0]),
                "severities": config.severities,
                "base": config.base,
                "multipliers": list(config.multipliers),
            },
            "residual_network": {"base": config.residual_base, "multipliers": [1, 2]},
            "coarse_factor": 2,
            "regional": {"variables": len(variable_names(list(SCANNERS)))},
        }
        self.scale = np.array([self.facts["suvr_scale"][t] for t in self.tracers], np.float32)
        self.mean = build_mean(self.facts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.residual = build_residual(self.facts)
        # Both are fitted on people whom the mean network has not seen, when it is trained.
        self.spread = torch.ones(len(self.tracers))
        nothing = np.zeros((len(self.tracers), len(REGIONS)))
        self.anchor = Anchor(nothing, np.ones(len(self.tracers)), nothing)
        self.slices = np.flatnonzero(slices_with_brain(material))
        learners, held = split_people(material.train, config.hold_out, seed)
        self.residual_stage = ResidualStage(self, held)
        player = Player("mean", self.mean, self.mean_loss)
        self.stages = (
            Stage("mean", 1 - config.residual_share, (player,), learners),
            self.residual_stage.stage(config.residual_share, config.residual_rate),
        )

    # --- closed form ---------------------------------------------------------------------------
    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.prepare`."""
        everyone = (*self.material.train, *self.material.validation)
        numbers, uptake = [], []
        for k, subject in enumerate(everyone):
            tell("Measuring regions", k, len(everyone))
            numbers.append(self.read(subject).numbers)
            if k < len(self.material.train):
                uptake.append(self.regional_uptake(subject))
        mri, target = np.stack(numbers), np.stack(uptake)
        train = self.material.train
        known = np.stack(
            [
                self._known(row, s, s.clinical.numbers(), s.flair, scanner_of(s))
                for row, s in zip(mri, train, strict=False)
            ]
        )
        fold = folds([s.anatomy for s in train], self.seed)
        whole, parts = fit_folds(known, target, fold, len(FIELDS) + len(SCANNERS))
        unknown = np.nanmean(held_out_error(parts, known, target, fold) ** 2, (0, 2))
        state = {"mri": mri, "fold": fold, "unknown": unknown}
        for prefix, model in (("whole", whole), *((f"fold{k}", p) for k, p in enumerate(parts))):
            state |= {f"{prefix}.{name}": a for name, a in model.arrays().items()}
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in state.items()}

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """See `TrainingMethod.use`."""
        arrays = {name: t.numpy() for name, t in prepared.items()}

        def model(prefix: str) -> RegionalModel:
            return RegionalModel.from_arrays(
                {
                    n.removeprefix(f"{prefix}."): a
                    for n, a in arrays.items()
                    if n.startswith(f"{prefix}.")
                }
            )

        self.regional = model("whole")
        parts = [model(f"fold{k}") for k in sorted({int(k) for k in arrays["fold"]})]
        everyone = (*self.material.train, *self.material.validation)
        self.mri = {s.row: row for s, row in zip(everyone, arrays["mri"], strict=True)}
        self.model_for = {
            s.row: parts[int(k)] for s, k in zip(self.material.train, arrays["fold"], strict=True)
        }
        # A tracer that MRI can hardly tell must not drown the others.
        weight = self.scale**2 / np.maximum(arrays["unknown"], 1e-4)
        self.tracer_weight = torch.from_numpy((weight / weight.mean()).astype(np.float32))

    def read(self, subject: Subject) -> Reading:
        """What is read off a subject's MRI."""
        store, volume = self.material.store, self.material.volume
        flair = volume(store.flair(subject.row)) if subject.flair else None
        return read_mri(volume(store.t1(subject.row)), volume(store.brain(subject.row)), flair)

    def regional_uptake(self, subject: Subject) -> NDArray[np.float64]:
        """(T, R) true SUVR over the subject's own regions; NaN without a PET or a voxel."""
        return np.stack(
            [
                own_means(self.material, subject, self.material.pet(subject, tracer))
                if tracer in subject.tracers
                else np.full(len(REGIONS), np.nan)
                for tracer in self.tracers
            ]
        )

    def own_levels(self, subject: Subject, mean: torch.Tensor) -> NDArray[np.float64]:
        """(T, R) SUVR of a mean (T, K, I, J) over the subject's own regions."""
        return np.stack([own_means(self.material, subject, p) for p in self._suvr(mean)])

    def _known(
        self,
        mri: NDArray[np.float64],
        subject: Subject,
        clinical: dict[str, float | None],
        flair: bool,
        scanner: str | None,
    ) -> NDArray[np.float64]:
        known = variables(mri, clinical, scanner, list(SCANNERS))
        if not flair:
            known[2 * len(REGIONS) : 2 * len(REGIONS) + 2] = np.nan
        return known

    def deviation(
        self,
        subject: Subject,
        clinical: dict[str, float | None],
        flair: bool,
        scanner: str | None,
    ) -> NDArray[np.float32]:
        """(T, R): what the regional model that never saw this person adds, in network scale."""
        model = self.model_for.get(subject.row, self.regional)
        known = self._known(self.mri[subject.row], subject, clinical, flair, scanner)
        return np.asarray(model.deviation(known) / self.scale[:, None], dtype=np.float32)

    # --- examples ------------------------------------------------------------------------------
    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`."""
        if stage.name != "mean":
            return self.residual_stage.draw(subject, rng)
        hide = self.config.hide
        clinical = hidden_clinic(subject, hide, rng)
        scanner = None if rng.random() < hide.average_scanner else scanner_of(subject)
        flair = subject.flair and rng.random() >= hide.no_flair
        ks = rng.choice(self.slices, self.config.slices)
        mirror = bool(rng.random() < self.config.mirror)
        contrast = rng.normal(0, (self.config.gamma, 0.06, self.config.gamma, 0.06))
        images = self.images(subject, ks, flair=flair, mirror=mirror, contrast=contrast)
        painted = paint_slices(self.deviation(subject, clinical, flair, scanner), ks, self.grid)
        target, there = self.targets(subject, ks)
        brain = self.material.store.slices("brain", subject.row, ks).transpose(2, 0, 1)
        weight = np.where(brain > 0, np.float32(1), np.float32(OUTSIDE))[:, None]
        if mirror:
            painted, target, weight = (a[..., ::-1, :] for a in (painted, target, weight))
        return {
            "images": images,
            "context": self.context(scanner, flair),
            "clinical": clinical_vector(clinical, self.facts["clinical_scaling"]),
            "deviation": np.ascontiguousarray(painted),
            "target": np.ascontiguousarray(target),
            "there": there,
            "weight": np.ascontiguousarray(weight),
        }

    def context(self, scanner: str | None, flair: bool) -> NDArray[np.float32]:
        """Acquisition vector: scanner, FLAIR shown."""
        return np.append(scanner_vector(scanner, self.facts), np.float32(flair))

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
        store, parts = self.material.store, []
        for number, (count, shown) in enumerate(((T1_SLICES, True), (FLAIR_SLICES, flair))):
            if not shown:
                parts.append(np.zeros((len(ks), count, *self.grid.shape[:2]), np.float32))
                continue
            reach = np.arange(count) - count // 2
            near = np.clip(ks[:, None] + reach, 0, self.grid.shape[2] - 1)
            name = "flair" if number else "t1"
            stacks = store.slices(name, subject.row, near.ravel()).transpose(2, 0, 1)
            stacks = stacks.reshape(len(ks), count, *self.grid.shape[:2])
            if contrast is not None:
                gamma, gain = np.exp(np.clip(contrast[2 * number : 2 * number + 2], -0.5, 0.5))
                stacks = np.clip(stacks, 0, None) ** np.float32(gamma) * np.float32(gain)
            parts.append(stacks[:, :, ::-1] if mirror else stacks)
        atlas = self.atlas[:, ks].transpose(1, 0, 2, 3)
        return np.concatenate([*parts, atlas], 1)

    def targets(
        self, subject: Subject, ks: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Slices (slices, T, I, J) of every PET in network scale, and which tracers there are."""
        there = np.array([t in subject.tracers for t in self.tracers], np.float32)
        rows = np.zeros((len(ks), len(self.tracers), *self.grid.shape[:2]), np.float32)
        for t, tracer in enumerate(self.tracers):
            if there[t]:
                rows[:, t] = self.material.pet_slices(subject, tracer, ks)
        return rows / self.scale[:, None, None], there

    # --- the mean stage ------------------------------------------------------------------------
    def mean_loss(self, batch: Batch) -> Terms:
        """Weighted squared error of the mean and likelihood of the spread, of present tracers."""
        flat = {k: batch[k].flatten(0, 1) for k in ("images", "deviation", "target", "weight")}
        slices = batch["images"].shape[1]
        context = batch["context"].repeat_interleave(slices, 0)
        scalars = self.mean.scalars(batch["clinical"]).repeat_interleave(slices, 0)
        images = flat["images"].contiguous(memory_format=torch.channels_last)
        maps = self.mean.maps(images, context)
        with torch.autocast(maps.device.type, enabled=False):
            mean, sd = self.mean.combine(maps.float(), scalars.float(), flat["deviation"])
            # Each example counts alike, whatever tracers it has: batches may then be split.
            there = batch["there"] * self.tracer_weight.to(maps.device)
            share = (there / batch["there"].sum(1, keepdim=True)).repeat_interleave(slices, 0)
            squared = (mean - flat["target"]) ** 2
            image = ((flat["weight"] * squared).mean((2, 3)) * share).sum(1).mean()
            likelihood = 0.5 * squared.detach() / sd**2 + sd.log()
            plain = (batch["there"] / batch["there"].sum(1, keepdim=True)).repeat_interleave(
                slices, 0
            )
            spread = ((flat["weight"] * likelihood).mean((2, 3)) * plain).sum(1).mean()
        return {
            "loss": image + self.config.spread_weight * spread,
            "image": image,
            "spread": spread,
        }

    @torch.no_grad()
    def volume_maps(
        self, subject: Subject, *, flair: bool, scanner: str | None, mirror: bool = False
    ) -> torch.Tensor:
        """Maps (T, M, K, I, J) of a whole brain in network scale, seen in a mirror or not."""
        context = torch.from_numpy(self.context(scanner, flair))
        device = next(self.mean.parameters()).device
        parts = []
        for first in range(0, self.grid.shape[2], SLICE_BATCH):
            ks = np.arange(first, min(first + SLICE_BATCH, self.grid.shape[2]))
            images = torch.from_numpy(self.images(subject, ks, flair=flair, mirror=mirror)).to(
                device
            )
            parts.append(
                self.mean.maps(
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
        device = next(self.mean.parameters()).device
        vector = torch.from_numpy(clinical_vector(clinical, self.facts["clinical_scaling"]))
        scalars = self.mean.scalars(vector[None].to(device)).cpu()
        painted = paint_slices(
            self.deviation(subject, clinical, flair, scanner),
            np.arange(self.grid.shape[2]),
            self.grid,
        ).transpose(1, 0, 2, 3)
        mean, sd = self.mean.combine(maps[None], scalars, torch.from_numpy(painted)[None])
        factor = self.spread if spread else torch.ones(len(self.tracers))
        return mean[0], sd[0] * factor[:, None, None, None]

    def levels(self, mean: torch.Tensor, grey: NDArray[np.float32]) -> NDArray[np.float64]:
        """`regional.levels` of every tracer's mean (T, K, I, J): (T, R) SUVR."""
        return np.stack([levels(image, grey, self.grid) for image in self._suvr(mean)])

    def painted_correction(
        self, level: NDArray[np.float64], deviation: NDArray[np.float64]
    ) -> torch.Tensor:
        """What the anchor adds, (T, K, I, J) in network scale.

        Taken with all facts known: what the clinic changes goes through both sides alike.
        """
        painted = [
            paint_levels(self.anchor.correction(level[t], deviation[t], t) / scale, self.grid)
            for t, scale in enumerate(self.scale)
        ]
        return torch.from_numpy(np.stack(painted).transpose(0, 3, 1, 2).copy())

    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """See `TrainingMethod.score`: brain and target-region error of the mean, SUVR."""
        if stage.name != "mean":
            return self.residual_stage.score(subject)
        mean, _ = self.predict(
            subject, subject.clinical.numbers(), flair=subject.flair, scanner=scanner_of(subject)
        )
        return scores_of(self.material, subject, self._suvr(mean))

    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """See `TrainingMethod.preview`."""
        mean, _ = self.predict(
            subject, subject.clinical.numbers(), flair=subject.flair, scanner=scanner_of(subject)
        )
        return picture_of(self.material, subject, self._suvr(mean))

    def _suvr(self, mean: torch.Tensor) -> NDArray[np.float32]:
        """(T, K, I, J) in network scale as (T, I, J, K) SUVR."""
        drawn = mean.clamp_min(0).numpy().transpose(0, 2, 3, 1)
        return np.asarray(drawn * self.scale[:, None, None, None])

    # --- the residual stage and the bundle -----------------------------------------------------
    def begin(self, stage: Stage) -> None:
        """See `TrainingMethod.begin`."""
        if stage.name == "residual":
            self.residual_stage.begin()

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.tensors`: networks as float16, the regional model as float32."""
        result = {f"mean.{k}": v.half() for k, v in self.mean.state_dict().items()}
        result |= {f"residual.{k}": v.half() for k, v in self.residual.state_dict().items()}
        regional = self.regional.arrays()
        result |= {f"regional.{k}": torch.from_numpy(v) for k, v in regional.items()}
        for name, value in vars(self.anchor).items():
            result[f"anchor.{name}"] = torch.from_numpy(value.astype(np.float32))
        return result | {"spread": self.spread}

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`; the regional model is fitted anew."""
        for name in ("tracer_order", "scanners", "suvr_scale"):
            if facts[name] != self.facts[name]:
                raise ValueError(name)
        self.facts["clinical_scaling"] = facts["clinical_scaling"]
        for prefix, network in (("mean.", self.mean), ("residual.", self.residual)):
            own = {
                k.removeprefix(prefix): v.float()
                for k, v in tensors.items()
                if k.startswith(prefix)
            }
            network.load_state_dict(own)

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        return {
            "title": "Regional model, mean network and residual flow, all tracers",
            "uses": ["flair", *FIELDS, "pet_scanner"],
            "presets": PRESETS,
            "method_config": self.facts,
            "card": "A linear regional model (whole-brain grey matter and CSF, clinic, scanner) is "
            "painted onto the atlas; a 2.5D network adds anatomy and decides how strongly to "
            "believe it; a rectified flow of the standardised residual on a coarse grid gives "
            "samples.",
        }


def split_people(
    subjects: tuple[Subject, ...], share: float, seed: int
) -> tuple[tuple[Subject, ...], tuple[Subject, ...]]:
    """Those the mean learns from, and those kept for the residual; all, twice, when few."""
    people = sorted({s.anatomy for s in subjects})
    count = min(round(share * len(people)), MOST_HELD)
    if count < 2:
        return subjects, subjects
    order = np.random.default_rng([seed, 6]).permutation(len(people))
    held = {people[k] for k in order[:count]}
    return (
        tuple(s for s in subjects if s.anatomy not in held),
        tuple(s for s in subjects if s.anatomy in held),
    )


def slices_with_brain(material: Material) -> NDArray[np.bool_]:
    """Axial slices (K,) that hold brain in the first training subject: others teach nothing."""
    brain = material.store.brain(material.train[0].row)
    return np.asarray(brain.any((0, 1)))


def own_means(
    material: Material, subject: Subject, image: NDArray[np.float32]
) -> NDArray[np.float64]:
    """(R,): mean of an image over each of the subject's own regions; NaN without a voxel."""
    labels = material.store.regions(subject.row)
    size = label_sums(labels)[list(REGIONS)]
    total = label_sums(labels, image)[list(REGIONS)]
    return np.asarray(np.where(size > 0, total / np.maximum(size, 1), np.nan))
