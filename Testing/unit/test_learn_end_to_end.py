"""From an empty folder to a report, as the benchmark goes: four people, seconds of training."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
pytest.importorskip("sklearn")

from PETSynthLib.cli import main
from PETSynthLib.generate.bundle import load_generator
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import Store, open_store
from PETSynthLib.preprocess import prepare  # noqa: F401 - loads the modules that `hasty` changes

pytestmark = [pytest.mark.torch, pytest.mark.slow]
SPLIT = ("train", "train", "validation", "test")


def petsynth(*words: object) -> None:
    """Run a command; a status other than 0 fails the test."""
    assert main([str(word) for word in words]) == 0


@contextmanager
def hasty() -> Iterator[None]:
    """Alignment and bias field from their coarse levels alone: half of the time of `prepare`.

    A millimetre of difference; both have tests of their own. In this process only, which is why
    `prepare` has one job here.
    """
    # The package's names are functions; the modules are found here.
    align, bias = (sys.modules[f"PETSynthLib.preprocess.{name}"] for name in ("align", "bias"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(align, "FIRST_PASS", align.FIRST_PASS.replace("60x20", "60x0"))
        patch.setattr(align, "SECOND_PASS", align.SECOND_PASS.replace("20x15", "20x0"))
        patch.setattr(bias, "ITERATIONS", (20, 10))
        yield


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with cohort, store, run and report."""
    work = tmp_path_factory.mktemp("benchmark")
    split = work / "split.tsv"
    rows = [f"sub-{k:04d}\t{name}\n" for k, name in enumerate(SPLIT, start=1)]
    split.write_text("subject\tsplit\n" + "".join(rows), encoding="utf-8")
    cohort, store, run = work / "bids", work / "store", work / "run"
    tracer = ("--tracers", "fdg")
    petsynth("simulate", cohort, "--subjects", 4, "--seed", 3, "--spacing", 2, "--jobs", 2, *tracer)
    with hasty():
        petsynth("prepare", cohort, store, "--split-file", split, *tracer)
    petsynth("train", "--data", store, "--method", "flow", "-o", run, "--max-minutes", 0.1)
    petsynth(
        "evaluate", "--data", store, "--model", f"flow={run / 'bundle'}", "--samples", 2,
        "--checks", "clusters", "-o", work / "report",
    )  # fmt: skip
    return work


@pytest.fixture(scope="module")
def store(work: Path) -> Store:
    return open_store(work / "store")


def test_every_subject_is_in_its_split_with_all_that_was_simulated(store: Store) -> None:
    assert [s.split for s in store.subjects] == list(SPLIT)
    assert all(s.tracers == ("fdg",) and s.flair for s in store.subjects)
    assert all(store.oracle(s) is not None for s in store.subjects)


def test_two_processes_gave_the_bytes_of_one(work: Path) -> None:
    two, one = work / "bids", work / "one"
    second = ("--first-index", 2, "--subjects", 1)
    petsynth("simulate", one, *second, "--seed", 3, "--spacing", 2, "--tracers", "fdg")
    head, row = (one / "participants.tsv").read_bytes().splitlines()
    rows = (two / "participants.tsv").read_bytes().splitlines()
    assert (rows[0], rows[2]) == (head, row)
    files = [p.relative_to(one) for p in one.rglob("sub-*/**/*") if p.is_file()]
    assert len({f.name for f in files}) > 5
    assert all(f.name.startswith("sub-0002") for f in files)
    for file in files:
        assert (two / file).read_bytes() == (one / file).read_bytes(), file


def test_the_prepared_truth_is_what_was_constructed(store: Store) -> None:
    large = [region_index(k) for k in ("frontal_lobe", "temporal_lobe", "parietal_lobe")]
    for subject in store.subjects:
        constructed = np.load(store.oracle(subject))["truth"][0]
        found = regional_means(store.regions(subject.row), store.truth(subject.row, "fdg"))
        # A 3 mm lattice smooths the image and its labels: 2 to 6 % lower, evenly over people.
        assert found[large] == pytest.approx(0.97 * constructed[large], rel=0.04)


def test_the_run_ends_in_a_model_that_says_what_it_learnt_from(work: Path) -> None:
    bundle = load_generator(str(work / "run" / "bundle"), "cpu").bundle
    assert bundle.trained_on == "simulation"
    assert bundle.tracers == ("fdg",)


def test_the_report_holds_model_controls_and_oracle(work: Path) -> None:
    page = (work / "report" / "report.html").read_text(encoding="utf-8")
    assert "SIMULATED" in page.upper()
    assert 'src="http' not in page
    table = (work / "report" / "metrics.csv").read_text(encoding="utf-8")
    for judged in ("flow", "population mean", "age/sex mean", "clinic ridge", "oracle"):
        assert f"\n{judged}," in table, judged
    json.loads((work / "report" / "summary.json").read_text(encoding="utf-8"))
