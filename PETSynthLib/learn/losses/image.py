"""The loss of a predicted picture: squared error, 3D SSIM and perceptual distance, weighted.

Moon et al. 2026: ``1 * MSE + 1 * SSIM3D + 0.5 * perceptual``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..place import Place
from ..settings import refuse, setting
from .perceptual import PerceptualDistance
from .planes import CYCLE, PlaneSchedule
from .ssim import ssim
from .vgg import load_vgg
from .vgg_file import find_vgg

KINDS = ("none", "cyclic", "static", "2d", "3d")


PLANE_WORDS = {
    "cyclic": "one plane after another",
    "static": "of all three planes",
    "2d": "of axial slices",
    "3d": "of volumes",
}


@dataclass(frozen=True)
class LossConfig:
    """Settings of the picture's loss (group ``method.loss``)."""

    mse: float = setting(1.0, "weight of the squared error", low=0.0)
    ssim: float = setting(0.0, "weight of 1 - SSIM3D", low=0.0)
    ssim_range: float = setting(3.0, "data range of the SSIM, SUVR", low=1e-3)
    perceptual: Literal["none", "cyclic", "static", "2d", "3d"] = setting(
        "none",
        "VGG-16's features of one plane after another, of all planes, of axial slices, of volumes",
    )
    perceptual_weight: float = setting(0.5, "weight of the perceptual distance", low=0.0)
    ranges: Literal["target", "paper"] = setting(
        "target", "scale of the shown pictures: both by the target's range, or each by its own"
    )
    first: int = setting(120, "how long each plane of the first round lasts", low=1)
    unit: Literal["budget", "epochs", "steps"] = setting(
        "budget", "what that is counted in; budget: thousandths of the training"
    )
    every: int = setting(
        4, "only every so many-th slice of a plane counts at a step, others at the next", low=1
    )
    vgg: str | None = setting(None, "file of VGG-16's weights; none: PETSYNTH_HOME/weights")
    download: bool = setting(False, "fetch VGG-16's published weights (528 MB) if there are none")

    @property
    def words(self) -> str:
        """A sentence for a model's card; nothing where the squared error is alone."""
        parts = ["the squared error"] if self.mse else []
        parts += ["the structural similarity (SSIM3D)"] if self.ssim else []
        if self.perceptual != "none" and self.perceptual_weight:
            parts.append(f"the distance of VGG-16's features ({PLANE_WORDS[self.perceptual]})")
        if parts in ([], ["the squared error"]):
            return ""
        *first, last = parts
        return f" It was trained on {', '.join(first)}{' and ' if first else ''}{last}."


class ImageLoss(nn.Module):
    """The picture's loss, without parameters of its own.

    It knows where the training stands (`stand_at`), for the plane of the cycle.
    """

    def __init__(self, config: LossConfig) -> None:
        super().__init__()
        self.config = config
        self.schedule = PlaneSchedule(config.first, config.unit)
        self.place = Place(0, 0.0, 0.0)
        self.distance: PerceptualDistance | None = None
        if config.perceptual != "none" and config.perceptual_weight > 0:
            path = find_vgg(config.vgg, download=config.download)
            self.features = load_vgg(path, 3 if config.perceptual == "3d" else 2)
            self.distance = PerceptualDistance(self.features, config.ranges)

    def stand_at(self, place: Place) -> None:
        """The training has come to ``place``."""
        self.place = place

    def planes(self) -> tuple[str, ...]:
        """The planes that count now."""
        if self.config.perceptual == "cyclic":
            return (self.schedule.at(self.place)[1],)
        return CYCLE if self.config.perceptual == "static" else CYCLE[:1]

    def may_stop(self, since: Place, now: Place) -> bool:
        """Whether a whole round of planes has passed without a better score."""
        if self.config.perceptual != "cyclic":
            return True
        return self.schedule.whole_rounds(since, now) > 0

    def extra(self, prediction: Tensor, target: Tensor, brain: Tensor) -> dict[str, Tensor]:
        """The weighted terms beside the squared error, those that have a weight.

        Parameters
        ----------
        prediction, target, brain
            (N, I, J, K), one tracer an example; SUVR.
        """
        terms: dict[str, Tensor] = {}
        if self.config.ssim > 0:
            alike = ssim(prediction[:, None], target[:, None], self.config.ssim_range)
            terms["ssim"] = self.config.ssim * (1 - alike).mean()
        if self.distance is not None:
            self.features.to(target.device)
            weight = self.config.perceptual_weight
            if self.config.perceptual == "3d":
                terms["perceptual"] = weight * self.distance.volume(prediction, target, brain)
            else:
                which = self.config.every, self.place.step
                parts = [
                    self.distance.plane(prediction, target, brain, p, *which) for p in self.planes()
                ]
                terms["perceptual"] = weight * torch.stack(parts).mean()
        return terms

    def of_slices(self, prediction: Tensor, target: Tensor, brain: Tensor) -> dict[str, Tensor]:
        """The weighted perceptual term of axial slices (M, H, W), for methods that learn slices."""
        shown = brain.flatten(1).any(1)
        if self.distance is None or not bool(shown.any()):
            return {}
        self.features.to(target.device)
        share = torch.full((int(shown.sum()),), 1.0 / int(shown.sum()), device=target.device)
        distance = self.distance.slices(prediction[shown], target[shown], share)
        return {"perceptual": self.config.perceptual_weight * distance}


def require_slices(config: LossConfig, method: str) -> None:
    """Refuse terms that need whole volumes.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` naming what the method can do.
    """
    if config.perceptual not in ("none", "2d") or config.ssim > 0:
        raise refuse(
            f"The method {method} learns single axial slices: there is no volume to take "
            "the other planes, three dimensions or SSIM3D from.",
            "Use --set method.loss.perceptual=2d, or none.",
        )
