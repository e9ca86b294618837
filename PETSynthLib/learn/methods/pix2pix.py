"""Training `pix2pix` (Isola et al. 2017) in three dimensions.

The generator is `unet`'s network; a discriminator sees the MRI and one tracer's PET, real or
generated. Least squares instead of the logarithm; no dropout as noise, which the paper found to be
ignored: the generator draws no samples. Beside the absolute error stand the picture's other terms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from ..losses.adversarial import fake_loss, real_loss
from ..losses.image import LossConfig
from ..settings import setting
from .discriminator import PatchDiscriminator, RivalConfig, frozen
from .interface import Batch, Player, Terms
from .unet import UNetConfig, UNetMethod

BETAS = (0.5, 0.999)
"""Of Adam, in both papers."""


@dataclass(frozen=True)
class Pix2PixConfig(UNetConfig):
    """Settings of `pix2pix`."""

    l1: float = setting(1.0, "weight of the absolute error", low=0.0)
    loss: LossConfig = field(default_factory=lambda: LossConfig(mse=0.0))
    rival: RivalConfig = field(default_factory=RivalConfig)


class Pix2PixMethod(UNetMethod):
    """See the module's docstring."""

    name = "pix2pix"
    title = "Pix2Pix in 3D, all tracers"
    card = (
        "A 3D U-Net with an adversary that sees the MRI and the PET; clinical facts and scanner "
        "scale and shift its features."
    )
    config_type = Pix2PixConfig
    config: Pix2PixConfig

    def players(self) -> tuple[Player, ...]:
        """The generator and its rival."""
        rival = self.config.rival
        self.rival = PatchDiscriminator(4, rival.base, rival.layers, len(self.tracers))
        return (
            Player("mean", self.network, self.loss, betas=BETAS),
            Player("rival", self.rival, self.rival_loss, rival.rate, BETAS),
        )

    def loss(self, batch: Batch) -> Terms:
        """The picture's loss, the absolute error, and deceiving the rival."""
        mean, sd = self.network(batch["images"], batch["condition"])
        terms = self.picture_loss(batch, mean, sd)
        apart = (mean - batch["target"]).abs().mean((2, 3, 4))
        share = batch["there"] / batch["there"].sum(1, keepdim=True)
        absolute = self.config.l1 * (apart * share).sum(1).mean()
        with frozen(self.rival):
            judged = self.rival(beside(batch, chosen(mean, batch)), batch["focus"])
        deceit = self.config.rival.weight * real_loss(judged)
        loss = terms.pop("loss") + absolute + deceit
        return {"loss": loss, **terms, "absolute": absolute, "deceit": deceit}

    def rival_loss(self, batch: Batch) -> Terms:
        """Real pairs are 1, generated ones 0."""
        with torch.no_grad():
            mean, _ = self.network(batch["images"], batch["condition"])
        real = self.rival(beside(batch, chosen(batch["target"], batch)), batch["focus"])
        fake = self.rival(beside(batch, chosen(mean, batch)), batch["focus"])
        return {"loss": 0.5 * (real_loss(real) + fake_loss(fake))}


def chosen(values: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The drawn tracer (N, 1, I, J, K) of (N, T, I, J, K), inside the brain."""
    rows = torch.arange(len(values), device=values.device)
    return values[rows, batch["focus"]][:, None] * batch["images"][:, 2:3]


def beside(batch: Batch, pet: torch.Tensor) -> torch.Tensor:
    """T1, FLAIR, mask and PET as channels (N, 4, I, J, K)."""
    return torch.cat([batch["images"], pet.float()], 1)
