"""Settings of `rela`: the defaults are the laptop's; ``rela-paper.yaml`` has the published ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..settings import setting
from .discriminator import RivalConfig
from .people import HidingConfig


@dataclass(frozen=True)
class RelativisticConfig(RivalConfig):
    """The relativistic discriminator (group ``method.rival``)."""

    base: int = setting(24, "channels of the first layer", low=4)
    layers: int = setting(2, "convolutions of stride 2", low=1, high=5)
    rate: float = setting(0.1, "learning rate over the generator's", low=0.0)
    weight: float = setting(
        0.1, "weight lambda of the relativistic term; 0: without a discriminator", low=0.0
    )
    penalty: float = setting(1e-3, "weight gamma of the gradient penalties R1 and R2", low=0.0)
    sees: tuple[Literal["mri", "tracer"], ...] = setting(
        ("mri", "tracer"), "what it may see beside the PET: mri, tracer"
    )


@dataclass(frozen=True)
class LatentConfig:
    """The autoencoders of the latent variant."""

    base: int = setting(16, "channels of an autoencoder's first level", low=8)
    channels: int = setting(4, "channels of a latent", low=1)
    noise: float = setting(0.1, "sd of the noise that a decoder must bear", low=0.0)
    shrink: float = setting(1e-4, "weight of the latents' mean square", low=0.0)
    share: float = setting(0.3, "share of the budget for the autoencoders", low=0.01, high=0.9)
    rate: float = setting(1.0, "autoencoders' learning rate over the network's", low=0.0)


@dataclass(frozen=True)
class DistilConfig:
    """Few-step distillation: a run of its own that begins with a finished model (``--init``)."""

    steps: int = setting(0, "steps the student samples in; 0: no distillation", low=0, high=4)
    teacher_steps: int = setting(8, "steps of the teacher for each of the student's", low=1)


@dataclass(frozen=True)
class RelaConfig:
    """Settings of `rela`."""

    space: Literal["voxel", "latent"] = setting("voxel", "what is made noisy: voxels or latents")
    patch: int = setting(2, "voxels along an axis that share a position (voxel space)", low=1)
    channels: tuple[int, ...] = setting((24, 32, 40), "channels of each level", low=8)
    blocks: int = setting(1, "residual blocks a level on the way down", low=1)
    head: int = setting(40, "channels of an attention head (lowest level)", low=1)
    says: Literal["epsilon", "v", "clean"] = setting(
        "clean", "what the network predicts; the losses are the same"
    )
    clean_weight: float = setting(1.0, "weight of the L1 on the clean prediction", low=0.0)
    clean: Literal["weighted", "paper"] = setting(
        "weighted",
        "losses weighted by timestep and the clean prediction softly clamped, or as published",
    )
    warm_up_share: float = setting(
        0.5, "share of the network's training before the discriminator joins", low=0.01, high=0.99
    )
    scaling: Literal["deviation", "fixed", "paper"] = setting(
        "deviation",
        "SUVR as deviation from the training people's mean PET, by a fixed range a tracer, or "
        "every image by its own minimum and maximum",
    )
    outside: float = setting(
        0.2, "weight of voxels outside the brain in the losses on noise and picture", low=0, high=1
    )
    told: tuple[Literal["clinic", "scanner"], ...] = setting(
        ("clinic", "scanner"), "what the network is told beside images, time and tracer"
    )
    blur_mm: float = setting(
        0.0, "largest width of chance blurs of MRI and PET: other scanners' resolution", low=0.0
    )
    flair_only: float = setting(
        0.1, "share of examples that show the FLAIR alone (hide.no_flair: the T1 alone)",
        low=0, high=1,
    )  # fmt: skip
    mirror: float = setting(0.5, "share of examples mirrored left to right", low=0, high=1)
    gamma: float = setting(0.22, "sd of the logarithm of the contrast change", low=0.0)
    sampler: Literal["solver", "ddim", "ddpm"] = setting("solver", "sampler of the bundle")
    steps: int = setting(6, "steps of the sampler in every preset", low=1, high=1000)
    draws: int = setting(4, "draws behind mean and standard deviation, at least", low=2, high=64)
    rival: RelativisticConfig = field(default_factory=RelativisticConfig)
    latent: LatentConfig = field(default_factory=LatentConfig)
    distil: DistilConfig = field(default_factory=DistilConfig)
    hide: HidingConfig = field(default_factory=HidingConfig)
