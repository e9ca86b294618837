"""Draw the panel and the layouts of PETSynth in the test host, for the documents.

The pictures show the real panel code, the real scene and the real worker in stand-in widgets. They
say so: each carries a strip "Test host, not the 3D Slicer desktop".

Usage: python screenshots.py -o FOLDER [--model NAME]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent))
from slicerhost.host import Host, install
from slicerhost.modules import LoadedModule, loadModule

ROOT = Path(__file__).resolve().parents[2]
LABEL = "Test host, not the 3D Slicer desktop"
PANEL_WIDTH = 430  # pixels; the width of Slicer's module panel on a common screen
VIEW_SIZE = 340  # pixels
STRIP = 22  # pixels, the label's
RUN_LIMIT = 600  # seconds


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--model", default="flow", help="model of the run that is shown")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    host = install()
    host.reset()
    module = loadModule("PETSynth", ROOT / "PETSynth")
    try:
        draw(host, module, options.output, options.model)
    finally:
        module.unload()
    if host.slotErrors:
        raise SystemExit("\n".join(host.slotErrors))


def draw(host: Host, module: LoadedModule, folder: Path, model: str) -> None:
    """Walk through a run of the sample case and draw what the user sees."""
    import slicer

    ui = module.ui
    module.enter()
    savePanel(host, module, folder / "panel-start.png")

    ui.loadSampleButton.click()
    host.waitUntil(lambda: ui.t1wSelector.currentNode() is not None, 60, "the sample case")
    # Nothing is ticked in Patient: the sample's age is not ours to invent.
    module.logic.getParameterNode().run.modelId = model
    host.waitUntil(lambda: ui.runButton.enabled, 60, "the panel's readiness")
    savePanel(host, module, folder / "panel-ready.png")

    ui.runButton.click()
    host.waitUntil(lambda: ui.progressBar.value >= 30, RUN_LIMIT, "a third of the run")
    savePanel(host, module, folder / "panel-running.png")
    host.waitUntil(lambda: pets(host), RUN_LIMIT, "the result")
    host.waitUntil(lambda: ui.runButton.enabled, 60, "the end of the run")
    savePanel(host, module, folder / "panel-done.png")
    saveLayout(host, folder / "layout-fused.png")
    ui.planesComboBox.setCurrentIndex(ui.planesComboBox.findData("hippocampus"))
    saveLayout(host, folder / "layout-hippocampal.png")
    ui.planesComboBox.setCurrentIndex(ui.planesComboBox.findData("native"))

    quantify(host, module)
    savePanel(host, module, folder / "panel-quantify.png")
    exporting(host, module, folder)

    host.waitUntil(lambda: ui.sspLayoutButton.enabled, 60, "the end of the measurement")
    ui.sspLayoutButton.click()
    host.waitUntil(lambda: ui.sspLayoutButton.checked, RUN_LIMIT, "the surface views")
    for view in slicer.app.layoutManager().shownViews():
        view.renderWindow()
    # The host makes windows late, and a view draws the legends that are made while it is there.
    ui.sspShowButton.click()
    saveLayout(host, folder / "layout-ssp.png")
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def quantify(host: Host, module: LoadedModule) -> None:
    """Measure the PET and open its card; the other cards are folded by the user."""
    import slicer

    ui = module.ui
    for card in ("inputCard", "patientCard", "tracerCard", "viewCard"):
        getattr(ui, card).setCollapsed(True)
    ui.quantifyCard.setCollapsed(False)
    ui.quantifyButton.click()
    host.waitUntil(lambda: ui.quantifyButton.text == "Cancel", 60, "the measurement's start")
    host.waitUntil(lambda: ui.quantifyButton.text == "Quantify", RUN_LIMIT, "the measurement")
    view = ui.quantTableView
    view.selectRow(4)
    view.clicked.emit(view.model().index(4, 0))
    slicer.app.processEvents()


def exporting(host: Host, module: LoadedModule, folder: Path) -> None:
    """Open the card Export with a folder; nothing is written."""
    ui = module.ui
    ui.quantifyCard.setCollapsed(True)
    ui.exportFolderLineEdit.setCurrentPath("/data/exports")
    ui.exportCard.setCollapsed(False)
    savePanel(host, module, folder / "panel-export.png")
    ui.exportCard.setCollapsed(True)
    ui.quantifyCard.setCollapsed(False)


def pets(host: Host) -> list[Any]:
    """The synthetic PET volumes of the scene."""
    scene = host.application.scene
    count = scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    volumes = (scene.GetNthNodeByClass(i, "vtkMRMLScalarVolumeNode") for i in range(count))
    return [v for v in volumes if v.GetAttribute("PETSynth.Role") == "PET"]


def savePanel(host: Host, module: LoadedModule, path: Path) -> None:
    """The panel as tall as its contents want to be."""
    import slicer

    slicer.app.processEvents()
    panel = module.panel
    panel.resize(PANEL_WIDTH, panel.sizeHint().height())
    slicer.app.processEvents()
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "panel.png"
        panel.grab().save(str(raw))
        with Image.open(raw) as picture:
            labelled(picture.convert("RGB")).save(path, optimize=True)


def saveLayout(host: Host, path: Path) -> None:
    """All views of the current layout, in rows."""
    import slicer

    rows = slicer.app.layoutManager().rows()
    for view in [view for row in rows for view in row]:
        view.resize(VIEW_SIZE, VIEW_SIZE)
        if hasattr(view, "fitSliceToBackground"):
            view.fitSliceToBackground()
    slicer.app.processEvents()
    gap = np.full((VIEW_SIZE, 2, 3), 90, np.uint8)
    lines = []
    for row in rows:
        pictures = [part for view in row for part in (view.picture()[..., :3], gap)][:-1]
        lines.append(np.concatenate(pictures, axis=1))
    between = np.full((2, lines[0].shape[1], 3), 90, np.uint8)
    stacked = np.concatenate([part for line in lines for part in (line, between)][:-1])
    labelled(Image.fromarray(stacked)).save(path, optimize=True)


def labelled(picture: Image.Image) -> Image.Image:
    """The picture with the label in a strip below it."""
    canvas = Image.new("RGB", (picture.width, picture.height + STRIP), (60, 60, 60))
    canvas.paste(picture, (0, 0))
    font = ImageFont.load_default(size=12)
    ImageDraw.Draw(canvas).text((8, picture.height + 4), LABEL, (255, 200, 90), font)
    return canvas


if __name__ == "__main__":
    main()
