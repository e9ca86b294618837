"""Training `flow`: a regional model in closed form, the mean network, then the residual flow.

1. The *regional model* (`flow_regional`) is fitted by cross-validation; while the network is
   trained, every subject gets the expectation of a model that never saw that person.
2. Stage ``mean`` (`flow_mean`): squared error of the mean, weighted by how well each tracer can be
   known at all, and the likelihood of the spread around a mean that it may not move.
3. Stage ``residual`` (`flow_residual`): rectified flow of the standardised residual on a coarse
   grid, on subjects that the mean network has not seen. With it begins the anchor (`flow_anchor`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...generate.flow.features import FLAIR_SLICES, T1_SLICES, atlas_channels
from ...generate.flow.generator import VERSION
from ...generate.flow.network import build_mean, build_residual
from ...generate.flow.reading import variable_names
from ...request import SCANNERS
from ..losses.image import ImageLoss, LossConfig, require_slices
from ..settings import setting
from ..store import Subject
from .figures import picture_of, scores_of
from .flow_anchor import no_anchor
from .flow_mean import MeanStage
from .flow_regional import RegionalPart
from .flow_residual import ResidualStage
from .interface import Example, Material, Stage, TrainingMethod, presets_of, scanner_of
from .people import HidingConfig, clinical_scaling, suvr_scale

PRESET_STEPS = (1, 2, 4)
FEWEST_HELD, MOST_HELD = 2, 32
"""People kept for the residual: fewer say nothing, and everybody's coarse maps stay in memory."""
SEEN = (
    "Nobody was kept from the mean network: the residual was learnt from its own training people, "
    "so that samples differ less than they should."
)


@dataclass(frozen=True)
class FlowConfig:
    """Settings of `flow`."""

    base: int = setting(16, "channels of the mean network's first level", low=8)
    multipliers: tuple[int, ...] = setting((1, 2, 4), "channels of each level over base", low=1)
    severities: int = setting(0, "clinical scalars a tracer beside the regional model", low=0)
    slices: int = setting(2, "axial slices of each drawn subject", low=1)
    spread_weight: float = setting(0.02, "weight of the spread's likelihood", low=0.0)
    mirror: float = setting(0.5, "share of examples mirrored left to right", low=0, high=1)
    gamma: float = setting(0.22, "sd of the logarithm of the contrast change", low=0.0)
    residual_base: int = setting(16, "channels of the residual network's first level", low=8)
    residual_share: float = setting(0.2, "share of the budget for the residual", low=0.01, high=0.9)
    residual_rate: float = setting(0.5, "residual's learning rate over the mean's", low=0.0)
    hold_out: float = setting(
        0.1,
        "share of training people kept from the mean network for the residual (2 at least, of 6)",
        low=0,
        high=0.5,
    )
    hide: HidingConfig = field(default_factory=HidingConfig)
    loss: LossConfig = field(default_factory=LossConfig)


class FlowMethod(TrainingMethod):
    """See the module's docstring."""

    name = "flow"
    config_type = FlowConfig

    def __init__(self, config: FlowConfig, material: Material, seed: int) -> None:
        self.config, self.material, self.seed = config, material, seed
        self.tracers = list(material.store.tracers)
        self.grid = material.store.grid
        self.atlas = atlas_channels(self.grid, self.tracers)
        self.facts: dict[str, Any] = {
            "version": VERSION,
            "tracer_order": self.tracers,
            "scanners": list(SCANNERS),
            "suvr_scale": suvr_scale(self.tracers),
            "clinical_scaling": clinical_scaling(material.train),
            "mean_network": {
                "image_channels": T1_SLICES + FLAIR_SLICES + len(self.atlas[:, 0]),
                "severities": config.severities,
                "base": config.base,
                "multipliers": list(config.multipliers),
            },
            "residual_network": {"base": config.residual_base, "multipliers": [1, 2]},
            "coarse_factor": 2,
            "regional": {"variables": len(variable_names(list(SCANNERS)))},
        }
        self.scale = np.array([self.facts["suvr_scale"][t] for t in self.tracers], np.float32)
        self.mean = build_mean(self.facts).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.residual = build_residual(self.facts)
        # Both are fitted on people whom the mean network has not seen, when it is trained.
        self.spread = torch.ones(len(self.tracers))
        self.anchor = no_anchor(len(self.tracers))
        learners, held = split_people(material.train, config.hold_out, seed)
        self.regional = RegionalPart(material, self.scale, seed)
        require_slices(config.loss, self.name)
        self.image_loss = ImageLoss(config.loss)
        self.mean_stage = MeanStage(self, learners)
        self.residual_stage = ResidualStage(self, held)
        self.stages = (
            self.mean_stage.stage(1 - config.residual_share),
            self.residual_stage.stage(config.residual_share, config.residual_rate),
        )

    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.prepare`."""
        return self.regional.prepare(tell)

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """See `TrainingMethod.use`."""
        self.regional.use(prepared)

    def begin(self, stage: Stage) -> None:
        """See `TrainingMethod.begin`."""
        if stage.name == "residual":
            self.residual_stage.begin()

    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """See `TrainingMethod.draw`."""
        part = self.mean_stage if stage.name == "mean" else self.residual_stage
        return part.draw(subject, rng)

    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """See `TrainingMethod.score`: brain and target-region error of the mean, SUVR."""
        if stage.name != "mean":
            return self.residual_stage.score(subject)
        return scores_of(self.material, subject, self._drawn(subject))

    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """See `TrainingMethod.preview`."""
        return picture_of(self.material, subject, self._drawn(subject))

    def _drawn(self, subject: Subject) -> NDArray[np.float32]:
        """(T, I, J, K) SUVR of a subject with everything that is known."""
        mean, _ = self.mean_stage.predict(
            subject, subject.clinical.numbers(), flair=subject.flair, scanner=scanner_of(subject)
        )
        return self.suvr(mean)

    def suvr(self, mean: torch.Tensor) -> NDArray[np.float32]:
        """(T, K, I, J) in network scale as (T, I, J, K) SUVR."""
        drawn = mean.clamp_min(0).numpy().transpose(0, 2, 3, 1)
        return np.asarray(drawn * self.scale[:, None, None, None])

    def tensors(self) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.tensors`: networks as float16, the regional model as float32."""
        result = {f"mean.{k}": v.half() for k, v in self.mean.state_dict().items()}
        result |= {f"residual.{k}": v.half() for k, v in self.residual.state_dict().items()}
        regional = self.regional.whole.arrays()
        result |= {f"regional.{k}": torch.from_numpy(v) for k, v in regional.items()}
        for name, value in vars(self.anchor).items():
            result[f"anchor.{name}"] = torch.from_numpy(value.astype(np.float32))
        return result | {"spread": self.spread}

    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """See `TrainingMethod.load`; the regional model is fitted anew."""
        for name in ("tracer_order", "scanners", "suvr_scale"):
            if facts[name] != self.facts[name]:
                raise ValueError(name)
        self.facts["clinical_scaling"] = facts["clinical_scaling"]
        for prefix, network in (("mean.", self.mean), ("residual.", self.residual)):
            own = {
                k.removeprefix(prefix): v.float()
                for k, v in tensors.items()
                if k.startswith(prefix)
            }
            network.load_state_dict(own)

    def bundle(self) -> dict[str, Any]:
        """See `TrainingMethod.bundle`."""
        seen = "" if self.residual_stage.held else f" {SEEN}"
        return {
            "title": "Regional model, mean network and residual flow, all tracers",
            "uses": ["flair", *FIELDS, "pet_scanner"],
            "presets": presets_of(PRESET_STEPS),
            "method_config": self.facts,
            "card": "A linear regional model (grey matter, CSF and brightness of each region and "
            "of the cerebrum, clinic, scanner; two kinds of people where a tracer knows two) is "
            "painted onto the atlas; a 2.5D network adds anatomy and decides how strongly to "
            "believe it. A sample adds a draw of what the regional model does not know and, from a "
            f"rectified flow of the standardised residual on a coarse grid, the pattern.{seen}",
        }


def split_people(
    subjects: tuple[Subject, ...], share: float, seed: int
) -> tuple[tuple[Subject, ...], tuple[Subject, ...]]:
    """Those the mean learns from, and those kept for the residual; nobody is kept of too few.

    Whoever is kept stays unknown to the mean network: of few people `FEWEST_HELD` are kept, of
    fewer than three times as many none, and then the mean learns from all.
    """
    people = sorted({s.anatomy for s in subjects})
    if share == 0 or len(people) < 3 * FEWEST_HELD:
        return subjects, ()
    count = min(max(round(share * len(people)), FEWEST_HELD), MOST_HELD)
    order = np.random.default_rng([seed, 6]).permutation(len(people))
    held = {people[k] for k in order[:count]}
    return (
        tuple(s for s in subjects if s.anatomy not in held),
        tuple(s for s in subjects if s.anatomy in held),
    )
