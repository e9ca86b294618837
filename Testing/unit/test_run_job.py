"""A run from request to finished folder, with a walk that takes no time."""

from __future__ import annotations

import hashlib
import json
import math
import threading

import numpy as np
import pytest
import run_fakes

from PETSynthLib.errors import Cancelled, ErrorCode, PETSynthError
from PETSynthLib.progress import STAGES
from PETSynthLib.request import SynthesisRequest, read_request
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.events import Preview, Stage, Step, Warn
from PETSynthLib.run.job import run_synthesis
from PETSynthLib.run.whole import _plain


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))


@pytest.fixture
def request_(tmp_path):
    return SynthesisRequest(str(tmp_path / "t1.nii.gz"), str(tmp_path / "out"), model="atlas")


def run(request, walk=run_fakes.walk, cancellation=None, **options):
    events = []
    finished = run_synthesis(
        request, events.append, cancellation or Cancellation(), walk, **options
    )
    return finished, events


def left_behind(tmp_path):
    return sorted(p.name for p in tmp_path.iterdir() if p.name != "home")


def test_the_folder_holds_the_results_the_request_and_the_record(tmp_path, request_):
    finished, _ = run(request_)
    out = tmp_path / "out"
    names = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert names == sorted([*run_fakes.FILES, "result.json"])
    assert finished.path == out / "result.json"
    assert left_behind(tmp_path) == ["out"]


def test_the_record_names_every_file_with_its_digest(tmp_path, request_):
    finished, _ = run(request_)
    body = json.loads(finished.path.read_text(encoding="utf-8"))
    assert sorted(body["files"]) == run_fakes.FILES
    for name, digest in body["files"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest
    assert hashlib.sha256(finished.path.read_bytes()).hexdigest() == finished.sha256
    assert finished.event().sha256 == finished.sha256


def test_the_record_says_how_long_how_much_and_what_was_found(request_):
    finished, _ = run(request_)
    body = finished.body
    assert list(body["seconds"]) == [key for key, _ in STAGES]
    assert body["peak_memory_mb"] > 10
    amber = run_fakes.AMBER
    assert body["findings"] == [{**amber.as_dict(), "key": amber.key}]
    assert body["Synthetic"] is True
    assert body["notices"][0].startswith("DEMONSTRATION")
    assert body["model"]["name"] == "fake"


def test_the_kept_request_runs_again_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(SynthesisRequest("t1.nii.gz", "out", model="atlas", mask="m.nii"))
    kept = read_request(tmp_path / "out" / "request.json")
    assert kept == SynthesisRequest(
        str(tmp_path / "t1.nii.gz"),
        str(tmp_path / "out"),
        model="atlas",
        mask=str(tmp_path / "m.nii"),
    )


def test_a_model_given_as_a_folder_is_kept_as_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(SynthesisRequest("t1.nii.gz", "out", model="models/mine"))
    assert read_request(tmp_path / "out" / "request.json").model == str(
        tmp_path / "models" / "mine"
    )


def test_events_come_in_the_order_of_the_road_with_time_left(request_):
    _, events = run(request_)
    stages = [e for e in events if isinstance(e, Stage)]
    assert [(e.id, e.index, e.count) for e in stages] == [
        (key, number, len(STAGES)) for number, (key, _) in enumerate(STAGES, start=1)
    ]
    left = [e.eta_s for e in events if isinstance(e, Step)]
    assert left[0] > left[-1] >= 0.0
    assert [e for e in events if isinstance(e, Warn)] == [
        Warn(run_fakes.AMBER.name, run_fakes.AMBER.sentence, run_fakes.AMBER.value)
    ]


def test_the_second_run_expects_what_the_first_one_took(tmp_path, request_):
    _, first = run(request_)
    _, second = run(request_)
    assert (tmp_path / "home" / "timings.json").is_file()
    assert first[1].eta_s > 30.0
    assert second[1].eta_s < 5.0


def test_a_preview_lives_as_long_as_the_run(tmp_path, request_):
    seen = []

    def walk(request, folder, progress, space):
        progress.preview(run_fakes.preview())
        progress.preview(run_fakes.preview())
        seen.append(next(folder.rglob("*preview*")).name)
        return run_fakes.walk(request, folder, progress, space)

    _, events = run(request_, walk, previews=True)
    assert seen == ["fdg_synth_preview.nii.gz"]
    assert [type(e) for e in events[:2]] == [Preview, Preview]
    assert not list(tmp_path.rglob("*preview*"))


def test_the_space_of_an_earlier_result_reaches_the_walk(tmp_path, request_):
    offered = []

    def walk(request, folder, progress, space):
        offered.append(space)
        return run_fakes.walk(request, folder, progress, space)

    run(request_, walk)
    run(request_, walk)
    assert offered == [None, tmp_path / "out" / "space"]


@pytest.mark.parametrize(
    "problem",
    [PETSynthError(ErrorCode.BAD_IMAGE, "No.", "Do."), KeyError("x"), KeyboardInterrupt()],
    ids=lambda p: type(p).__name__,
)
def test_a_failure_leaves_nothing_and_passes_through(tmp_path, request_, problem):
    def walk(request, folder, progress, space):
        (folder / "half").write_text("half", encoding="utf-8")
        raise problem

    with pytest.raises(type(problem)):
        run(request_, walk)
    assert left_behind(tmp_path) == []


def test_a_failure_leaves_an_earlier_result_as_it_was(tmp_path, request_):
    run(request_)
    out = tmp_path / "out"
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}

    def walk(request, folder, progress, space):
        (folder / "report.html").write_text("half", encoding="utf-8")
        raise KeyError

    with pytest.raises(KeyError):
        run(request_, walk)
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_a_disk_that_fills_up_during_the_walk_is_the_output_s_fault(tmp_path, request_):
    def walk(request, folder, progress, space):
        (folder / "half").write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(PETSynthError) as caught:
        run(request_, walk)
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert left_behind(tmp_path) == []


def test_a_failure_after_a_cancel_is_a_cancel(tmp_path, request_):
    switch = Cancellation()

    def walk(request, folder, progress, space):
        switch.ask()
        raise RuntimeError("my child was killed")

    with pytest.raises(Cancelled):
        run(request_, walk, switch)
    assert left_behind(tmp_path) == []


def test_a_cancel_just_before_the_end_still_writes_nothing(tmp_path, request_):
    switch = Cancellation()

    def walk(request, folder, progress, space):
        outcome = run_fakes.walk(request, folder, progress, space)
        switch.ask()
        return outcome

    with pytest.raises(Cancelled):
        run(request_, walk, switch)
    assert left_behind(tmp_path) == []


def test_an_abandoned_run_s_partial_folder_is_removed(tmp_path, request_):
    switch, hanging, release = Cancellation(), threading.Event(), threading.Event()

    def walk(request, folder, progress, space):
        (folder / "half").write_text("half", encoding="utf-8")
        hanging.set()
        release.wait(10)
        progress.check()

    def work():
        with pytest.raises(Cancelled):
            run(request_, walk, switch)

    thread = threading.Thread(target=work)
    thread.start()
    hanging.wait(10)
    assert switch.stop(patience_s=0.05)
    assert left_behind(tmp_path) == []
    release.set()
    thread.join()


def test_json_of_the_record_is_strict():
    body = {"a": math.nan, "b": (np.float32(1.5), [math.inf]), 3: np.int64(2)}
    assert _plain(body) == {"a": None, "b": [1.5, [None]], "3": 2}
