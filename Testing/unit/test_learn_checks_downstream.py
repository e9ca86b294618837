"""Diagnosis and scores predicted from every evidence."""

from __future__ import annotations

from functools import partial

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


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred resampled cohorts and one penalty are enough to see numbers put together."""
    monkeypatch.setattr(module, "resamples", partial(resamples, draws=100))
    monkeypatch.setattr(nested, "STRENGTHS", (0.1,))


def test_measures_claims_and_refusals(results: Results) -> None:
    rows, section = downstream(results, seed=0)
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
