"""Writing a report: a full disk is one sentence, and the report before it stays whole."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.evaluate import write
from PETSynthLib.learn.evaluate.write import FILES, require_room, write_files
from PETSynthLib.learn.tidy import Row

ROWS = [Row("flow", 0, "fdg", "both", "s1", "a1", "north", "brain", "mae_suvr", 0.1)]
TEXTS = {name: f"new {name}" for name in FILES if name != "metrics.csv"}


def test_all_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, ROWS, TEXTS)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(FILES)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == "new table.md"


def test_a_disk_that_fills_while_writing_is_one_sentence_and_the_old_report_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FILES:
        (tmp_path / name).write_text("old", encoding="utf-8")
    real = Path.write_text

    def full(path: Path, *args: object, **more: object) -> int:
        if path.name == "report.html":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(PETSynthError, match="not enough free disk space") as caught:
        write_files(tmp_path, ROWS, TEXTS)
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir()} == dict.fromkeys(
        FILES, "old"
    )


@pytest.mark.parametrize("old", [FILES, ("report.html", "summary.json"), ()])
def test_a_file_that_another_program_holds_leaves_the_old_report_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: tuple[str, ...]
) -> None:
    for name in old:
        (tmp_path / name).write_text("old", encoding="utf-8")
    real = Path.replace

    def held(path: Path, target: Path) -> Path:
        if path.name == "summary.json" and path.parent.name == ".part":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(PETSynthError, match="cannot be written"):
        write_files(tmp_path, ROWS, TEXTS)
    assert {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir()} == dict.fromkeys(
        old, "old"
    )


def test_a_disk_without_room_is_told_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(write.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(PETSynthError, match="not enough free disk space"):
        require_room(tmp_path / "new")


def test_a_folder_that_may_not_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, data: bytes) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "write_bytes", refused)
    with pytest.raises(PETSynthError, match="cannot be written"):
        require_room(tmp_path)


def test_room_enough_leaves_nothing_behind(tmp_path: Path) -> None:
    require_room(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
