"""Diagnosis and scores predicted from every evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from checks_case import MODEL, R, person, results_of

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.checks import downstream as module
from PETSynthLib.learn.checks import nested
from PETSynthLib.learn.checks.downstream import downstream
from PETSynthLib.learn.checks.resampling import resamples
from PETSynthLib.learn.evaluate.results import Results
from PETSynthLib.learn.tidy import Row, Section

N = 40


@pytest.fixture(scope="module")
def results() -> Results:
    """Half AD, half CN. The model shows who has AD; the acquired PET does so half of the time.

    MMSE is what the acquired PET shows, whatever the diagnosis; nobody's ADAS is known.
    """
    rng = np.random.default_rng(2)
    sick = np.arange(N) % 2 == 0
    acquired = 1 + 0.1 * rng.standard_normal((N, R))
    acquired[:, 0] += 0.15 * sick
    mmse = np.clip(np.round(25 + 30 * (acquired[:, 5] - 1)), 0, 30)
    people = [
        person(
            i,
            diagnosis="AD" if sick[i] else "CN",
            clinical=ClinicalRecord(age=float(rng.uniform(60, 80)), sex="F", mmse=float(mmse[i])),
        )
        for i in range(N)
    ]
    made = 1 + 0.1 * rng.standard_normal((N, R))
    made += 0.5 * sick[:, None]
    return results_of(
        people, acquired, {"mri": 1 + 0.1 * rng.standard_normal((N, R)), "both": made}
    )


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """A hundred resampled cohorts and one penalty are enough to see numbers put together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "resamples", partial(resamples, draws=100))
        patch.setattr(nested, "STRENGTHS", (0.1,))
        yield


@pytest.fixture(scope="module")
def found(results: Results, quick: None) -> tuple[list[Row], Section]:
    return downstream(results, seed=0)


def test_measures_claims_and_refusals(found: tuple[list[Row], Section]) -> None:
    rows, section = found
    value = {(r.model, r.information, r.metric): r.value for r in rows}

    made = value[MODEL, "both", "diagnosis_auc.synthetic"]
    acquired = value["acquired", "", "diagnosis_auc.acquired"]
    clinic = value["clinic", "", "diagnosis_auc.clinic"]
    assert made > 0.95
    assert acquired < 0.85
    assert clinic < 0.75
    over = value[MODEL, "both", "diagnosis_auc_over_clinic.synthetic"]
    assert over == pytest.approx(made - clinic)
    assert value[MODEL, "both", "diagnosis_auc.synthetic.low"] <= made
    assert value["clinic", "", "diagnosis_auc_over_clinic.clinic"] == 0

    # A synthetic PET that beats the acquired one is said to know from elsewhere.
    held = {c.words: c.held for c in section.claims}
    assert sorted(map(str, held.values())) == ["False", "True"]
    assert any("MRI + clinic" in words and ok is False for words, ok in held.items())

    assert value["acquired", "", "mmse_r.acquired"] > value["clinic", "", "mmse_r.clinic"]
    assert any("ADAS-Cog-13 is not predicted: 0 anatomies" in p for p in section.paragraphs)
    assert [t.caption.split(" of ")[0] for t in section.tables] == ["Diagnosis", "MMSE"]
    assert section.tables[0].caption.startswith("Diagnosis of 40 people: AD 20, CN 20")
    assert section.tables[0].rows[0][0] == "clinic only"


def test_too_few_people_make_a_sentence_and_no_number(results: Results) -> None:
    few = results_of(
        results.subjects[:12], results.truth["fdg"][:12], {"mri": results.truth["fdg"][:12]}
    )
    rows, section = downstream(few, seed=0)
    assert rows == []
    assert section.tables == ()
    assert "Diagnosis is not predicted: fewer than two diagnoses" in " ".join(section.paragraphs)
    assert "MMSE is not predicted: 12 anatomies have a score" in " ".join(section.paragraphs)


ARMS = {
    "clinic", "mri", "mri_clinic", "acquired", "synthetic", "mri_synthetic",
    "acquired_synthetic_on_acquired", "synthetic_on_acquired",
}  # fmt: skip


def test_every_evidence_predicts_the_diagnosis_and_the_score(
    found: tuple[list[Row], Section],
) -> None:
    names = {tuple(r.metric.split(".")[:2]) for r in found[0]}
    for measure in ("diagnosis_auc", "diagnosis_balanced_accuracy", "mmse_r"):
        assert {arm for name, arm in names if name == measure} == ARMS


def without_a_model(results: Results, ill: dict[int, str], folder: Path) -> Results:
    """The same people with other diagnoses, by their numbers, and no synthetic PET."""
    people = [replace(s, diagnosis=ill.get(s.row, s.diagnosis)) for s in results.subjects]
    return results_of(people, results.truth["fdg"], {}, folder=folder)


def test_a_rare_diagnosis_is_named_and_left_out(results: Results, tmp_path: Path) -> None:
    # AD 20, CN 14, FTD 6: too few FTD for a class of their own, and for a rest.
    changed = without_a_model(results, dict.fromkeys(range(1, 12, 2), "FTD"), tmp_path)
    section = downstream(changed, seed=0)[1]
    told = "Diagnosis: fewer than 10 anatomies, so left out: FTD (6)."
    assert told in section.paragraphs
    assert section.tables[0].caption.startswith("Diagnosis of 34 people: AD 20, CN 14")


def test_rare_diagnoses_that_are_one_class_together_are_named(
    results: Results, tmp_path: Path
) -> None:
    ill = dict.fromkeys(range(1, 12, 2), "FTD") | dict.fromkeys(range(13, 22, 2), "DLB")
    section = downstream(without_a_model(results, ill, tmp_path), seed=0)[1]
    told = "Diagnosis: fewer than 10 anatomies, so counted as 'other': CN (9), DLB (5), FTD (6)."
    assert told in section.paragraphs


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_diagnosis_that_a_fold_lacks_is_a_sentence_and_no_number(
    results: Results, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(nested, "MIN_CLASS", 1)
    rows, section = downstream(without_a_model(results, {0: "FTD"}, tmp_path), seed=0)
    assert not [r for r in rows if r.metric.startswith("diagnosis")]
    assert any("FTD is so rare that a fold leaves nobody with it" in p for p in section.paragraphs)


def test_the_true_cause_is_predicted_where_the_simulator_wrote_it_down(
    results: Results, found: tuple[list[Row], Section], tmp_path: Path
) -> None:
    (tmp_path / "oracle").mkdir()
    for subject in results.subjects:
        # The cause is what MMSE shows; the diagnosis has nothing to do with it.
        mmse = subject.clinical.mmse
        assert mmse is not None
        hidden = json.dumps({"latents": {"aetiology": "ad" if mmse < 25 else "none"}})
        (tmp_path / "oracle" / f"{subject.subject}.json").write_text(hidden, encoding="utf-8")
    rows, section = downstream(without_a_model(results, {}, tmp_path), seed=0)
    value = {r.metric: r.value for r in rows}
    assert value["aetiology_auc.clinic"] > 0.9
    assert value["diagnosis_auc.clinic"] < 0.75
    assert any(t.caption.startswith("True cause of 40 people: ad") for t in section.tables)
    assert not any("True cause" in t.caption for t in found[1].tables)


def test_a_model_that_makes_one_of_two_tracers_is_judged_by_that_one(results: Results) -> None:
    two = {**results.acquired, "pib": np.ones((N, R))}
    (key,) = [k for k in results.regional if k[3] == "both"]
    one = replace(results, acquired=two, truth=two, regional={key: results.regional[key]})
    value = {(r.model, r.metric): r.value for r in downstream(one, seed=0)[0]}
    assert (MODEL, "diagnosis_auc.acquired_synthetic_on_acquired") in value
