"""What an evaluation holds in memory: regional values of every estimator, one image at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...quantify import HEADLINE
from ...tracers import tracer as tracer_of
from ..oracle import ONLY_DIAGNOSIS
from ..regions import region_index, region_keys, regional_means
from ..store import Store, Subject
from ..tidy import INFORMATION

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

ORACLE = "oracle"
HEALTHY = frozenset({"none", "cn", "cu", "hc", "nc", "control", "healthy", "normal"})
"""Diagnoses (lower case) of people whose PET makes the norm."""


@dataclass(frozen=True, eq=False)
class Regional:
    """Regional values of one estimator for N subjects and R regions, in SUVR.

    Attributes
    ----------
    model, seed, tracer, information
        What it is (columns of `tidy.Row`).
    mean
        (N, R): point value; NaN where the subject has no such PET or the region no voxel.
    median
        (N, R): the value judged by absolute error; the mean unless the estimator knows better.
    sd
        (N, R): standard deviation of the regional value, or None.
    low, high
        (N, R): 90 % interval, or None.
    draws
        float32 (N, K, R): samples, or None.
    """

    model: str
    seed: int
    tracer: str
    information: str
    mean: Floats
    median: Floats
    sd: Floats | None = None
    low: Floats | None = None
    high: Floats | None = None
    draws: Image | None = None


Key = tuple[str, int, str, str]


@dataclass(frozen=True, eq=False)
class Results:
    """All regional values of an evaluation.

    Attributes
    ----------
    store
        The judged data.
    subjects
        The judged split, N subjects.
    truth
        Tracer -> (N, R): what is judged against: the PET without noise when the subjects are
        simulated, the acquired PET when they are real.
    acquired
        Tracer -> (N, R): the acquired PET.
    regional
        (model, seed, tracer, information) -> values.
    models
        Labels of the learnt models; every other label is a control or the oracle.
    seeds
        Model -> number of training seeds.
    training
        Store whose training split taught the controls; None when it is ``store``.
    """

    store: Store
    subjects: tuple[Subject, ...]
    truth: dict[str, Floats]
    acquired: dict[str, Floats]
    regional: dict[Key, Regional]
    models: tuple[str, ...]
    seeds: dict[str, int]
    training: Store | None = None

    @property
    def tracers(self) -> tuple[str, ...]:
        """Keys of the tracers that are judged."""
        return tuple(self.truth)

    @property
    def anatomies(self) -> tuple[str, ...]:
        """(N,): whose brain each subject is."""
        return tuple(s.anatomy for s in self.subjects)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of all estimators: models first, then controls, the oracle last."""
        found = list(dict.fromkeys(model for model, *_ in self.regional))
        rest = [label for label in found if label not in (*self.models, ORACLE)]
        return (*self.models, *rest, *([ORACLE] if ORACLE in found else []))

    def seeds_of(self, label: str) -> int:
        """Number of training seeds (1 for a control)."""
        return 1 + max((seed for model, seed, *_ in self.regional if model == label), default=0)

    def information_of(self, label: str, tracer: str) -> tuple[str, ...]:
        """Information sets an estimator was run with, poorest first."""
        found = {info for model, _, t, info in self.regional if (model, t) == (label, tracer)}
        return tuple(info for info in INFORMATION if info in found)

    def best(self, label: str, seed: int, tracer: str) -> Regional:
        """The estimator with the richest information it was run with (`KeyError` if none)."""
        found = self.information_of(label, tracer)
        if not found:
            raise KeyError(f"{label} was not run for {tracer}")
        return self.regional[label, seed, tracer, found[-1]]

    def target(self, tracer: str) -> int:
        """Position of the tracer's target region."""
        return region_index(tracer_of(tracer).target_region)

    def absolute_error(
        self, label: str, tracer: str, information: str, region: int | None = None
    ) -> Floats:
        """|value - truth| of a region (the target when left out), (N, S) over training seeds."""
        column = self.target(tracer) if region is None else region
        truth = self.truth[tracer][:, column]
        values = [
            self.regional[label, seed, tracer, information].median[:, column]
            for seed in range(self.seeds_of(label))
        ]
        return np.abs(np.stack(values, 1) - truth[:, None])


@dataclass(frozen=True, eq=False)
class ImageCase:
    """One synthetic image beside the true one, for checks that look at voxels.

    Attributes
    ----------
    model, seed, tracer, information
        What made it.
    subject
        Whose.
    truth, synthetic
        (I, J, K), SUVR.
    norm_mean, norm_sd
        (I, J, K): mean and standard deviation over healthy people of the training split.
    brain
        Brain mask.
    labels
        Region labels.
    lesions
        Planted focal lesions as the simulator wrote them; None when unknown.
    voxel_ml
        Volume of a voxel.
    """

    model: str
    seed: int
    tracer: str
    information: str
    subject: Subject
    truth: Image
    synthetic: Image
    norm_mean: Image
    norm_sd: Image
    brain: NDArray[np.bool_]
    labels: NDArray[np.uint8]
    lesions: list[dict[str, Any]] | None
    voxel_ml: float


def large_regions() -> tuple[str, ...]:
    """Keys of the lobes, striatum, thalamus and cerebellum: what every report shows first."""
    return tuple(k for name in HEADLINE for k in region_keys() if k.partition(".")[0] == name)


def true_image(store: Store, subject: Subject, tracer: str) -> Image:
    """What a synthetic PET is judged against: without noise when known, else as acquired."""
    if store.has_truth(tracer):
        return store.truth(subject.row, tracer)
    return store.pet(subject.row, tracer)


def regional_table(
    store: Store, subjects: tuple[Subject, ...], tracer: str, *, acquired: bool = False
) -> Floats:
    """(N, R): regional means of the true (or the acquired) PET, NaN where there is none."""
    table = np.full((len(subjects), len(region_keys())), np.nan)
    for n, subject in enumerate(subjects):
        if tracer in subject.tracers:
            image = (
                store.pet(subject.row, tracer) if acquired else true_image(store, subject, tracer)
            )
            table[n] = regional_means(store.regions(subject.row), image)
    return table


def is_healthy(subject: Subject) -> bool:
    """Whether a known diagnosis names no disease."""
    return subject.diagnosis.lower() in HEALTHY


def healthy_people(subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """People whose diagnosis is known to name no disease; nobody where no diagnosis is known."""
    return tuple(s for s in subjects if is_healthy(s))


def simulation_record(store: Store, subject: Subject) -> dict[str, Any] | None:
    """What the simulator wrote down of a subject (latents, focal deficit), or None."""
    path = store.folder / "oracle" / f"{subject.subject}.json"
    if not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def planted_lesions(store: Store, subject: Subject) -> list[dict[str, Any]] | None:
    """The focal deficit that the simulator planted (none or one), or None when nobody knows."""
    record = simulation_record(store, subject)
    if record is None or "focal" not in record:
        return None
    return [record["focal"]] if record["focal"]["label"] else []


def configuration(store: Store) -> str:
    """``null``, ``default`` or ``strong`` for a simulated store, empty when nobody says."""
    records = (simulation_record(store, subject) for subject in store.subjects[:1])
    return next((str(r.get("config", "")) for r in records if r is not None), "")


def chosen_by(store: Store, subjects: Iterable[Subject]) -> str:
    """The diagnosis that simulated people were chosen by, empty when they were not chosen.

    The oracle's prior is the law of all people: it cannot be asked about such a choice.
    """
    records = (simulation_record(store, subject) or {} for subject in subjects)
    return next((str(r[ONLY_DIAGNOSIS]) for r in records if r.get(ONLY_DIAGNOSIS)), "")


def with_values(values: Regional, factor: Floats) -> Regional:
    """``values`` times ``factor`` (N, R), spread and draws included."""
    return replace(
        values,
        mean=values.mean * factor,
        median=values.median * factor,
        sd=None if values.sd is None else values.sd * factor,
        low=None if values.low is None else values.low * factor,
        high=None if values.high is None else values.high * factor,
        draws=None if values.draws is None else (values.draws * factor[:, None]).astype(np.float32),
    )
