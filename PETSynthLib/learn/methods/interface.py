"""What a method must offer to be trained: networks, examples, losses, scores, and its bundle.

The engine (`learn.train.engine`) owns everything else: devices, precision, processes, schedule,
averages, checkpoints, log, limits of time. It knows no method by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...clinical import ClinicalRecord
from ...errors import ErrorCode, PETSynthError
from ...generate.interface import GeneratorInput
from ...request import SCANNERS, Preset
from ...tracers import tracer as tracer_named
from ...volume import Volume
from ..place import Place
from ..store import Store, Subject

Example = dict[str, NDArray[Any]]
"""One training example: named arrays, whose first axis is not the batch."""
Batch = dict[str, torch.Tensor]
"""The same names, stacked; the first axis is the batch."""
Terms = dict[str, torch.Tensor]
"""Scalar losses by name, each a mean over the batch's examples; ``loss`` is minimised."""


class Memory(Protocol):
    """What an objective remembers from step to step beside its network's weights."""

    def state(self) -> dict[str, Any]:
        """Tensors and numbers for a checkpoint."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        ...


class Player(nn.Module):
    """Networks that one optimiser updates, with the loss they minimise.

    A method with rivals (generator, discriminator) has several; each takes its step in turn on
    the same batch.

    Parameters
    ----------
    name
        Unique in the method; names it in checkpoints and logs.
    network
        What is updated.
    objective
        The loss of a batch. It may read other players' networks, whose weights stay as they are.
    learning_rate
        Factor on the configured learning rate.
    betas
        Decays of Adam's two averages.
    memory
        What the objective remembers; it is kept with the checkpoints.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        objective: Callable[[Batch], Terms],
        learning_rate: float = 1.0,
        betas: tuple[float, float] = (0.9, 0.999),
        memory: Memory | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.betas, self.memory = betas, memory
        self.network = network
        self.learning_rate = learning_rate
        self._objective = objective

    def forward(self, batch: Batch) -> Terms:
        """The loss: going through ``forward`` is what lets processes share gradients."""
        return self._objective(batch)


@dataclass(frozen=True, eq=False)
class Stage:
    """A part of the training with its own players and its own schedule.

    Attributes
    ----------
    name
        Names it in checkpoints and logs.
    share
        Share of the whole budget; the shares of a method add up to 1.
    players
        Who is updated.
    subjects
        From whom examples are drawn.
    """

    name: str
    share: float
    players: tuple[Player, ...]
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, eq=False)
class Material:
    """What there is to learn from.

    Attributes
    ----------
    store
        The opened store.
    target
        ``truth`` (PET of the same scanner without noise) or ``acquired``.
    train, validation
        Subjects of the two splits.
    """

    store: Store
    target: str
    train: tuple[Subject, ...]
    validation: tuple[Subject, ...]

    def pet(self, subject: Subject, tracer: str) -> NDArray[np.float32]:
        """The PET (I, J, K) to be learnt, SUVR."""
        source = self.store.truth if self.target == "truth" else self.store.pet
        return source(subject.row, tracer)

    def pet_slices(
        self, subject: Subject, tracer: str, ks: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Axial slices (len(ks), I, J) of `pet`; only they are read."""
        name = f"{'truth' if self.target == 'truth' else 'pet'}_{tracer}"
        return self.store.slices(name, subject.row, ks).transpose(2, 0, 1)

    def volume(self, data: NDArray[Any]) -> Volume:
        """An array (I, J, K) of the store, with its place."""
        return Volume(data.astype(np.float32), self.store.grid.affine, self.store.grid.name)

    def inputs(
        self,
        subject: Subject,
        tracer: str,
        clinical: ClinicalRecord | None = None,
        *,
        flair: bool = True,
    ) -> GeneratorInput:
        """What a bundle's generator is given of a subject: everything that is known, or less.

        Parameters
        ----------
        clinical
            Facts to tell instead of the subject's own.
        flair
            Whether a FLAIR is shown where there is one.
        """
        store, row = self.store, subject.row
        return GeneratorInput(
            t1=self.volume(store.t1(row)),
            brain=self.volume(store.brain(row)),
            flair=self.volume(store.flair(row)) if subject.flair and flair else None,
            tracer=tracer_named(tracer),
            clinical=subject.clinical if clinical is None else clinical,
            pet_scanner=scanner_of(subject),
        )

    @property
    def words(self) -> str:
        """What the target is, for the model card."""
        if self.target == "truth":
            return "simulated PET of the chosen scanner without its noise"
        origin = "simulated" if self.store.simulated else "real"
        return f"acquired PET of {origin} subjects; the standard deviation includes its noise"


def presets_of(
    steps: Sequence[int], samples: Sequence[int] = (0, 1, 16)
) -> dict[str, dict[str, int]]:
    """``presets`` of a bundle: steps and samples of fast, balanced and best."""
    names = [preset.value for preset in Preset]
    return {
        name: {"samples": many, "steps": few}
        for name, many, few in zip(names, samples, steps, strict=True)
    }


def material_of(store: Store, target: str) -> Material:
    """The material of a store; ``auto`` takes the PET without noise where there is one.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the PET without noise is wanted and missing, or a split is empty.
    """
    chosen = target_of(store, target)
    return Material(store, chosen, store.split("train"), store.split("validation"))


def target_of(store: Store, target: str) -> str:
    """``truth`` or ``acquired``; ``auto`` is the former where the store knows it.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the PET without noise is wanted and missing.
    """
    known = all(store.has_truth(t) for t in store.tracers)
    if target == "truth" and not known:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The store {store.folder.name} has no PET without noise.",
            "Use --set train.target=acquired.",
        )
    return "truth" if known and target != "acquired" else "acquired"


def scanner_of(subject: Subject) -> str | None:
    """Manufacturer of the subject's PET scanner if models may know it."""
    name = subject.scanner.lower()
    return name if name in SCANNERS else None


class TrainingMethod(ABC):
    """A method being trained: built anew for every run from its settings and the material.

    The constructor makes the networks (torch is seeded by the engine). Everything that is
    learnt in closed form comes from `prepare` and is kept with the run.
    """

    name: ClassVar[str]
    """Also the folder in ``generate/`` that runs its bundles."""
    config_type: ClassVar[type]
    """Frozen dataclass of its settings."""
    train_defaults: ClassVar[dict[str, Any]] = {}
    """Settings of the engine that suit it better than the general ones."""
    stages: tuple[Stage, ...]
    material: Material

    @abstractmethod
    def __init__(self, config: Any, material: Material, seed: int) -> None: ...

    @abstractmethod
    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """Compute what needs no gradient (features, scalings), once a run.

        Parameters
        ----------
        tell
            Is told (words, done, total).
        """

    @abstractmethod
    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """Take over what `prepare` returned, in every process and after every resume."""

    def begin(self, stage: Stage) -> None:
        """A stage begins or is resumed; earlier stages' networks hold their best weights."""
        del stage

    def stand_at(self, stage: Stage, place: Place) -> None:
        """Told before every step where the stage's training stands."""
        del stage, place

    def may_stop(self, stage: Stage, best: Place, now: Place) -> bool:
        """Whether the stage may end early when no score has been better since ``best``."""
        del stage, best, now
        return True

    @abstractmethod
    def draw(self, stage: Stage, subject: Subject, rng: np.random.Generator) -> Example:
        """One example of a subject. All chance comes from ``rng``, also that of the loss."""

    @abstractmethod
    def score(self, stage: Stage, subject: Subject) -> dict[str, float]:
        """How well the (averaged) networks do on one validation subject; ``score`` is judged.

        It must not depend on other subjects, on batches or on chance. Lower is better.
        """

    @abstractmethod
    def preview(self, subject: Subject) -> NDArray[np.float32]:
        """A picture (rows, columns), 0..1, of target and prediction."""

    @abstractmethod
    def tensors(self) -> dict[str, torch.Tensor]:
        """The bundle's weights."""

    @abstractmethod
    def load(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None:
        """Start from a bundle's weights and ``method_config`` (``--init``).

        Raises
        ------
        ValueError
            When the bundle's networks are others.
        """

    @abstractmethod
    def bundle(self) -> dict[str, Any]:
        """``title``, ``uses``, ``presets``, ``method_config`` of the bundle; ``card``: a line.

        ``needs`` (optional) names inputs beside the T1 that the model cannot do without.
        """
