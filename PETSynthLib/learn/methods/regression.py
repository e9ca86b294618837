"""Training a regression of the PET, whatever its network: what `unet` and its rivals share.

The picture's loss (`learn.losses.image`): squared error, SSIM, perceptual distance; and the
likelihood of a spread around a mean that it may not move. All tracers at once; the two dear terms
look at one tracer of each example, drawn anew.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.condition import clinical_vector, scanner_vector
from ...generate.standardisation import POOLED, suvr_line
from ...request import SCANNERS
from ..losses.image import ImageLoss, LossConfig
from ..place import Place
from ..settings import setting
from ..store import Subject
from .augment import AugmentConfig, augmented
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
from .people import HidingConfig, clinical_scaling, hidden_clinic, suvr_scale
from .standardise import Table, fit_standardisation

OUTSIDE = 0.2
"""Weight of voxels outside the brain."""


@dataclass(frozen=True)
class RegressionConfig:
    """Settings that every regression has."""

    inputs: Literal["all", "t1"] = setting(
        "all", "what a published network is shown: T1, FLAIR, mask, clinic, scanner, or T1 alone"
    )
    standardise: Literal["none", "manufacturer", "combat"] = setting(
        "none", "take the PET scanner's manufacturer out of what is learnt, put it in afterwards"
    )
    spread_weight: float = setting(0.02, "weight of the spread's likelihood", low=0.0)
    mirror: float = setting(0.5, "share of examples mirrored left to right", low=0, high=1)
    gamma: float = setting(0.22, "sd of the logarithm of the contrast change", low=0.0)
    hide: HidingConfig = field(default_factory=HidingConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)


class RegressionMethod(TrainingMethod):
    """See the module's docstring. A method names its network and, with rivals, its players."""

    config: RegressionConfig
    title: ClassVar[str]
    card: ClassVar[str]
    train_defaults: ClassVar[dict[str, Any]] = {"batch": 2, "learning_rate": 1e-3}

    def __init__(self, config: RegressionConfig, material: Material, seed: int) -> None:
        self.config, self.material = config, material
        self.tracers = list(material.store.tracers)
        self.facts: dict[str, Any] = {
            "version": 1,
            "tracer_order": self.tracers,
            "scanners": list(SCANNERS),
            "suvr_scale": suvr_scale(self.tracers),
            "clinical_scaling": clinical_scaling(material.train),
            "network": self.network_facts(),
        }
        self.network = self.build()
        self.image_loss = ImageLoss(config.loss)
        self.stages = (Stage("mean", 1.0, self.players(), material.train),)

    @abstractmethod
    def network_facts(self) -> dict[str, Any]:
        """What a bundle says of the network."""

    @abstractmethod
    def build(self) -> torch.nn.Module:
        """The network that `facts` describe."""

    def players(self) -> tuple[Player, ...]:
        """Who is updated."""
        return (Player("mean", self.network, self.loss),)

    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """Numbers of each manufacturer, (T, manufacturers and pooled, 2); NaN where unknown."""
        if self.config.standardise == "none":
            return {}
        tell("Manufacturers", 0, 1)
        table = fit_standardisation(self.material, self.config.standardise)
        nothing = [float("nan")] * 2
        rows = [[table[t].get(n, nothing) for n in (*SCANNERS, POOLED)] for t in self.tracers]
        return {"standardisation": torch.tensor(rows, dtype=torch.float64)}

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """See `TrainingMethod.use`."""
        if "standardisation" in prepared:
            table: Table = {}
            for tracer, rows in zip(self.tracers, prepared["standardisation"], strict=True):
                named = zip((*SCANNERS, POOLED), rows.tolist(), strict=True)
                table[tracer] = {name: row for name, row in named if row[0] == row[0]}
            self.facts["standardisation"] = table

    def stand_at(self, stage: Stage, place: Place) -> None:
        """See `TrainingMethod.stand_at`."""
        self.image_loss.stand_at(place)

    def may_stop(self, stage: Stage, best: Place, now: Place) -> bool:
        """See `TrainingMethod.may_stop`: only after a whole round of planes."""
        return self.image_loss.may_stop(best, now)

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`: the whole brain."""
        config, hide = self.config, self.config.hide
        clinical = hidden_clinic(subject, hide, rng)
        scanner = None if rng.random() < hide.average_scanner else scanner_of(subject)
        flair = subject.flair and bool(rng.random() >= hide.no_flair)
        images = self.images(subject, flair)
        gamma, gain = np.exp(np.clip(rng.normal(0, (config.gamma, 0.06), (2, 2)), -0.5, 0.5)).T
        for c in range(2):
            images[c] = np.clip(images[c], 0, None) ** np.float32(gamma[c]) * np.float32(gain[c])
        target, there = self.targets(subject)
        if rng.random() < config.mirror:
            images, target = images[:, ::-1], target[:, ::-1]
        images, target = augmented(images, target, config.augment, rng)
        lines = [suvr_line(self.facts, t, scanner_of(subject)) for t in self.tracers]
        scaled = [line.to_network(v) for line, v in zip(lines, target, strict=True)]
        return {
            "images": np.ascontiguousarray(images, np.float32),
            "condition": self.condition(clinical, scanner, flair),
            "target": np.ascontiguousarray(scaled, np.float32),
            "there": there,
            "line": np.array([(line.offset, line.factor) for line in lines], np.float32),
            "focus": np.array(rng.choice(np.flatnonzero(there))),
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
        """Clinical values and flags, scanner (unless it is standardised away), FLAIR shown."""
        told = None if "standardisation" in self.facts else scanner
        parts = [
            clinical_vector(clinical, self.facts["clinical_scaling"]),
            scanner_vector(told, self.facts),
            np.array([flair]),
        ]
        return np.concatenate(parts).astype(np.float32)

    def targets(self, subject: Subject) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Every PET (T, I, J, K) in SUVR (0 where missing), and which there are."""
        there = np.array([t in subject.tracers for t in self.tracers], np.float32)
        blank = np.zeros(self.material.store.grid.shape, np.float32)
        pets = [
            self.material.pet(subject, t) if t in subject.tracers else blank for t in self.tracers
        ]
        return np.stack(pets), there

    def loss(self, batch: Batch) -> Terms:
        """The picture's loss of a batch's predictions."""
        return self.picture_loss(batch, *self.network(batch["images"], batch["condition"]))

    def picture_loss(self, batch: Batch, mean: torch.Tensor, sd: torch.Tensor) -> Terms:
        """Squared error, likelihood of the spread, dear terms; examples alike.

        Parameters
        ----------
        mean, sd
            (N, T, I, J, K), network scale.
        """
        with torch.autocast(mean.device.type, enabled=False):
            mean, sd = mean.float(), sd.float()
            weight = OUTSIDE + (1 - OUTSIDE) * batch["images"][:, 2:3]
            share = batch["there"] / batch["there"].sum(1, keepdim=True)
            squared = (mean - batch["target"]) ** 2
            image = ((weight * squared).mean((2, 3, 4)) * share).sum(1).mean()
            likelihood = 0.5 * squared.detach() / sd**2 + sd.log()
            spread = ((weight * likelihood).mean((2, 3, 4)) * share).sum(1).mean()
        terms = {"image": image, "spread": spread}
        terms |= self.image_loss.extra(
            focused(mean, batch), focused(batch["target"], batch), batch["images"][:, 2]
        )
        loss = self.config.loss.mse * image + self.config.spread_weight * spread
        dear = [v for name, v in terms.items() if name not in ("image", "spread")]
        return {"loss": torch.stack([loss, *dear]).sum(), **terms}

    def predict(self, subject: Subject) -> NDArray[np.float32]:
        """Mean SUVR (T, I, J, K) of a subject with everything that is known."""
        device = next(self.network.parameters()).device
        images = torch.from_numpy(self.images(subject, subject.flair))[None].to(device)
        scanner = scanner_of(subject)
        known = self.condition(subject.clinical.numbers(), scanner, subject.flair)
        mean, _ = self.network(images, torch.from_numpy(known)[None].to(device))
        values = mean[0].float().cpu().numpy()
        return np.stack(
            [
                suvr_line(self.facts, t, scanner).to_suvr(v)
                for t, v in zip(self.tracers, values, strict=True)
            ]
        )

    @torch.no_grad()
    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """See `TrainingMethod.score`: brain and target-region error, SUVR; no plane is special."""
        return scores_of(self.material, subject, self.predict(subject))

    @torch.no_grad()
    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """See `TrainingMethod.preview`."""
        return picture_of(self.material, subject, self.predict(subject))

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.tensors`: float16."""
        return {k: v.half() for k, v in self.network.state_dict().items()}

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`; numbers of manufacturers are fitted anew."""
        for name in ("tracer_order", "scanners", "suvr_scale"):
            if facts[name] != self.facts[name]:
                raise ValueError(name)
        if ("standardisation" in facts) != ("standardisation" in self.facts):
            raise ValueError("standardisation")
        self.facts["clinical_scaling"] = facts["clinical_scaling"]
        self.network.load_state_dict({k: v.float() for k, v in tensors.items()})

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        told = "network" in self.facts and self.facts["network"].get("inputs", "all") == "all"
        return {
            "title": self.title,
            "uses": ["flair", *FIELDS, "pet_scanner"] if told else self._scanner_alone(),
            "presets": presets_of((1, 1, 1), samples=(0, 0, 0)),
            "method_config": self.facts,
            "card": self.card + self.config.loss.words + self._standardised(),
        }

    def _scanner_alone(self) -> list[str]:
        return ["pet_scanner"] if "standardisation" in self.facts else []

    def _standardised(self) -> str:
        if "standardisation" not in self.facts:
            return ""
        how = {
            "manufacturer": "the mean and spread of its own people",
            "combat": "its mean and spread with people's differences taken into account",
        }[self.config.standardise]
        return (
            f" Each manufacturer's PET was standardised by {how}, which is undone for the scanner "
            "that is asked for (a pooled one when none is)."
        )


def focused(values: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The drawn tracer (N, I, J, K) of (N, T, I, J, K) in network scale, as SUVR."""
    rows = torch.arange(len(values), device=values.device)
    line = batch["line"][rows, batch["focus"]][..., None, None, None]
    return line[:, 0] + line[:, 1] * values[rows, batch["focus"]]
