"""The whole evaluation on the tiny store: the best possible reader, and a model that is deaf."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("yaml")

from evaluate_case import AlwaysTheSame, make_predictor
from store_case import make_store

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.evaluate.controls import AGE_SEX, DENSITY, INFORMATION_OF
from PETSynthLib.learn.evaluate.evaluate import Evaluated, Evaluation, evaluate
from PETSynthLib.learn.evaluate.forms import MEAN, MEAN_OF_SAMPLES, SINGLE
from PETSynthLib.learn.evaluate.judge import FULL
from PETSynthLib.learn.evaluate.protocol import Protocol
from PETSynthLib.learn.evaluate.write import FILES
from PETSynthLib.learn.store import Store, open_store
from PETSynthLib.learn.tidy import read_rows

PLAN = Evaluation(samples=4, checks=("clusters",))
MANY = replace(PLAN, samples=16)


def quiet(words: str, done: int, total: int) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    # 40 test subjects: enough for p below .01 after Holm when the effect is there.
    return make_store(tmp_path_factory.mktemp("s") / "store", n=240, tracers=("fdg",), seed=0)


@pytest.fixture(scope="module")
def done(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    models = [
        make_predictor(store),
        make_predictor(store, seed=1),
        make_predictor(store, "deaf", kind=AlwaysTheSame),
    ]
    return evaluate(store, models, tmp_path_factory.mktemp("out") / "e", MANY, quiet)


def claim_of(done: Evaluated, words: str) -> bool | None:
    """Outcome of the one claim that contains ``words``."""
    found = [claim for claim in done.report.claims if words in claim.words]
    assert len(found) == 1, [claim.words for claim in found]
    return found[0].held


class TestAnswers:
    def test_the_best_possible_reader_is_at_the_oracle(self, done: Evaluated) -> None:
        mine = next(s for s in done.scores if (s.label, s.information) == ("reader", FULL))
        assert abs(mine.excess) < 0.004
        assert mine.skill == pytest.approx(1.0, abs=0.1)
        assert mine.sd_ratio == pytest.approx(1.0, abs=0.02)

    def test_it_beats_the_age_and_sex_mean_and_the_deaf_model_does_not(
        self, done: Evaluated
    ) -> None:
        assert claim_of(done, f"reader, FDG: lower error than the control {AGE_SEX}") is True
        assert claim_of(done, f"deaf, FDG: lower error than the control {AGE_SEX}") is False

    def test_somebody_else_s_mri_costs_the_reader_and_not_the_deaf_model(
        self, done: Evaluated
    ) -> None:
        found = {(c.model, c.other): c for c in done.comparisons if c.form == MEAN}
        assert found["reader", "reader (shuffled MRI)"].difference < -0.02
        assert found["deaf", "deaf (shuffled MRI)"].difference == pytest.approx(0.0, abs=1e-6)

    def test_shuffled_controls_are_made_for_every_training_seed(self, done: Evaluated) -> None:
        rows = read_rows(done.folder / "metrics.csv")
        seeds = {r.seed for r in rows if r.model == "reader (shuffled MRI)"}
        assert seeds == {0, 1}

    def test_claims_are_tested_on_the_mean_of_16_samples_and_on_a_single_one(
        self, done: Evaluated
    ) -> None:
        mine = [c for c in done.comparisons if (c.model, c.other) == ("reader", AGE_SEX)]
        assert [(c.form, c.judged_as) for c in mine] == [
            (MEAN, "mean of 16 samples"),
            (SINGLE, "single sample"),
        ]
        mae = {(s.label, s.information): s.mae for s in done.scores}
        label = MEAN_OF_SAMPLES.format("reader", 16)
        expected = mae[label, FULL] - mae[AGE_SEX, "base"]
        assert mine[0].difference == pytest.approx(expected)
        assert mine[0].difference < mine[1].difference
        assert claim_of(
            done, f"reader as a single sample, FDG: lower error than the control {AGE_SEX}"
        ) in (True, False)

    def test_nobody_is_below_the_oracle(self, done: Evaluated) -> None:
        assert claim_of(done, "reader, FDG: not better than the oracle") is True

    def test_every_control_and_the_oracle_are_scored(self, done: Evaluated) -> None:
        labels = {s.label for s in done.scores}
        assert set(INFORMATION_OF) | {"oracle", "reader", "deaf"} <= labels
        ladder = [s.information for s in done.scores if s.label == "oracle"]
        assert ladder == ["base", "clinic", "mri", "both"]

    def test_a_single_sample_errs_more_than_the_mean_of_the_samples(self, done: Evaluated) -> None:
        mae = {s.label: s.mae for s in done.scores}
        assert mae["reader (one sample)"] > mae["reader (mean of 16 samples)"]


class TestFiles:
    def test_all_are_written_and_nothing_else(self, done: Evaluated) -> None:
        assert sorted(p.name for p in done.folder.iterdir()) == sorted(FILES)

    def test_the_tidy_rows_give_the_score_again(self, done: Evaluated) -> None:
        errors = [
            row.value
            for row in read_rows(done.folder / "metrics.csv")
            if (row.model, row.information, row.metric) == ("reader", FULL, "absolute_error")
        ]
        assert len(errors) == 2 * 40
        mine = next(s for s in done.scores if (s.label, s.information) == ("reader", FULL))
        assert np.mean(errors) == pytest.approx(mine.mae, rel=1e-5)

    def test_the_summary_is_json_without_nan(self, done: Evaluated) -> None:
        text = (done.folder / "summary.json").read_text(encoding="utf-8")
        body = json.loads(text, parse_constant=lambda word: pytest.fail(f"holds {word}"))
        assert body["kind"] == "simulated"
        assert body["subjects"] == 40
        assert {"words", "held", "evidence"} <= set(body["claim"][0])

    def test_the_report_says_what_it_is_and_prints_every_failing_claim(
        self, done: Evaluated
    ) -> None:
        page = (done.folder / "report.html").read_text(encoding="utf-8")
        assert "judged on SIMULATED subjects" in page
        assert "SIMULATED SUBJECTS" in page
        for words in ("L fixed at 3 SUVR", "sign flips over anatomies", "ICC(2,1)"):
            assert words in page
        failing = [c for c in done.report.claims if c.held is False]
        assert failing
        assert page.count("class=fails") == 2 * len(failing)
        assert page.count("data:image/png;base64,") >= 6

    def test_a_check_that_was_not_made_is_named(self, done: Evaluated) -> None:
        text = (done.folder / "table.md").read_text(encoding="utf-8")
        assert "not asked for: downstream, sensitivity, fairness" in text

    def test_no_part_of_the_report_speaks_of_reproduction(self, done: Evaluated) -> None:
        assert "reproduc" not in (done.folder / "table.md").read_text(encoding="utf-8").lower()


def small(folder: Path, **changes: object) -> Store:
    return make_store(folder, n=24, tracers=("fdg",), **changes)  # type: ignore[arg-type]


class TestOtherCohorts:
    def test_real_subjects_are_judged_without_oracle_and_without_the_word_simulated(
        self, tmp_path: Path
    ) -> None:
        store = small(tmp_path / "store", kind="real")
        done = evaluate(store, [make_predictor(store)], tmp_path / "out", PLAN, quiet)
        assert "oracle" not in {s.label for s in done.scores}
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "SIMULATED" not in page
        assert "Real subjects" in page

    def test_on_the_null_cohort_the_claim_is_that_nothing_is_gained(self, tmp_path: Path) -> None:
        store = small(tmp_path / "store")
        record = {"config": "null", "focal": {"label": 0}}
        for subject in store.subjects:
            path = store.folder / "oracle" / f"{subject.subject}.json"
            path.write_text(json.dumps(record), encoding="utf-8")
        deaf = make_predictor(store, "deaf", kind=AlwaysTheSame)
        done = evaluate(store, [deaf], tmp_path / "out", PLAN, quiet)
        assert claim_of(done, "deaf, FDG: no gain over the age/sex mean") is True
        assert not [c for c in done.report.claims if "lower error than" in c.words]

    def test_one_person_is_enough_to_run_every_check(self, tmp_path: Path) -> None:
        store = make_store(tmp_path / "store", n=6, tracers=("fdg",))
        plan = Evaluation(samples=0, sensitivity_subjects=1)
        done = evaluate(store, [make_predictor(store)], tmp_path / "out", plan, quiet)
        assert "Left out" not in {section.title for section in done.report.sections}
        assert {s.anatomies for s in done.scores} == {1}
        assert DENSITY in {s.label for s in done.scores}


class TestProtocol:
    def test_a_run_that_strays_says_so_in_every_file(self, tmp_path: Path) -> None:
        store = small(tmp_path / "store")
        fixed = Protocol("p.yaml, version 1", "0" * 64, ("fdg",), samples=16, grid="3mm")
        plan = replace(PLAN, protocol=fixed)
        done = evaluate(store, [make_predictor(store)], tmp_path / "out", plan, quiet)
        body = json.loads((done.folder / "summary.json").read_text(encoding="utf-8"))
        assert [d["what"] for d in body["protocol"]["deviations"]] == ["grid", "samples a subject"]
        failed = [c["words"] for c in body["claim"] if c["held"] is False]
        assert "Run under the protocol: samples a subject" in failed
        page = (done.folder / "report.html").read_text(encoding="utf-8")
        assert "NOT run under the protocol: 2 deviations." in page
        assert "not run under the protocol: 4; fixed: 16" in page

    def test_without_a_protocol_nothing_is_claimed_of_one(self, done: Evaluated) -> None:
        assert not [c for c in done.report.claims if "under the protocol" in c.words]


def test_people_of_unknown_diagnosis_make_no_norm_and_the_report_says_so(tmp_path: Path) -> None:
    store = small(tmp_path / "store")
    table = store.folder / "subjects.tsv"
    lines = table.read_text(encoding="utf-8").replace("\tnone\t", "\tn/a\t")
    table.write_text(lines.replace("\tAD\t", "\tn/a\t"), encoding="utf-8")
    store = open_store(store.folder)
    done = evaluate(store, [make_predictor(store)], tmp_path / "out", PLAN, quiet)
    text = (done.folder / "table.md").read_text(encoding="utf-8")
    assert "There is no norm: no z-map, no cluster and no flag." in text
    metrics = {r.metric for r in read_rows(done.folder / "metrics.csv") if r.value == r.value}
    assert not metrics & {"z_r", "z2_dice", "hallucinated_ml", "any_flag_share"}


class TestAnotherSite:
    def test_a_store_without_training_people_borrows_those_of_another(
        self, store: Store, tmp_path: Path
    ) -> None:
        other = small(tmp_path / "b", seed=5)
        lines = (other.folder / "subjects.tsv").read_text(encoding="utf-8")
        moved = lines.replace("\ttrain\t", "\ttest\t").replace("sub-", "other-")
        (other.folder / "subjects.tsv").write_text(moved, encoding="utf-8")
        for path in (other.folder / "oracle").iterdir():
            path.rename(path.with_name(path.name.replace("sub-", "other-")))
        other = open_store(other.folder)
        done = evaluate(other, [make_predictor(other)], tmp_path / "o", PLAN, quiet, store)
        mae = {(s.label, s.information): s.mae for s in done.scores}
        assert mae["volumes + clinic ridge", FULL] < mae[AGE_SEX, "base"]
        assert claim_of(done, "No judged anatomy is in the training split") is True

    def test_another_grid_is_refused(self, store: Store, tmp_path: Path) -> None:
        other = small(tmp_path / "b", shape=(14, 16, 14))
        with pytest.raises(PETSynthError, match="have different grids"):
            evaluate(other, [make_predictor(other)], tmp_path / "o", PLAN, quiet, store)


class TestBadInput:
    def test_an_empty_split_is_named(self, tmp_path: Path) -> None:
        store = make_store(tmp_path / "store", n=5, tracers=("fdg",))
        with pytest.raises(PETSynthError, match="no subject in the split 'test'"):
            evaluate(store, [make_predictor(store)], tmp_path / "out", PLAN, quiet)

    def test_an_unknown_check_is_named(self, tmp_path: Path) -> None:
        store = small(tmp_path / "store")
        plan = replace(PLAN, checks=("phrenology",))
        with pytest.raises(PETSynthError, match="no check 'phrenology'"):
            evaluate(store, [make_predictor(store)], tmp_path / "out", plan, quiet)

    def test_a_tracer_nobody_has_is_named(self, tmp_path: Path) -> None:
        store = small(tmp_path / "store")
        plan = replace(PLAN, tracers=("pib",))
        with pytest.raises(PETSynthError, match="pib cannot be judged"):
            evaluate(store, [make_predictor(store)], tmp_path / "out", plan, quiet)

    def test_a_folder_that_cannot_be_written_is_named_before_anything_is_run(
        self, tmp_path: Path
    ) -> None:
        store = small(tmp_path / "store")
        (tmp_path / "out").write_text("a file", encoding="utf-8")
        with pytest.raises(PETSynthError, match="a file has that name"):
            evaluate(store, [], tmp_path / "out", PLAN, quiet)

    def test_no_training_people_is_named(self, tmp_path: Path) -> None:
        store = small(tmp_path / "store")
        lines = (store.folder / "subjects.tsv").read_text(encoding="utf-8")
        kept = lines.replace("\ttrain\t", "\tvalidation\t")
        (store.folder / "subjects.tsv").write_text(kept, encoding="utf-8")
        with pytest.raises(PETSynthError, match="no subject in the split 'train'"):
            evaluate(
                open_store(store.folder), [make_predictor(store)], tmp_path / "out", PLAN, quiet
            )


def test_a_store_that_shows_another_truth_than_was_constructed_is_told_on(tmp_path: Path) -> None:
    store = small(tmp_path / "store")
    truth = np.lib.format.open_memmap(store.folder / "truth_fdg.npy", "r+")
    truth[5] *= np.float16(1.2)  # one test subject's reference region is off
    truth.flush()
    done = evaluate(store, [make_predictor(store)], tmp_path / "out", PLAN, quiet)
    assert claim_of(done, "FDG: the target's measured truth is the constructed one") is False


def test_a_store_that_shows_what_was_constructed_says_so(done: Evaluated) -> None:
    assert claim_of(done, "FDG: the target's measured truth is the constructed one") is True
