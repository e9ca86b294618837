"""Finished parts: a run that was stopped goes on where it was, and never with another's part."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluate_case import KnowsTheMri, make_predictor
from store_case import make_store

from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate.bundle import LoadedGenerator
from PETSynthLib.generate.interface import Effort, Generated, GeneratorInput
from PETSynthLib.learn.evaluate import kept
from PETSynthLib.learn.evaluate.gather import Gathered, Plan, gather
from PETSynthLib.learn.evaluate.kept import Kept, code_digest, facts_of, forget
from PETSynthLib.learn.evaluate.predictor import Predictor
from PETSynthLib.learn.store import Store
from PETSynthLib.progress import Progress


class Counts(KnowsTheMri):
    """Counts its pictures, and breaks off after some."""

    made, most = 0, 10**9

    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        if self.made == self.most:
            raise KeyboardInterrupt
        self.made += 1
        return super().generate(inputs, effort, progress)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("s") / "store", n=18, tracers=("fdg",))


def counting(store: Store) -> tuple[Predictor, Counts]:
    counts, plain = Counts(store), make_predictor(store)
    return Predictor("reader", 0, plain.bundle, LoadedGenerator(plain.bundle, counts)), counts


def run(store: Store, predictor: Predictor, plan: Plan) -> Gathered:
    subjects = store.split("test")
    return gather(store, subjects, [predictor], ("fdg",), plan, lambda case: [], lambda *told: None)


def test_a_run_that_was_stopped_goes_on_and_ends_as_if_it_had_not(
    store: Store, tmp_path: Path
) -> None:
    # Three judged people, four parts: MRI, both, shuffled MRI, shuffled clinic.
    plan = Plan(2, 0, ("fdg",), tmp_path / "kept")
    first, counts = counting(store)
    counts.most = 7  # two whole parts and one picture
    with pytest.raises(KeyboardInterrupt):
        run(store, first, plan)
    again, counts = counting(store)
    done = run(store, again, plan)
    assert counts.made == 6
    whole = run(store, counting(store)[0], replace(plan, keep=None))
    assert done.results.regional.keys() == whole.results.regional.keys()
    for key, values in whole.results.regional.items():
        other = done.results.regional[key]
        for name in kept.ARRAYS:
            np.testing.assert_array_equal(getattr(values, name), getattr(other, name))
    named = [[(r.subject, r.metric) for r in g.rows] for g in (done, whole)]
    assert named[0] == named[1]
    assert done.slices.keys() == whole.slices.keys()
    assert done.calibration_people == whole.calibration_people
    assert done.total_seconds > done.model_seconds


def test_another_plan_or_other_people_take_no_part_of_it(store: Store, tmp_path: Path) -> None:
    people, plan = store.split("test"), Plan(2, 0, ("fdg",))
    facts = facts_of(store, people, store, plan)
    predictor, _ = counting(store)
    run(store, predictor, replace(plan, keep=tmp_path))
    name = (predictor.bundle.sha256, "reader", 0, "fdg", "mri")
    assert Kept(tmp_path, facts).get(*name) is not None
    for other in (
        facts_of(store, people[:2], store, plan),
        facts_of(store, people, store, replace(plan, samples=3)),
        facts_of(store, people, store, replace(plan, seed=1)),
    ):
        assert Kept(tmp_path, other).get(*name) is None
    assert Kept(tmp_path, facts).get("another bundle", *name[1:]) is None


def test_what_other_code_has_measured_is_not_taken(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, plan = store.split("test"), Plan(0, 0, ())
    before = facts_of(store, people, store, plan)
    monkeypatch.setattr(kept, "LIBRARY", tmp_path)
    assert facts_of(store, people, store, plan) != before


def test_the_code_s_digest_knows_every_file_by_name_and_content(tmp_path: Path) -> None:
    found = set()
    for name, text in (("a.py", "x = 1\n"), ("a.py", "x = 2\n"), ("b.py", "x = 2\n")):
        folder = tmp_path / str(len(found)) / "deep"
        folder.mkdir(parents=True)
        (folder / name).write_text(text)
        (folder / "no_code.txt").write_text(text)
        found.add(code_digest(folder.parent))
    assert len(found) == 3


@pytest.mark.parametrize("size", [0, 100])
def test_a_damaged_part_is_made_again(store: Store, tmp_path: Path, size: int) -> None:
    plan = Plan(0, 0, (), tmp_path / "kept")
    run(store, counting(store)[0], plan)
    for path in (tmp_path / "kept").iterdir():
        path.write_bytes(path.read_bytes()[:size])
    again, counts = counting(store)
    run(store, again, plan)
    assert counts.made == 12


def test_a_full_disk_is_one_sentence_and_keeps_what_is_finished(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = np.savez, []

    def fills(file: object, **arrays: object) -> None:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(file)
        real(file, **arrays)  # type: ignore[arg-type]

    monkeypatch.setattr(kept.np, "savez", fills)
    plan = Plan(0, 0, (), tmp_path / "kept")
    with pytest.raises(PETSynthError, match="not enough free disk space") as caught:
        run(store, counting(store)[0], plan)
    assert "the same command then goes on there" in caught.value.hint
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 2
    assert not list((tmp_path / "kept").glob("*.part"))


def test_parts_are_forgotten_with_the_report(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.npz").touch()
    forget(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
