"""What was run against what the protocol had fixed: every difference is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..acquaintance import Doubt, seen_by
from ..fingerprint import fingerprints
from ..oracle import ONLY_DIAGNOSIS
from ..prepare.grids import GRIDS
from ..store import SPLITS, Store
from ..tidy import Claim, Section, Table
from .predictor import Predictor
from .protocol import AS_PUBLISHED, FIRST_SITE, Entries, Entry, PlannedCohort, Protocol
from .results import Results, simulation_record

OVERTIME = 1.05
"""Trainings end after the step and the validation that are under way."""
NOT_STATED = "not stated"
TAUGHT, CALIBRATING = ("train", "validation"), ("calibration",)
"""Splits whose people a model may have seen."""
NOT_CHECKED = (
    "Compared are cohort, split sizes, tracers, grid, samples, training minutes, seeds, size of "
    "the weights, training people, information and the tuning as the method's row records it. The "
    "machine no file can show, nor whether there were tuning runs that the row is silent about."
)


@dataclass(frozen=True)
class Deviation:
    """One thing that was run otherwise than fixed.

    Attributes
    ----------
    what
        Which thing.
    fixed, run
        What the protocol says, and what was done.
    model
        Label of the method that it concerns; empty: all.
    """

    what: str
    fixed: str
    run: str
    model: str = ""


def deviations(
    protocol: Protocol,
    results: Results,
    predictors: Sequence[Predictor],
    *,
    split: str,
    samples: int,
    entries: Entries,
) -> list[Deviation]:
    """Every difference between an evaluation and its protocol.

    Parameters
    ----------
    results
        Who was judged, on which tracers, with which training store.
    split, samples
        The judged split; samples that were drawn of each model that draws any.
    entries
        The methods' rows.
    """
    training, origin = results.training or results.store, origin_of(results.store)
    found = [*_cohort(protocol, results.store, origin, "judged")]
    if training.folder != results.store.folder:
        found += _cohort(protocol, training, origin_of(training), "training")
    cohort = planned(protocol, origin)
    found += [*_judged(protocol, results, split, cohort), *_setting(protocol, results)]
    if any(p.draws_samples for p in predictors):
        found += _differs("samples a subject", protocol.samples, samples)
    taught = _people(training, TAUGHT), _people(training, CALIBRATING)
    for label in results.models:
        mine = [p for p in predictors if p.label == label]
        of_it = _method(protocol, label, mine, entries.get(label))
        for predictor in mine:
            of_it += _weights(protocol, predictor, *taught)
        found += [replace(deviation, model=label) for deviation in of_it]
    return found


Origin = set[tuple[str, str, int]]
"""Configuration, site and seed of the simulated subjects of a store."""


def planned(protocol: Protocol, origin: Origin) -> PlannedCohort | None:
    """The protocol's cohort that a store of that origin holds; None when none or several."""
    for cohort in protocol.cohorts:
        if origin == {(cohort.config, cohort.site, cohort.seed)}:
            return cohort
    return None


def origin_of(store: Store) -> Origin:
    """Where the subjects of a store come from; people chosen by a diagnosis are another cohort."""
    found = set()
    for subject in store.subjects:
        if (r := simulation_record(store, subject)) is not None:
            only = f", only {r[ONLY_DIAGNOSIS]}" if r.get(ONLY_DIAGNOSIS) else ""
            config = f"{r.get('config')}{only}"
            found.add((config, str(r.get("site", FIRST_SITE)), int(r.get("seed", -1))))
    return found


def _cohort(protocol: Protocol, store: Store, found: Origin, role: str) -> list[Deviation]:
    if not protocol.cohorts:
        return []
    cohort = planned(protocol, found)
    if cohort is None:
        fixed = "; ".join(
            f"{c.name}: {c.config}, {c.site}, seed {c.seed}" for c in protocol.cohorts
        )
        run = "; ".join(f"{config}, {site}, seed {seed}" for config, site, seed in sorted(found))
        return [Deviation(f"{role} cohort", fixed, run or "not simulated, or nobody says how")]
    there = Counter(s.split for s in store.subjects)
    return _differs(
        f"split sizes of the {role} cohort {cohort.name}", _sizes(cohort.split), _sizes(there)
    )


def _sizes(split: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {split[name]}" for name in SPLITS if split.get(name))


def _judged(
    protocol: Protocol, results: Results, split: str, cohort: PlannedCohort | None
) -> list[Deviation]:
    found = _differs("judged split", "test", split) if protocol.cohorts else []
    if cohort is not None and split == "test":
        there = sum(s.split == split for s in results.store.subjects)
        # Subjects that the store lacks are told with the split sizes.
        found += _differs("judged subjects of the split", there, len(results.subjects))
    return found


def _setting(protocol: Protocol, results: Results) -> list[Deviation]:
    found = []
    if protocol.tracers and set(protocol.tracers) != set(results.tracers):
        found.append(Deviation("tracers", _listed(protocol.tracers), _listed(results.tracers)))
    grid = results.store.grid
    if protocol.grid in GRIDS and not grid.same_as(GRIDS[protocol.grid]):
        run = f"{grid.shape}, {grid.spacing[0]:.3g} mm, {grid.name}"
        found.append(Deviation("grid", protocol.grid, run))
    return found


def _method(
    protocol: Protocol, label: str, runs: Sequence[Predictor], entry: Entry | None
) -> list[Deviation]:
    """Seeds, tracers, information and tuning of one method; its row may be on another track."""
    trained = [p for p in runs if p.bundle.weights.is_file()]
    seeds = [_training(p).get("seed", NOT_STATED) for p in trained]
    found = []
    if trained and protocol.seeds and sorted(map(str, seeds)) != sorted(map(str, protocol.seeds)):
        found.append(Deviation(f"{label}: seeds", _listed(protocol.seeds), _listed(seeds)))
    published = entry is not None and entry.track == AS_PUBLISHED
    if published and entry is not None and not entry.inputs:
        found.append(Deviation(f"{label}: inputs of the paper", "named in its row", "not named"))
    if not published:
        missing = [t for t in protocol.tracers if t not in runs[0].tracers]
        if missing:
            fixed = _listed(protocol.tracers)
            found.append(Deviation(f"{label}: tracers", fixed, _listed(runs[0].tracers)))
        if protocol.information not in ("", *runs[0].information):
            run = _listed(runs[0].information)
            found.append(Deviation(f"{label}: information", protocol.information, run))
    if trained and protocol.tuning:
        found += _tuning(protocol, label, entry or Entry())
    return found


def _tuning(protocol: Protocol, label: str, entry: Entry) -> list[Deviation]:
    """Whether the tuning is on record, and no more of it than was allowed."""
    if not entry.tuning:
        return [Deviation(f"{label}: tuning", protocol.tuning, "not recorded in its row")]
    if protocol.tuning_runs is None:
        return []
    if entry.tuning_runs is None:
        return [Deviation(f"{label}: tuning runs", protocol.tuning, "not counted in its row")]
    if entry.tuning_runs <= protocol.tuning_runs:
        return []
    run = f"{entry.tuning_runs}: {entry.tuning}"
    return [Deviation(f"{label}: tuning runs", protocol.tuning, run)]


def _weights(
    protocol: Protocol, predictor: Predictor, taught: set[str], calibrating: set[str]
) -> list[Deviation]:
    """Minutes, size and people of one training; nothing for a model without weights."""
    bundle, training = predictor.bundle, _training(predictor)
    if not bundle.weights.is_file():
        return []
    name = f"{predictor.label}, seed {training.get('seed', predictor.seed)}"
    found = []
    if protocol.minutes is not None:
        limit = training.get("settings", {}).get("train", {}).get("max_minutes")
        spent = training.get("minutes")
        found += _differs(f"{name}: training minutes, limit", protocol.minutes, limit)
        if spent is not None and spent > OVERTIME * protocol.minutes:
            found += _differs(f"{name}: training minutes, spent", protocol.minutes, spent)
    size = bundle.weights.stat().st_size / 1e6
    if protocol.checkpoint_mb is not None and size > protocol.checkpoint_mb:
        fixed = f"at most {protocol.checkpoint_mb:g} MB"
        found.append(Deviation(f"{name}: weights", fixed, f"{size:.2f} MB"))
    if protocol.cohorts:
        seen = seen_by(bundle.config)
        what = f"{name}: training people"
        if seen.doubt is not None:
            unsaid = seen.doubt is Doubt.UNSAID
            run = NOT_STATED if unsaid else f"perhaps of others too: it {seen.doubt}"
            found.append(Deviation(what, _of_splits(TAUGHT), run))
        found += _strangers(what, TAUGHT, seen.trained, taught)
        what = f"{name}: calibration people"
        found += _strangers(what, CALIBRATING, seen.calibrated, calibrating)
    return found


def _strangers(
    what: str, splits: Sequence[str], stated: Collection[str], allowed: set[str]
) -> list[Deviation]:
    others = len(set(stated) - allowed)
    return [Deviation(what, _of_splits(splits), f"{others} from elsewhere")] if others else []


def _of_splits(splits: Sequence[str]) -> str:
    return f"of the split {' or '.join(splits)}"


def _people(store: Store, splits: Iterable[str]) -> set[str]:
    return set(fingerprints(store, (s for s in store.subjects if s.split in splits)))


def _training(predictor: Predictor) -> dict[str, Any]:
    training: dict[str, Any] = predictor.bundle.config.get("training", {})
    return training


def _differs(what: str, fixed: Any, run: Any) -> list[Deviation]:
    if fixed is None or fixed == run:
        return []
    return [Deviation(what, _words(fixed), _words(run))]


def _words(value: Any) -> str:
    if value is None:
        return NOT_STATED
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values) or "none"


def protocol_section(
    protocol: Protocol, found: Sequence[Deviation], models: Sequence[str], entries: Entries
) -> Section:
    """Each deviation as a failed claim, and how each method takes part."""
    claims = [
        Claim(
            f"Run under the protocol: {d.what}",
            False,
            f"not run under the protocol: {d.run}; fixed: {d.fixed}",
        )
        for d in found
    ] or [Claim(f"Run under the protocol {protocol.name}", True, "no deviation found")]
    rows = tuple(
        (label, e.track, e.inputs or NOT_STATED, e.tuning or "not recorded")
        for label in models
        for e in (entries.get(label, Entry()),)
    )
    return Section(
        "Protocol",
        (f"{protocol.name}, SHA-256 {protocol.sha256}.", NOT_CHECKED),
        tuple(claims),
        (Table("The methods' rows", ("Model", "Track", "Inputs", "Tuning"), rows),),
    )


def as_facts(
    protocol: Protocol, found: Sequence[Deviation], results: Results, entries: Entries
) -> dict[str, Any]:
    """What ``summary.json`` says of the protocol."""
    cohort = planned(protocol, origin_of(results.store))
    return {
        "name": protocol.name,
        "sha256": protocol.sha256,
        "cohort": None if cohort is None else cohort.name,
        "deviations": [vars(deviation) for deviation in found],
        "entries": {label: vars(entries.get(label, Entry())) for label in results.models},
    }
