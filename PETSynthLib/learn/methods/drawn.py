"""Training `bbdm` and `ddpm`: what both share; `generate.drawn` runs their bundles."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.drawn import Sampler, told_model
from ...generate.standardisation import suvr_line
from ...generate.timed import TimedUNet, build_timed
from ..settings import setting
from ..store import Subject
from .interface import Batch, Example, Stage, Terms, presets_of, scanner_of
from .regression import OUTSIDE, RegressionConfig, RegressionMethod, focused

STEPS = 4
"""Of every draw, in all presets: intervals are calibrated for the spread of so many, and more do
not lower the error of a trained model (Resources/docs/cyclic.md)."""


@dataclass(frozen=True)
class DrawnConfig(RegressionConfig):
    """Settings that both have; the spread's weight has no meaning here."""

    base: int = setting(16, "channels of the first level", low=8)
    multipliers: tuple[int, ...] = setting((1, 2, 3), "channels of each level over base", low=1)


class DrawnMethod(RegressionMethod):
    """See the module's docstring."""

    config: DrawnConfig
    network: TimedUNet
    train_defaults: ClassVar[dict[str, Any]] = {"batch": 2, "learning_rate": 1e-3}

    def network_facts(self) -> dict[str, Any]:
        """See `RegressionMethod.network_facts`."""
        return {"base": self.config.base, "multipliers": list(self.config.multipliers)}

    def build(self) -> torch.nn.Module:
        """See `RegressionMethod.build`."""
        return build_timed(self.facts)

    @property
    @abstractmethod
    def sampler(self) -> Sampler:
        """How a bundle draws."""

    @abstractmethod
    def noisy(
        self, batch: Batch, data: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the network is shown, its time in 0..1 (N,), and what it shall say.

        Parameters
        ----------
        data
            PET (N, 1, I, J, K), network scale.
        """

    @abstractmethod
    def data(self, batch: Batch, output: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """The PET that an output stands for, network scale."""

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`: the brain, noise and a time."""
        example = super().draw(stage, subject, rng)
        shape = (1, *self.material.store.grid.shape)
        example["noise"] = rng.standard_normal(shape, dtype=np.float32)
        example["time"] = np.array(rng.random(), np.float32)
        return example

    def loss(self, batch: Batch) -> Terms:
        """Squared error of what the network shall say of one tracer; the picture's other terms."""
        rows = torch.arange(len(batch["focus"]), device=batch["target"].device)
        # bfloat16 is for the network alone: a point of the path and its noise need more digits.
        data = batch["target"][rows, batch["focus"]][:, None].float()
        shown, at, wanted = self.noisy(batch, data)
        output = self.network(shown, at, batch["images"], self.told(batch))
        brain = batch["images"][:, 2:3]
        with torch.autocast(data.device.type, enabled=False):
            error = ((output.float() - wanted) ** 2 * (OUTSIDE + (1 - OUTSIDE) * brain)).mean()
        found = batch["target"].float().clone()
        found[rows, batch["focus"]] = self.data(batch, output.float(), shown)[:, 0]
        terms = self.image_loss.extra(
            focused(found, batch), focused(batch["target"], batch), brain[:, 0]
        )
        loss = torch.stack([self.config.loss.mse * error, *terms.values()]).sum()
        return {"loss": loss, "error": error, **terms}

    def told(self, batch: Batch) -> torch.Tensor:
        """Facts and tracer (N, condition + T)."""
        label = torch.nn.functional.one_hot(batch["focus"], len(self.tracers))
        return torch.cat([batch["condition"], label.to(batch["condition"].dtype)], 1)

    def predict(self, subject: Subject) -> NDArray[np.float32]:
        """One sample (T, I, J, K) of every PET that the subject has, always the same one."""
        device = next(self.network.parameters()).device
        images = torch.from_numpy(self.images(subject, subject.flair))[None].to(device)
        scanner = scanner_of(subject)
        known = self.condition(subject.clinical.numbers(), scanner, subject.flair)
        result = np.zeros((len(self.tracers), *images.shape[2:]), np.float32)
        for t, tracer in enumerate(self.tracers):
            if tracer not in subject.tracers:
                continue
            one_hot = np.eye(len(self.tracers), dtype=np.float32)[t]
            told = torch.from_numpy(np.concatenate([known, one_hot]))[None].to(device)
            model = told_model(self.network, images, told)
            generator = torch.Generator().manual_seed(subject.row)
            drawn = self.sampler(model, images[:, :1], STEPS, generator, self.facts)
            line = suvr_line(self.facts, tracer, scanner)
            brain = images[0, 2].cpu().numpy()
            result[t] = line.to_suvr(drawn[0, 0].float().cpu().numpy()) * brain
        return result

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        return {
            **super().bundle(),
            "uses": ["flair", *FIELDS, "pet_scanner"],
            "presets": presets_of((STEPS, STEPS, STEPS)),
        }
