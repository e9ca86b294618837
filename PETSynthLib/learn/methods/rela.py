"""Training `rela`: RelA-Diffusion (Yu et al., arXiv 2602.21345), one model for all its tracers.

1. Stage ``diffusion`` (`rela_diffusion`): squared error of the noise and L1 of the clean
   prediction, the published warm-up.
2. Stage ``adversarial``: the same with the relativistic term at every timestep, against a
   discriminator whose slope is penalised. Without a weight for it there is only the first.

The latent variant begins with a stage ``autoencoder`` (`rela_latent`). Few-step distillation
(`rela_distil`) is a run of its own that begins with a finished model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.diffusion import Diffusion
from ...generate.rela.generator import told_vector
from ...generate.rela.network import DiffusionUNet, Shape
from ...generate.rela.sampling import Known, draw, steps_of
from ...generate.rela.space import LatentSpace, Space, build_space, padded, stacked
from ...generate.rela.units import MOST_DEVIATION, Units, units_between, units_of
from ...generate.scaling import fixed_ranges, own_range, scaled_mri
from ...generate.schedules import scaled_linear_alphas, trailing_steps
from ...request import SCANNERS
from ..store import Subject
from .figures import picture_of
from .interface import Example, Material, Stage, TrainingMethod, presets_of, scanner_of
from .people import clinical_scaling
from .ranges import NO_SCALE, usual_ranges
from .rela_config import RelaConfig
from .rela_diffusion import DiffusionPart
from .rela_distil import DistilPart
from .rela_latent import LatentPart
from .rela_mean import MEAN, SD, mean_pets

LABELS = {"pbr28": 0, "pib": 1, "flortaucipir": 2}
"""Rows of the published embedding, which has one row more; other tracers follow."""
CLASSES = 4
SCHEDULE: dict[str, Any] = {"total": 1000, "first": 5e-4, "last": 1.95e-2}
PREVIEW_STEPS = 4
SAME = ("tracer_labels", "scaling", "told", "says", "schedule", "network", "space")
"""Facts in which a model to start from must agree."""


class RelaMethod(TrainingMethod):
    """See the module's docstring."""

    name = "rela"
    config_type = RelaConfig
    train_defaults: ClassVar[dict[str, Any]] = {"batch": 2, "learning_rate": 2e-3}

    def __init__(self, config: RelaConfig, material: Material, seed: int) -> None:
        self.config, self.material, self.seed = config, material, seed
        self.tracers = list(material.store.tracers)
        self.facts = facts_of(config, material)
        self.means: dict[str, NDArray[np.float32]] = {}
        self.space: Space = build_space(self.facts["space"])
        self.network = DiffusionUNet(shape_of(config, self.facts, self.space))
        self.facts["network"] = {
            k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.network.shape).items()
        }
        self.diffusion = Diffusion(scaled_linear_alphas(**SCHEDULE), config.says)
        self.pieces = DiffusionPart(self)
        self.distilling = DistilPart(self) if config.distil.steps else None
        self.latents = LatentPart(self, self.space) if isinstance(self.space, LatentSpace) else None
        self.stages = self._stages()
        self.now = self.stages[0].name

    def _stages(self) -> tuple[Stage, ...]:
        people = self.material.train
        if self.distilling is not None:
            return (Stage("distilled", 1.0, (self.distilling.player(),), people),)
        stages, left = [], 1.0
        if self.latents is not None:
            left -= self.config.latent.share
            players = self.latents.players()
            stages.append(Stage("autoencoder", self.config.latent.share, players, people))
        rivals = self.config.rival.weight > 0
        first = left * self.config.warm_up_share if rivals else left
        stages.append(Stage("diffusion", first, self.pieces.alone(), people))
        if rivals:
            stages.append(Stage("adversarial", left - first, self.pieces.rivals(), people))
        return tuple(stages)

    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """See `mean_pets` and `usual_ranges`."""
        if self.config.scaling == "deviation":
            return mean_pets(self.material, tell)
        return usual_ranges(self.material, self.config.scaling, tell)

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """Take over the mean PETs or the ranges of `prepare`."""
        for name, value in prepared.items():
            if name.startswith(MEAN):
                self.means[name.removeprefix(MEAN)] = value.numpy()
            elif name.startswith(SD):
                self.facts["suvr_sd"][name.removeprefix(SD)] = float(value)
            else:
                self.facts["suvr_range"][name] = value.tolist()

    def begin(self, stage: Stage) -> None:
        """See `TrainingMethod.begin`."""
        self.now = stage.name
        device = next(self.network.parameters()).device
        if stage.name == "autoencoder":
            return
        self.space.to(device).requires_grad_(False).eval()
        if self.distilling is not None:
            self.distilling.begin()
        elif self.latents is not None:
            self.latents.standardise()

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`."""
        if stage.name == "autoencoder" and self.latents is not None:
            return self.latents.draw(subject, rng)
        example = self.pieces.draw(subject, rng)
        return example if self.distilling is None else self.distilling.timed(example, rng)

    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """See `TrainingMethod.score`: error in the brain, SUVR."""
        if stage.name == "autoencoder" and self.latents is not None:
            return self.latents.score(subject)
        if self.distilling is not None:
            return self.distilling.score(subject)
        return self.pieces.score(subject)

    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """See `TrainingMethod.preview`: a sample in few steps."""
        if self.now == "autoencoder" and self.latents is not None:
            drawn = [self.latents.reconstructed(subject, t) for t in self.tracers]
        else:
            steps = self.sample_steps(PREVIEW_STEPS)
            drawn = [self.sample(subject, t, steps) for t in self.tracers]
        return picture_of(self.material, subject, np.stack(drawn))

    def sample_steps(self, count: int) -> list[int]:
        """Steps of a sample; a student's own where there is one."""
        if self.distilling is not None:
            return self.distilling.steps
        return steps_of(self.config.sampler, self.diffusion, count)

    @torch.no_grad()
    def sample(
        self, subject: Subject, tracer: str, steps: list[int], seed: int = 0
    ) -> NDArray[np.float32]:
        """One draw (I, J, K), SUVR, of a subject with everything that is known."""
        sampler = self.facts["sampler"]["name"]
        known = self.known(subject, tracer)
        parts = (self.network, self.space, self.diffusion)
        drawn = self.suvr(draw(*parts, known, sampler, steps, seed), tracer)
        return drawn * self.material.store.brain(subject.row)

    def known(self, subject: Subject, tracer: str) -> Known:
        """Everything that is known of a subject, for one person's draw."""
        store, device = self.material.store, next(self.network.parameters()).device
        t1 = scaled_mri(store.t1(subject.row), self.config.scaling)
        flair = None
        if subject.flair:
            flair = scaled_mri(store.flair(subject.row), self.config.scaling)
        mri = stacked(t1, flair, store.grid.shape)[None].to(device)
        told = told_vector(subject.clinical.numbers(), scanner_of(subject), 0.0, self.facts)
        return Known(
            self.space.see(padded(mri, self.multiple)).float(),
            torch.tensor([self.facts["tracer_labels"][tracer]], device=device),
            None if told is None else torch.from_numpy(told)[None].to(device),
        )

    @property
    def multiple(self) -> int:
        """What every extent of an image must divide by."""
        return self.space.factor * self.network.multiple

    def suvr(self, image: torch.Tensor, tracer: str) -> NDArray[np.float32]:
        """(1, 1, I, J, K), scaled and padded, as (I, J, K) in SUVR."""
        i, j, k = self.material.store.grid.shape
        numbers = image[0, 0, :i, :j, :k].float().cpu().numpy()
        return units_of(self.facts, tracer, self.means).suvr(numbers)

    def scaled(
        self, suvr: NDArray[np.float32], brain: NDArray[np.bool_], tracer: str
    ) -> torch.Tensor:
        """A PET (1, I, J, K) as the network sees it, padded.

        Nothing is left outside the brain: the MRI does not show what takes up the tracer there,
        and by that alone a discriminator would know the true one.
        """
        units = self.units(suvr, tracer)
        inside = np.where(brain, units.of(suvr), np.float32(units.empty))
        return padded(torch.from_numpy(inside)[None], self.multiple, units.empty)

    def units(self, suvr: NDArray[np.float32], tracer: str) -> Units:
        """The numbers of an example; the published ones depend on the PET itself."""
        if self.config.scaling == "paper":
            return units_between(own_range(suvr))
        return units_of(self.facts, tracer, self.means)

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.tensors`: float16; the discriminator stays with the run."""
        result = {f"network.{k}": v.half() for k, v in self.network.state_dict().items()}
        result |= {MEAN + t: torch.from_numpy(mean).half() for t, mean in self.means.items()}
        return result | {f"space.{k}": v.half() for k, v in self.space.state_dict().items()}

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`."""
        for name in SAME:
            if facts[name] != self.facts[name]:
                raise ValueError(name)
        # What its numbers meant when it was trained they go on to mean, where that is known.
        self.facts["suvr_range"] |= facts["suvr_range"]
        if self.config.scaling == "deviation":
            self.facts["suvr_sd"] = facts["suvr_sd"]
            means = {t: tensors[MEAN + t].float().numpy() for t in self.tracers}
            if any(mean.shape != self.material.store.grid.shape for mean in means.values()):
                raise ValueError(MEAN)
            self.means = means
        if "clinic" in self.config.told:
            self.facts["clinical_scaling"] = facts["clinical_scaling"]
        for prefix, part in (("network.", self.network), ("space.", self.space)):
            own = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            part.load_state_dict({k: v.float() for k, v in own.items()})
        if self.distilling is not None:
            self.distilling.teach(self.network)

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        told = self.config.told
        clinic, scanner = "clinic" in told, "scanner" in told
        steps = len(self.sample_steps(self.config.steps))
        where = "latents of two autoencoders" if self.latents is not None else "voxels"
        few = f" Distilled to {steps} steps." if self.distilling is not None else ""
        level = NO_SCALE if self.config.scaling == "paper" else ""
        return {
            "title": "RelA-Diffusion: 3D diffusion with relativistic feedback",
            "uses": ["flair", *(FIELDS if clinic else ()), *(["pet_scanner"] if scanner else ())],
            "needs": self._needs(),
            "presets": presets_of((steps, steps, steps)),
            "method_config": self.facts,
            "card": f"A 3D diffusion over {where}, given T1, FLAIR and tracer, trained with "
            "relativistic adversarial feedback at every timestep. Mean and standard deviation are "
            f"those of {self.config.draws} draws or more.{few}{level}",
        }

    def _needs(self) -> list[str]:
        """Images that no example was without."""
        without = self.config.hide.no_flair > 0 or not all(s.flair for s in self.material.train)
        return [] if without else ["flair"]


def facts_of(config: RelaConfig, material: Material) -> dict[str, Any]:
    """``method_config``, but for the network."""
    tracers = list(material.store.tracers)
    bound = MOST_DEVIATION if config.scaling == "deviation" else 1.0
    space = (
        {"kind": "voxel", "patch": config.patch, "bound": bound}
        if config.space == "voxel"
        else {"kind": "latent", "base": config.latent.base, "channels": config.latent.channels}
    )
    sampler: dict[str, Any] = {"name": config.sampler, "draws": config.draws}
    if config.distil.steps:
        own = trailing_steps(SCHEDULE["total"], config.distil.steps)
        sampler |= {"name": "ddim", "timesteps": own}
    return {
        "version": 1,
        "tracer_order": tracers,
        "tracer_labels": labels_of(tracers),
        "scanners": list(SCANNERS),
        "clinical_scaling": clinical_scaling(material.train),
        "suvr_range": fixed_ranges(tracers),
        "suvr_sd": {},
        "scaling": config.scaling,
        "told": list(config.told),
        "says": config.says,
        "schedule": dict(SCHEDULE),
        "space": space,
        "sampler": sampler,
    }


def labels_of(tracers: list[str]) -> dict[str, int]:
    """Tracer -> row of the embedding: the published ones, then the others in their order."""
    others = [t for t in tracers if t not in LABELS]
    rows = LABELS | {t: len(LABELS) + n for n, t in enumerate(others)}
    return {t: rows[t] for t in tracers}


def shape_of(config: RelaConfig, facts: dict[str, Any], space: Space) -> Shape:
    """The network that the settings describe."""
    told = told_vector(dict.fromkeys(FIELDS), None, 0.0, facts)
    levels = len(config.channels)
    return Shape(
        images=3 * space.channels,
        out=space.channels,
        channels=config.channels,
        attention=(False,) * (levels - 1) + (True,),
        blocks=config.blocks,
        head=config.head,
        classes=max(CLASSES, 1 + max(facts["tracer_labels"].values())),
        told=0 if told is None else len(told),
    )
