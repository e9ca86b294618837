"""The autoencoders of `rela`'s latent variant: one for PET of any tracer, one for T1 and FLAIR.

L1 of the image, decoded from latents with a little noise, and a small weight on the latents' mean
square: together a variational autoencoder whose posterior has one fixed width. The latents are then
standardised over training people, so that the diffusion meets the variance it expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...generate.rela.space import Autoencoder, LatentSpace, padded
from ...generate.scaling import scaled_mri
from ..store import Subject
from .interface import Batch, Example, Player, Terms

if TYPE_CHECKING:
    from .rela import RelaMethod

MOST_PEOPLE = 32
"""Training people over whom the latents are standardised."""
LEAST_SPREAD = 1e-3


class LatentPart:
    """Players, examples and score of the stage ``autoencoder``."""

    def __init__(self, method: RelaMethod, space: LatentSpace) -> None:
        self.method, self.space = method, space

    def players(self) -> tuple[Player, ...]:
        """The two autoencoders, which know nothing of each other."""
        rate, space = self.method.config.latent.rate, self.space
        return (
            Player("pet", space.pet, lambda batch: self.loss(space.pet, batch, "pet"), rate),
            Player("mri", space.mri, lambda batch: self.loss(space.mri, batch, "mri"), rate),
        )

    def draw(self, subject: Subject, rng: np.random.Generator) -> Example:
        """One PET, one MRI (T1 or FLAIR), mirrored or not, with noise for their latents."""
        method = self.method
        present = [t for t in method.tracers if t in subject.tracers]
        tracer = present[int(rng.integers(len(present)))]
        flair = subject.flair and bool(rng.random() < 0.5)
        mirrored = bool(rng.random() < method.config.mirror)
        pet = self.pet(subject, tracer, mirrored=mirrored)
        mri = self.mri(subject, flair=flair, mirrored=mirrored)
        latents = (self.space.channels, *(n // self.space.factor for n in pet.shape[1:]))
        return {
            "pet": pet,
            "mri": mri,
            "noise_pet": rng.standard_normal(latents, dtype=np.float32),
            "noise_mri": rng.standard_normal(latents, dtype=np.float32),
        }

    def pet(self, subject: Subject, tracer: str, *, mirrored: bool = False) -> NDArray[np.float32]:
        """A PET (1, I, J, K), scaled and padded."""
        material = self.method.material
        suvr, brain = material.pet(subject, tracer), material.store.brain(subject.row)
        if mirrored:
            suvr, brain = suvr[::-1], brain[::-1]
        return self.method.scaled(suvr, brain, tracer).numpy()

    def mri(self, subject: Subject, *, flair: bool, mirrored: bool = False) -> NDArray[np.float32]:
        """A T1 or FLAIR (1, I, J, K), scaled and padded."""
        store = self.method.material.store
        image = (store.flair if flair else store.t1)(subject.row)
        shown = scaled_mri(image[::-1] if mirrored else image, self.method.config.scaling)
        return padded(torch.from_numpy(shown)[None], self.method.multiple).numpy()

    def loss(self, part: Autoencoder, batch: Batch, name: str) -> Terms:
        """L1 of the image through noisy latents, and their size."""
        config = self.method.config.latent
        z = part.encode(batch[name])
        made = part.decode(z + config.noise * batch[f"noise_{name}"].to(z))
        error = (made.float() - batch[name]).abs().mean()
        size = z.float().square().mean()
        return {"loss": error + config.shrink * size, "error": error, "size": size}

    @torch.no_grad()
    def standardise(self) -> None:
        """Find mean and spread of the latents; the autoencoders are final."""
        people = self.method.material.train[:MOST_PEOPLE]
        device = next(self.space.parameters()).device
        pets = [self.pet(s, t) for s in people for t in self.method.tracers if t in s.tracers]
        mris = [self.mri(s, flair=f) for s in people for f in (False, True) if s.flair or not f]
        for row, (part, images) in enumerate(((self.space.pet, pets), (self.space.mri, mris))):
            firsts, seconds = [], []
            for image in images:
                z = part.encode(torch.from_numpy(image)[None].to(device)).float()[0].flatten(1)
                firsts.append(z.mean(1))
                seconds.append(z.square().mean(1))
            mean = torch.stack(firsts).mean(0)
            variance = torch.stack(seconds).mean(0) - mean**2
            self.space.centre[row] = mean
            self.space.spread[row] = variance.clamp_min(LEAST_SPREAD**2).sqrt()

    @torch.no_grad()
    def reconstructed(self, subject: Subject, tracer: str) -> NDArray[np.float32]:
        """The subject's PET through the autoencoder (I, J, K), SUVR; 0 where there is none."""
        if tracer not in subject.tracers:
            return np.zeros(self.method.material.store.grid.shape, np.float32)
        image = torch.from_numpy(self.pet(subject, tracer))[None]
        part = self.space.pet
        made: Tensor = part.decode(part.encode(image.to(next(part.parameters()).device)))
        return self.method.suvr(made, tracer)

    @torch.no_grad()
    def score(self, subject: Subject) -> dict[str, float]:
        """Error of the PETs through the autoencoder in the brain, SUVR, plus that of the T1."""
        material = self.method.material
        brain = material.store.brain(subject.row)
        pets = [
            np.abs(self.reconstructed(subject, t) - material.pet(subject, t))[brain].mean()
            for t in subject.tracers
            if t in self.method.tracers
        ]
        part = self.space.mri
        image = torch.from_numpy(self.mri(subject, flair=False))[None]
        image = image.to(next(part.parameters()).device)
        mri = float((part.decode(part.encode(image)).float() - image).abs().mean())
        pet = float(np.mean(pets))
        return {"score": pet + mri, "pet_error": pet, "mri_error": mri}
