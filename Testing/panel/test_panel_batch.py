"""The queue: several T1s, one after the other, and what becomes of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import slicer

from PETSynthLib.run import events


@pytest.fixture(autouse=True)
def look(panel: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``look(finding, ...)``: what the quick look finds in every image; nothing until then."""
    import PETSynthScene as Scene

    def finds(*findings: Any) -> None:
        monkeypatch.setattr(Scene, "quickFindings", lambda *_: list(findings))

    finds()
    return finds


def tick(panel: Any, *names: str) -> list[Any]:
    """Make heads, tick them in the list, add them to the queue."""
    import qt
    from head import Head

    panel.head = Head()
    nodes = [panel.head.node(slicer.mrmlScene, name) for name in names]
    for node in nodes:
        panel.ui.batchT1wSelector.setCheckState(node, qt.Qt.Checked)
    panel.ui.batchAddButton.click()
    return nodes


def states(panel: Any) -> list[str]:
    """The last column."""
    table = panel.ui.batchTable
    return [table.item(row, 3).text() for row in range(table.rowCount)]


def test_ticked_images_wait_in_the_queue(panel: Any) -> None:
    assert not panel.ui.batchAddButton.enabled
    tick(panel, "A T1w", "B T1w")
    assert states(panel) == ["waiting", "waiting"]
    assert panel.ui.batchTable.item(0, 2).text() == "unknown"
    assert panel.ui.batchRunButton.enabled
    assert not panel.ui.batchAddButton.enabled, "nothing is ticked any more"


def test_the_queue_runs_all_and_a_failure_does_not_stop_it(panel: Any) -> None:
    nodes = tick(panel, "A T1w", "B T1w")
    layout = slicer.app.layoutManager().layout
    panel.ui.batchRunButton.click()
    panel.process.hello()
    assert panel.ui.stageLabel.text.startswith("Case 1 of 2, ")
    assert not panel.ui.batchRunButton.enabled
    panel.process.say(events.Failure("BAD_IMAGE", "No brain was found.", "Give a mask."))
    panel.process.end(2)
    panel.host.waitUntil(lambda: len(panel.processes) == 2, 10, "the next case")
    panel.process.hello()
    assert panel.ui.stageLabel.text.startswith("Case 2 of 2, ")
    panel.finish()
    panel.host.waitUntil(lambda: not panel.panel.batch.queue.active, 10, "the end of the queue")
    assert states(panel)[0].startswith("failed: No brain was found.")
    assert states(panel)[1].startswith("done")
    assert slicer.app.layoutManager().layout == layout, "a queue does not switch views"
    results = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    sources = {n.GetNodeReference("PETSynth.SourceT1") for n in results} - {None}
    assert sources == {nodes[1]}


def test_cancel_stops_the_case_and_leaves_the_rest_waiting(panel: Any) -> None:
    tick(panel, "A T1w", "B T1w")
    panel.ui.batchRunButton.click()
    panel.process.hello()
    panel.ui.runButton.click()
    panel.process.say(events.Stopped())
    panel.process.end(3)
    slicer.app.processEvents()
    assert states(panel) == ["cancelled", "waiting"]
    assert len(panel.processes) == 1


def test_a_red_light_skips_its_case_and_starts_no_worker(panel: Any, look: Any) -> None:
    from PETSynthLib.checks import Finding, Verdict

    look(Finding("coverage", 0, "", Verdict.RED, "The image cuts the brain.", key="none"))
    tick(panel, "A T1w", "B T1w")
    panel.ui.batchRunButton.click()
    assert states(panel) == ["skipped: The image cuts the brain."] * 2
    assert panel.processes == []
    assert not panel.panel.batch.queue.active


def test_a_removed_row_is_gone(panel: Any) -> None:
    tick(panel, "A T1w", "B T1w")
    panel.ui.batchTable.selectRow(0)
    panel.ui.batchRemoveButton.click()
    assert panel.ui.batchTable.rowCount == 1
    assert panel.ui.batchTable.item(0, 0).text() == "B T1w"


def flair(panel: Any, row: int = 0) -> str:
    """The second column."""
    return str(panel.ui.batchTable.item(row, 1).text())


class TestFlair:
    def test_a_click_goes_through_none_and_those_of_the_patient(self, panel: Any) -> None:
        import qt
        from head import Head

        panel.head = Head()
        t1 = panel.head.node(slicer.mrmlScene, "A T1w")
        for name in ("A FLAIR", "B FLAIR"):
            panel.head.node(slicer.mrmlScene, name)
        panel.ui.batchT1wSelector.setCheckState(t1, qt.Qt.Checked)
        panel.ui.batchAddButton.click()
        seen = [flair(panel)]
        for _ in range(3):
            panel.ui.batchTable.cellClicked.emit(0, 1)
            seen.append(flair(panel))
        assert seen == ["A FLAIR", "B FLAIR", "none", "A FLAIR"]
        assert "one of 2" in panel.ui.batchTable.item(0, 1).toolTip()

    def test_a_click_elsewhere_and_a_running_case_change_nothing(self, panel: Any) -> None:
        tick(panel, "A T1w")
        panel.head.node(slicer.mrmlScene, "A FLAIR")
        panel.ui.batchTable.cellClicked.emit(0, 0)
        assert flair(panel) == "none"
        panel.ui.batchRunButton.click()
        panel.ui.batchTable.cellClicked.emit(0, 1)
        assert flair(panel) == "none"
        assert panel.request["flair"] is None


class TestCsv:
    """What the file itself may hold is in `test_run_queue_file`."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Path:
        """A folder with two heads and a mask as files."""
        from head import Head

        head = Head()
        for name in ("Kopf 1", "Kopf 2"):
            node = head.node(slicer.mrmlScene, name)
            assert slicer.util.saveNode(node, str(tmp_path / f"{name}.nrrd"))
        slicer.mrmlScene.Clear(0)
        return tmp_path

    def load(self, panel: Any, folder: Path, text: str) -> None:
        (folder / "list.csv").write_text(text, encoding="utf-8")
        panel.panel.batch.addCsv(str(folder / "list.csv"))

    def test_rows_wait_with_their_own_tracer_and_person(self, panel: Any, files: Path) -> None:
        self.load(
            panel,
            files,
            "t1,flair,tracer,age,sex\nKopf 1.nrrd,Kopf 2.nrrd,pib,71,f\nKopf 2.nrrd,,,,\n",
        )
        table = panel.ui.batchTable
        rows = [[table.item(row, column).text() for column in range(4)] for row in range(2)]
        assert rows == [
            ["Kopf 1.nrrd", "Kopf 2.nrrd", "71 F", "waiting"],
            ["Kopf 2.nrrd", "none", "unknown", "waiting"],
        ]
        assert table.item(0, 0).toolTip().startswith("pib, ")
        assert table.item(1, 0).toolTip().startswith("fdg, ")

    def test_a_row_is_loaded_when_its_turn_comes(self, panel: Any, files: Path) -> None:
        self.load(panel, files, "t1,flair,mask,age\nKopf 1.nrrd,Kopf 2.nrrd,Kopf 1.nrrd,71\n")
        assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 0
        panel.ui.batchRunButton.click()
        assert [
            node.GetClassName() for node in slicer.util.getNodesByClass("vtkMRMLVolumeNode")
        ] == [
            "vtkMRMLScalarVolumeNode",
            "vtkMRMLScalarVolumeNode",
            "vtkMRMLLabelMapVolumeNode",
        ]
        assert panel.request["clinical"]["age"] == 71
        assert all(panel.request[name] for name in ("t1", "flair", "mask"))

    def test_a_bad_row_is_told_and_nothing_is_queued(self, panel: Any, files: Path) -> None:
        self.load(panel, files, "t1,age\nKopf 1.nrrd,71\nKopf 2.nrrd,7\n")
        assert "Line 3: The age 7 is outside 18 to 110 years." in panel.message()
        assert panel.ui.batchTable.rowCount == 0

    def test_what_is_saved_is_loaded_again(self, panel: Any, files: Path) -> None:
        assert not panel.ui.batchSaveButton.enabled
        text = "t1,flair,tracer,age\nKopf 1.nrrd,Kopf 2.nrrd,pib,71\n"
        self.load(panel, files, text)
        assert panel.ui.batchSaveButton.enabled
        panel.panel.batch.saveCsv(str(files / "again.csv"))
        assert "Kopf 1.nrrd,Kopf 2.nrrd,,pib,71," in (files / "again.csv").read_text("utf-8")
        panel.panel.batch.addCsv(str(files / "again.csv"))
        first, second = panel.panel.batch.queue.cases
        assert first == second

    def test_images_of_the_scene_are_saved_by_their_files(self, panel: Any, files: Path) -> None:
        import qt

        node = slicer.util.loadVolume(str(files / "Kopf 1.nrrd"))
        panel.ui.batchT1wSelector.setCheckState(node, qt.Qt.Checked)
        panel.ui.batchAddButton.click()
        panel.panel.batch.saveCsv(str(files / "list.csv"))
        assert (files / "list.csv").read_text("utf-8").splitlines()[1].startswith("Kopf 1.nrrd,,")

    def test_an_image_that_is_no_file_is_named(self, panel: Any, tmp_path: Path) -> None:
        tick(panel, "A T1w")
        panel.panel.batch.saveCsv(str(tmp_path / "list.csv"))
        assert "Save A T1w as NRRD or NIfTI first" in panel.message()
        assert not (tmp_path / "list.csv").exists()
