"""The losses of `rela`: noise, clean prediction, and relativistic feedback at every timestep.

``L_G = MSE(eps^, eps) + L1(x0^, x0) + lam softplus(-(D(x0^) - D(x0)))`` and
``L_D = lam [softplus(-(D(x0) - D(x0^))) + g/2 (||grad D(x0)||^2 + ||grad D(x0^)||^2)]``
(Yu et al., arXiv 2602.21345), each pair of the same subject. As published the clean prediction
multiplies gradients by sqrt((1 - a) / a), 48 at the last step, and its clamp then takes them away:
``clean: paper``. By default a loss is divided by the factor with which the network's errors reach
it, where that is above 1, and the clean prediction is clamped softly (`soft_clamp`). The share that
lies beyond the bound is logged as ``clamped`` in both. Noise and clean prediction count for less
outside the brain, which is three quarters of the grid (``outside``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from ...generate.atlas.forward import FWHM_PER_SIGMA
from ...generate.rela.generator import told_vector
from ...generate.rela.space import padded, stacked
from ...generate.scaling import scaled_mri
from ..losses.adversarial import relativistic, squared_slope
from ..store import Subject
from .discriminator import PatchDiscriminator, frozen
from .interface import Batch, Example, Player, Terms, scanner_of
from .people import hidden_clinic

if TYPE_CHECKING:
    from .rela import RelaMethod

SCORE_TIMES = (975, 750, 500)
"""Steps at which a validation looks: nothing, little, half of the PET can be seen."""


@dataclass(frozen=True, eq=False)
class Looked:
    """What the network makes of a batch.

    Attributes
    ----------
    pet, mri
        In the diffusion's space: (N, C, i, j, k), (N, 2C, i, j, k).
    epsilon, clean
        Noise and clean picture as predicted, not yet held within any bound.
    """

    pet: Tensor
    mri: Tensor
    epsilon: Tensor
    clean: Tensor


def soft_clamp(x: Tensor, bound: float) -> Tensor:
    """``x`` where it lies within the bound; beyond it grows like a logarithm.

    ``sign(x) b (1 + log(|x| / b))``: value and slope are continuous, and the slope b / |x| is never
    0, so that a prediction far out still learns. It also undoes the amplification of late steps,
    where a prediction is as far out as its error was multiplied.
    """
    beyond = torch.log(x.abs().clamp_min(bound) / bound)
    return x.clamp(-bound, bound) + bound * x.sign() * beyond


class DiffusionPart:
    """Examples, losses and score of the diffusion, with and without its rival."""

    def __init__(self, method: RelaMethod) -> None:
        self.method = method
        rival, channels = method.config.rival, method.space.channels
        images = channels * (3 if "mri" in rival.sees else 1)
        classes = method.network.shape.classes if "tracer" in rival.sees else 0
        self.rival = PatchDiscriminator(images, rival.base, rival.layers, classes, normalised=False)

    def alone(self) -> tuple[Player, ...]:
        """The generator before the discriminator joins."""
        return (Player("generator", self.method.network, self.generator_loss),)

    def rivals(self) -> tuple[Player, ...]:
        """Generator and discriminator."""
        return (
            Player("generator", self.method.network, self.deceiving_loss),
            Player("discriminator", self.rival, self.rival_loss, self.method.config.rival.rate),
        )

    def draw(self, subject: Subject, rng: np.random.Generator) -> Example:
        """One tracer of one subject, with noise and timestep."""
        method, config = self.method, self.method.config
        clinical = hidden_clinic(subject, config.hide, rng)
        scanner = None if rng.random() < config.hide.average_scanner else scanner_of(subject)
        present = [t for t in method.tracers if t in subject.tracers]
        tracer = present[int(rng.integers(len(present)))]
        mri_mm, pet_mm = config.blur_mm * rng.random(2)
        mri = self._mri(subject, mri_mm, rng)
        suvr = self._blurred(method.material.pet(subject, tracer), pet_mm)
        brain = method.material.store.brain(subject.row)
        if rng.random() < config.mirror:
            # Before the scale, whose mean PET is nobody's mirror image.
            mri, suvr, brain = mri.flip(1), suvr[::-1], brain[::-1]
        pet, mri = method.scaled(suvr, brain, tracer), padded(mri, method.multiple)
        inside = padded(torch.from_numpy(brain.astype(np.float32))[None], method.multiple, 0.0)
        coarse = [n // method.space.factor for n in pet.shape[1:]]
        told = told_vector(clinical, scanner, pet_mm, method.facts)
        return {
            "pet": pet.numpy(),
            "mri": mri.numpy(),
            "brain": inside.numpy(),
            "tracer": np.asarray(method.facts["tracer_labels"][tracer]),
            "time": np.asarray(rng.integers(method.diffusion.total)),
            "noise": rng.standard_normal((method.space.channels, *coarse), dtype=np.float32),
            **({} if told is None else {"told": told}),
        }

    def _mri(self, subject: Subject, blur_mm: float, rng: np.random.Generator) -> Tensor:
        """T1 and FLAIR (2, I, J, K) with chance contrast; never both hidden."""
        store, config = self.method.material.store, self.method.config
        t1_only, flair_only = rng.random(2) < (config.hide.no_flair, config.flair_only)
        gamma, gain = np.exp(np.clip(rng.normal(0, (config.gamma, 0.06), (2, 2)), -0.5, 0.5)).T
        hidden = (flair_only and subject.flair, not subject.flair or (t1_only and not flair_only))
        shown: list[NDArray[np.float32] | None] = []
        for image, hide, power, factor in zip(
            (store.t1, store.flair), hidden, gamma, gain, strict=True
        ):
            if hide:
                shown.append(None)
                continue
            changed = np.clip(image(subject.row), 0, None) ** np.float32(power) * np.float32(factor)
            shown.append(scaled_mri(self._blurred(changed, blur_mm), config.scaling))
        return stacked(shown[0], shown[1], store.grid.shape)

    def _blurred(self, image: NDArray[np.float32], fwhm_mm: float) -> NDArray[np.float32]:
        """``image`` as a scanner of less resolution sees it."""
        if fwhm_mm == 0.0:
            return image
        spacing = np.array(self.method.material.store.grid.spacing)
        seen: NDArray[np.float32] = ndimage.gaussian_filter(
            image, fwhm_mm / FWHM_PER_SIGMA / spacing
        )
        return seen

    def look(self, batch: Batch) -> Looked:
        """Add noise, and ask the network."""
        method = self.method
        pet = method.space.encode(batch["pet"]).float()
        mri = method.space.see(batch["mri"]).float()
        t = batch["time"]
        x = method.diffusion.noisy(pet, batch["noise"], t)
        said = method.network(torch.cat([x, mri], 1), t, batch["tracer"], batch.get("told"))
        epsilon = method.diffusion.epsilon(x, said, t)
        return Looked(pet, mri, epsilon, method.diffusion.clean(x, said, t))

    def held(self, clean: Tensor) -> Tensor:
        """The clean prediction within the bound, in the way that the settings name."""
        bound = self.method.space.bound
        if self.method.config.clean == "paper":
            return clean.clamp(-bound, bound)
        return soft_clamp(clean, bound)

    def weights(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (N,) of the losses on the noise (squared) and on the clean prediction."""
        if self.method.config.clean == "paper":
            ones = torch.ones_like(t, dtype=torch.float32)
            return ones, ones
        noise, clean = self.method.diffusion.amplification(t)
        return noise.clamp_min(1.0) ** -2, 1.0 / clean.clamp_min(1.0)

    def generator_loss(self, batch: Batch) -> Terms:
        """Noise and clean prediction."""
        return self._terms(batch, self.look(batch))

    def over_brain(self, errors: Tensor, brain: Tensor) -> Tensor:
        """Mean (N,) of errors (N, C, i, j, k) that counts voxels outside the brain for less."""
        outside = self.method.config.outside
        weight = outside + (1.0 - outside) * self.method.space.cover(brain.float())
        return (weight * errors).flatten(1).sum(1) / weight.flatten(1).sum(1)

    def _terms(self, batch: Batch, looked: Looked) -> Terms:
        with torch.autocast(looked.pet.device.type, enabled=False):
            weights = self.weights(batch["time"])
            squared = (looked.epsilon - batch["noise"]).square()
            noise = (weights[0] * self.over_brain(squared, batch["brain"])).mean()
            off = (self.held(looked.clean) - looked.pet).abs()
            clean = (weights[1] * self.over_brain(off, batch["brain"])).mean()
            beyond = looked.clean.detach().abs() > self.method.space.bound
        return {
            "loss": noise + self.method.config.clean_weight * clean,
            "epsilon": noise,
            "clean": clean,
            "clamped": beyond.float().mean(),
        }

    def deceiving_loss(self, batch: Batch) -> Terms:
        """The same, and how real the discriminator finds the clean prediction."""
        looked = self.look(batch)
        terms = self._terms(batch, looked)
        with torch.autocast(looked.pet.device.type, enabled=False):
            with frozen(self.rival):
                made = self.judged(self.held(looked.clean), looked.mri, batch["tracer"])
            with torch.no_grad():
                true = self.judged(looked.pet, looked.mri, batch["tracer"])
            pairs = (self.weights(batch["time"])[1] * relativistic(made, true)).mean()
        loss = terms["loss"] + self.method.config.rival.weight * pairs
        return {**terms, "loss": loss, "relativistic": pairs}

    def rival_loss(self, batch: Batch) -> Terms:
        """How badly the discriminator tells true from made, and how steep it is."""
        config = self.method.config.rival
        with torch.no_grad():
            looked = self.look(batch)
            made = self.held(looked.clean).float()
        tracer, mri = batch["tracer"], looked.mri
        with torch.autocast(mri.device.type, enabled=False):
            pairs = relativistic(
                self.judged(looked.pet, mri, tracer), self.judged(made, mri, tracer)
            ).mean()
            r1, r2 = (
                squared_slope(lambda x: self.judged(x, mri, tracer), images).mean()
                for images in (looked.pet, made)
            )
            loss = config.weight * (pairs + 0.5 * config.penalty * (r1 + r2))
        return {"loss": loss, "relativistic": pairs, "r1": r1, "r2": r2}

    def judged(self, pet: Tensor, mri: Tensor, tracer: Tensor) -> Tensor:
        """The discriminator's scores of a PET with what it may see beside it."""
        sees = self.method.config.rival.sees
        images = torch.cat([pet, mri], 1) if "mri" in sees else pet
        scores: Tensor = self.rival(images, tracer if "tracer" in sees else None)
        return scores

    def score(self, subject: Subject) -> dict[str, float]:
        """Error of the clean prediction in the brain at fixed steps and noise, SUVR."""
        method = self.method
        store, device = method.material.store, next(method.network.parameters()).device
        brain = store.brain(subject.row)
        errors: dict[int, list[float]] = {t: [] for t in SCORE_TIMES}
        for number, tracer in enumerate(method.tracers):
            if tracer not in subject.tracers:
                continue
            true = method.material.pet(subject, tracer)
            pet = method.scaled(true, brain, tracer)[None]
            known = method.known(subject, tracer)
            z = method.space.encode(pet.to(device)).float()
            rng = np.random.default_rng([method.seed, 7, number])
            for step in SCORE_TIMES:
                noise = torch.from_numpy(rng.standard_normal(z.shape, dtype=np.float32)).to(z)
                t = torch.tensor([step], device=device)
                x = method.diffusion.noisy(z, noise, t)
                said = method.network(torch.cat([x, known.mri], 1), t, known.tracer, known.told)
                bound = method.space.bound
                clean = method.diffusion.clean(x, said, t).clamp(-bound, bound)
                made = method.suvr(method.space.decode(clean), tracer)
                errors[step].append(float(np.abs(made - true)[brain].mean()))
        at = {f"error_at_{step}": float(np.mean(values)) for step, values in errors.items()}
        return {"score": float(np.mean(list(at.values()))), **at}
