"""The queue: several T1s, one after the other, and what becomes of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import slicer

from PETSynthLib.run import events


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


def test_a_removed_row_is_gone(panel: Any) -> None:
    tick(panel, "A T1w", "B T1w")
    panel.ui.batchTable.selectRow(0)
    panel.ui.batchRemoveButton.click()
    assert panel.ui.batchTable.rowCount == 1
    assert panel.ui.batchTable.item(0, 0).text() == "B T1w"


class TestCsv:
    def read(self, panel: Any, folder: Path, text: str) -> Any:
        from PETSynthPanel.BatchQueue import readCsv

        (folder / "list.csv").write_text(text, encoding="utf-8")
        return readCsv(folder / "list.csv", panel.panel.tracer.request())

    def test_an_empty_cell_is_missing_and_not_0(self, panel: Any, tmp_path: Path) -> None:
        text = "t1,age,sex,mmse,tracer\na.nii.gz,71,f,,\nb.nii.gz,,,0,pib\n"
        first, second = self.read(panel, tmp_path, text)
        assert (first.request.clinical.age, first.request.clinical.sex) == (71.0, "F")
        assert first.request.clinical.mmse is None
        assert second.request.clinical.mmse == 0.0
        assert (first.request.tracer, second.request.tracer) == ("fdg", "pib")
        assert first.t1 == str(tmp_path / "a.nii.gz")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("t1,agee\na,7\n", "unknown columns: agee"),
            ("t1,age\n,71\n", "line 2 of list.csv names no t1"),
            ("t1,age\na,old\n", "line 2 of list.csv"),
        ],
    )
    def test_a_list_that_cannot_be_read_says_where(
        self, panel: Any, tmp_path: Path, text: str, said: str
    ) -> None:
        from PETSynthLib.errors import PETSynthError

        with pytest.raises(PETSynthError, match=said):
            self.read(panel, tmp_path, text)

    def test_what_is_written_is_read_again(self, panel: Any, tmp_path: Path) -> None:
        from PETSynthPanel.BatchQueue import readCsv, writeCsv

        text = "t1,flair,age,apoe4,tracer\na.nii.gz,f.nii.gz,71,2,pib\n"
        cases = self.read(panel, tmp_path, text)
        writeCsv(tmp_path / "again.csv", cases)
        again = readCsv(tmp_path / "again.csv", panel.panel.tracer.request())
        assert again == cases
