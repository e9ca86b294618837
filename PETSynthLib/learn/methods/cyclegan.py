"""Training `cyclegan` (Zhu et al. 2017) in three dimensions.

MRI -> PET is `unet`'s network; PET -> MRI a smaller one of its kind, told the tracer. The PET of
somebody else is what the adversary and the second cycle see: pairs are used by the picture's loss
alone (``method.paired``; 0: the unpaired method as published).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from ...generate.standardisation import suvr_line
from ...generate.unet.network import RegressionUNet
from ..losses.adversarial import fake_loss, real_loss
from ..settings import setting
from ..store import Subject
from .discriminator import ImagePool, PatchDiscriminator, RivalConfig, frozen
from .interface import Batch, Example, Player, Stage, Terms, scanner_of
from .pix2pix import BETAS, chosen
from .unet import UNetConfig, UNetMethod


@dataclass(frozen=True)
class CycleGANConfig(UNetConfig):
    """Settings of `cyclegan`."""

    paired: float = setting(1.0, "weight of the picture's loss, which knows the pairs", low=0.0)
    cycle: float = setting(0.1, "weight of coming back from the other image", low=0.0)
    pool: int = setting(20, "earlier fakes that the discriminators see again", low=0)
    rival: RivalConfig = field(default_factory=RivalConfig)


class CycleGANMethod(UNetMethod):
    """See the module's docstring."""

    name = "cyclegan"
    title = "CycleGAN in 3D, all tracers"
    card = (
        "A 3D U-Net trained with its inverse: what comes back must be the same, and two "
        "adversaries judge both; clinical facts and scanner scale and shift its features."
    )
    config_type = CycleGANConfig
    config: CycleGANConfig

    def players(self) -> tuple[Player, ...]:
        """Both generators, then both discriminators."""
        config, tracers = self.config, len(self.tracers)
        rival = config.rival
        self.back = RegressionUNet(1, tracers, config.base, config.multipliers)
        self.rivals = nn.ModuleDict(
            {
                "pet": PatchDiscriminator(1, rival.base, rival.layers, tracers),
                "mri": PatchDiscriminator(1, rival.base, rival.layers, tracers),
            }
        )
        self.pools = Pools(config.pool)
        self.with_pet = {
            t: [s for s in self.material.train if t in s.tracers] for t in self.tracers
        }
        both = nn.ModuleDict({"pet": self.network, "mri": self.back})
        return (
            Player("mean", both, self.loss, betas=BETAS),
            Player("rivals", self.rivals, self.rival_loss, rival.rate, BETAS, self.pools),
        )

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`: the brain, and somebody else's PET of the drawn tracer."""
        example = super().draw(stage, subject, rng)
        tracer = self.tracers[int(example["focus"])]
        others = self.with_pet[tracer]
        other = others[int(rng.integers(len(others)))]
        pet = self.material.pet(other, tracer)
        line = suvr_line(self.facts, tracer, scanner_of(other))
        brain = self.material.store.brain(other.row).astype(np.float32)
        example["other"] = (line.to_network(pet) * brain)[None]
        example["other_brain"] = brain[None]
        example["chance"] = rng.random(2, dtype=np.float32)
        return example

    def loss(self, batch: Batch) -> Terms:
        """Deceiving both rivals, coming back to the MRI and to the PET, and the pairs."""
        config = self.config
        mean, sd = self.network(batch["images"], batch["condition"])
        pet, brain = chosen(mean, batch), batch["images"][:, 2:3]
        again = self.to_mri(pet, brain, batch) * brain
        mri = self.to_mri(batch["other"], batch["other_brain"], batch) * batch["other_brain"]
        shown = torch.cat([mri, torch.zeros_like(mri), batch["other_brain"]], 1)
        seen, _ = self.network(shown, batch["condition"])
        rows = torch.arange(len(seen), device=seen.device)
        there = batch["other_brain"]
        returned = seen[rows, batch["focus"]][:, None] * there
        with frozen(self.rivals):
            deceit = real_loss(self.rivals["pet"](pet, batch["focus"])) + real_loss(
                self.rivals["mri"](mri, batch["focus"])
            )
        cycle = (again - batch["images"][:, :1] * brain).abs().mean() + (
            returned - batch["other"]
        ).abs().mean()
        terms = self.picture_loss(batch, mean, sd)
        paired = config.paired * terms.pop("loss")
        deceit, cycle = config.rival.weight * deceit, config.cycle * cycle
        return {"loss": paired + deceit + cycle, **terms, "deceit": deceit, "cycle": cycle}

    def to_mri(self, pet: torch.Tensor, brain: torch.Tensor, batch: Batch) -> torch.Tensor:
        """A T1 (N, 1, I, J, K) from a PET in network scale and its brain."""
        label = nn.functional.one_hot(batch["focus"], len(self.tracers)).to(pet.dtype)
        mean, _ = self.back(torch.cat([pet, torch.zeros_like(pet), brain], 1), label)
        t1: torch.Tensor = mean
        return t1

    def rival_loss(self, batch: Batch) -> Terms:
        """Real images are 1, generated ones of now and before 0."""
        with torch.no_grad():
            mean, _ = self.network(batch["images"], batch["condition"])
            pet = self.pools.pet.exchange(chosen(mean, batch).float(), batch["chance"][:, 0])
            mri = self.to_mri(batch["other"], batch["other_brain"], batch) * batch["other_brain"]
            mri = self.pools.mri.exchange(mri.float(), batch["chance"][:, 1])
        label, terms = batch["focus"], {}
        t1 = batch["images"][:, :1] * batch["images"][:, 2:3]
        for name, real, fake in (("pet", batch["other"], pet), ("mri", t1, mri)):
            judge = self.rivals[name]
            terms[name] = 0.5 * (real_loss(judge(real, label)) + fake_loss(judge(fake, label)))
        return {"loss": terms["pet"] + terms["mri"], **terms}


class Pools:
    """The discriminators' two pools (a `Memory`)."""

    def __init__(self, size: int) -> None:
        self.pet, self.mri = ImagePool(size), ImagePool(size)

    def state(self) -> dict[str, Any]:
        """See `Memory.state`."""
        return {"pet": self.pet.state(), "mri": self.mri.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Memory.restore`."""
        self.pet.restore(state["pet"])
        self.mri.restore(state["mri"])
