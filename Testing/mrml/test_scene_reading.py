"""Inverted grey, a window in units of the reference region, and how fine the picture is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from head import BRAIN, PONS, UPTAKE, Head, filled
from slicer_scene import SlicerScene

from PETSynthLib.errors import PETSynthError
from PETSynthScene import (
    CornerMarks,
    compareWithAcquired,
    comparisonOf,
    importResult,
    isInverted,
    listResults,
    mapOf,
    resultOf,
    scaleToReference,
    setColours,
    setInverted,
    setWindow,
    showFused,
    windowOf,
)
from PETSynthScene.Reading import resolutionText
from PETSynthScene.Volumes import arrayOf, setArray


@pytest.fixture
def other() -> Iterator[SlicerScene]:
    """A second, fresh scene."""
    scene = SlicerScene()
    yield scene
    scene.close()


def imported(host: SlicerScene, folder: Path, key: str = "fdg", **more: Any) -> Any:
    """A result over a new T1."""
    head = Head()
    return importResult(host.env, head.result(folder, key, **more), t1Node=head.node(host.scene))


def test_inverting_changes_the_colours_and_nothing_else_and_goes_back(
    host: SlicerScene, tmp_path: Path
) -> None:
    nodes = imported(host, tmp_path, samples=1, expected=True)
    setColours(host.env, nodes, "heat")
    setWindow(host.env, nodes, 0.3, 1.9)
    for inverted, name in ((True, "inverse_grey"), (True, "inverse_grey"), (False, "heat")):
        setInverted(host.env, nodes, inverted)
        assert isInverted(nodes) is inverted
        for volume in (*nodes.volumes(), *nodes.samples):
            assert mapOf(volume) == name
            assert windowOf(volume) == pytest.approx((0.3, 1.9))


def test_low_middle_and_high_are_inverted_together(host: SlicerScene, tmp_path: Path) -> None:
    nodes = imported(host, tmp_path, "pib")
    setInverted(host.env, nodes, True)
    assert {mapOf(v) for v in (nodes.low, nodes.pet, nodes.high)} == {"inverse_grey"}


def test_an_inverted_scene_goes_back_after_loading(
    host: SlicerScene, other: SlicerScene, tmp_path: Path
) -> None:
    nodes = imported(host, tmp_path)
    setColours(host.env, nodes, "uniform")
    setInverted(host.env, nodes, True)
    host.save(tmp_path / "scene.mrb")
    other.load(tmp_path / "scene.mrb")
    (pet,) = listResults(other.env)
    again = resultOf(other.env, pet)

    assert isInverted(again)
    setInverted(other.env, again, False)
    assert mapOf(pet) == "uniform"


def test_scaling_to_the_reference_paints_it_alike_in_every_picture(
    host: SlicerScene, tmp_path: Path
) -> None:
    nodes = imported(host, tmp_path, expected=True)
    before = arrayOf(nodes.pet).copy()
    # The pons of the made-up head has 1.2 as all of its brain; FDG is read from 0 to 2.2 times it.
    assert scaleToReference(host.env, nodes) == pytest.approx(UPTAKE)
    assert windowOf(nodes.pet) == pytest.approx((0.0, 2.64))
    assert windowOf(nodes.expected) == pytest.approx((0.0, 2.64))
    assert np.array_equal(arrayOf(nodes.pet), before)
    setArray(nodes.pet, arrayOf(nodes.pet) / np.float32(UPTAKE))
    assert scaleToReference(host.env, nodes) == pytest.approx(1.0)
    assert windowOf(nodes.pet) == pytest.approx(nodes.tracer.window)


def test_without_its_reference_region_nothing_is_scaled(host: SlicerScene, tmp_path: Path) -> None:
    nodes = imported(host, tmp_path, regions=False)
    before = windowOf(nodes.pet)
    with pytest.raises(PETSynthError, match=r"reference region \(pons\)"):
        scaleToReference(host.env, nodes)
    assert windowOf(nodes.pet) == before


def test_a_reference_without_uptake_is_no_unit(host: SlicerScene, tmp_path: Path) -> None:
    nodes = imported(host, tmp_path)
    setArray(nodes.reference, np.transpose(filled((PONS, 0))).astype(np.uint8))
    with pytest.raises(PETSynthError, match="reference region"):
        scaleToReference(host.env, nodes)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"fwhm_mm": 6.5, "of": "model"}, "6.5 mm FWHM"),
        ({"fwhm_mm": 4.0, "of": "grid"}, "4 mm FWHM at best"),
        ({}, ""),
    ],
)
def test_the_corner_says_how_fine_the_picture_is(
    host: SlicerScene, tmp_path: Path, told: dict[str, Any], text: str
) -> None:
    fused, mri = host.sliceView("Red"), host.sliceView("PETSynthMriAxial")
    views = {view.node.GetLayoutName(): view.renderer for view in (fused, mri)}
    marks = CornerMarks(host.env, lambda node: views.get(node.GetLayoutName()), lambda node: None)
    marks.start()
    showFused(host.env, imported(host, tmp_path, EffectiveResolution=told))

    def upperRight(renderer: Any) -> list[str]:
        props = renderer.GetViewProps()
        actors = [props.GetItemAsObject(i) for i in range(props.GetNumberOfItems())]
        found = [a.GetText(3) for a in actors if a.IsA("vtkCornerAnnotation")]
        return [said for said in found if said]

    assert marks.resolutionOf(fused.node) == text
    assert upperRight(fused.renderer) == ([text] if text else [])
    assert upperRight(mri.renderer) == []
    marks.stop()


def test_what_was_blurred_says_so(host: SlicerScene, tmp_path: Path) -> None:
    nodes = imported(host, tmp_path, EffectiveResolution={"fwhm_mm": 4.5, "of": "grid"})
    acquired = Head().volume(host.scene, "PET 2021", filled((BRAIN, 7500.0), (PONS, 5000.0)))
    compareWithAcquired(host.env, nodes, acquired, accepted=True, smoothingMm=6.0)
    aligned, mine, difference = comparisonOf(host.env, nodes, acquired)
    # The square root of 4.5 squared and 6 squared.
    assert resolutionText(mine) == resolutionText(difference) == "7.5 mm FWHM at best"
    assert resolutionText(nodes.pet) == "4.5 mm FWHM at best"
    assert resolutionText(aligned) == ""
