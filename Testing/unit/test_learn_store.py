"""A store gives back what was written, row by row, and says in a sentence when it cannot."""

from __future__ import annotations

import errno
import json
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
from store_case import case_grid, make_store

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.store import StoreWriter, array_layout, open_store

SHAPE = (8, 8, 8)


def facts(kind: str = "real") -> dict:
    grid = case_grid(SHAPE)
    return {
        "kind": kind,
        "grid": {"shape": list(SHAPE), "affine": grid.affine.tolist(), "space": grid.name},
        "tracers": ["fdg"],
    }


def test_what_was_written_is_read_back_on_its_grid(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", n=3, shape=SHAPE, tracers=("fdg", "pib"))
    assert store.grid.same_as(case_grid(SHAPE))
    assert store.tracers == ("fdg", "pib")
    assert [s.subject for s in store.subjects] == ["sub-0001", "sub-0002", "sub-0003"]
    assert store.subjects[2].tracers == ("fdg",)
    assert store.subjects[1].clinical.sex == "F"
    assert store.subjects[0].clinical.adas13 is None
    # The row without this PET is zero, its neighbour is not.
    assert store.pet(2, "pib").max() == 0.0
    assert store.pet(1, "pib").max() > 0.5


def test_rows_do_not_reach_into_each_other(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path, facts(), 3)
    writer.write(1, {"t1": np.full(SHAPE, 0.5), "volumes": np.arange(97.0)})
    t1 = np.load(tmp_path / "t1.npy")
    assert t1.dtype == np.float16
    assert [float(t1[row].mean()) for row in range(3)] == [0.0, 0.5, 0.0]
    assert np.load(tmp_path / "volumes.npy")[1].tolist() == list(range(97))


def test_only_complete_rows_are_subjects(tmp_path: Path) -> None:
    make_store(tmp_path, n=3, shape=SHAPE)
    done = np.load(tmp_path / "done.npy")
    done[1] = False
    np.save(tmp_path / "done.npy", done)
    assert [s.row for s in open_store(tmp_path).subjects] == [0, 2]


def test_reading_a_row_keeps_the_rest_on_disk(tmp_path: Path) -> None:
    store = make_store(tmp_path, n=4, shape=SHAPE)
    store.t1(0)
    held = store._map("t1")
    assert isinstance(held, np.memmap)
    assert not held.flags.writeable


def test_a_worker_process_opens_the_files_anew(tmp_path: Path) -> None:
    store = make_store(tmp_path, n=4, shape=SHAPE)
    expected = store.t1(3)
    sent = ForkingPickler.dumps(store)
    assert len(sent) < 20_000
    assert np.array_equal(ForkingPickler.loads(sent).t1(3), expected)


def test_a_real_store_has_no_truth_and_no_oracle(tmp_path: Path) -> None:
    store = make_store(tmp_path, n=2, shape=SHAPE, kind="real")
    assert not store.simulated
    assert not store.has_truth("fdg")
    assert store.oracle(store.subjects[0]) is None
    assert "truth_fdg" not in array_layout(store.facts, 2)


def test_an_empty_split_is_one_sentence(tmp_path: Path) -> None:
    store = make_store(tmp_path, n=3, shape=SHAPE)
    assert len(store.split("train")) == 3
    with pytest.raises(PETSynthError, match="no subject in the split 'test'") as caught:
        store.split("test")
    assert caught.value.code is ErrorCode.BAD_DATA


def cut(path: Path, end: int) -> None:
    path.write_bytes(path.read_bytes()[:end])


def shorten_last(path: Path, characters: int) -> None:
    """The last line lacks its end, but not its line break."""
    path.write_text(path.read_text()[: -1 - characters] + "\n")


def cut_lines(path: Path, end: int) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:end]))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda p: (p / "store.json").unlink(), "is not a store"),
        (lambda p: (p / "store.json").write_text("{"), "is not a store"),
        (lambda p: (p / "pet_fdg.npy").unlink(), "is damaged"),
        (lambda p: (p / "subjects.tsv").write_text("row\n0\n"), "is damaged"),
        (lambda p: cut(p / "subjects.tsv", -1), r"\(subjects.tsv is cut off"),
        (lambda p: shorten_last(p / "subjects.tsv", 20), "row 1 of subjects.tsv is cut off"),
        (lambda p: cut_lines(p / "subjects.tsv", -1), "subjects.tsv lacks subjects"),
        (lambda p: cut(p / "pet_fdg.npy", -1), "is damaged"),
        (lambda p: np.save(p / "t1.npy", np.zeros((1, *SHAPE), np.float16)), r"t1.npy is .* not"),
        (lambda p: np.save(p / "done.npy", np.zeros(2, bool)), "no complete subject"),
    ],
)
def test_a_folder_that_is_no_good_store_is_refused(tmp_path: Path, harm, words: str) -> None:
    make_store(tmp_path, n=2, shape=SHAPE)
    harm(tmp_path)
    with pytest.raises(PETSynthError, match=words) as caught:
        open_store(tmp_path)
    assert caught.value.code is ErrorCode.BAD_DATA


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    make_store(tmp_path, n=2, shape=SHAPE)
    body = json.loads((tmp_path / "store.json").read_text())
    (tmp_path / "store.json").write_text(json.dumps(body | {"store_version": 99}))
    with pytest.raises(PETSynthError, match="has version 99"):
        open_store(tmp_path)


def test_other_data_do_not_continue_a_store(tmp_path: Path) -> None:
    StoreWriter(tmp_path, facts(), 2)
    StoreWriter(tmp_path, facts(), 2)
    with pytest.raises(PETSynthError, match="other settings or from other data"):
        StoreWriter(tmp_path, facts() | {"tracers": ["pib"]}, 2)


def test_a_full_disk_raises_instead_of_killing_the_process(tmp_path: Path, monkeypatch) -> None:
    writer = StoreWriter(tmp_path, facts(), 2)
    real_open = Path.open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def seek(self, place):
            self.file.seek(place)

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(self, mode="r", *rest, **named):
        file = real_open(self, mode, *rest, **named)
        return Full(file) if mode == "r+b" else file

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OSError, match="No space left"):
        writer.write(0, {"t1": np.ones(SHAPE)})
    assert not writer.done()[0]


def test_the_facts_are_there_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    def full(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text.encode()[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            StoreWriter(tmp_path, facts(), 2)
    assert not (tmp_path / "store.json").exists()
    assert StoreWriter(tmp_path, facts(), 2).done().tolist() == [False, False]


def test_an_array_of_another_shape_is_refused(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path, facts(), 2)
    with pytest.raises(ValueError, match="t1 has shape"):
        writer.write(0, {"t1": np.ones((4, 4, 4))})
