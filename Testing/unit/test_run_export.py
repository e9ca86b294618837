"""``petsynth export`` from request to files: all or nothing, and a sentence for every bad input."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from finished_case import measurement, synthesis, t1_file
from marks_case import unmarked

from PETSynthLib.cli import main
from PETSynthLib.errors import Cancelled, ErrorCode, PETSynthError
from PETSynthLib.export.finished import read_finished
from PETSynthLib.export.formats import WRITERS
from PETSynthLib.progress import EXPORT_STAGES
from PETSynthLib.request import FORMATS, ExportRequest, export_request_from_dict, read_request
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.events import Event, Stage
from PETSynthLib.run.export_job import run_export
from PETSynthLib.run.timing import EXPORT_SECONDS
from PETSynthLib.run.worker import KINDS

IMAGES = ("nifti", "nrrd", "bids", "labelmap", "csv", "report")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("results")
    t1 = t1_file(folder / "Smith.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(folder / "home"))
        return {
            "fdg": synthesis(folder / "fdg", t1),
            "acquired": measurement(folder / "acquired", t1),
        }


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path_factory.mktemp("home")))


def request(result: Path, output: Path, *formats: str, **more: object) -> ExportRequest:
    return ExportRequest(str(result), str(output), formats or ("csv",), **more)


def export(request: ExportRequest) -> list[Event]:
    events: list[Event] = []
    run_export(request, events.append, Cancellation())
    return events


def refusal(request: ExportRequest, output: Path) -> PETSynthError:
    """The error of a request after which nothing lies in the output folder."""
    with pytest.raises(PETSynthError) as caught:
        export(request)
    assert caught.value.exit_status == 2
    assert not output.exists() or not list(output.iterdir())
    assert not list(output.parent.glob(".*partial*"))
    return caught.value


class TestRun:
    def test_every_format_has_its_folder_and_the_result_names_every_file(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        events = export(request(results["fdg"], out, *IMAGES))
        assert {p.name for p in out.iterdir()} == {*IMAGES, "request.json", "result.json"}
        assert all(any(p.is_file() for p in (out / name).rglob("*")) for name in IMAGES)
        body = json.loads((out / "result.json").read_text("utf-8"))
        there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
        assert set(body["files"]) == there - {"result.json"}
        for name, digest in body["files"].items():
            assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
        assert (body["kind"], body["Synthetic"]) == ("export", True)
        assert body["result_sha256"] == read_finished(results["fdg"]).digest
        stages = [event.id for event in events if isinstance(event, Stage)]
        assert stages == ["read", *IMAGES]

    def test_the_worker_and_petsynth_run_take_the_same_request(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        body = request(results["acquired"], tmp_path / "a", "csv", "labelmap").as_dict()
        assert KINDS["export"](body, lambda event: None, Cancellation()).path.endswith(
            "result.json"
        )
        again = {**body, "output": str(tmp_path / "b")}
        (tmp_path / "job.json").write_text(json.dumps(again), encoding="utf-8")
        assert main(["run", str(tmp_path / "job.json"), "--quiet"]) == 0
        for path in (p for name in ("csv", "labelmap") for p in (tmp_path / "a" / name).iterdir()):
            other = tmp_path / "b" / path.relative_to(tmp_path / "a")
            assert path.read_bytes() == other.read_bytes()

    def test_the_command_line_says_what_was_written(
        self, results: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        command = ["export", str(results["fdg"]), "--format", "nifti", "--format", "csv"]
        assert main([*command, "-o", str(out)]) == 0
        said = capsys.readouterr().out
        assert "nifti: 8 files" in said
        assert "csv/fdg_synth_regions.csv" in said
        assert "SYNTHETIC PET" in said

    def test_a_second_export_into_the_same_folder_replaces_its_own_files_only(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        export(request(results["fdg"], out, "csv", "bids"))
        (out / "notes.txt").write_text("mine", encoding="utf-8")
        export(request(results["fdg"], out, "bids", subject="other"))
        people = {p.name for p in (out / "bids").glob("sub-*")}
        assert len(people) == 2
        assert "sub-other" in people
        assert (out / "notes.txt").read_text("utf-8") == "mine"

    def test_the_record_of_a_folder_is_of_all_that_was_exported_into_it(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        """A PET and its measurement are two results; the panel exports both into one folder."""
        out = tmp_path / "out"
        export(request(results["fdg"], out, "nifti", "csv"))
        export(request(results["acquired"], out, "labelmap", "csv"))
        export(request(results["fdg"], out, "csv"))
        body = json.loads((out / "result.json").read_text("utf-8"))
        records = [*body["earlier"], body]
        own = [read_finished(results[name]).digest for name in ("fdg", "acquired", "fdg")]
        assert [one["result_sha256"] for one in records] == own
        assert [one["request"]["formats"] for one in records[:2]] == [
            ["nifti", "csv"],
            ["labelmap", "csv"],
        ]
        named = [name for one in records for name in one["files"]]
        there = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
        assert sorted(named) == sorted(there - {"result.json"}), "each file once"
        export(request(results["fdg"], out, "nifti", "csv"))
        body = json.loads((out / "result.json").read_text("utf-8"))
        assert len(body["earlier"]) == 1, "of the others every file was written anew"

    def test_without_names_nothing_tells_whose_file_it_was(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        export(request(results["fdg"], out, "nifti", "nrrd", "bids", "csv", deidentify=True))
        for path in (p for p in out.rglob("*") if p.is_file() and p.parent != out):
            assert b"Smith" not in path.read_bytes(), path
        plain = tmp_path / "plain"
        export(request(results["fdg"], plain, "nifti"))
        assert b"Smith" in (plain / "nifti" / "fdg_synth_suvr.json").read_bytes()

    def test_dicom_goes_through_the_same_door(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        pytest.importorskip("highdicom", reason="the extra [dicom] is not installed")
        out = tmp_path / "out"
        wanted = request(results["fdg"], out, "dicom", "csv", objects=("pm", "seg", "sr", "sc"))
        export(wanted)
        body = json.loads((out / "result.json").read_text("utf-8"))
        made = [name for name in body["files"] if name.startswith("dicom/")]
        assert len(made) >= 4
        assert all("synth" in name and not unmarked(out / name) for name in made)
        assert "new study" in json.dumps(body["findings"])

    def test_stages_seconds_and_writers_know_the_same_formats(self) -> None:
        assert set(WRITERS) | {"dicom"} == set(FORMATS)
        assert [key for key, _ in EXPORT_STAGES] == list(EXPORT_SECONDS) == ["read", *FORMATS]


class TestRefusals:
    def test_an_unknown_format(self, results: dict[str, Path], tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="'dcm' is not known") as caught:
            request(results["fdg"], tmp_path / "out", "dcm")
        assert "nifti" in caught.value.hint

    def test_a_folder_that_holds_no_result(self, tmp_path: Path) -> None:
        error = refusal(request(tmp_path / "none", tmp_path / "out"), tmp_path / "out")
        assert (error.code, "no folder" in error.text) == (ErrorCode.BAD_REQUEST, True)

    def test_a_result_that_was_changed(self, results: dict[str, Path], tmp_path: Path) -> None:
        folder = Path(shutil.copytree(results["fdg"], tmp_path / "fdg"))
        with (folder / "fdg_synth_suvr.nii.gz").open("ab") as stream:
            stream.write(b"x")
        error = refusal(request(folder, tmp_path / "out", "csv"), tmp_path / "out")
        assert "was changed since" in error.text

    def test_an_output_inside_the_result(self, results: dict[str, Path]) -> None:
        out = results["fdg"] / "exported"
        assert "inside the result" in refusal(request(results["fdg"], out), out).text
        before = sorted(p.name for p in results["fdg"].iterdir())
        with pytest.raises(PETSynthError, match="inside the result"):
            export(request(results["fdg"], results["fdg"]))
        assert sorted(p.name for p in results["fdg"].iterdir()) == before

    def test_an_output_that_would_write_over_the_result(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        folder = Path(shutil.copytree(results["fdg"], tmp_path / "out" / "csv"))
        with pytest.raises(PETSynthError, match="where the exported files would go"):
            export(request(folder, tmp_path / "out", "csv"))

    def test_the_folder_of_another_kind_of_run(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        folder = Path(shutil.copytree(results["acquired"], tmp_path / "other"))
        with pytest.raises(PETSynthError, match="another kind of run"):
            export(request(results["fdg"], folder))

    def test_a_label_with_slashes(self, results: dict[str, Path], tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="cannot be a BIDS label"):
            request(results["fdg"], tmp_path / "out", "bids", subject="a/b")

    def test_a_read_only_folder(
        self, results: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(self: Path, *args: object, **kwargs: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))

        (tmp_path / "out").mkdir()
        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(PETSynthError, match="cannot be written") as caught:
            export(request(results["fdg"], tmp_path / "out"))
        assert caught.value.exit_status == 2

    def test_a_disk_that_is_full_half_way(
        self, results: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setitem(WRITERS, "nrrd", full)
        out = tmp_path / "out"
        error = refusal(request(results["fdg"], out, "nifti", "nrrd"), out)
        assert (error.code, "disk space" in error.text) == (ErrorCode.BAD_OUTPUT, True)

    def test_a_cancelled_export_leaves_nothing(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        cancellation = Cancellation()

        def sink(event: Event) -> None:
            if isinstance(event, Stage) and event.id == "nrrd":
                cancellation.stop()

        with pytest.raises(Cancelled):
            run_export(
                request(results["fdg"], tmp_path / "out", "nifti", "nrrd"), sink, cancellation
            )
        assert not (tmp_path / "out").exists()

    def test_images_of_an_acquired_pet(self, results: dict[str, Path], tmp_path: Path) -> None:
        out = tmp_path / "out"
        error = refusal(request(results["acquired"], out, "csv", "nifti"), out)
        assert "Images of an acquired PET" in error.text

    def test_a_report_that_would_tell_who_it_is(
        self, results: dict[str, Path], tmp_path: Path
    ) -> None:
        wanted = request(results["fdg"], tmp_path / "out", "report", deidentify=True)
        assert "what is known of the person" in refusal(wanted, tmp_path / "out").text

    def test_dicom_without_its_packages(
        self, results: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("PETSynthLib.export.dicom.find_spec", lambda name: None)
        out = tmp_path / "out"
        error = refusal(request(results["fdg"], out, "dicom"), out)
        assert (error.code, "pip install" in error.hint) == (ErrorCode.DEPENDENCY, True)

    def test_the_command_line_says_it_in_one_sentence(
        self, results: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = str(tmp_path / "out")
        for arguments, words in (
            ([str(results["fdg"]), "--format", "tiff", "-o", out], "'tiff' is not known"),
            ([str(tmp_path / "none"), "--format", "csv", "-o", out], "is no folder"),
            ([str(results["fdg"]), "--format", "csv", "--objects", "pm", "-o", out], "dicom"),
            ([str(results["fdg"]), "-o", out], "--format"),
        ):
            assert main(["export", *arguments]) == 2
            said = capsys.readouterr().err.strip().splitlines()
            assert words in said[-2]
            assert said[-2].startswith("petsynth: ")
        assert not (tmp_path / "out").exists()


class TestRequest:
    def test_it_survives_json(self, tmp_path: Path) -> None:
        made = ExportRequest(
            "r", "o", ("dicom", "nifti", "nifti"), ("sr", "pm"), "series", True, "s1"
        )
        assert (made.formats, made.objects) == (("nifti", "dicom"), ("pm", "sr"))
        body = json.loads(json.dumps(made.as_dict()))
        assert export_request_from_dict(body) == made
        (tmp_path / "r.json").write_text(json.dumps(body), encoding="utf-8")
        assert read_request(tmp_path / "r.json") == made

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"formats": []}, "names no format"),
            ({"formats": "csv"}, "formats"),
            ({"formats": [1]}, "formats"),
            ({"formats": ["csv"], "objects": ["pm"]}, "the format dicom is not"),
            ({"objects": ["xyz"]}, "'xyz'"),
            ({"deidentify": 1}, "deidentify"),
            ({"result": None}, "result"),
            ({"colour": "red"}, "colour"),
            ({"kind": "magic"}, "magic"),
        ],
    )
    def test_it_refuses_in_words(self, change: dict[str, object], said: str) -> None:
        body = {**ExportRequest("r", "o", ("dicom",)).as_dict(), **change}
        with pytest.raises(PETSynthError) as caught:
            export_request_from_dict(body)
        assert said in caught.value.text
        assert caught.value.exit_status == 2
