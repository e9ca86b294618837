"""A data set is worked through: one that fails stops nobody, what is there is kept."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

distributed = pytest.importorskip("distributed")

from PETSynthLib.batch.participants import BatchRequest, run_batch, synthesize_one
from PETSynthLib.batch.summary import Line, write_summary
from PETSynthLib.cli import main
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import find_bundle, verify_bundle
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.request import SynthesisRequest


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A cluster somebody else has started (threads of this process: quick)."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    folder = tmp_path / "bids"
    for k in (1, 2, 3):
        anat = folder / f"sub-{k}" / "anat"
        anat.mkdir(parents=True)
        (anat / f"sub-{k}_T1w.nii").write_bytes(b"no image")
    (folder / "participants.tsv").write_text(
        "participant_id\tage\tsex\tmmse\tmanufacturer\nsub-1\t70\tF\t25\tGE\nsub-2\t200\tF\t\t\n"
    )
    return folder


def request_of(bids: Path, scheduler: str, **changes: Any) -> BatchRequest:
    like = changes.pop("like", SynthesisRequest(t1="", output=""))
    values = {"tracers": ("fdg",), "like": like, "scheduler": scheduler} | changes
    return BatchRequest(source=bids, out=bids.parent / "out", **values)


def pretend(body: dict[str, Any]) -> dict[str, Any]:
    """Stands for a synthesis: keeps the request as a real one does."""
    folder = Path(body["output"])
    if "sub-3" in folder.parts:
        return {"error": "The T1 is empty.", "hint": "Choose another."}
    folder.mkdir(parents=True, exist_ok=True)
    result = {
        "folder": str(folder),
        "headline_text": ["meta-ROI 1.20"],
        "total_seconds": 2.0,
        "model": {"bundle_sha256": verify_bundle(find_bundle(body["model"])).sha256},
    }
    (folder / "request.json").write_text(json.dumps(body))
    (folder / "result.json").write_text(json.dumps(result))
    return result


def asked(bids: Path, subject: str, tracer: str) -> dict[str, Any]:
    """The request that `pretend` was given."""
    path = bids.parent / "out" / subject / f"trc-{tracer}" / "request.json"
    body: dict[str, Any] = json.loads(path.read_text())
    return body


def summary(out: Path) -> list[dict[str, str]]:
    with (out / "summary.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_everyone_has_a_line_and_one_that_fails_stops_nobody(bids: Path, scheduler: str) -> None:
    lines = run_batch(request_of(bids, scheduler), job=pretend)
    assert [(line.subject, line.status) for line in lines] == [
        ("sub-1", "done"),
        ("sub-2", "failed"),
        ("sub-3", "failed"),
    ]
    rows = summary(bids.parent / "out")
    assert rows[0]["headline"] == "meta-ROI 1.20"
    assert rows[0]["folder"] == "sub-1/trc-18FFDG"
    assert rows[1]["problem"] == "The age 200 is outside 18 to 110 years."
    assert rows[2]["problem"] == "The T1 is empty."


def test_what_is_there_is_kept_and_what_changed_is_made_again(bids: Path, scheduler: str) -> None:
    run_batch(request_of(bids, scheduler), job=pretend)
    again = run_batch(request_of(bids, scheduler), job=pretend)
    assert again[0].status == "kept"
    assert again[0].headline == "meta-ROI 1.20"
    like = SynthesisRequest(t1="", output="", seed=5)
    changed = run_batch(request_of(bids, scheduler, like=like, labels=("sub-1",)), job=pretend)
    assert changed[0].status == "done"
    assert asked(bids, "sub-1", "18FFDG")["seed"] == 5


def test_a_model_trained_anew_at_the_same_place_is_another_model(
    bids: Path, scheduler: str, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(find_bundle("atlas"), model)
    like = SynthesisRequest(t1="", output="", model=str(model))
    request = request_of(bids, scheduler, like=like, labels=("1",))
    assert [run_batch(request, job=pretend)[0].status for _ in range(2)] == ["done", "kept"]
    (model / "README.md").write_text("# trained anew\n")
    write_checksums(model)
    assert run_batch(request, job=pretend)[0].status == "done"


def far_away(body: dict[str, Any]) -> dict[str, Any]:
    """As `pretend`, on a machine that has a model of its own."""
    result = pretend({**body, "model": "atlas"})
    (Path(body["output"]) / "request.json").write_text(json.dumps(body))
    return result


def test_a_model_that_only_the_cluster_has_is_resumed_too(bids: Path, scheduler: str) -> None:
    like = SynthesisRequest(t1="", output="", model="/only/on/the/cluster")
    request = request_of(bids, scheduler, like=like, labels=("1",))
    assert [run_batch(request, job=far_away)[0].status for _ in range(2)] == ["done", "kept"]
    other = replace(request, like=replace(like, model="/another/on/the/cluster"))
    assert run_batch(other, job=far_away)[0].status == "done"


class TestSummary:
    def test_it_keeps_other_participants_and_tracers(self, bids: Path, scheduler: str) -> None:
        run_batch(request_of(bids, scheduler), job=pretend)
        lines = run_batch(request_of(bids, scheduler, labels=("1",)), job=pretend)
        assert len(lines) == 1
        rows = summary(bids.parent / "out")
        statuses = {"sub-1": "kept", "sub-2": "failed", "sub-3": "failed"}
        assert {row["subject"]: row["status"] for row in rows} == statuses
        run_batch(request_of(bids, scheduler, labels=("1",), tracers=("pib",)), job=pretend)
        rows = summary(bids.parent / "out")
        assert [(row["subject"], row["tracer"]) for row in rows[:2]] == [
            ("sub-1", "fdg"),
            ("sub-1", "pib"),
        ]
        assert (rows[0]["seconds"], rows[0]["headline"]) == ("2.0", "meta-ROI 1.20")

    def test_it_forgets_who_left_the_data_set_without_a_result(
        self, bids: Path, scheduler: str
    ) -> None:
        run_batch(request_of(bids, scheduler), job=pretend)
        for left in ("sub-1", "sub-3"):
            shutil.rmtree(bids / left)
        run_batch(request_of(bids, scheduler), job=pretend)
        assert [row["subject"] for row in summary(bids.parent / "out")] == ["sub-1", "sub-2"]

    def test_a_full_disk_is_one_sentence_and_the_table_before_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_summary(tmp_path, [Line("sub-1", "fdg", "done", 2.0, "", "sub-1")])

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(PETSynthError, match="not enough free disk space") as caught:
            write_summary(tmp_path, [])
        assert "What is finished is kept" in caught.value.hint
        assert [row["subject"] for row in summary(tmp_path)] == ["sub-1"]


def test_the_request_of_a_subject_says_what_the_table_knows(bids: Path, scheduler: str) -> None:
    run_batch(request_of(bids, scheduler, labels=("1",), tracers=("fdg", "pib")), job=pretend)
    body = asked(bids, "sub-1", "11CPIB")
    assert body["tracer"] == "pib"
    assert body["t1"].endswith("sub-1_T1w.nii")
    assert (body["clinical"]["age"], body["clinical"]["mmse"]) == (70.0, 25.0)
    assert body["pet_scanner"] == "ge"
    # Scores count only when the user says so.
    assert not body["cognition_shapes_picture"]


def test_the_folder_is_a_derivative_that_says_its_pet_are_synthetic(
    bids: Path, scheduler: str
) -> None:
    run_batch(request_of(bids, scheduler), job=pretend)
    body = json.loads((bids.parent / "out" / "dataset_description.json").read_text())
    assert body["DatasetType"] == "derivative"
    assert "no PET was acquired" in body["Name"]


def test_an_error_that_escapes_is_a_line_too(bids: Path, scheduler: str) -> None:
    def falls_over(body: dict[str, Any]) -> dict[str, Any]:
        raise MemoryError

    lines = run_batch(request_of(bids, scheduler, labels=("1", "3")), job=falls_over)
    assert [line.status for line in lines] == ["failed", "failed"]
    assert "MemoryError" in lines[0].problem


def dies(body: dict[str, Any]) -> dict[str, Any]:
    """Kills the process it runs in, as a crash in a native library does."""
    if "sub-1" in body["output"] and body["tracer"] == "fdg":
        os._exit(1)
    return {"folder": body["output"]}


@pytest.mark.slow
def test_only_the_task_that_kills_its_process_fails(bids: Path) -> None:
    tracers = ("fdg", "pib")
    request = replace(request_of(bids, ""), scheduler=None, jobs=2, tracers=tracers)
    lines = [line for line in run_batch(request, job=dies) if line.subject != "sub-2"]
    assert {(line.subject, line.tracer, line.status) for line in lines} == {
        ("sub-1", "fdg", "failed"),
        ("sub-1", "pib", "done"),
        ("sub-3", "fdg", "done"),
        ("sub-3", "pib", "done"),
    }
    assert "KilledWorker" in next(line.problem for line in lines if line.status == "failed")


def test_a_broken_image_is_one_sentence(bids: Path, tmp_path: Path) -> None:
    request = SynthesisRequest(
        t1=str(bids / "sub-1/anat/sub-1_T1w.nii"), output=str(tmp_path / "one"), model="atlas"
    )
    answer = synthesize_one(request.as_dict())
    assert "T1" in answer["error"]
    assert answer["hint"]
    assert not (tmp_path / "one").exists()


def test_a_label_that_nobody_has_is_one_sentence(bids: Path, scheduler: str) -> None:
    with pytest.raises(PETSynthError, match="none of the participants 9"):
        run_batch(request_of(bids, scheduler, labels=("sub-9",)), job=pretend)


def test_a_scheduler_that_does_not_answer_is_one_sentence(bids: Path, monkeypatch) -> None:
    monkeypatch.setattr("PETSynthLib.batch.cluster.CONNECT_S", 1)
    with pytest.raises(PETSynthError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        run_batch(request_of(bids, "tcp://127.0.0.1:9"), job=pretend)


def test_the_command_knows_one_level_only(bids: Path, tmp_path: Path, capsys) -> None:
    status = main(["batch", str(bids), str(tmp_path / "out"), "group", "--tracer", "fdg"])
    assert status == 2
    assert "The level 'group' is not known." in capsys.readouterr().err
