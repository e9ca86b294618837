"""The whole audit on a small store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from audit_case import Peeker, different_brains

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.audit.audit import FAULT, Audit, audit, shared_tracers
from PETSynthLib.learn.store import Store

N = 24


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """24 different people, four of them in the test split."""
    return different_brains(tmp_path_factory.mktemp("audit") / "store", N)


def run(store: Store, split: str = "test") -> Audit:
    return audit(store, Peeker(), split=split, tracers=None, tell=lambda *_: None)  # type: ignore[arg-type]


def test_every_suspicion_is_asked_and_too_few_people_are_said_to_be_too_few(store: Store) -> None:
    found = run(store)
    lights = {f.name: f.verdict for f in found.findings}
    assert set(lights) == {
        "leakage.anatomy", "leakage.identical", "leakage.similar", "leakage.model",
        "circularity.fdg", "circularity.diagnosis", "coverage.fdg", "flags.fdg",
    }  # fmt: skip
    assert lights["leakage.anatomy"] is Verdict.GREEN
    assert lights["coverage.fdg"] is Verdict.AMBER
    assert (found.people, found.anatomies, found.simulated) == (4, 4, True)
    assert (found.verdict, found.exit_status) == (Verdict.AMBER, 0)


def test_a_person_in_two_splits_makes_the_exit_status_a_fault(store: Store) -> None:
    # Row 5 is the first test subject, row 0 is in training.
    people = list(store.subjects)
    people[5] = replace(people[5], anatomy=people[0].anatomy)
    found = run(replace(store, subjects=tuple(people)))
    assert (found.verdict, found.exit_status) == (Verdict.RED, FAULT)


def test_a_red_light_outweighs_all_others() -> None:
    def finding(verdict: Verdict) -> Finding:
        return Finding("leakage.x", 0.0, "", verdict, "A sentence.")

    def made(*lights: Verdict) -> Audit:
        findings = tuple(finding(v) for v in lights)
        return Audit("m 1", "0", "s", False, "test", 1, 1, findings, ())

    assert made(Verdict.GREEN, Verdict.AMBER).exit_status == 0
    assert made(Verdict.RED, Verdict.GREEN).exit_status == FAULT


def test_an_empty_split_is_refused(store: Store) -> None:
    with pytest.raises(PETSynthError, match="no subject in the split 'nobody'") as refusal:
        run(store, split="nobody")
    assert refusal.value.code is ErrorCode.BAD_DATA


@pytest.mark.parametrize("wanted", [["pib"], None])
def test_a_tracer_that_one_of_them_lacks_is_refused(
    store: Store, wanted: list[str] | None, tmp_path: Path
) -> None:
    model = Peeker(tracers=("florbetapir",)) if wanted is None else Peeker()
    with pytest.raises(PETSynthError) as refusal:
        shared_tracers(store, model, wanted)  # type: ignore[arg-type]
    assert refusal.value.code is ErrorCode.UNSUPPORTED_TRACER
    assert refusal.value.hint.startswith("The store has fdg")
