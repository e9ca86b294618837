"""What `flow` knows before any network is trained: the regional model, fitted in closed form.

The model (`generate.flow.regional`) expects the uptake of every region from numbers of the MRI, the
clinic and the scanner. It is fitted by cross-validation over people, so that a subject
is always told what a model expects that never saw that person.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from ...generate.condition import scanner_vector
from ...generate.flow.reading import REGIONS, Reading, read_mri, variables
from ...generate.flow.regional import RegionalModel
from ...request import SCANNERS
from ..regions import label_sums
from ..store import Subject
from .interface import Material, scanner_of
from .regional_fit import fit_folds, folds, held_out_error


class RegionalPart:
    """The regional models of everybody and of every fold.

    Parameters
    ----------
    material
        What is learnt from.
    scale
        (T,) SUVR that counts as 1 in the networks.
    seed
        Deals people to folds.

    Attributes
    ----------
    whole
        The model of everybody, which goes into the bundle.
    model_for
        Row of a training subject -> the model that never saw that person.
    tracer_weight
        (T,): how strongly each tracer's error counts, mean 1.
    """

    whole: RegionalModel
    model_for: dict[int, RegionalModel]
    tracer_weight: torch.Tensor

    def __init__(self, material: Material, scale: NDArray[np.float32], seed: int) -> None:
        self.material, self.scale, self.seed = material, scale, seed
        self.tracers = material.store.tracers
        self._readings: dict[int, Reading] = {}

    def prepare(self, tell: Callable[[str, int, int], None]) -> dict[str, torch.Tensor]:
        """See `TrainingMethod.prepare`."""
        train = self.material.train
        everyone = (*train, *self.material.validation)
        readings, uptake = [], []
        for k, subject in enumerate(everyone):
            tell("Measuring regions", k, len(everyone))
            readings.append(self.read(subject)[0])
            if k < len(train):
                uptake.append(self.uptake(subject))
        known = np.stack(
            [
                _known(reading, s.clinical.numbers(), s.flair, scanner_of(s))
                for reading, s in zip(readings, train, strict=False)
            ]
        )
        target = np.stack(uptake)
        fold = folds([s.anatomy for s in train], self.seed)
        whole, parts = fit_folds(known, target, fold)
        unknown = np.nanmean(held_out_error(parts, known, target, fold) ** 2, (0, 2))
        state = {
            "regions": np.stack([r.regions for r in readings]),
            "flair": np.stack([r.flair for r in readings]),
            "fold": fold,
            "unknown": unknown,
        }
        for prefix, model in (("whole", whole), *((f"fold{k}", p) for k, p in enumerate(parts))):
            state |= {f"{prefix}.{name}": a for name, a in model.arrays().items()}
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in state.items()}

    def use(self, prepared: dict[str, torch.Tensor]) -> None:
        """See `TrainingMethod.use`."""
        arrays = {name: t.numpy() for name, t in prepared.items()}

        def model(prefix: str) -> RegionalModel:
            return RegionalModel.from_arrays(
                {
                    n.removeprefix(f"{prefix}."): a
                    for n, a in arrays.items()
                    if n.startswith(f"{prefix}.")
                }
            )

        self.whole = model("whole")
        parts = [model(f"fold{k}") for k in sorted({int(k) for k in arrays["fold"]})]
        everyone = (*self.material.train, *self.material.validation)
        read = zip(everyone, arrays["regions"], arrays["flair"], strict=True)
        self._readings = {s.row: Reading(regions, flair) for s, regions, flair in read}
        self.model_for = {
            s.row: parts[int(k)] for s, k in zip(self.material.train, arrays["fold"], strict=True)
        }
        # A tracer that MRI can hardly tell must not drown the others.
        weight = self.scale**2 / np.maximum(arrays["unknown"], 1e-4)
        self.tracer_weight = torch.from_numpy((weight / weight.mean()).astype(np.float32))

    def read(self, subject: Subject) -> tuple[Reading, NDArray[np.float32]]:
        """What is read off a subject's MRI, and its grey matter (I, J, K)."""
        store, volume = self.material.store, self.material.volume
        flair = volume(store.flair(subject.row)) if subject.flair else None
        return read_mri(volume(store.t1(subject.row)), volume(store.brain(subject.row)), flair)

    def uptake(self, subject: Subject) -> NDArray[np.float64]:
        """(T, R) true SUVR over the subject's own regions; NaN without a PET or a voxel."""
        return np.stack(
            [
                self.own_means(subject, self.material.pet(subject, tracer))
                if tracer in subject.tracers
                else np.full(len(REGIONS), np.nan)
                for tracer in self.tracers
            ]
        )

    def own_means(self, subject: Subject, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """(R,): mean of an image over each of the subject's own regions; NaN without a voxel."""
        labels = self.material.store.regions(subject.row)
        size = label_sums(labels)[list(REGIONS)]
        total = label_sums(labels, image)[list(REGIONS)]
        return np.asarray(np.where(size > 0, total / np.maximum(size, 1), np.nan))

    def expects(
        self,
        subject: Subject,
        clinical: dict[str, float | None],
        flair: bool,
        scanner: str | None,
    ) -> NDArray[np.float32]:
        """(2, T, R): what the regional model that never saw this person expects beyond the average,
        and how far it may err; in network scale.
        """
        model = self.model_for.get(subject.row, self.whole)
        known = _known(self._readings[subject.row], clinical, flair, scanner)
        both = np.stack([model.deviation(known), model.spread(known)])
        return np.asarray(both / self.scale[:, None], dtype=np.float32)


def _known(
    reading: Reading, clinical: dict[str, float | None], flair: bool, scanner: str | None
) -> NDArray[np.float64]:
    """The model's variables (R, D), those of a FLAIR that is not shown left out."""
    shown = reading if flair else reading.without_flair()
    return variables(shown, clinical, scanner_vector(scanner, {"scanners": list(SCANNERS)}))
