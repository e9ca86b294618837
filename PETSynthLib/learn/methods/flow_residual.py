"""The second stage of `flow`: what is left of the PET when the mean is taken away, as a flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ...generate.condition import clinical_vector, scanner_vector
from ...generate.flow.network import Regional
from ...generate.flow.painting import paint
from ..store import Subject
from .flow_anchor import fit_anchor, image_levels, painted_correction
from .interface import Batch, Example, Player, Stage, Terms, scanner_of
from .people import hidden_clinic

if TYPE_CHECKING:
    from .flow import FlowMethod

INSIDE = 0.3
"""Brain fraction of a coarse voxel from which on its residual counts."""
SCORE_TIMES = (0.05, 0.35, 0.65, 0.95)
LARGEST_SPREAD = 4.0
MOST_STRANGERS = 48
"""People on whom the anchor is fitted at most; each takes about a second."""


@dataclass(frozen=True, eq=False)
class _Look:
    """One stranger through the finished mean network.

    Attributes
    ----------
    level, own, deviation
        (T, R): `levels` of its image, the same over the subject's own regions, and what the
        regional model expects beyond the average, SUVR.
    error, sd
        (T, K, I, J): target minus mean, and its expected size, network scale, float16.
    maps
        (T, M, k, i, j): the network's maps on the coarse grid.
    """

    level: NDArray[np.float64]
    own: NDArray[np.float64]
    deviation: NDArray[np.float64]
    error: torch.Tensor
    sd: torch.Tensor
    maps: torch.Tensor


class ResidualStage:
    """Rectified flow with data prediction on the coarse grid (``x_t = (1 - t) eps + t r``).

    Parameters
    ----------
    held
        Training subjects whom the mean network does not see; without any, the flow learns from
        all, and the bundle's card says so.
    """

    def __init__(self, method: FlowMethod, held: tuple[Subject, ...]) -> None:
        self.method, self.held = method, held
        self.subjects = held or method.material.train
        self.factor: int = method.facts["coarse_factor"]
        self._coarse: dict[tuple[int, bool], dict[str, torch.Tensor]] = {}
        self._corrections: dict[int, torch.Tensor] = {}

    def stage(self, share: float, rate: float) -> Stage:
        """The stage for the engine."""
        player = Player("residual", self.method.residual, self.loss, rate)
        return Stage("residual", share, (player,), self.subjects)

    def begin(self) -> None:
        """The mean network is final: fit anchor and spread on people it has not seen."""
        method, validation = self.method, self.method.material.validation
        self._coarse.clear()
        strangers = (*self.held, *validation)[:MOST_STRANGERS]
        seen = () if self.held else self.subjects[:MOST_STRANGERS]
        looks = {s.row: self._look(s) for s in (*strangers, *seen)}
        method.anchor = fit_anchor(
            np.stack([looks[s.row].level for s in strangers]),
            np.stack([looks[s.row].deviation for s in strangers]),
            np.stack([looks[s.row].own for s in strangers]),
            np.stack([method.regional.uptake(s) for s in strangers]),
            method.regional.whole.expected,
        )
        squares: list[list[float]] = [[] for _ in method.tracers]
        # Validation people chose the mean's best state; they serve where there is nobody else.
        judged = {s.row for s in self.held or validation}
        for subject in (*strangers, *seen):
            look = looks.pop(subject.row)
            added = painted_correction(
                method.anchor, look.level, look.deviation, method.scale, method.grid
            )
            self._corrections[subject.row] = self.pool(added)
            self._coarse[subject.row, subject.flair] = self._pooled(subject, look.maps)
            if subject.row in judged:
                brain = torch.from_numpy(_slices_first(method.material.store.brain(subject.row)))
                z = (look.error.float() - added) / look.sd.float()
                for t, tracer in enumerate(method.tracers):
                    if tracer in subject.tracers:
                        squares[t].append(float((z[t][brain] ** 2).mean()))
        spread = [float(np.sqrt(np.mean(q))) if q else 1.0 for q in squares]
        method.spread = torch.tensor(spread).clamp(1 / LARGEST_SPREAD, LARGEST_SPREAD)

    def _look(self, subject: Subject) -> _Look:
        """What mean network and regional model make of a subject with all facts known."""
        method, clinical = self.method, subject.clinical.numbers()
        scanner = scanner_of(subject)
        # As the generator does: the mean over the scan and its mirror image.
        first, second = (
            method.mean_stage.volume_maps(subject, flair=subject.flair, scanner=scanner, mirror=m)
            for m in (False, True)
        )
        maps = (first + second) / 2
        mean, sd = method.mean_stage.combined(
            maps, subject, clinical, flair=subject.flair, scanner=scanner, spread=False
        )
        target, _ = method.mean_stage.targets(subject, np.arange(method.grid.shape[2]))
        deviation = method.regional.expects(subject, clinical, subject.flair, scanner)[0]
        drawn = method.suvr(mean)
        return _Look(
            level=image_levels(drawn, method.regional.read(subject)[1], method.grid),
            own=np.stack([method.regional.own_means(subject, image) for image in drawn]),
            deviation=np.asarray(deviation * method.scale[:, None], dtype=np.float64),
            error=(torch.from_numpy(target).transpose(0, 1) - mean).half(),
            sd=sd.half(),
            maps=torch.stack([self.pool(m) for m in maps]),
        )

    def _pooled(self, subject: Subject, maps: torch.Tensor) -> dict[str, torch.Tensor]:
        """What `example` needs of a subject, on the coarse grid."""
        method, store = self.method, self.method.material.store
        target, _ = method.mean_stage.targets(subject, np.arange(method.grid.shape[2]))
        t1 = torch.from_numpy(_slices_first(store.t1(subject.row)))
        brain = torch.from_numpy(_slices_first(store.brain(subject.row)).astype(np.float32))
        return {
            "maps": maps,
            "target": self.pool(torch.from_numpy(target).transpose(0, 1)),
            "t1": self.pool(t1[None])[0],
            "brain": self.pool(brain[None])[0],
        }

    def coarse(self, subject: Subject, flair: bool) -> dict[str, torch.Tensor]:
        """Maps (T, M, k, i, j), targets (T, k, i, j), T1 and brain, pooled; kept per subject.

        Only a limited number of subjects is held out, so what is kept does not grow with the
        store.
        """
        key = (subject.row, flair)
        if key not in self._coarse:
            maps = self.method.mean_stage.volume_maps(
                subject, flair=flair, scanner=scanner_of(subject)
            )
            pooled = torch.stack([self.pool(m) for m in maps])
            self._coarse[key] = self._pooled(subject, pooled)
        return self._coarse[key]

    def pool(self, volume: torch.Tensor) -> torch.Tensor:
        """(C, K, I, J) to the coarse grid."""
        return F.avg_pool3d(volume[None], self.factor)[0]

    def example(
        self,
        subject: Subject,
        tracer: int,
        clinical: dict[str, float | None],
        flair: bool,
        scanner: str | None,
    ) -> tuple[torch.Tensor, torch.Tensor, NDArray[np.float32]]:
        """Residual (1, k, i, j), conditioning volumes (4, k, i, j) and vector."""
        method, coarse = self.method, self.coarse(subject, flair)
        vector = clinical_vector(clinical, method.facts["clinical_scaling"])
        with torch.no_grad():
            scalars = method.mean.scalars(torch.from_numpy(vector)[None].to(_device(method)))
            told = method.regional.expects(subject, clinical, flair, scanner)[:, tracer]
            whole = np.stack([paint(values, method.grid).transpose(2, 0, 1) for values in told])
            painted = self.pool(torch.from_numpy(whole))[:, None, None]
            mean, sd = method.mean.combine(
                coarse["maps"][None, tracer : tracer + 1],
                scalars[:, tracer : tracer + 1].cpu(),
                Regional(*painted),
            )
        mean = mean[0, 0]
        if subject.row in self._corrections:
            mean = mean + self._corrections[subject.row][tracer]
        sd = sd[0, 0] * method.spread[tracer]
        residual = (coarse["target"][tracer] - mean) / sd * (coarse["brain"] > INSIDE)
        volumes = torch.stack([mean, sd.log(), coarse["t1"], coarse["brain"]])
        one_hot = np.eye(len(method.tracers), dtype=np.float32)[tracer]
        condition = np.concatenate([one_hot, vector, scanner_vector(scanner, method.facts)])
        return residual[None], volumes, condition

    def draw(self, subject: Subject, rng: np.random.Generator) -> Example:
        """One tracer of one subject with noise and time."""
        method = self.method
        hide = method.config.hide
        clinical = hidden_clinic(subject, hide, rng)
        flair = subject.flair and bool(rng.random() >= hide.no_flair)
        scanner = None if rng.random() < hide.average_scanner else scanner_of(subject)
        present = [t for t, name in enumerate(method.tracers) if name in subject.tracers]
        tracer = present[int(rng.integers(len(present)))]
        residual, volumes, condition = self.example(subject, tracer, clinical, flair, scanner)
        if rng.random() < method.config.mirror:
            residual, volumes = residual.flip(-2), volumes.flip(-2)
        return {
            "residual": residual.numpy(),
            "volumes": volumes.numpy(),
            "condition": condition,
            "noise": rng.normal(size=residual.shape).astype(np.float32),
            # Near t = 0 all of the structure is decided.
            "time": np.asarray(rng.random() ** 1.5, dtype=np.float32),
        }

    def loss(self, batch: Batch) -> Terms:
        """Squared error of the predicted residual in the brain, each example alike."""
        t = batch["time"].reshape(-1, 1, 1, 1, 1)
        x = (1 - t) * batch["noise"] + t * batch["residual"]
        predicted = self.method.residual(x, batch["time"], batch["volumes"], batch["condition"])
        inside = (batch["volumes"][:, 3:4] > INSIDE).float()
        squared = (predicted.float() - batch["residual"]) ** 2 * inside
        loss = (squared.sum((1, 2, 3, 4)) / inside.sum((1, 2, 3, 4)).clamp_min(1)).mean()
        return {"loss": loss}

    def score(self, subject: Subject) -> dict[str, float]:
        """The loss over fixed times and noise, all tracers of the subject."""
        rng = np.random.default_rng([self.method.seed, 7])
        losses = []
        clinical, scanner = subject.clinical.numbers(), scanner_of(subject)
        for t, name in enumerate(self.method.tracers):
            if name not in subject.tracers:
                continue
            parts = self.example(subject, t, clinical, subject.flair, scanner)
            noise = rng.normal(size=(len(SCORE_TIMES), *parts[0].shape)).astype(np.float32)
            batch = {
                "residual": parts[0].expand(len(SCORE_TIMES), *parts[0].shape),
                "volumes": parts[1].expand(len(SCORE_TIMES), *parts[1].shape),
                "condition": torch.from_numpy(parts[2]).expand(len(SCORE_TIMES), -1),
                "noise": torch.from_numpy(noise),
                "time": torch.tensor(SCORE_TIMES),
            }
            device = _device(self.method)
            losses.append(float(self.loss({k: v.to(device) for k, v in batch.items()})["loss"]))
        return {"score": float(np.mean(losses))}


def _slices_first(data: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(data.transpose(2, 0, 1))


def _device(method: FlowMethod) -> torch.device:
    device: torch.device = next(method.mean.parameters()).device
    return device
