"""The protocol: one JSON object a line, both ways, tolerant of what a newer side adds."""

from __future__ import annotations

import json

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.run.events import (
    Failure,
    Hello,
    Preview,
    Result,
    Stage,
    Step,
    Stopped,
    Warn,
    from_line,
    to_line,
)

EVENTS = [
    Hello(1, "0.1.0", "3.12.1", None, 42),
    Stage("read", "Reading the images", 1, 6),
    Step("generate", 2, 10, 3.5),
    Preview("/a folder/Jürgen/p.nii.gz"),
    Warn("thick_slices", "The slices are 4 mm thick."),
    Result("/r/result.json", "ab" * 32, 12.5, 900.0, {"devices": ["cpu"]}),
    Failure("BAD_IMAGE", "No.", "Do.", None),
    Stopped(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.type)
def test_an_event_survives_the_line(event):
    assert from_line(to_line(event)) == event


def test_a_line_is_one_json_object_with_version_and_type():
    line = to_line(Step("generate", 2, 10, 3.5))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "v": 1,
        "type": "progress",
        "stage": "generate",
        "step": 2,
        "total": 10,
        "eta_s": 3.5,
    }


def test_a_line_break_in_a_text_stays_inside_its_line():
    assert to_line(Warn("a", "one\ntwo")).count(b"\n") == 1


def test_a_path_that_is_not_unicode_survives():
    event = Preview("/data/\udcff.nii")
    assert from_line(to_line(event)) == event


@pytest.mark.parametrize(
    "line", [b"Loading weights: 50%\n", b"", b"12\n", b'{"a": 1}\n', b"\xff\xfe\n", b"[1]\n"]
)
def test_a_stray_line_is_no_event(line):
    assert from_line(line) is None


def test_unknown_fields_and_types_of_a_newer_worker_are_ignored():
    assert from_line(b'{"v": 1, "type": "cancelled", "why": "x"}') == Stopped()
    assert from_line(b'{"v": 1, "type": "telemetry"}') is None
    assert from_line(b'{"v": 1, "type": "stage"}') is None


def test_another_protocol_version_is_refused():
    with pytest.raises(PETSynthError) as caught:
        from_line(b'{"v": 2, "type": "cancelled"}')
    assert caught.value.code is ErrorCode.PROTOCOL
