"""The surface map: where it comes from, what its controls change, and what is not shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import quantified_case as cases
import slicer
from panel_fakes import resultEvent
from surface_case import folder_of_surface

from PETSynthLib.request import project_request_from_dict, quantify_request_from_dict
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.project_job import run_projection

CONTROLS = (
    "sspMapComboBox", "sspDirectionComboBox", "sspPaletteComboBox", "sspThresholdSlider",
    "sspHatchCheckBox",
)  # fmt: skip


class Surface:
    """A panel with a head, and a worker that answers at once."""

    def __init__(self, panel: Any) -> None:
        import PETSynthScene as Scene

        self.panel, self.ui, self.Scene = panel, panel.ui, Scene
        self.env = panel.panel.context.environment

    def synthesize(self, key: str = "fdg") -> Any:
        """A run makes a synthetic PET of the made-up head."""
        self.panel.chooseHead()
        self.panel.run()
        return self.panel.finish(key)

    def project(self, key: str = "fdg", **more: Any) -> dict[str, Any]:
        """The worker that was started lays the PET onto the surface; returns its request."""
        self.panel.process.hello()
        body = dict(self.panel.request)
        folder_of_surface(Path(body["output"]), key, **more)
        self.announce(Path(body["output"]))
        return body

    def announce(self, folder: Path) -> None:
        """The run ends; a measurement may start the next one by itself."""
        panel, runs = self.panel, len(self.panel.processes)
        panel.process.say(resultEvent(folder))
        panel.process.end(0)
        panel.host.waitUntil(
            lambda: not panel.controller.busy or len(panel.processes) > runs, 30, "the import"
        )

    @property
    def nodes(self) -> Any:
        return self.Scene.surfaceOf(self.env, self.panel.parameters.quantify.pet)

    @property
    def look(self) -> Any:
        return self.Scene.lookOfSurface(self.nodes)

    @property
    def layout(self) -> int:
        return int(self.env.layoutNode.GetViewArrangement())


@pytest.fixture
def surface(panel: Any) -> Surface:
    return Surface(panel)


@pytest.fixture
def shown(surface: Surface) -> Surface:
    """A synthetic PET in the eight views, with z."""
    surface.synthesize()
    surface.ui.sspLayoutButton.click()
    surface.project(z=True)
    return surface


class TestMaking:
    def test_without_a_pet_the_buttons_say_why_not(self, surface: Surface) -> None:
        assert not surface.ui.sspLayoutButton.enabled
        assert surface.ui.sspLayoutButton.toolTip.startswith("There is no PET yet")
        assert surface.ui.sspShowButton.toolTip == "Choose a PET, or synthesize one."
        for name in CONTROLS:
            assert not getattr(surface.ui, name).enabled

    def test_one_click_lays_a_fresh_result_onto_the_surface_and_shows_it(
        self, surface: Surface
    ) -> None:
        pet = surface.synthesize()
        folder = surface.panel.request["output"]
        surface.ui.sspLayoutButton.click()
        body = surface.project()
        request = project_request_from_dict(body)
        assert request.pet == folder
        assert (request.tracer, request.database, request.palette) == ("", None, "classic")
        assert surface.layout == surface.Scene.SSP
        assert surface.nodes.pet is pet
        assert surface.ui.sspLayoutButton.checked
        assert surface.panel.message() == "On the surface in 7 s."

    def test_a_second_click_only_shows_it(self, shown: Surface) -> None:
        shown.ui.restoreLayoutButton.click()
        runs = len(shown.panel.processes)
        shown.ui.sspShowButton.click()
        assert len(shown.panel.processes) == runs
        assert shown.layout == shown.Scene.SSP

    def test_a_pet_that_changed_is_laid_on_anew(self, shown: Surface) -> None:
        from PETSynthScene.Volumes import arrayOf

        pet = shown.nodes.pet
        arrayOf(pet)[0, 0, 0] += 1.0
        pet.GetImageData().GetPointData().GetScalars().Modified()
        runs = len(shown.panel.processes)
        shown.ui.sspShowButton.click()
        assert len(shown.panel.processes) == runs + 1

    def test_an_exploratory_tracer_is_shown_as_a_page_only(self, surface: Surface) -> None:
        surface.synthesize("pib")
        surface.ui.sspLayoutButton.click()
        surface.project("pib")
        assert surface.layout == surface.Scene.SSP_PAGE
        assert surface.nodes.models == {}
        for name in CONTROLS:
            assert "low, middle and high" in getattr(surface.ui, name).toolTip

    def test_an_acquired_pet_is_measured_first_and_keeps_its_normals(
        self, panel: Any, tmp_path: Path
    ) -> None:
        """With the library's own numbers: the same as the command line's."""
        surface = Surface(panel)
        name = cases.normals(tmp_path / "normals")
        t1 = cases.volume(slicer.mrmlScene, "Head T1w", cases.t1())
        panel.ui.t1wSelector.setCurrentNode(t1)
        panel.parameters.input.overridden = "coverage"
        pet = cases.volume(slicer.mrmlScene, "Scan", 5000.0 * cases.lesion())
        panel.parameters.quantify.pet = pet
        pet.SetAttribute("PETSynth.Tracer", "fdg")
        panel.panel.refresh()
        panel.ui.sspShowButton.click()
        panel.process.hello()
        measured = quantify_request_from_dict(panel.request)
        surface.announce(cases.measure(measured))
        panel.process.hello()
        request = project_request_from_dict(panel.request)
        assert Path(request.pet).name == "fdg_acquired_suvr.nii.gz"
        assert request.tracer == "fdg"
        made = replace(request, database=str(name), clinical=cases.OF_SEVENTY)
        done = run_projection(made, lambda _: None, Cancellation())
        surface.announce(done.path.parent)
        assert surface.nodes.references == ["GLB", "THL", "CBL", "PNS"]
        assert surface.look.shown == "PNS"
        assert surface.layout == surface.Scene.SSP
        assert not surface.Scene.isSynthetic(surface.nodes.models["L"])

    def test_a_failed_run_says_so_and_changes_nothing(self, surface: Surface) -> None:
        from PETSynthLib.run import events

        surface.synthesize()
        before = surface.layout
        surface.ui.sspLayoutButton.click()
        surface.panel.process.hello()
        text = "The reference region pons shows no uptake."
        surface.panel.process.say(events.Failure("BAD_DATA", text, "Check the PET.", None, ""))
        surface.panel.process.end(2)
        assert "shows no uptake" in surface.panel.message()
        assert surface.nodes is None
        assert surface.layout == before

    def test_numbers_changed_on_the_way_are_not_brought_in(self, surface: Surface) -> None:
        surface.synthesize()
        surface.ui.sspLayoutButton.click()
        surface.panel.process.hello()
        folder = folder_of_surface(Path(surface.panel.request["output"]))
        (folder / "fdg_synth_ssp.npz").write_bytes(b"other numbers")
        surface.announce(folder)
        assert surface.nodes is None
        assert "was changed since it was written" in surface.panel.message()


class TestControls:
    def test_they_begin_with_z_of_the_pons_in_the_tracers_direction(self, shown: Surface) -> None:
        assert shown.ui.sspMapComboBox.currentText == "z, pons"
        assert shown.ui.sspDirectionComboBox.currentText == "Decrease"
        assert shown.ui.sspThresholdSlider.value == pytest.approx(2.0)
        assert shown.look == shown.Scene.SurfaceLook("PNS")

    def test_each_changes_how_the_surface_is_painted(self, shown: Surface) -> None:
        ui = shown.ui
        ui.sspThresholdSlider.value = 3.1
        ui.sspMapComboBox.setCurrentText("z, thalamus")
        ui.sspDirectionComboBox.setCurrentText("Increase")
        ui.sspPaletteComboBox.setCurrentText("Uniform")
        ui.sspHatchCheckBox.setChecked(False)
        assert shown.look == shown.Scene.SurfaceLook("THL", 3.1, "increase", "uniform", False)
        assert shown.nodes.models["R"].GetDisplayNode().GetActiveScalarName() == "z THL"

    def test_a_threshold_is_for_z_only(self, shown: Surface) -> None:
        shown.ui.sspMapComboBox.setCurrentText("Uptake")
        assert not shown.ui.sspThresholdSlider.enabled
        assert shown.ui.sspThresholdSlider.toolTip == "Only maps of z have a threshold."
        assert shown.ui.sspPaletteComboBox.enabled

    def test_without_normals_z_is_greyed(self, surface: Surface) -> None:
        surface.synthesize()
        surface.ui.sspLayoutButton.click()
        surface.project()
        model = surface.ui.sspMapComboBox.model()
        enabled = [model.item(n).isEnabled() for n in range(model.rowCount())]
        assert enabled == [True, True, False, False, False, False]
        assert surface.look.shown == "uptake"

    def test_the_page_of_the_direction_is_shown(self, shown: Surface) -> None:
        shown.ui.sspDirectionComboBox.setCurrentText("Increase")
        shown.ui.sspPageButton.click()
        assert shown.layout == shown.Scene.SSP_PAGE
        composite = next(
            c for c in shown.env.nodes("vtkMRMLSliceCompositeNode")
            if c.GetLayoutName() == "PETSynthSspPage"
        )  # fmt: skip
        assert composite.GetBackgroundVolumeID() == shown.nodes.pages["ssp-increase"].GetID()

    def test_the_layout_before_comes_back(self, shown: Surface) -> None:
        before = shown.Scene.previousLayout(shown.env)
        shown.ui.restoreLayoutButton.click()
        assert shown.layout == before
        assert not shown.ui.sspLayoutButton.checked


def test_every_layout_has_a_key(panel: Any) -> None:
    keys = panel.panel.shortcuts._actions
    for number, name in enumerate(("fused", "compare", "ssp", "expected"), 1):
        button = getattr(panel.ui, f"{name}LayoutButton")
        assert f"Alt+{number}" in keys
        assert f"(Alt+{number})" in _ownTip(panel, button)


def _ownTip(panel: Any, button: Any) -> str:
    """What the tooltip says while the button may be clicked."""
    for card in (panel.panel.view, panel.panel.surface):
        if button in card._tips:
            return str(card._tips[button])
    raise AssertionError(button.name)


def test_a_digest_of_the_result_stands_on_the_nodes(shown: Surface) -> None:
    folder = Path(shown.panel.request["output"])
    digest = hashlib.sha256((folder / "result.json").read_bytes()).hexdigest()
    assert shown.Scene.resultDigest(shown.nodes.models["L"]) == digest
    assert json.loads((folder / "result.json").read_text())["kind"] == "project"
