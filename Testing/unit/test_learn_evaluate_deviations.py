"""What was run against what was fixed: nothing is passed over."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml")

from evaluate_case import make_predictor
from store_case import make_store

from PETSynthLib.learn.evaluate.deviations import (
    Deviation,
    as_facts,
    deviations,
    origin_of,
    planned,
    protocol_section,
)
from PETSynthLib.learn.evaluate.predictor import Predictor
from PETSynthLib.learn.evaluate.protocol import AS_PUBLISHED, Entry, PlannedCohort, Protocol
from PETSynthLib.learn.evaluate.results import Results, simulation_record
from PETSynthLib.learn.fingerprint import fingerprints
from PETSynthLib.learn.store import Store, Subject

SPLIT = {"train": 6, "validation": 2, "calibration": 2, "test": 2}
PROTOCOL = Protocol(
    name="p.yaml, version 1",
    sha256="0" * 64,
    primary=("fdg",),
    information="both",
    cohorts=(
        PlannedCohort("a", "default", "clinic", 41, SPLIT),
        PlannedCohort("null", "null", "clinic", 43, SPLIT),
    ),
    tracers=("fdg",),
    minutes=30.0,
    seeds=(1, 2),
    checkpoint_mb=3.0,
    samples=16,
    tuning="at most 4 short runs",
    tuning_runs=4,
)
ROW = {"reader": Entry(inputs="everything", tuning="none", tuning_runs=0)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = make_store(tmp_path_factory.mktemp("s") / "store", n=12, tracers=("fdg",))
    record = {"config": "default", "site": "clinic", "seed": 41}
    for subject in made.subjects:
        path = made.folder / "oracle" / f"{subject.subject}.json"
        path.write_text(json.dumps(record), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "model.safetensors").write_bytes(bytes(2_500_000))
    return folder


def trained(store: Store, folder: Path, seed: int, **changes: Any) -> Predictor:
    """A model that was trained as fixed, except for ``changes``."""
    people = [s for s in store.subjects if s.split in ("train", "validation")]
    training = {
        "seed": seed,
        "minutes": 30.4,
        "settings": {"train": {"max_minutes": 30.0}},
        "fingerprints": fingerprints(store, people),
        **changes,
    }
    plain = make_predictor(store, seed=seed - 1)
    config = {**plain.bundle.config, "training": training}
    return replace(plain, bundle=replace(plain.bundle, folder=folder, config=config))


def results(store: Store, people: int = 2) -> Results:
    judged = store.split("test")[:people]
    return Results(store, judged, {"fdg": None}, {}, {}, ("reader",), {"reader": 2})  # type: ignore[dict-item]


def strayed(store: Store, predictors: list[Predictor], **changes: Any) -> list[Deviation]:
    given = {"split": "test", "samples": 16, "entries": ROW, "people": 2, "protocol": PROTOCOL}
    given |= changes
    ran = results(store, given.pop("people"))
    return deviations(given.pop("protocol"), ran, predictors, **given)


def test_what_was_run_as_fixed_has_no_deviation(store: Store, weights: Path) -> None:
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    assert strayed(store, models) == []
    assert planned(PROTOCOL, origin_of(store)) == PROTOCOL.cohorts[0]


def test_half_the_minutes_and_another_seed_are_told(store: Store, weights: Path) -> None:
    short = trained(store, weights, 1, settings={"train": {"max_minutes": 20.0}})
    found = strayed(store, [short, trained(store, weights, 3)])
    assert Deviation("reader: seeds", "1, 2", "1, 3", "reader") in found
    assert Deviation("reader, seed 1: training minutes, limit", "30", "20", "reader") in found
    assert len(found) == 2


def test_a_training_that_ran_over_is_told(store: Store, weights: Path) -> None:
    late = trained(store, weights, 1, minutes=33.0)
    found = strayed(store, [late, trained(store, weights, 2)])
    assert found == [Deviation("reader, seed 1: training minutes, spent", "30", "33", "reader")]


def test_a_training_that_says_nothing_is_told(store: Store, weights: Path) -> None:
    silent = trained(store, weights, 1)
    config = {**silent.bundle.config, "training": {"seed": 1}}
    silent = replace(silent, bundle=replace(silent.bundle, config=config))
    found = {d.what: d.run for d in strayed(store, [silent, trained(store, weights, 2)])}
    assert found == {
        "reader, seed 1: training minutes, limit": "not stated",
        "reader, seed 1: training people": "not stated",
    }


def test_people_from_elsewhere_are_counted(store: Store, weights: Path) -> None:
    more = [*fingerprints(store, store.split("train")), "0" * 16]
    found = strayed(
        store, [trained(store, weights, 1, fingerprints=more), trained(store, weights, 2)]
    )
    assert [(d.what, d.run) for d in found] == [
        ("reader, seed 1: training people", "1 from elsewhere")
    ]


def test_an_origin_of_unknown_people_is_told(store: Store, weights: Path) -> None:
    tuned = trained(store, weights, 1, init={"name": "first", "people_known": False})
    found = strayed(store, [tuned, trained(store, weights, 2)])
    assert [d.what for d in found] == ["reader, seed 1: training people"]
    assert "perhaps of others too" in found[0].run


def test_heavy_weights_are_weighed(store: Store, weights: Path) -> None:
    light = replace(PROTOCOL, checkpoint_mb=2.4)
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    found = strayed(store, models, protocol=light)
    assert {d.run for d in found} == {"2.50 MB"}
    assert len(found) == 2


def test_lost_subjects_and_a_part_of_the_split_are_told(store: Store, weights: Path) -> None:
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    larger = PlannedCohort("a", "default", "clinic", 41, {**SPLIT, "test": 3})
    found = strayed(store, models, protocol=replace(PROTOCOL, cohorts=(larger,)), people=1)
    assert [(d.what, d.fixed, d.run) for d in found] == [
        (
            "split sizes of the judged cohort a",
            "train 6, validation 2, calibration 2, test 3",
            "train 6, validation 2, calibration 2, test 2",
        ),
        ("judged subjects of the split", "2", "1"),
    ]


def test_another_cohort_samples_tracers_and_grid_are_told(store: Store, weights: Path) -> None:
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    other = replace(PROTOCOL, cohorts=PROTOCOL.cohorts[1:], tracers=("fdg", "pib"), grid="3mm")
    found = {d.what: d for d in strayed(store, models, protocol=other, samples=4)}
    assert set(found) == {
        "judged cohort", "tracers", "grid", "samples a subject", "reader: tracers",
    }  # fmt: skip
    assert found["judged cohort"].run == "default, clinic, seed 41"
    assert found["samples a subject"] == Deviation("samples a subject", "16", "4")
    assert found["tracers"].run == "fdg"


def test_people_of_one_diagnosis_are_no_planned_cohort(store: Store, weights: Path) -> None:
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    path = store.folder / "oracle" / f"{store.subjects[0].subject}.json"
    before = path.read_text(encoding="utf-8")
    record = json.loads(before)
    try:
        for subject in store.subjects:
            other = path.with_name(f"{subject.subject}.json")
            other.write_text(json.dumps({**record, "only_diagnosis": "CN"}), encoding="utf-8")
        found = {d.what: d.run for d in strayed(store, models)}
    finally:
        for subject in store.subjects:
            path.with_name(f"{subject.subject}.json").write_text(before, encoding="utf-8")
    assert found["judged cohort"] == "default, only CN, clinic, seed 41"


def test_each_person_s_origin_is_read_once(
    store: Store, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(of: Store, subject: Subject) -> dict[str, Any] | None:
        asked.append(subject.subject)
        return simulation_record(of, subject)

    monkeypatch.setattr("PETSynthLib.learn.evaluate.deviations.simulation_record", counted)
    assert strayed(store, [trained(store, weights, 1), trained(store, weights, 2)]) == []
    assert sorted(asked) == sorted(s.subject for s in store.subjects)


def test_tuning_that_nobody_recorded_is_told(store: Store, weights: Path) -> None:
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    assert [d.what for d in strayed(store, models, entries={})] == ["reader: tuning"]


@pytest.mark.parametrize(
    ("runs", "told"),
    [(4, []), (5, ["5: as it came"]), (None, ["not counted in its row"])],
)
def test_more_tuning_runs_than_allowed_or_uncounted_ones_are_told(
    store: Store, weights: Path, runs: int | None, told: list[str]
) -> None:
    models = [trained(store, weights, 1), trained(store, weights, 2)]
    row = {"reader": Entry(tuning="as it came", tuning_runs=runs)}
    found = strayed(store, models, entries=row)
    assert [d.run for d in found] == told
    assert all(d.what == "reader: tuning runs" for d in found)


def test_fewer_inputs_are_a_deviation_unless_they_are_the_paper_s(
    store: Store, weights: Path
) -> None:
    def without_clinic(predictor: Predictor) -> Predictor:
        config = {**predictor.bundle.config, "uses": ["age"]}
        return replace(predictor, bundle=replace(predictor.bundle, config=config))

    models = [without_clinic(trained(store, weights, seed)) for seed in (1, 2)]
    assert [(d.what, d.run) for d in strayed(store, models)] == [("reader: information", "mri")]
    published = {"reader": Entry(AS_PUBLISHED, "T1 alone", "none", 0)}
    assert strayed(store, models, entries=published) == []
    unnamed = {"reader": Entry(AS_PUBLISHED, "", "none", 0)}
    found = strayed(store, models, entries=unnamed)
    assert [d.what for d in found] == ["reader: inputs of the paper"]


def test_what_a_protocol_leaves_open_is_not_compared(store: Store, weights: Path) -> None:
    open_one = Protocol("p.yaml, version 1", "0" * 64, ("fdg",))
    assert strayed(store, [trained(store, weights, 7)], protocol=open_one, samples=2) == []


def test_each_deviation_is_a_failed_claim_and_stands_in_the_summary(store: Store) -> None:
    found = [Deviation("grid", "3mm", "2 mm"), Deviation("reader: seeds", "1, 2", "1")]
    section = protocol_section(PROTOCOL, found, ("reader",), ROW)
    assert [c.held for c in section.claims] == [False, False]
    assert section.claims[0].words == "Run under the protocol: grid"
    assert section.claims[0].evidence == "not run under the protocol: 2 mm; fixed: 3mm"
    assert section.tables[0].rows == (("reader", "equal_inputs", "everything", "none"),)
    clean = protocol_section(PROTOCOL, [], ("reader",), ROW)
    assert [c.held for c in clean.claims] == [True]
    body = json.loads(json.dumps(as_facts(PROTOCOL, found, results(store), ROW)))
    assert body["cohort"] == "a"
    assert body["deviations"][0] == {
        "what": "grid",
        "fixed": "3mm",
        "run": "2 mm",
        "model": "",
    }
    assert body["entries"]["reader"]["track"] == "equal_inputs"
