"""From exceptions to one sentence, and the trace into a log without people's folders."""

from __future__ import annotations

import pytest

from PETSynthLib.errors import (
    EXIT_BAD_REQUEST,
    EXIT_INTERNAL,
    EXIT_OUT_OF_MEMORY,
    ErrorCode,
    PETSynthError,
)
from PETSynthLib.run.failure import explain, trace_of, write_trace


def caught(problem: BaseException) -> BaseException:
    try:
        raise problem
    except BaseException as raised:
        return raised


def test_our_own_errors_pass_unchanged():
    error = PETSynthError(ErrorCode.BAD_MASK, "No.", "Do.")
    assert explain(error) is error
    assert error.exit_status == EXIT_BAD_REQUEST


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("std::bad_alloc"),
    ],
    ids=["python", "cuda", "torch-cpu", "c++"],
)
def test_every_library_s_lack_of_memory_is_recognised(problem):
    error = explain(problem)
    assert error.code is ErrorCode.OUT_OF_MEMORY
    assert error.exit_status == EXIT_OUT_OF_MEMORY


def test_the_unexpected_is_internal_and_its_words_stay_out_of_the_sentence():
    error = explain(KeyError("Jane Doe"))
    assert error.code is ErrorCode.INTERNAL
    assert error.exit_status == EXIT_INTERNAL
    assert "Jane" not in str(error)


def test_the_trace_names_no_folder_of_the_inputs():
    problem = caught(ValueError("cannot read /scans/Jane Doe/t1.nii"))
    text = trace_of(problem, ["/scans/Jane Doe/t1.nii"])
    assert "Jane" not in text
    assert "ValueError" in text
    assert "t1.nii" in text


def test_an_input_in_the_root_does_not_erase_every_slash():
    assert "a/b" in trace_of(caught(ValueError("a/b")), ["/t1.nii", "t1.nii"])


def test_the_log_is_kept_in_petsynth_home_and_old_ones_go(tmp_path, monkeypatch):
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
    (tmp_path / "logs").mkdir()
    for number in range(30):
        (tmp_path / "logs" / f"2001010{number:02}.log").write_text("old", encoding="utf-8")
    file = write_trace(caught(KeyError("x")))
    assert file is not None
    assert "KeyError" in file.read_text(encoding="utf-8")
    assert len(list((tmp_path / "logs").glob("*.log"))) == 20


def test_a_home_that_cannot_be_written_is_no_second_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "file"))
    assert write_trace(caught(KeyError("x"))) is None
