"""Training `unet`: squared error of a 3D U-Net, with a spread around a mean it may not move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.condition import clinical_vector, scanner_vector
from ...generate.unet.network import build_unet
from ...request import SCANNERS
from ..settings import setting
from ..store import Subject
from .figures import picture_of, scores_of
from .interface import Batch, Example, Material, Player, Stage, Terms, TrainingMethod, scanner_of
from .people import HidingConfig, clinical_scaling, hidden_clinic, suvr_scale

OUTSIDE = 0.2
"""Weight of voxels outside the brain."""


@dataclass(frozen=True)
class UNetConfig:
    """Settings of `unet`."""

    base: int = setting(16, "channels of the first level", low=8)
    multipliers: tuple[int, ...] = setting((1, 2, 3), "channels of each level over base", low=1)
    spread_weight: float = setting(0.02, "weight of the spread's likelihood", low=0.0)
    mirror: float = setting(0.5, "share of examples mirrored left to right", low=0, high=1)
    gamma: float = setting(0.22, "sd of the logarithm of the contrast change", low=0.0)
    hide: HidingConfig = field(default_factory=HidingConfig)


class UNetMethod(TrainingMethod):
    """See the module's docstring."""

    name = "unet"
    config_type = UNetConfig
    train_defaults: ClassVar[dict[str, Any]] = {"batch": 2, "learning_rate": 1e-3}

    def __init__(self, config: UNetConfig, material: Material, seed: int) -> None:
        self.config, self.material = config, material
        self.tracers = list(material.store.tracers)
        self.facts: dict[str, Any] = {
            "version": 1,
            "tracer_order": self.tracers,
            "scanners": list(SCANNERS),
            "suvr_scale": suvr_scale(self.tracers),
            "clinical_scaling": clinical_scaling(material.train),
            "network": {"base": config.base, "multipliers": list(config.multipliers)},
        }
        self.scale = np.array([self.facts["suvr_scale"][t] for t in self.tracers], np.float32)
        self.network = build_unet(self.facts)
        self.stages = (
            Stage("mean", 1.0, (Player("mean", self.network, self.loss),), material.train),
        )

    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """Nothing: everything is learnt by gradient."""
        del tell
        return {}

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """Nothing."""

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`: the whole brain."""
        hide = self.config.hide
        clinical = hidden_clinic(subject, hide, rng)
        scanner = None if rng.random() < hide.average_scanner else scanner_of(subject)
        flair = subject.flair and bool(rng.random() >= hide.no_flair)
        images = self.images(subject, flair)
        gamma, gain = np.exp(np.clip(rng.normal(0, (self.config.gamma, 0.06), (2, 2)), -0.5, 0.5)).T
        for c in range(2):
            images[c] = np.clip(images[c], 0, None) ** np.float32(gamma[c]) * np.float32(gain[c])
        target, there = self.targets(subject)
        if rng.random() < self.config.mirror:
            images, target = images[:, ::-1], target[:, ::-1]
        return {
            "images": np.ascontiguousarray(images),
            "condition": self.condition(clinical, scanner, flair),
            "target": np.ascontiguousarray(target),
            "there": there,
        }

    def images(self, subject: Subject, flair: bool) -> NDArray[np.float32]:
        """T1, FLAIR (0 when not shown) and brain mask, (3, I, J, K)."""
        store = self.material.store
        t1 = store.t1(subject.row)
        other = store.flair(subject.row) if flair else np.zeros_like(t1)
        return np.stack([t1, other, store.brain(subject.row)]).astype(np.float32)

    def condition(
        self, clinical: dict[str, float | None], scanner: str | None, flair: bool
    ) -> NDArray[np.float32]:
        """Clinical values and flags, scanner, FLAIR shown."""
        parts = [
            clinical_vector(clinical, self.facts["clinical_scaling"]),
            scanner_vector(scanner, self.facts),
            np.array([flair]),
        ]
        return np.concatenate(parts).astype(np.float32)

    def targets(self, subject: Subject) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Every PET (T, I, J, K) in network scale (0 where missing), and which there are."""
        there = np.array([t in subject.tracers for t in self.tracers], np.float32)
        blank = np.zeros(self.material.store.grid.shape, np.float32)
        pets = [
            self.material.pet(subject, t) / s if t in subject.tracers else blank
            for t, s in zip(self.tracers, self.scale, strict=True)
        ]
        return np.stack(pets), there

    def loss(self, batch: Batch) -> Terms:
        """Squared error and likelihood of the spread over the present tracers; examples alike."""
        mean, sd = self.network(batch["images"], batch["condition"])
        with torch.autocast(mean.device.type, enabled=False):
            weight = OUTSIDE + (1 - OUTSIDE) * batch["images"][:, 2:3]
            share = batch["there"] / batch["there"].sum(1, keepdim=True)
            squared = (mean - batch["target"]) ** 2
            image = ((weight * squared).mean((2, 3, 4)) * share).sum(1).mean()
            likelihood = 0.5 * squared.detach() / sd**2 + sd.log()
            spread = ((weight * likelihood).mean((2, 3, 4)) * share).sum(1).mean()
        return {
            "loss": image + self.config.spread_weight * spread,
            "image": image,
            "spread": spread,
        }

    def predict(self, subject: Subject) -> NDArray[np.float32]:
        """Mean SUVR (T, I, J, K) of a subject with everything that is known."""
        device = next(self.network.parameters()).device
        images = torch.from_numpy(self.images(subject, subject.flair))[None].to(device)
        known = self.condition(subject.clinical.numbers(), scanner_of(subject), subject.flair)
        mean, _ = self.network(images, torch.from_numpy(known)[None].to(device))
        return np.asarray(mean[0].cpu().numpy() * self.scale[:, None, None, None])

    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """See `TrainingMethod.score`."""
        return scores_of(self.material, subject, self.predict(subject))

    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """See `TrainingMethod.preview`."""
        return picture_of(self.material, subject, self.predict(subject))

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.tensors`: float16."""
        return {k: v.half() for k, v in self.network.state_dict().items()}

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`."""
        for name in ("tracer_order", "scanners", "suvr_scale"):
            if facts[name] != self.facts[name]:
                raise ValueError(name)
        self.facts["clinical_scaling"] = facts["clinical_scaling"]
        self.network.load_state_dict({k: v.float() for k, v in tensors.items()})

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        return {
            "title": "Plain 3D regression U-Net, all tracers",
            "uses": ["flair", *FIELDS, "pet_scanner"],
            "presets": {p: {"samples": 0, "steps": 1} for p in ("fast", "balanced", "best")},
            "method_config": self.facts,
            "card": "One 3D U-Net regresses all tracers at once from T1, FLAIR and brain mask; "
            "clinical facts and scanner scale and shift its features.",
        }
