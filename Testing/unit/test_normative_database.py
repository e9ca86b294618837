"""The folder: what is written is read back, and damage is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from normative_case import database

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.normative.database import ARRAYS, META, read_database, write_database


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A written database."""
    path = tmp_path_factory.mktemp("ndb") / database().meta.name
    write_database(database(), path)
    return path


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A database to damage."""
    path = tmp_path / folder.name
    path.mkdir()
    for name in (META, ARRAYS):
        (path / name).write_bytes((folder / name).read_bytes())
    return path


def change(folder: Path, **facts: object) -> None:
    body = json.loads((folder / META).read_text(encoding="utf-8"))
    (folder / META).write_text(json.dumps({**body, **facts}), encoding="utf-8")


def test_what_is_written_is_read_back(folder: Path) -> None:
    made, read = database(), read_database(folder)
    assert read.meta == made.meta
    assert read.roi["GLB"].beta == pytest.approx(made.roi["GLB"].beta)
    assert np.abs(read.volume.beta[0] - made.volume.beta[0]).max() < 0.001, "half precision"
    assert np.abs(read.surface["PNS"]["R"].sd / made.surface["PNS"]["R"].sd - 1).max() < 0.001
    assert sorted(p.name for p in folder.iterdir()) == [ARRAYS, META]
    assert not list(folder.parent.glob(".*")), "nothing unfinished is left"


def test_the_folder_holds_nothing_of_a_single_person(folder: Path) -> None:
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        assert all(database().meta.n not in arrays[name].shape for name in arrays.files)
    counts = json.loads((folder / META).read_text(encoding="utf-8"))["flags"]["counts"]
    assert counts == sorted(counts, reverse=True)


def test_an_existing_folder_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(PETSynthError, match="already there"):
        write_database(database(), folder)


@pytest.mark.parametrize(
    "facts",
    [
        {"format": "other"},
        {"version": 2},
        {"kind": "imagined"},
        {"bundle_sha256": "ab"},
        {"terms": ["mean"]},
        {"colour": "green"},
        {"age": [1.0]},
    ],
)
def test_meta_that_does_not_fit_is_damage(copy: Path, facts: dict[str, object]) -> None:
    change(copy, **facts)
    with pytest.raises(PETSynthError, match="missing or damaged") as told:
        read_database(copy)
    assert told.value.code is ErrorCode.BAD_DATA


def test_a_changed_byte_and_a_missing_file_are_damage(copy: Path) -> None:
    content = bytearray((copy / ARRAYS).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / ARRAYS).write_bytes(bytes(content))
    with pytest.raises(PETSynthError, match="not the file it was"):
        read_database(copy)
    (copy / ARRAYS).unlink()
    with pytest.raises(PETSynthError, match="missing or damaged"):
        read_database(copy)


def test_other_surfaces_or_regions_are_refused(copy: Path) -> None:
    change(copy, surfaces_sha256="0" * 64)
    with pytest.raises(PETSynthError, match="other surfaces"):
        read_database(copy)
