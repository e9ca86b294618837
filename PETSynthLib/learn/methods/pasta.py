"""Training `pasta`: both arms at once, on stacks of slices, by the cycle of exchanged roles.

The defaults are a laptop's; ``learn/configurations/pasta-paper.yaml`` holds the paper's. Stacks are
cut from the store's memory maps when they are drawn, so that memory does not grow with the data
(the release keeps the whole 2.5D set in memory).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.interface import Effort
from ...generate.pasta.blocks import CONDITIONS, GROUPS
from ...generate.pasta.generator import VERSION, drawing_of
from ...generate.pasta.inputs import build_pasta, images_of, known_vector, tracer_label
from ...generate.pasta.sampling import diffusion_of, draw_volumes
from ...generate.pasta.stacks import rounded_up, slices_of, stacks_at, widened
from ...generate.scaling import EMPTY, fixed_ranges, scaled, suvr_of
from ...request import SCANNERS, Preset
from ...volume import PLANES
from ..settings import refuse, setting
from ..store import Subject
from .figures import picture_of, scores_of
from .interface import (
    Batch,
    Example,
    Material,
    Player,
    Stage,
    Terms,
    TrainingMethod,
    presets_of,
    scanner_of,
)
from .pasta_loss import PASSES, Balance, PastaNetworks, cycle_loss
from .people import HidingConfig, clinical_scaling, hidden_clinic
from .ranges import NO_SCALE, limits_of, usual_ranges
from .region_weights import RegionWeightConfig, RegionWeights

COSINE_OFFSET = 0.008
SCORE_STEPS = 2
NETWORK = (
    *("slices", "width", "multipliers", "res_blocks", "attention", "heads"),
    *("conditions", "fusion", "dropout"),
)
"""Settings that decide what the network is."""


@dataclass(frozen=True)
class PastaConfig:
    """Settings of `pasta`."""

    slices: int = setting(9, "slices of a stack, odd", low=1)
    width: int = setting(32, "channels of the first level, a multiple of 32", low=32)
    multipliers: tuple[int, ...] = setting((1, 1, 1), "channels of each level over width", low=1)
    res_blocks: int = setting(1, "residual blocks a level", low=1)
    attention: tuple[int, ...] = setting(
        (4,), "down-sampling factors of the levels with self-attention", low=1
    )
    heads: int = setting(4, "heads of the self-attention", low=1)
    dropout: float = setting(0.0, "share of features dropped in training", low=0, high=0.9)
    conditions: tuple[Literal["time", "map", "clinical"], ...] = setting(
        CONDITIONS, "what the adaptive conditional module is told (ablations leave one out)"
    )
    fusion: Literal["adaptive", "concatenation"] = setting(
        "adaptive", "map and clinic scale the features, or are laid beside them (ablation)"
    )
    cycle: bool = setting(True, "CycleEx: four passes with exchanged roles, or the first alone")
    task: Literal["synthesis", "reconstruction"] = setting(
        "synthesis", "predefined task of the conditioner: the other modality, or its own"
    )
    task_weight: float = setting(0.1, "weight of the conditioner's task", low=0)
    ssim_weight: float = setting(1.0, "weight of 1 - SSIM", low=0)
    regions: RegionWeightConfig = field(default_factory=RegionWeightConfig)
    inputs: tuple[Literal["flair", "scanner"], ...] = setting(
        ("flair", "scanner"), "what it sees beside T1, clinic and tracer (the paper: nothing)"
    )
    scaling: Literal["fixed", "paper"] = setting(
        "fixed", "fixed range a tracer, or each scan by its own range, which loses the SUVR"
    )
    timesteps: int = setting(1000, "timesteps of the diffusion", low=100)
    planes: tuple[Literal["axial", "coronal", "sagittal"], ...] = setting(
        ("axial",), "planes of the slices; the volumes of several are averaged"
    )
    stride: int = setting(5, "slices between two stacks of a volume", low=1)
    steps: tuple[int, ...] = setting(
        (2, 2, 2),
        "steps of the presets fast, balanced and best; intervals are calibrated for the last",
        low=1,
        high=1000,
    )
    draws: int = setting(2, "draws from which mean and spread are taken, at least", low=2, high=64)
    mirror: float = setting(0.5, "share of examples mirrored left to right", low=0, high=1)
    gamma: float = setting(0.22, "sd of the logarithm of the contrast change", low=0.0)
    hide: HidingConfig = field(default_factory=HidingConfig)


class PastaMethod(TrainingMethod):
    """See the module's docstring.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for settings that do not go together or with the store's grid.
    """

    name = "pasta"
    config_type = PastaConfig
    train_defaults: ClassVar[dict[str, Any]] = {
        "batch": 4,
        "learning_rate": 5e-4,
        "weight_decay": 1e-6,
        "final_rate": 0.1,
        "validation_subjects": 4,
    }

    def __init__(self, config: PastaConfig, material: Material, seed: int) -> None:
        check(config, material.store.grid.shape)
        self.config, self.material, self.seed = config, material, seed
        self.tracers = list(material.store.tracers)
        self.facts: dict[str, Any] = {
            "version": VERSION,
            "tracer_order": self.tracers,
            "scanners": list(SCANNERS) if "scanner" in config.inputs else [],
            "flair": "flair" in config.inputs,
            "scaling": config.scaling,
            "suvr_range": fixed_ranges(self.tracers),
            "clinical_scaling": clinical_scaling(material.train),
            "network": network_facts(config),
            "diffusion": {"timesteps": config.timesteps, "offset": COSINE_OFFSET},
            "generate": {
                "stride": config.stride,
                "planes": list(config.planes),
                "draws": config.draws,
                "every": 1,
            },
        }
        self.path = diffusion_of(self.facts)
        self.balance = Balance(config.task, config.task_weight, config.ssim_weight)
        weights = RegionWeights(config.regions, self.tracers)
        self.networks = PastaNetworks(build_pasta(self.facts), weights)
        self.networks.arms.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        player = Player("arms", self.networks, self.loss)
        self.stages = (Stage("arms", 1.0, (player,), material.train),)
        extents = [self._extent(plane) for plane in config.planes]
        high, wide = (max(sizes) for sizes in zip(*extents, strict=True))
        self.canvas = rounded_up((high, wide), self.networks.arms.shape.multiple)

    def _extent(self, plane: str) -> tuple[int, int]:
        axes = [n for a, n in enumerate(self.material.store.grid.shape) if a != PLANES[plane]]
        return axes[0], axes[1]

    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """See `usual_ranges`."""
        return usual_ranges(self.material, self.config.scaling, tell)

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """Take over the ranges of `prepare`."""
        for tracer, limits in prepared.items():
            self.facts["suvr_range"][tracer] = limits.tolist()

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`: one stack of one tracer, with the noise of its passes."""
        config = self.config
        clinical = hidden_clinic(subject, config.hide, rng)
        scanner = None if rng.random() < config.hide.average_scanner else scanner_of(subject)
        flair = subject.flair and bool(rng.random() >= config.hide.no_flair)
        present = [t for t in self.tracers if t in subject.tracers]
        tracer = present[int(rng.integers(len(present)))]
        plane = config.planes[int(rng.integers(len(config.planes)))]
        mirror = bool(rng.random() < config.mirror)
        shades = np.exp(np.clip(rng.normal(0, (config.gamma, config.gamma / 4), (2, 2)), -0.5, 0.5))
        store = self.material.store
        pet = self.material.pet(subject, tracer)
        limits = limits_of(self.facts, tracer, pet)
        labels = store.regions(subject.row).copy()
        volumes = [*self.images(subject, flair, shades), torch.from_numpy(scaled(pet, limits))]
        centre = int(rng.integers(store.grid.shape[PLANES[plane]]))

        def stack(volume: torch.Tensor, fill: float) -> NDArray[Any]:
            volume = volume.flip(0) if mirror else volume
            slices = widened(slices_of(volume, plane), self.canvas, fill)
            found: NDArray[Any] = stacks_at(slices, [centre], config.slices, fill)[0].numpy()
            return found

        *mri, target = (stack(v, EMPTY) for v in volumes)
        passes = len(PASSES) if config.cycle else 1
        return {
            "mri": np.concatenate(mri),
            "pet": target,
            "labels": stack(torch.from_numpy(labels), 0.0),
            "label": tracer_label(tracer, self.facts),
            "known": known_vector(clinical, scanner, tracer, self.facts),
            "tracer": np.asarray(self.tracers.index(tracer)),
            "noise": rng.standard_normal((passes, *target.shape), dtype=np.float32),
            "time": rng.integers(config.timesteps, size=passes),
        }

    def images(
        self, subject: Subject, flair: bool, shades: NDArray[np.floating] | None = None
    ) -> list[torch.Tensor]:
        """What the networks read of an MRI, (I, J, K) each.

        Parameters
        ----------
        shades
            ((gamma, gain), ...) of T1 and FLAIR; None leaves the contrast as it is.
        """
        store = self.material.store
        t1, other = store.t1(subject.row), store.flair(subject.row)
        if shades is not None:
            t1, other = (
                np.clip(image, 0, None) ** np.float32(gamma) * np.float32(gain)
                for image, (gamma, gain) in zip((t1, other), shades, strict=True)
            )
        return images_of(t1, other if flair else None, self.facts)

    def loss(self, batch: Batch) -> Terms:
        """See `cycle_loss`."""
        return cycle_loss(self.networks, batch, self.path, self.balance)

    def predict(self, subject: Subject) -> NDArray[np.float32]:
        """Mean SUVR (T, I, J, K) of a subject with everything that is known; 0 without a PET."""
        shape = self.material.store.grid.shape
        drawn = np.zeros((len(self.tracers), *shape), np.float32)
        device = next(self.networks.parameters()).device
        # The first two draws of what a bundle would draw: enough to compare two states.
        whole = drawing_of(self.facts, Effort(0, SCORE_STEPS, 0))
        drawing = replace(whole, seeds=whole.seeds[:2])
        images = [image.to(device) for image in self.images(subject, subject.flair)]
        clinical, scanner = subject.clinical.numbers(), scanner_of(subject)
        for t, tracer in enumerate(self.tracers):
            if tracer in subject.tracers:
                known = known_vector(clinical, scanner, tracer, self.facts)
                made = draw_volumes(
                    self.networks.arms,
                    images,
                    torch.from_numpy(tracer_label(tracer, self.facts)).to(device),
                    torch.from_numpy(known).to(device),
                    self.path,
                    drawing,
                )
                low, high = self.facts["suvr_range"][tracer]
                drawn[t] = suvr_of(made.mean(0).cpu().numpy(), (low, high))
        return drawn

    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """See `TrainingMethod.score`."""
        return scores_of(self.material, subject, self.predict(subject))

    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """See `TrainingMethod.preview`."""
        return picture_of(self.material, subject, self.predict(subject))

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.tensors`: both arms, float16."""
        return {k: v.half() for k, v in self.networks.arms.state_dict().items()}

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`.

        Fields that the bundle was never told how to scale keep the scaling of this training's
        people; so does the SUVR of scans that are scaled by their own range.
        """
        for name in ("tracer_order", "scanners", "flair", "scaling", "network", "diffusion"):
            if facts[name] != self.facts[name]:
                raise ValueError(name)
        self.facts["clinical_scaling"] |= facts["clinical_scaling"]
        if self.config.scaling == "fixed":
            self.facts["suvr_range"] = facts["suvr_range"]
        self.networks.arms.load_state_dict({k: v.float() for k, v in tensors.items()})

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        config = self.config
        told = [*FIELDS, *(["pet_scanner"] if "scanner" in config.inputs else [])]
        uses = [*(["flair"] if "flair" in config.inputs else [])]
        uses += told if "clinical" in config.conditions else []
        return {
            "title": "PASTA: dual-arm conditional diffusion, 2.5D",
            "uses": uses,
            "presets": presets_of(config.steps),
            "method_config": self.facts,
            "card": "A conditioner reads the MRI, a denoiser draws the PET from noise, one stack "
            "of slices after the other; trained with the arms' roles exchanged (Li et al., Medical "
            "Image Analysis 2026, built anew). Mean and spread are those of at least "
            f"{config.draws} draws." + (NO_SCALE if config.scaling == "paper" else ""),
        }


def network_facts(config: PastaConfig) -> dict[str, Any]:
    """``network`` of a bundle's ``method_config``, JSON-ready."""
    body = {name: getattr(config, name) for name in NETWORK}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in body.items()}


def check(config: PastaConfig, grid: tuple[int, int, int]) -> None:
    """Refuse settings that no network can be built of.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST``, one sentence.
    """
    if config.slices % 2 == 0:
        raise refuse(f"A stack of {config.slices} slices has no middle.", "Set an odd number.")
    if config.width % GROUPS or any(config.width * m % config.heads for m in config.multipliers):
        raise refuse(
            f"The width {config.width} does not go with {GROUPS} norm groups and {config.heads} "
            "heads.",
            f"Set method.width to a multiple of {GROUPS}, and method.heads to a divisor of it.",
        )
    if config.stride > config.slices:
        raise refuse(
            f"Stacks of {config.slices} slices {config.stride} apart leave gaps.",
            f"Set method.stride to at most {config.slices}.",
        )
    if len(config.steps) != len(Preset):
        raise refuse("The setting method.steps needs three numbers.", "Write e.g. [1, 2, 4].")
    if not config.planes:
        raise refuse("No plane is named.", "Set method.planes, e.g. [axial].")
    for plane in config.planes:
        if config.slices > (thick := grid[PLANES[plane]]):
            raise refuse(
                f"A stack of {config.slices} slices is thicker than the volume: the grid has "
                f"{thick} {plane} slices.",
                "Set a smaller method.slices.",
            )
