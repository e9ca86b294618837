"""The output folder: all of a result or nothing, and other people's files are safe."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.run import staging as module
from PETSynthLib.run.staging import Staging, is_output_problem, output_error

RECORD = json.dumps({"version": 1, "kind": "synthesize"})


def tree(folder: Path) -> dict[str, str]:
    """Content of every file below ``folder``, hidden ones too."""
    return {
        p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8")
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def fill(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


NEW = {
    "fdg_synth_suvr.nii.gz": "new pet",
    "report.html": "new report",
    "request.json": RECORD,
    "result.json": RECORD,
    "space/space.json": "new space",
}


def test_nothing_is_visible_before_the_commit(tmp_path):
    stage = Staging(tmp_path / "out")
    fill(stage.folder, NEW)
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == []
    assert stage.folder.parent == tmp_path
    assert stage.folder.name.startswith(".out.partial-")


def test_an_absent_folder_appears_whole(tmp_path):
    stage = Staging(tmp_path / "out")
    fill(stage.folder, NEW)
    fill(stage.scratch, {"preview.nii.gz": "preview"})
    stage.commit()
    assert tree(tmp_path / "out") == NEW
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_missing_parents_are_made_and_removed_again_when_the_run_fails(tmp_path):
    stage = Staging(tmp_path / "a" / "b" / "out")
    fill(stage.folder, NEW)
    stage.discard()
    assert list(tmp_path.iterdir()) == []


def test_parents_that_hold_something_else_meanwhile_stay(tmp_path):
    stage = Staging(tmp_path / "a" / "out")
    fill(tmp_path / "a", {"mine.txt": "mine"})
    stage.discard()
    assert tree(tmp_path) == {"a/mine.txt": "mine"}


def test_files_of_others_stay_and_ours_are_replaced(tmp_path):
    out = tmp_path / "out"
    fill(out, {"notes.txt": "mine", "pib_synth_suvr.nii.gz": "other tracer"})
    fill(out, dict.fromkeys(NEW, "old") | {"request.json": RECORD})
    stage = Staging(out)
    fill(stage.folder, NEW)
    stage.commit()
    assert tree(out) == {
        **NEW,
        "notes.txt": "mine",
        "pib_synth_suvr.nii.gz": "other tracer",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_old_result_goes_first_and_the_new_one_comes_last(tmp_path, monkeypatch):
    out = tmp_path / "out"
    fill(out, {"request.json": RECORD, "result.json": "old"})
    stage = Staging(out)
    fill(stage.folder, NEW)
    moves = []
    replace = Path.replace

    def spy(self, target):
        moves.append((self.relative_to(tmp_path).parts[0], Path(target).name))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", spy)
    stage.commit()
    assert moves[0] == ("out", "result.json")
    assert moves[-1] == (stage.folder.name, "result.json")


@pytest.mark.parametrize("broken", [0, 1, 2, 3, 4, 5, 6])
def test_a_failing_move_puts_everything_back(tmp_path, monkeypatch, broken):
    out = tmp_path / "out"
    fill(out, {"notes.txt": "mine", "request.json": RECORD, "result.json": "old"})
    before = tree(out)
    stage = Staging(out)
    fill(stage.folder, NEW)
    count = 0
    replace = Path.replace

    def fail_once(self, target):
        nonlocal count
        count += 1
        if count == broken + 1:
            raise PermissionError(errno.EACCES, "open in a viewer", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(PETSynthError) as caught:
        stage.commit()
    stage.discard()
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert tree(out) == before
    assert not (out / "space").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["report.html", "request.json", "result.json"])
def test_a_file_of_our_name_that_is_not_ours_is_refused_before_the_work(tmp_path, name):
    fill(tmp_path / "out", {name: "my own"})
    with pytest.raises(PETSynthError) as caught:
        Staging(tmp_path / "out")
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert name in caught.value.text
    assert tree(tmp_path) == {f"out/{name}": "my own"}


def test_a_foreign_file_that_appears_during_the_work_is_refused_too(tmp_path):
    fill(tmp_path / "out", {"notes.txt": "mine"})
    stage = Staging(tmp_path / "out")
    fill(stage.folder, NEW)
    fill(tmp_path / "out", {"space/space.json": "my own"})
    with pytest.raises(PETSynthError):
        stage.commit()
    stage.discard()
    assert tree(tmp_path / "out") == {"notes.txt": "mine", "space/space.json": "my own"}


def test_a_folder_where_a_file_should_come_is_never_removed(tmp_path):
    fill(tmp_path / "out" / "fdg_synth_suvr.nii.gz", {"precious.txt": "mine"})
    stage = Staging(tmp_path / "out")
    fill(stage.folder, NEW)
    with pytest.raises(PETSynthError):
        stage.commit()
    stage.discard()
    assert tree(tmp_path / "out") == {"fdg_synth_suvr.nii.gz/precious.txt": "mine"}


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    fill(tmp_path, {"out": "a file"})
    with pytest.raises(PETSynthError, match="because a file has that name"):
        Staging(tmp_path / "out")
    assert tree(tmp_path) == {"out": "a file"}


def test_a_file_where_a_parent_should_be_is_refused(tmp_path):
    fill(tmp_path, {"a": "a file"})
    with pytest.raises(PETSynthError) as caught:
        Staging(tmp_path / "a" / "out")
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert tree(tmp_path) == {"a": "a file"}


@contextmanager
def somebody_without_rights(folder: Path):
    """Root may write everywhere; the test then runs as the user nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("exists", [True, False], ids=["folder itself", "its parent"])
def test_a_read_only_place_is_refused_and_left_alone(exists):
    # pytest's own folder is closed to other users, hence another one.
    place = Path(tempfile.mkdtemp(prefix="petsynth-test-"))
    try:
        place.chmod(0o755)
        out = place / "out"
        if exists:
            out.mkdir()
            out.chmod(0o555)
        else:
            place.chmod(0o555)
        with somebody_without_rights(place), pytest.raises(PETSynthError) as caught:
            Staging(out)
        assert caught.value.code is ErrorCode.BAD_OUTPUT
        assert "cannot be written" in caught.value.text
        assert [p.name for p in place.rglob("*")] == (["out"] if exists else [])
    finally:
        place.chmod(0o755)
        shutil.rmtree(place)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_writable_folder_in_a_read_only_place_takes_the_results():
    place = Path(tempfile.mkdtemp(prefix="petsynth-test-"))
    try:
        out = place / "out"
        out.mkdir()
        out.chmod(0o777)
        place.chmod(0o555)
        with somebody_without_rights(place):
            stage = Staging(out)
            assert stage.folder.parent == out
            fill(stage.folder, NEW)
            stage.commit()
        assert tree(out) == NEW
        assert [p.name for p in out.iterdir() if p.name.startswith(".")] == []
    finally:
        place.chmod(0o755)
        shutil.rmtree(place)


def test_too_little_free_space_is_refused_before_the_work(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(PETSynthError, match="not enough free disk space"):
        Staging(tmp_path / "a" / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.name == "nt" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_too_small_is_refused(small_disk):
    with pytest.raises(PETSynthError, match="not enough free disk space"):
        Staging(small_disk / "out")
    assert list(small_disk.iterdir()) == []


def test_the_root_of_a_disk_can_be_the_output_folder(small_disk, monkeypatch):
    # Its sibling would lie on another disk, from which nothing can be renamed.
    monkeypatch.setattr(module, "NEEDED_MB", 0)
    stage = Staging(small_disk)
    fill(stage.folder, NEW)
    stage.commit()
    assert tree(small_disk) == NEW


def test_a_disk_that_fills_up_is_told_from_other_failures(small_disk, monkeypatch):
    monkeypatch.setattr(module, "NEEDED_MB", 0)
    stage = Staging(small_disk / "out")
    with pytest.raises(OSError, match="No space") as caught:
        (stage.folder / "big").write_bytes(b"x" * 2_000_000)
    assert is_output_problem(caught.value, stage.folder)
    assert "not enough free disk space" in output_error(stage.output, caught.value).text
    # ITK reports a full disk as a plain RuntimeError.
    assert is_output_problem(RuntimeError("could not write"), stage.folder)


def test_failures_elsewhere_are_no_problem_of_the_output(tmp_path):
    folder = tmp_path / "partial"
    assert not is_output_problem(RuntimeError("x"), tmp_path)
    assert not is_output_problem(ValueError("x"), tmp_path)
    assert not is_output_problem(PermissionError(errno.EACCES, "x", "/etc/y"), folder)
    assert is_output_problem(PermissionError(errno.EACCES, "x", str(folder / "y")), folder)


def test_what_a_killed_run_left_is_removed_after_a_day(tmp_path):
    old, recent, other = (
        tmp_path / name for name in (".out.partial-1", ".out.partial-2", ".else.partial-3")
    )
    for folder in (old, recent, other):
        fill(folder, {"x": "x"})
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    os.utime(other, (yesterday, yesterday))
    stage = Staging(tmp_path / "out")
    stage.discard()
    assert sorted(p.name for p in tmp_path.iterdir()) == [other.name, recent.name]


def test_the_space_of_an_earlier_result_is_offered(tmp_path):
    fill(tmp_path / "out", NEW)
    stage = Staging(tmp_path / "out")
    assert stage.previous_space == tmp_path / "out" / "space"
    stage.discard()
    assert Staging(tmp_path / "new").previous_space is None


def test_names_with_spaces_and_umlauts_just_work(tmp_path):
    out = tmp_path / "Jürgen Müller" / "PET für Übung"
    stage = Staging(out)
    fill(stage.folder, NEW)
    stage.commit()
    assert tree(out) == NEW
