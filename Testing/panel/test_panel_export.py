"""Card Export: what may be ticked and why not, what is asked for, and files of a true run."""

from __future__ import annotations

import csv
import hashlib
import json
import tomllib
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import quantified_case as cases
import slicer
from panel_fakes import resultEvent

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.export import marks
from PETSynthLib.request import quantify_request_from_dict
from PETSynthLib.run import events

LEFT = ("parametricMap", "nifti", "nrrd", "bids", "dicomPet")
RIGHT = ("dicomSeg", "dicomSr", "segNrrd", "csv", "report", "sspPage")
NEW_STUDY = "The T1 has no DICOM source; the DICOM files start a new study."


class Database:
    """Slicer's DICOM database with one series."""

    def __init__(self, files: dict[str, Path]) -> None:
        self.files = files

    def fileForInstance(self, uid: str) -> str:
        return str(self.files.get(uid, ""))

    def instanceValue(self, uid: str, tag: str) -> str:
        return ""


class Export:
    """A panel with a head, its PET, and a worker that is played or real."""

    def __init__(self, panel: Any, keep: Path, folder: Path) -> None:
        self.panel, self.ui, self.keep, self.folder = panel, panel.ui, keep, folder
        self.card = panel.panel.export
        panel.ui.exportCard.setCollapsed(False)
        panel.ui.exportFolderLineEdit.setCurrentPath(str(folder))

    @property
    def button(self) -> Any:
        return self.ui.exportButton

    def box(self, name: str) -> Any:
        return getattr(self.ui, f"{name}CheckBox")

    def tick(self, *names: str) -> None:
        """Exactly these."""
        for name in (*LEFT, *RIGHT):
            setattr(self.panel.parameters.export, name, name in names)
        self.panel.panel.refresh()

    def head(self) -> Any:
        t1 = cases.volume(slicer.mrmlScene, "Head T1w", cases.t1())
        self.ui.t1wSelector.setCurrentNode(t1)
        self.panel.parameters.input.overridden = "coverage"
        return t1

    def synthesize(self, **sidecar: Any) -> Any:
        """A run makes a synthetic PET."""
        self.head()
        self.panel.run()
        folder = Path(self.panel.request["output"])
        cases.synthesis(folder, Path(self.panel.request["t1"]), **sidecar)
        self.announce(folder)
        return self.panel.parameters.view.result

    def quantify(self) -> None:
        """The PET is measured."""
        self.ui.quantifyButton.click()
        self.panel.process.hello()
        request = quantify_request_from_dict(self.panel.request)
        self.announce(cases.measureOnce(request, self.keep))
        assert self.panel.controller.state.value == "done", self.panel.controller.log.text

    def acquired(self) -> Any:
        """An acquired PET is chosen in Quantify."""
        self.head()
        pet = cases.volume(slicer.mrmlScene, "Scan", 5000.0 * cases.lesion())
        self.panel.parameters.quantify.pet = pet
        combo = self.ui.quantTracerComboBox
        combo.setCurrentIndex(combo.findData("fdg"))
        return pet

    def announce(self, folder: Path) -> None:
        self.panel.process.say(resultEvent(folder))
        self.panel.process.end(0)
        self.settle()

    def settle(self) -> None:
        """Let what comes from the event loop come: the import, and a run that follows."""
        controller, process = self.panel.controller, self.panel.process
        self.panel.host.waitUntil(
            lambda: not controller.busy or self.panel.process is not process, 60, "the end"
        )

    def write(self, *findings: Finding) -> Path:
        """The played worker has written what it was asked for."""
        asked = self.panel.request
        folder = Path(asked["output"])
        for name in asked["formats"]:
            (folder / name).mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256((Path(asked["result"]) / "result.json").read_bytes()).hexdigest()
        body = {
            "version": 1,
            "kind": "export",
            "total_seconds": 3.0,
            "findings": [{**one.as_dict(), "key": one.key} for one in findings],
            "result_sha256": digest,
        }
        (folder / "result.json").write_text(json.dumps(body), encoding="utf-8")
        return folder

    def series(self, t1: Any, folder: Path) -> None:
        """Slicer's DICOM database knows from which files the T1w was loaded."""
        files = {f"1.2.{n}": folder / f"Doe^John {n}.dcm" for n in range(3)}
        for path in files.values():
            path.write_bytes(path.name.encode())
        context = self.panel.panel.context
        database = Database(files)
        context.environment = replace(context.environment, dicomDatabase=database)
        self.panel.panel.launcher.environment = context.environment
        t1.SetAttribute("DICOM.instanceUIDs", " ".join(files))
        self.panel.panel.refresh()


@pytest.fixture(scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where measurements are kept for the tests that ask the same."""
    return tmp_path_factory.mktemp("measured")


@pytest.fixture
def export(panel: Any, keep: Path, tmp_path: Path) -> Export:
    return Export(panel, keep, tmp_path / "exports")


class TestReady:
    def test_without_a_pet_everything_says_what_is_missing(self, export: Export) -> None:
        for widget in (*map(export.box, (*LEFT, *RIGHT)), export.button):
            assert not widget.enabled
            assert "There is no PET yet" in widget.toolTip
        export.ui.exportCard.setCollapsed(True)
        assert "after the first result" in export.ui.exportCard.text

    def test_a_fresh_result_offers_the_left_column(self, export: Export) -> None:
        pet = export.synthesize()
        assert export.ui.exportPetLabel.text == pet.GetName()
        assert [name for name in LEFT if export.box(name).enabled] == list(LEFT[:4])
        assert {export.box(name).toolTip for name in RIGHT[:5]} == {"Click Quantify first."}
        # Of the ticks the panel begins with, csv and report wait for Quantify.
        assert export.button.text == "Export 2 items"
        assert export.button.enabled
        assert export.ui.exportNoteLabel.text.startswith("Every file is marked synthetic.")

    def test_a_quantified_result_offers_both(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        assert [name for name in RIGHT if export.box(name).enabled] == list(RIGHT[:5])
        assert export.button.text == "Export 4 items"
        assert "4 items" not in export.ui.exportCard.text
        export.ui.exportCard.setCollapsed(True)
        assert "4 items" in export.ui.exportCard.text

    def test_each_box_counts(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        export.tick()
        assert not export.button.enabled
        assert export.button.toolTip == "Tick an item first."
        for count, name in enumerate((*LEFT[:4], *RIGHT[:5]), 1):
            export.box(name).click()
            assert getattr(export.panel.parameters.export, name)
            items = "1 item" if count == 1 else f"{count} items"
            assert export.button.text == f"Export {items}"
            assert export.button.enabled

    def test_without_a_folder_it_asks_for_one(self, export: Export) -> None:
        export.synthesize()
        export.ui.exportFolderLineEdit.setCurrentPath("")
        assert not export.button.enabled
        assert export.button.toolTip == "Choose a folder first."

    def test_the_folder_is_remembered_for_the_computer_not_for_the_case(
        self, export: Export
    ) -> None:
        from PETSynthPanel.Settings import Settings

        assert Settings().exportFolder == str(export.folder)
        assert str(export.folder) not in str(export.panel.parameters.export)

    def test_during_a_run_nothing_can_be_changed(self, export: Export) -> None:
        export.synthesize()
        export.panel.run()
        ui = export.ui
        for widget in (
            export.button,
            export.box("nifti"),
            ui.exportFolderLineEdit,
            ui.removeIdentityCheckBox,
        ):
            assert not widget.enabled
            assert widget.toolTip == "Wait for the run or cancel it."

    def test_the_seconds_stand_on_the_button(self, export: Export) -> None:
        export.synthesize()
        export.tick("nifti")
        # Reading 2 s and NIfTI 1 s (run/timing.py).
        assert "About 3 s." in export.button.toolTip


class TestRefused:
    """The library's own sentences, before anything fails."""

    def test_a_demonstration_becomes_no_dicom_pet(self, export: Export) -> None:
        export.synthesize()
        assert "demonstration model is not exported as DICOM PT" in export.box("dicomPet").toolTip

    def test_a_model_of_real_pairs_may_become_one(self, export: Export) -> None:
        from PETSynthLib.export.policy import release

        export.synthesize(Evidence="real pairs", Banner=release("real pairs", False).banner)
        assert export.box("dicomPet").enabled
        assert not export.box("dicomPet").checked, "only where somebody asks for it"

    def test_its_values_stay_out_of_the_patients_own_study(
        self, export: Export, tmp_path: Path
    ) -> None:
        export.synthesize()
        export.quantify()
        assert export.box("dicomSr").enabled
        export.series(export.panel.parameters.input.t1w, tmp_path)
        assert not export.box("dicomSr").enabled
        assert "not written into the patient's own study" in export.box("dicomSr").toolTip
        assert export.box("dicomSeg").enabled

    def test_the_report_names_the_person(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        export.ui.removeIdentityCheckBox.click()
        assert "names of files" in export.box("report").toolTip
        assert export.button.text == "Export 3 items"

    def test_of_an_acquired_pet_its_images_stay(self, export: Export) -> None:
        export.acquired()
        for name in (*LEFT, "sspPage"):
            assert "Images of an acquired PET are not exported" in export.box(name).toolTip
        assert export.box("csv").toolTip == "Click Quantify first."
        assert not export.button.enabled
        export.quantify()
        assert [name for name in RIGHT if export.box(name).enabled] == list(RIGHT[:5])
        assert export.button.text == "Export 2 items"
        assert export.ui.exportNoteLabel.text.startswith("Acquired PET: not marked synthetic")

    def test_a_pet_that_was_changed_since(self, export: Export) -> None:
        from PETSynthScene.Volumes import arrayOf, setArray

        pet = export.synthesize()
        setArray(pet, arrayOf(pet) * 2)
        export.panel.panel.refresh()
        assert "voxels of this PET were changed" in export.box("nifti").toolTip

    def test_a_measurement_of_a_saved_scene(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        export.panel.panel.launcher.jobs.clear()  # as after a start of Slicer
        export.panel.panel.refresh()
        assert "click Quantify again" in export.box("csv").toolTip
        assert "synthesize it again" in export.box("sspPage").toolTip
        assert export.box("nifti").enabled, "the PET is written again from the scene"

    def test_pages_need_those_of_the_synthesis(self, export: Export) -> None:
        pet = export.synthesize()
        export.quantify()
        assert "pages of this PET" in export.box("sspPage").toolTip
        folder = export.panel.panel.launcher.resultFolder(pet)
        (folder / marks.file_name("fdg", "ssp", ".png")).write_bytes(b"")
        export.panel.panel.refresh()
        assert export.box("sspPage").enabled


class TestAsked:
    """What the worker is asked for."""

    def test_a_pet_that_is_not_quantified(self, export: Export) -> None:
        pet = export.synthesize()
        export.tick("parametricMap", "nifti", "bids")
        export.button.click()
        asked = export.panel.request
        assert asked["kind"] == "export"
        assert asked["formats"] == ["nifti", "bids", "dicom"]
        assert asked["objects"] == ["pm"]
        assert asked["source_dicom"] is None
        assert asked["deidentify"] is False
        assert asked["result"] == str(export.panel.panel.launcher.resultFolder(pet))
        new = Path(asked["output"])
        assert new.parent == export.folder
        assert "Head" not in new.name, "a folder's name may leave with its files"

    def test_pet_and_measurement_go_into_one_new_folder(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        export.tick("nifti", "csv", "dicomSeg", "parametricMap")
        export.button.click()
        first = export.panel.request
        export.announce(export.write())
        second = export.panel.request
        assert (first["formats"], first["objects"]) == (["nifti", "dicom"], ["pm"])
        assert (second["formats"], second["objects"]) == (["csv", "dicom"], ["seg"])
        assert first["output"] == second["output"]
        assert first["study"] == second["study"] != ""
        assert first["result"] != second["result"]
        assert export.panel.controller.busy
        export.announce(export.write())
        assert export.panel.message() == "4 items written."
        assert export.ui.messageButton1.text == "Open folder"

    def test_nothing_is_overwritten(self, export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
        from PETSynthPanel import ExportCard

        export.synthesize()
        clock = types.SimpleNamespace(strftime=lambda _form: "2026-11-22 104105")
        monkeypatch.setattr(ExportCard, "time", clock)
        export.tick("nifti")
        names = []
        for _ in range(2):
            export.button.click()
            names.append(Path(export.panel.request["output"]).name)
            export.announce(export.write())
        assert names == ["PETSynth fdg 2026-11-22 104105", "PETSynth fdg 2026-11-22 104105 2"]

    def test_the_series_of_the_t1_is_given_without_the_names_of_its_files(
        self, export: Export, tmp_path: Path
    ) -> None:
        export.synthesize()
        export.series(export.panel.parameters.input.t1w, tmp_path)
        export.tick("parametricMap")
        export.button.click()
        source = Path(export.panel.request["source_dicom"])
        assert [path.name for path in sorted(source.iterdir())] == [
            f"0000{n}.dcm" for n in range(3)
        ]
        assert (source / "00002.dcm").read_bytes() == b"Doe^John 2.dcm"
        assert "Doe" not in str(export.panel.request)

    def test_a_series_that_is_not_whole_begins_a_new_study(
        self, export: Export, tmp_path: Path
    ) -> None:
        export.synthesize()
        t1 = export.panel.parameters.input.t1w
        export.series(t1, tmp_path)
        (tmp_path / "Doe^John 1.dcm").unlink()
        t1.SetAttribute("DICOM.instanceUIDs", "1.2.0 1.2.1")
        export.tick("parametricMap")
        export.button.click()
        assert export.panel.request["source_dicom"] is None

    def test_without_identity(self, export: Export) -> None:
        export.synthesize()
        export.tick("nifti")
        export.ui.removeIdentityCheckBox.click()
        export.button.click()
        assert export.panel.request["deidentify"] is True


class TestMessages:
    @pytest.fixture
    def running(self, export: Export) -> Export:
        export.synthesize()
        export.tick("parametricMap")
        export.button.click()
        export.panel.process.hello()
        return export

    def test_a_new_study_is_said(self, running: Export) -> None:
        finding = Finding("dicom_study", "new", "own", Verdict.AMBER, NEW_STUDY)
        running.announce(running.write(finding))
        assert running.panel.message() == f"1 item written. {NEW_STUDY}"
        assert running.panel.controller.notice.kind.value == "amber"

    @pytest.mark.parametrize(
        ("key", "words"),
        [
            ("dicom_study.amber", NEW_STUDY),
            ("dicom_study.unproved", "The DICOM series has the geometry of the T1; its voxels "),
        ],
    )
    def test_whose_study_it_is_is_told_in_the_users_language(
        self, running: Export, monkeypatch: pytest.MonkeyPatch, key: str, words: str
    ) -> None:
        from PETSynthPanel import Sentences

        monkeypatch.setattr(Sentences, "_", str.upper)
        said = "As the library says it."
        finding = Finding("dicom_study", "new", "own", Verdict.AMBER, said, key=key)
        running.announce(running.write(finding))
        assert running.panel.message().startswith(f"1 item written. {words.upper()}")

    def test_the_folder_opens(self, running: Export, monkeypatch: pytest.MonkeyPatch) -> None:
        import qt

        opened: list[str] = []
        monkeypatch.setattr(
            qt.QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile())
        )
        folder = running.write()
        running.announce(folder)
        running.ui.messageButton1.click()
        assert opened == [str(folder)]

    def test_a_folder_that_cannot_be_written_to(self, running: Export) -> None:
        text = f"The output folder {running.panel.request['output']} cannot be written."
        running.panel.process.say(events.Failure("BAD_OUTPUT", text, "Choose another."))
        running.panel.process.end(2)
        # The folder does not exist, and is not made by a worker that failed.
        assert running.panel.message() == f"'{running.folder}' cannot be written to."
        assert running.ui.messageButton1.text == "Choose another folder"
        running.ui.exportCard.setCollapsed(True)
        running.ui.messageButton1.click()
        assert not running.ui.exportCard.collapsed

    def test_a_full_disk_is_told_as_the_library_tells_it(self, running: Export) -> None:
        running.folder.mkdir()
        text = f"There is not enough space for the output folder {running.panel.request['output']}."
        running.panel.process.say(events.Failure("BAD_OUTPUT", text, "Free some."))
        running.panel.process.end(2)
        assert running.panel.message() == text

    def test_a_failure_of_the_second_part_says_what_is_there(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        export.tick("nifti", "nrrd", "csv")
        export.button.click()
        folder = export.write()
        export.announce(folder)
        export.panel.process.hello()
        export.panel.process.say(events.Failure("BAD_DATA", "The file was changed.", "Again."))
        export.panel.process.end(2)
        assert export.panel.message() == (
            f"The file was changed. Again. 2 items are there, in '{folder}'."
        )
        assert len(export.panel.processes) == 4, "synthesis, measurement, two parts"

    def test_a_worker_that_died_is_not_taken_for_the_one_before(self, export: Export) -> None:
        export.synthesize()
        export.quantify()
        export.tick("nifti", "csv")
        export.button.click()
        export.announce(export.write())
        export.panel.process.hello()
        export.panel.process.end(-9)  # result.json of the first part is there
        export.settle()
        assert export.panel.controller.state.value == "failed"
        assert "1 item is there" in export.panel.message()

    def test_cancel(self, running: Export) -> None:
        running.panel.controller.cancel()
        running.panel.process.say(events.Stopped())
        running.panel.process.end(3)
        assert running.panel.message() == "Cancelled. Nothing was added to the scene."

    def test_a_series_that_is_not_the_t1s_can_be_left_out(
        self, export: Export, tmp_path: Path
    ) -> None:
        export.synthesize()
        export.series(export.panel.parameters.input.t1w, tmp_path)
        export.tick("parametricMap")
        export.button.click()
        export.panel.process.hello()
        said = "None of the 1 MR series has the geometry of the T1."
        export.panel.process.say(events.Failure("BAD_REQUEST", said, "Or leave it out."))
        export.panel.process.end(2)
        assert export.ui.messageButton1.text == "Begin a new study"
        export.ui.messageButton1.click()
        assert len(export.panel.processes) == 3
        assert export.panel.request["source_dicom"] is None

    def test_retry_after_too_little_memory(self, running: Export) -> None:
        running.panel.process.say(events.Failure("OUT_OF_MEMORY", "Full.", "Close."))
        running.panel.process.end(4)
        assert "graphics card" not in running.panel.message()
        running.ui.messageButton1.click()
        assert len(running.panel.processes) == 3
        assert running.panel.request["kind"] == "export"


class TestDicomPackages:
    @pytest.fixture
    def lacking(self, export: Export, monkeypatch: pytest.MonkeyPatch) -> Export:
        from PETSynthPanel import Dependencies

        real = Dependencies.version
        gone = {"highdicom"}
        monkeypatch.setattr(Dependencies, "version", lambda n: None if n in gone else real(n))
        export.gone = gone  # type: ignore[attr-defined]
        export.synthesize()
        return export

    def test_nothing_is_installed_without_consent(self, lacking: Export, host: Any) -> None:
        lacking.tick("parametricMap")
        lacking.button.click()
        assert len(lacking.panel.processes) == 1, "the synthesis"
        assert host.packages.requested == []
        for said in ("7 MB to download", "50 MB on disk (41 GB free)", "from pypi.org", "MIT"):
            assert said in lacking.panel.message()

    def test_consent_installs_and_exports(self, lacking: Export, host: Any) -> None:
        lacking.tick("parametricMap")
        lacking.button.click()
        lacking.gone.clear()  # type: ignore[attr-defined]
        lacking.ui.messageButton1.click()
        assert host.packages.requested == ["pydicom>=3.0.1", "highdicom>=0.28"]
        assert len(lacking.panel.processes) == 2
        assert lacking.panel.request["objects"] == ["pm"]

    def test_a_failed_installation_tells_why(self, lacking: Export, host: Any) -> None:
        host.packages.failure = "ERROR: no connection to pypi.org"
        lacking.tick("parametricMap")
        lacking.button.click()
        lacking.ui.messageButton1.click()
        assert "no connection to pypi.org" in lacking.panel.message()
        assert len(lacking.panel.processes) == 1

    def test_other_formats_need_none(self, lacking: Export) -> None:
        lacking.tick("nifti")
        lacking.button.click()
        assert len(lacking.panel.processes) == 2

    def test_they_are_those_of_the_librarys_extra(self, panel: Any) -> None:
        from PETSynthPanel import Dependencies

        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
        extra = project["project"]["optional-dependencies"]["dicom"]
        assert list(Dependencies.DICOM) == extra


@pytest.mark.slow
def test_a_true_export_through_the_worker(export: Export) -> None:
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("highdicom", reason="the extra [dicom] is not installed")
    from PETSynthPanel.ProcessRunner import ProcessRunner

    pet = export.synthesize()
    export.quantify()
    export.tick("nifti", "csv", "parametricMap", "dicomSeg")
    controller = export.panel.controller
    controller.makeProcess = ProcessRunner
    export.button.click()
    wait = export.panel.host.waitUntil
    wait(lambda: not controller.busy, 120, "both exports")
    assert export.panel.message() == f"4 items written. {NEW_STUDY}", controller.log.text
    (new,) = export.folder.iterdir()
    names = {"nifti", "csv", "dicom", "request.json", "result.json"}
    assert {path.name for path in new.iterdir()} == names
    objects = [pydicom.dcmread(path) for path in sorted((new / "dicom").rglob("*.dcm"))]
    assert {one.Modality for one in objects} >= {"SEG"}
    assert len({one.SOPClassUID for one in objects}) == 2
    for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert len({str(one[name].value) for one in objects}) == 1, "they are seen together"
    assert json.loads((new / "request.json").read_text("utf-8"))["study"] == ""
    image = new / "nifti" / marks.file_name("fdg", "suvr", ".nii.gz")
    told = json.loads(image.with_name(image.name.replace(".nii.gz", ".json")).read_text("utf-8"))
    assert told["Synthetic"] is True
    back = slicer.util.loadVolume(str(image))
    assert slicer.util.arrayFromVolume(back) == pytest.approx(slicer.util.arrayFromVolume(pet))
    with (new / "csv" / marks.file_name("fdg", "regions", ".csv")).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["synthetic"] for row in rows} == {"TRUE"}
    assert export.card.folder == new
