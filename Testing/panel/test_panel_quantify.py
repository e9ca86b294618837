"""Card Quantify: what it asks for, what it shows, and what it refuses to show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantified_case as cases
import slicer
import vtk
from panel_fakes import resultEvent

from PETSynthLib.request import quantify_request_from_dict
from PETSynthLib.run import events
from PETSynthScene.RegionTable import rowsOf
from PETSynthScene.Volumes import arrayOf

EDITABLE = ("quantPetSelector", "referenceComboBox", "regionsSelector")

TYPED = """
import sys
import quantified_case
from PETSynthLib.cli import main
with quantified_case.quickly():
    sys.exit(main(sys.argv[1:]))
"""


class Quantify:
    """A panel with a head, and a worker that measures as the real one does, only quickly."""

    def __init__(self, panel: Any, keep: Path) -> None:
        import PETSynthScene as Scene

        self.keep = keep
        self.panel, self.ui, self.Scene = panel, panel.ui, Scene
        self.card = panel.panel.quantify
        self.t1 = cases.volume(slicer.mrmlScene, "Head T1w", cases.t1())
        panel.ui.t1wSelector.setCurrentNode(self.t1)
        panel.parameters.input.overridden = "coverage"
        panel.ui.quantifyCard.setCollapsed(False)

    @property
    def parameters(self) -> Any:
        return self.panel.parameters.quantify

    def acquired(self, name: str = "Scan", tracer: str = "fdg", gain: float = 5000.0) -> Any:
        """An acquired PET becomes the one to measure."""
        pet = cases.volume(slicer.mrmlScene, name, gain * cases.lesion())
        self.parameters.pet = pet
        if tracer:
            index = self.ui.quantTracerComboBox.findData(tracer)
            self.ui.quantTracerComboBox.setCurrentIndex(index)
        return pet

    def synthesize(self) -> Any:
        """A run makes a synthetic PET of the head."""
        self.panel.run()
        folder = Path(self.panel.request["output"])
        cases.synthesis(folder, Path(self.panel.request["t1"]))
        self._announce(folder)
        return self.panel.parameters.view.result

    def click(self) -> dict[str, Any]:
        """Click Quantify; returns the request."""
        self.ui.quantifyButton.click()
        self.panel.process.hello()
        return dict(self.panel.request)

    def measure(self) -> Any:
        """Click Quantify and let the worker finish; returns the nodes."""
        request = quantify_request_from_dict(self.click())
        self._announce(cases.measureOnce(request, self.keep))
        assert self.panel.controller.state.value == "done", self.panel.controller.log.text
        return self.card.table.nodes

    def _announce(self, folder: Path) -> None:
        self.panel.process.say(resultEvent(folder))
        self.panel.process.end(0)
        panel = self.panel
        panel.host.waitUntil(lambda: not panel.controller.busy, 30, "the import")


@pytest.fixture(scope="module")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where measurements are kept for the tests that ask the same."""
    return tmp_path_factory.mktemp("measured")


@pytest.fixture
def quantify(panel: Any, keep: Path) -> Quantify:
    return Quantify(panel, keep)


@pytest.fixture(scope="module")
def normals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of drawn normals, beside the panel's own home."""
    return cases.normals(tmp_path_factory.mktemp("ndb") / "normals")


class TestReady:
    def test_without_a_pet_it_says_what_is_missing(self, quantify: Quantify) -> None:
        assert not quantify.ui.quantifyButton.enabled
        assert quantify.ui.quantifyButton.toolTip == "Choose a PET, or synthesize one."
        assert not quantify.ui.quantTableView.isVisibleTo(quantify.ui.quantifyCard)

    def test_the_tracer_of_an_acquired_pet_is_asked_for(self, quantify: Quantify) -> None:
        pet = quantify.acquired(tracer="")
        assert quantify.ui.quantTracerComboBox.isVisibleTo(quantify.ui.quantifyCard)
        assert quantify.ui.quantifyButton.toolTip == "Choose the tracer of this PET."
        index = quantify.ui.quantTracerComboBox.findData("florbetapir")
        quantify.ui.quantTracerComboBox.setCurrentIndex(index)
        assert pet.GetAttribute("PETSynth.Tracer") == "florbetapir"
        assert quantify.ui.quantifyButton.enabled

    def test_the_t1_is_not_its_own_pet(self, quantify: Quantify) -> None:
        quantify.t1.SetAttribute("PETSynth.Tracer", "fdg")
        quantify.parameters.pet = quantify.t1
        assert quantify.ui.quantifyButton.toolTip == "PET and T1w are the same image."

    def test_a_fresh_result_is_the_pet_to_measure(self, quantify: Quantify) -> None:
        pet = quantify.synthesize()
        assert quantify.ui.quantPetSelector.currentNode() is pet
        assert not quantify.ui.quantTracerComboBox.isVisibleTo(quantify.ui.quantifyCard)
        assert quantify.ui.referenceComboBox.currentText == "Pons (default for FDG)"
        assert not quantify.ui.referenceComboBox.enabled
        assert "keeps the reference" in quantify.ui.referenceComboBox.toolTip

    def test_an_acquired_pet_that_was_chosen_stays(self, quantify: Quantify) -> None:
        pet = quantify.acquired()
        quantify.synthesize()
        assert quantify.ui.quantPetSelector.currentNode() is pet

    def test_parts_of_a_result_are_no_pets(self, quantify: Quantify) -> None:
        pet = quantify.synthesize()
        sd = pet.GetNodeReference("PETSynth.Part.SD")
        hidden = list(quantify.ui.quantPetSelector.sortFilterProxyModel().hiddenNodeIDs)
        assert sd.GetID() in hidden
        assert pet.GetID() not in hidden

    def test_everything_is_locked_while_it_runs_and_the_button_cancels(
        self, quantify: Quantify
    ) -> None:
        quantify.acquired()
        quantify.click()
        ui = quantify.ui
        assert not any(getattr(ui, name).enabled for name in EDITABLE)
        assert ui.quantifyButton.text == "Cancel"
        assert ui.runButton.text == "Cancel"
        assert not ui.previewCheckBox.isVisibleTo(ui.runButton.parent())
        ui.quantifyButton.click()
        quantify.panel.process.say(events.Stopped())
        assert quantify.panel.message() == "Cancelled. Nothing was added to the scene."
        assert ui.quantifyButton.text == "Quantify"


class TestRequest:
    def test_an_acquired_pet_goes_out_where_it_lies_with_its_t1(self, quantify: Quantify) -> None:
        import SimpleITK as sitk

        pet = quantify.acquired()
        shift = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = slicer.util.vtkMatrixFromArray(np.eye(4) + np.eye(4, k=3) * 0)
        matrix.SetElement(0, 3, 12.0)
        shift.SetMatrixTransformToParent(matrix)
        pet.SetAndObserveTransformNodeID(shift.GetID())
        body = quantify.click()
        assert (body["kind"], body["tracer"], body["reference"]) == ("quantify", "fdg", "pons")
        assert body["database"] is None
        out, mri = sitk.ReadImage(body["pet"]), sitk.ReadImage(body["t1"])
        # LPS: to the right is negative.
        assert out.GetOrigin()[0] - mri.GetOrigin()[0] == pytest.approx(-12.0)

    def test_a_synthetic_pet_is_measured_in_the_folder_of_its_synthesis(
        self, quantify: Quantify
    ) -> None:
        pet = quantify.synthesize()
        made = quantify.panel.request
        body = quantify.click()
        assert body["pet"] == made["output"]
        assert body["t1"] == made["t1"]
        assert body["tracer"] == ""
        assert body["reference"] is None
        assert quantify.panel.panel.launcher.resultFolder(pet) == Path(made["output"])

    def test_another_reference_region(self, quantify: Quantify) -> None:
        quantify.acquired()
        combo = quantify.ui.referenceComboBox
        assert combo.count > 1
        combo.setCurrentIndex(1)
        body = quantify.click()
        assert body["reference"] == combo.itemData(1) != "pons"

    def test_the_users_segmentation_goes_out_in_freesurfers_numbers(
        self, quantify: Quantify
    ) -> None:
        import SimpleITK as sitk

        quantify.acquired()
        mine = quantify.measure().regions
        quantify.parameters.regions = mine
        body = quantify.click()
        labels = sitk.GetArrayFromImage(sitk.ReadImage(body["parcellation"]))
        assert {17, 53, 1025, 2025} <= set(np.unique(labels)), "hippocampus, precuneus"

    def test_with_normals_age_and_sex_are_needed(self, quantify: Quantify, normals: Path) -> None:
        quantify.acquired()
        quantify.card.normals.add(str(normals))
        assert "age and sex" in quantify.ui.quantifyButton.toolTip
        patient = quantify.panel.parameters.patient
        patient.ageKnown = patient.sexKnown = True
        patient.age = 70
        body = quantify.click()
        assert Path(body["database"]).name == "ndb-fdg_kind-acquired_v1.0.0"
        assert (body["clinical"]["age"], body["clinical"]["sex"]) == (70.0, "F")

    def test_normals_are_taken_unasked_once_age_and_sex_are_known(
        self, quantify: Quantify, normals: Path
    ) -> None:
        from PETSynthPanel.Normals import addNormals

        name = addNormals(normals)
        quantify.acquired()
        combo = quantify.ui.normalsComboBox
        assert combo.count == 2
        assert combo.currentText == "none (SUVR only)"
        assert "age and sex" in combo.toolTip
        assert quantify.ui.quantifyButton.enabled
        patient = quantify.panel.parameters.patient
        patient.ageKnown = patient.sexKnown = True
        assert combo.currentData == name
        assert "age and sex" not in combo.toolTip

    def test_normals_of_another_reference_are_not_offered(
        self, quantify: Quantify, normals: Path
    ) -> None:
        quantify.acquired()
        quantify.card.normals.add(str(normals))
        assert quantify.ui.normalsComboBox.count == 2
        quantify.ui.referenceComboBox.setCurrentIndex(1)
        assert quantify.ui.normalsComboBox.count == 1
        assert quantify.ui.normalsComboBox.currentText == "none (SUVR only)"

    def test_a_demonstration_is_not_held_against_normals(self, quantify: Quantify) -> None:
        quantify.synthesize()
        assert not quantify.ui.normalsComboBox.enabled
        assert "demonstration model" in quantify.ui.normalsComboBox.toolTip

    def test_the_sample_case_says_that_nobody_is_judged(self, quantify: Quantify) -> None:
        quantify.Scene.markSample(quantify.t1)
        quantify.synthesize()
        body = quantify.click()
        beside = Path(body["t1"]).with_name("t1.json")
        assert json.loads(beside.read_text(encoding="utf-8")) == {"Simulated": True}

    def test_a_pet_of_another_patient_is_not_measured(self, quantify: Quantify) -> None:
        pet = quantify.acquired()
        tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        for node, name in ((pet, "p1"), (quantify.t1, "p2")):
            patient = tree.CreateSubjectItem(tree.GetSceneItemID(), name)
            tree.SetItemAttribute(patient, "Level", "Patient")
            tree.SetItemParent(tree.GetItemByDataNode(node), tree.CreateStudyItem(patient, "s"))
        before = len(quantify.panel.processes)
        quantify.ui.quantifyButton.click()
        assert len(quantify.panel.processes) == before
        assert quantify.panel.message() == "PET and T1w belong to different patients in DICOM."
        assert quantify.ui.messageButton1.text == "Choose another"


class TestTable:
    def test_the_table_has_the_numbers_of_the_command_line_to_the_last_digit(
        self, quantify: Quantify, tmp_path: Path
    ) -> None:
        quantify.acquired()
        nodes = quantify.measure()
        body = quantify.panel.request
        words = ["quantify", body["pet"], "--t1", body["t1"], "--tracer", "fdg"]
        typed = [*words, "-o", str(tmp_path / "typed"), "--quiet"]
        # A process of its own: here another test may have read the library anew, in part.
        subprocess.run(
            [sys.executable, "-c", TYPED, *typed],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
        )
        assert rowsOf(nodes.table) == cases.tableOf(tmp_path / "typed")

    def test_it_stands_in_the_card_with_its_header(self, quantify: Quantify) -> None:
        quantify.synthesize()
        quantify.measure()
        view, ui = quantify.ui.quantTableView, quantify.ui
        assert view.isVisibleTo(ui.quantifyCard)
        names = [view.horizontalHeaderItem(n).text() for n in range(view.columnCount)]
        assert names == ["Region", "Side", "SUVR", "90 %"], "z is withheld: no column for it"
        assert view.item(0, 0).text() == "AD-like meta-ROI"
        header = ui.quantHeaderLabel.text
        assert "DEMONSTRATION MODEL" in header
        assert "<b>SYNTHETIC</b>" in header
        assert "pons" in header
        assert "calibrated 90 % intervals" in header

    def test_with_normals_z_and_flags_stand_there(self, quantify: Quantify, normals: Path) -> None:
        quantify.acquired()
        quantify.card.normals.add(str(normals))
        patient = quantify.panel.parameters.patient
        patient.ageKnown = patient.sexKnown = True
        quantify.measure()
        view = quantify.ui.quantTableView
        assert view.horizontalHeaderItem(3).text() == "z▼"
        assert (view.item(0, 0).text(), view.item(0, 1).text()) == ("Precuneus", "L")
        assert view.item(0, 4).text() == "▼ low"
        header = quantify.ui.quantHeaderLabel.text
        assert "<b>ACQUIRED</b>" in header
        assert "40 normals" in header
        assert "z▼ is positive where uptake is low" in header

    def test_a_click_on_a_row_goes_there(self, quantify: Quantify) -> None:
        quantify.acquired()
        nodes = quantify.measure()
        view = quantify.ui.quantTableView
        rows = [(view.item(n, 0).text(), view.item(n, 1).text()) for n in range(view.rowCount)]
        row = rows.index(("Hippocampus", "R"))
        view.clicked.emit(view.model().index(row, 2))
        display = nodes.regions.GetDisplayNode()
        assert display.GetSegmentVisibility("hippocampus.R")
        assert not display.GetSegmentVisibility("hippocampus.L")

    def test_a_table_of_changed_voxels_is_refused(self, quantify: Quantify) -> None:
        pet = quantify.acquired()
        quantify.measure()
        arrayOf(pet)[5:9] *= 2.0
        pet.GetImageData().GetPointData().GetScalars().Modified()
        quantify.panel.panel.refresh()
        assert quantify.panel.message() == (
            "This table belongs to another image (patient or voxels differ), so it is not shown."
        )
        assert quantify.ui.messageButton1.text == "Quantify again"
        assert not quantify.ui.quantTableView.isVisibleTo(quantify.ui.quantifyCard)
        assert not quantify.ui.chartButton.enabled
        quantify.ui.messageButton1.click()
        quantify.panel.process.hello()
        assert quantify.panel.controller.busy

    def test_each_pet_shows_its_own_table(self, quantify: Quantify) -> None:
        first = quantify.acquired("One")
        mine = quantify.measure().table
        quantify.acquired("Two", gain=4000.0)
        assert quantify.card.table.nodes is None
        assert quantify.panel.message() != "wrong"
        quantify.parameters.pet = first
        assert quantify.card.table.nodes.table is mine


class TestButtons:
    def test_chart_and_table_open_in_slicers_views(self, quantify: Quantify) -> None:
        quantify.acquired()
        nodes = quantify.measure()
        quantify.ui.chartButton.click()
        layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpPlotView
        selection = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSelectionNode")
        assert selection.GetActivePlotChartID() == nodes.chart.GetID()
        quantify.ui.fullTableButton.click()
        assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpTableView
        assert selection.GetActiveTableID() == nodes.table.GetID()

    def test_the_segment_editor_gets_every_region(
        self, quantify: Quantify, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[str] = []
        monkeypatch.setattr(slicer.util, "selectModule", opened.append)
        quantify.acquired()
        nodes = quantify.measure()
        quantify.ui.segmentEditorButton.click()
        assert opened == ["SegmentEditor"]
        assert nodes.regions.GetDisplayNode().GetSegmentVisibility("insula.L")

    def test_segment_statistics_gets_every_region(
        self, quantify: Quantify, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It leaves out hidden segments, and a click on a row hides all the others."""
        opened: list[str] = []
        monkeypatch.setattr(slicer.util, "selectModule", opened.append)
        quantify.acquired()
        regions = quantify.measure().regions
        quantify.Scene.showRegion(quantify.card._context.environment, regions, "insula", "L")
        assert not regions.GetDisplayNode().GetSegmentVisibility("cuneus.R")
        quantify.ui.statisticsButton.click()
        assert opened == ["SegmentStatistics"]
        seen = vtk.vtkStringArray()
        regions.GetDisplayNode().GetVisibleSegmentIDs(seen)
        assert seen.GetNumberOfValues() == regions.GetSegmentation().GetNumberOfSegments()


class TestMessages:
    def test_done_without_normals_offers_to_add_some(self, quantify: Quantify) -> None:
        quantify.acquired()
        quantify.measure()
        assert quantify.panel.message().endswith(
            "No normal database for FDG. SUVR is shown, z is not."
        )
        assert quantify.ui.messageButton1.text == "Add folder…"

    @pytest.mark.parametrize(
        ("body", "noNormals", "acquired", "text", "button"),
        [
            (
                {"findings": [{"name": "reference_in_pet", "verdict": "amber",
                               "sentence": "60 % of the reference region (pons) shows uptake."}]},
                "FDG", True,
                "60 % of the reference region (pons) shows uptake. SUVR is not reliable.",
                "Use another reference",
            ),
            ({}, "PiB", True, "No normal database for PiB. SUVR is shown, z is not.",
             "Add folder…"),
            ({"headline": [{"interval90_low": None}]}, "", False,
             "This model has no calibration for these regions, so no 90 % interval is given.",
             None),
        ],
    )  # fmt: skip
    def test_what_is_said_after_a_measurement(
        self, panel: Any, body: dict[str, Any], noNormals: str, acquired: bool, text: str,
        button: str | None,
    ) -> None:  # fmt: skip
        from PETSynthPanel import Messages, QuantifyMessages

        full = {"total_seconds": 4.6, "findings": [], "headline": [{"interval90_low": 1.0}], **body}
        said = QuantifyMessages.done(full, noNormals, acquired)
        assert said.text == f"Quantified in 5 s. {text}"
        assert said.kind is Messages.Kind.AMBER
        assert [words for _, words in said.buttons] == ([] if button is None else [button])

    def test_a_pet_beside_the_t1_may_be_aligned(self, quantify: Quantify) -> None:
        quantify.acquired()
        quantify.click()
        quantify.panel.process.say(
            events.Failure(
                "ALIGNMENT", "The PET lies 14.0 mm from the T1.", "Use --register.", None
            )
        )
        quantify.panel.process.end(2)
        assert quantify.panel.message() == "The PET lies 14.0 mm from the T1."
        assert quantify.ui.messageButton1.text == "Align a copy"
        assert quantify.ui.messageButton2.text == "Choose another"
        quantify.ui.messageButton1.click()
        assert quantify.panel.request["register"] is True

    def test_a_bad_reference_may_be_exchanged(self, quantify: Quantify) -> None:
        quantify.acquired()
        quantify.click()
        quantify.panel.process.say(
            events.Failure("BAD_DATA", "The PET shows no uptake in the pons.", "Check it.", None)
        )
        quantify.panel.process.end(2)
        assert quantify.ui.messageButton2.text == "Use another reference"
        quantify.ui.messageButton2.click()
        assert quantify.panel.request["reference"] != "pons"

    def test_a_damaged_database_is_not_taken(self, quantify: Quantify, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        quantify.card.normals.add(str(tmp_path / "empty"))
        assert "missing or damaged" in quantify.panel.message()

    def test_a_pet_that_is_removed_stops_the_run(self, quantify: Quantify) -> None:
        pet = quantify.acquired("Scan 7")
        quantify.click()
        slicer.mrmlScene.RemoveNode(pet)
        quantify.panel.process.say(events.Stopped())
        assert quantify.panel.controller.state.value == "idle"


class TestReturning:
    def test_a_pet_of_a_loaded_scene_is_measured_from_its_nodes(
        self, quantify: Quantify, tmp_path: Path
    ) -> None:
        pet = quantify.synthesize()
        first = rowsOf(quantify.measure().table)
        quantify.panel.panel.launcher.jobs.clear()  # as after saving and loading
        body = quantify.click()
        assert not Path(body["pet"], "report.html").exists()
        request = quantify_request_from_dict(body)
        quantify._announce(cases.measure(request))
        assert rowsOf(quantify.card.table.nodes.table) == first, "the same numbers"
        assert len(quantify.Scene.quantificationsOf(quantify.card._context.environment, pet)) == 2

    def test_a_pet_that_was_changed_is_refused(self, quantify: Quantify) -> None:
        pet = quantify.synthesize()
        quantify.panel.panel.launcher.jobs.clear()
        arrayOf(pet)[20] += 0.5
        pet.GetImageData().GetPointData().GetScalars().Modified()
        before = len(quantify.panel.processes)
        quantify.ui.quantifyButton.click()
        assert len(quantify.panel.processes) == before
        assert "no longer the one that was made" in quantify.panel.message()
        assert "voxels" in quantify.panel.message()


class TestSegmentStatistics:
    @pytest.fixture
    def module(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """A stand-in of Slicer's Segment Statistics: its plugin base and its list of plugins."""
        from segment_statistics_standin import SegmentStatisticsLogic, SegmentStatisticsPluginBase

        plugins = types.ModuleType("SegmentStatisticsPlugins")
        plugins.SegmentStatisticsPluginBase = SegmentStatisticsPluginBase  # type: ignore[attr-defined]
        logic = types.ModuleType("SegmentStatistics")
        logic.SegmentStatisticsLogic = SegmentStatisticsLogic  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "SegmentStatisticsPlugins", plugins)
        monkeypatch.setitem(sys.modules, "SegmentStatistics", logic)
        SegmentStatisticsLogic.registeredPlugins = []
        yield SegmentStatisticsLogic
        SegmentStatisticsLogic.registeredPlugins = []

    def test_it_tells_what_the_table_says(self, quantify: Quantify, module: Any) -> None:
        from PETSynthPanel import SegmentStatistics

        SegmentStatistics._registered.clear()
        made = SegmentStatistics.registerPlugin()
        assert module.registeredPlugins == [made]
        quantify.synthesize()
        nodes = quantify.measure()
        plugin = made()
        parameters = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        parameters.SetParameter("Segmentation", nodes.regions.GetID())
        plugin.setParameterNode(parameters)
        row = next(r for r in rowsOf(nodes.table) if (r["region"], r["side"]) == ("insula", "R"))
        found = plugin.computeStatistics("insula.R")
        assert found == {
            "synthetic_suvr": float(row["suvr"]),
            "synthetic_low": float(row["interval90_low"]),
            "synthetic_high": float(row["interval90_high"]),
        }
        info = plugin.getMeasurementInfo("synthetic_suvr")
        assert (info["name"], info["title"]) == ("Synthetic SUVR", "Synthetic SUVR")
        assert "SUVR" in info["DICOM.QuantityCode"]
        assert plugin.computeStatistics("cuneus.L") == {}, "hidden in the table, hidden here"
        # An edited segment is no longer the region that was measured.
        nodes.regions.GetSegmentation().GetSegment("insula.R").SetLabelValue(200)
        assert plugin.computeStatistics("insula.R") == {}
        SegmentStatistics._registered.clear()

    def test_it_tells_the_same_of_a_segmentation_under_a_transform(
        self, quantify: Quantify, module: Any
    ) -> None:
        from segment_statistics_standin import hardenedCopy

        from PETSynthPanel import SegmentStatistics

        quantify.synthesize()
        regions = quantify.measure().regions
        plugin = SegmentStatistics.pluginClass(
            sys.modules["SegmentStatisticsPlugins"].SegmentStatisticsPluginBase
        )()
        parameters = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        plugin.setParameterNode(parameters)
        parameters.SetParameter("Segmentation", regions.GetID())
        plain = plugin.computeStatistics("insula.R")
        quarter = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        matrix = vtk.vtkMatrix4x4()
        for row, values in enumerate(([0, -1, 0, 12], [1, 0, 0, -7], [0, 0, 1, 3])):
            for column, value in enumerate(values):
                matrix.SetElement(row, column, value)
        quarter.SetMatrixTransformToParent(matrix)
        regions.SetAndObserveTransformNodeID(quarter.GetID())
        parameters.SetParameter("Segmentation", hardenedCopy(regions).GetID())
        assert plugin.computeStatistics("insula.R") == plain != {}

    def test_without_the_module_nothing_is_registered(self, panel: Any) -> None:
        from PETSynthPanel import SegmentStatistics

        SegmentStatistics._registered.clear()
        assert SegmentStatistics.registerPlugin() is None
