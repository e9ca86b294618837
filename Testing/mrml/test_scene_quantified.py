"""A measurement in a real scene: table, chart, regions, what binds them to their PET."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantified_case as cases
import slicer

import PETSynthScene as Scene
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthScene.Attributes import SYNTHETIC, VOXELS_SHA256
from PETSynthScene.RegionSegments import BEYOND_ID, REGION_TAG, tagOf
from PETSynthScene.RegionTable import number, numbers, rowsOf, shortRows
from PETSynthScene.Volumes import arrayOf


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The measurement of an acquired PET beside 40 normals."""
    place = tmp_path_factory.mktemp("acquired")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(place / "home"))
        return cases.acquired(place, cases.normals(place / "normals"))


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A synthesis, and its measurement."""
    place = tmp_path_factory.mktemp("synthetic")
    mri = cases.write(place / "t1.nii.gz", cases.t1(), cases.AFFINE)
    made = cases.synthesis(place / "synthesis", mri)
    request = cases.QuantifyRequest(str(made), str(mri), str(place / "out"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(place / "home"))
        return made, cases.measure(request)


class Loaded:
    """A scene with T1, PET and its measurement."""

    def __init__(self, host: Any, folder: Path) -> None:
        self.env = host.env
        self.t1 = cases.volume(host.scene, "Head T1w", cases.t1())
        self.pet = cases.volume(host.scene, "Scan A/1", 5000.0 * cases.lesion())
        self.nodes = Scene.importQuantification(self.env, folder, self.pet, self.t1)


@pytest.fixture
def loaded(host: Any, folder: Path) -> Loaded:
    return Loaded(host, folder)


def path(env: Any, node: Any) -> list[str]:
    """Names of the folders above a node, from the top."""
    tree = env.subjectHierarchy
    item, found = tree.GetItemParent(tree.GetItemByDataNode(node)), []
    while item and item != tree.GetSceneItemID():
        found.insert(0, tree.GetItemName(item))
        item = tree.GetItemParent(item)
    return found


class TestTable:
    def test_every_cell_is_that_of_the_command_line_to_the_last_digit(
        self, loaded: Loaded, folder: Path
    ) -> None:
        assert rowsOf(loaded.nodes.table) == cases.tableOf(folder)

    def test_units_and_codes_stand_in_the_schema(self, loaded: Loaded) -> None:
        table = loaded.nodes.table
        assert table.GetColumnUnitLabel("ml") == "mL"
        assert table.GetColumnProperty("suvr", "unitCodeValue") == "{ratio}"
        assert table.GetColumnProperty("suvr", "quantityCodeMeaning") == (
            "Standardized uptake value ratio"
        )
        assert table.GetColumnProperty("z", "quantityCodeValue") == "113071"
        assert table.GetLocked()

    def test_a_value_that_is_not_shown_is_no_number(self, loaded: Loaded) -> None:
        rows = rowsOf(loaded.nodes.table)
        z = numbers(loaded.nodes.table, "z")
        assert np.isnan(z[[row["z"] == "n/a" for row in rows]]).all()
        left = next(n for n, r in enumerate(rows) if (r["region"], r["side"]) == ("precuneus", "L"))
        assert z[left] > 2.0, "the lesion"

    def test_the_header_says_what_the_numbers_rest_on(self, loaded: Loaded, folder: Path) -> None:
        body = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        assert Scene.headerOf(loaded.nodes.table) == body["notices"]
        table = loaded.nodes.table
        assert table.GetAttribute("PETSynth.Measurement.N") == "40"
        assert table.GetAttribute("PETSynth.Measurement.Reference") == "pons"
        assert table.GetAttribute("PETSynth.Measurement.Mark") == "ACQUIRED"

    def test_the_short_table_begins_with_what_is_flagged(self, loaded: Loaded) -> None:
        short = Scene.shortTable(loaded.env, loaded.nodes.table, True)
        names = [short.GetColumnName(c) for c in range(short.GetNumberOfColumns())]
        assert names == ["Region", "Side", "SUVR", "z▼", "Flag"], "no interval, no column for it"
        assert (short.GetCellText(0, 0), short.GetCellText(0, 1)) == ("Precuneus", "L")
        assert short.GetCellText(0, 4) == "▼ low"
        assert Scene.regionOfRow(short, 0) == ("precuneus", "L")
        assert not short.GetSaveWithScene()
        assert Scene.shortTable(loaded.env, loaded.nodes.table, True) is short

    def test_sorted_by_flag_then_z_then_as_written(self) -> None:
        def row(z: str, flag: str) -> dict[str, str]:
            return {"region": "insula", "side": "L", "suvr": "1.0000", "z": z, "flag": flag}

        rows = [row("n/a", "n/a"), row("1.0", "no"), row("2.5", "no"), row("2.4", "yes")]
        assert [place for place, _ in shortRows(rows, True)] == [3, 2, 1, 0]
        assert shortRows(rows, False)[0][1][5] == "▲ high"

    def test_words_are_no_numbers(self) -> None:
        assert number("1.25") == 1.25
        assert np.isnan([number("n/a"), number("not informative"), number(None)]).all()


class TestPlaces:
    def test_an_acquired_pet_gets_a_folder_of_its_own_without_marks(self, loaded: Loaded) -> None:
        top, own = path(loaded.env, loaded.nodes.table)
        assert top.startswith("PETSynth - Scan A-1 - quantified - ")
        assert own == "Quantification - pons - ndb-fdg_kind-acquired_v1.0.0"
        names = [loaded.nodes.table.GetName(), loaded.nodes.suvr.GetName()]
        assert names == ["Scan A/1 regional values", "Scan A/1 SUVR (pons)"]
        assert not Scene.isSynthetic(loaded.nodes.suvr)

    def test_measuring_again_makes_another_folder(self, loaded: Loaded, folder: Path) -> None:
        again = Scene.importQuantification(loaded.env, folder, loaded.pet, loaded.t1)
        assert again.folder != loaded.nodes.folder
        assert len(Scene.quantificationsOf(loaded.env, loaded.pet)) == 2
        newest = Scene.quantificationOf(loaded.env, loaded.pet)
        assert newest is not None
        assert newest.table is again.table
        assert newest.regions is again.regions

    def test_the_suvr_of_an_acquired_pet_lies_on_the_t1(self, loaded: Loaded) -> None:
        suvr, lying = arrayOf(loaded.nodes.suvr), arrayOf(loaded.pet)
        inside = (suvr > 0.5) & (lying > 0)
        ratio = lying[inside] / suvr[inside]
        assert ratio.std() / ratio.mean() < 1e-3, "one divisor for all voxels"

    def test_results_follow_the_parent_transform_of_the_t1(self, host: Any, folder: Path) -> None:
        from head import linear, turned

        t1 = cases.volume(host.scene, "T1", cases.t1())
        t1.SetAndObserveTransformNodeID(linear(host.scene, turned(0, 0, 30)).GetID())
        pet = cases.volume(host.scene, "PET", 5000.0 * cases.lesion())
        nodes = Scene.importQuantification(host.env, folder, pet, t1)
        assert nodes.regions.GetParentTransformNode() is t1.GetParentTransformNode()
        assert nodes.suvr.GetParentTransformNode() is t1.GetParentTransformNode()

    def test_a_damaged_folder_leaves_the_scene_as_it_was(
        self, host: Any, folder: Path, tmp_path: Path
    ) -> None:
        import shutil

        copy = Path(shutil.copytree(folder, tmp_path / "copy"))
        (table,) = copy.glob("*_regions.tsv")
        table.write_text(table.read_text("utf-8").replace("1.", "2."), encoding="utf-8")
        pet = cases.volume(host.scene, "PET", cases.lesion())
        before = host.scene.GetNumberOfNodes()
        with pytest.raises(PETSynthError, match="was changed since") as caught:
            Scene.importQuantification(host.env, copy, pet)
        assert caught.value.code is ErrorCode.BAD_DATA
        assert host.scene.GetNumberOfNodes() == before


class TestBelonging:
    def test_a_table_is_of_the_voxels_that_were_measured(self, loaded: Loaded) -> None:
        table = loaded.nodes.table
        assert Scene.belongsTo(loaded.env, table, loaded.pet)
        other = cases.volume(loaded.env.scene, "Other", 4000.0 * cases.lesion())
        assert not Scene.belongsTo(loaded.env, table, other)
        arrayOf(loaded.pet)[10, 10, 10] += 1.0
        loaded.pet.GetImageData().GetPointData().GetScalars().Modified()
        assert not Scene.belongsTo(loaded.env, table, loaded.pet)
        assert Scene.quantificationOf(loaded.env, loaded.pet) is None

    def test_a_table_of_another_patient_is_refused_though_the_voxels_agree(
        self, host: Any, folder: Path
    ) -> None:
        tree = host.env.subjectHierarchy
        pets = []
        for patient in ("p1", "p2"):
            item = tree.CreateSubjectItem(tree.GetSceneItemID(), patient)
            tree.SetItemUID(item, "DICOM", patient)
            tree.SetItemAttribute(item, "Level", "Patient")
            study = tree.CreateStudyItem(item, "study")
            pet = cases.volume(host.scene, patient, 5000.0 * cases.lesion())
            tree.CreateItem(study, pet)
            pets.append(pet)
        nodes = Scene.importQuantification(host.env, folder, pets[0])
        assert Scene.belongsTo(host.env, nodes.table, pets[0])
        assert not Scene.belongsTo(host.env, nodes.table, pets[1])

    def test_every_node_carries_the_hash_of_the_pet(self, loaded: Loaded) -> None:
        digest = Scene.digestOf(loaded.pet)
        nodes = loaded.nodes
        for node in (nodes.table, nodes.regions, nodes.chart, nodes.account, *nodes.series):
            assert node.GetAttribute(VOXELS_SHA256) == digest


class TestRegions:
    def test_every_region_is_a_segment_with_terminology_and_colour(self, loaded: Loaded) -> None:
        segmentation = loaded.nodes.regions.GetSegmentation()
        segment = segmentation.GetSegment("precuneus.L")
        assert segment.GetName() == "Precuneus left"
        tag = tagOf(segment, slicer.vtkSegment.GetTerminologyEntryTagName())
        assert "SCT^16630005^Parietal lobe~SCT^7771000^Left" in tag
        assert tagOf(segment, REGION_TAG) == "precuneus"
        assert segmentation.GetSegment("precuneus.R").GetColor() == segment.GetColor()

    def test_a_segment_has_the_voxels_of_its_label(self, loaded: Loaded, folder: Path) -> None:
        import nibabel as nib

        from PETSynthLib.quantify.regions import labels_of

        labels = np.asarray(nib.load(folder / "space" / "regions.nii.gz").dataobj)
        (label,) = labels_of("hippocampus", "R")
        count = int((labels == label).sum())
        assert count > 10
        assert _voxels(loaded.nodes.regions, "hippocampus.R") == count

    def test_the_last_segment_holds_what_lies_beyond_the_normals(self, loaded: Loaded) -> None:
        segmentation = loaded.nodes.regions.GetSegmentation()
        last = segmentation.GetNthSegmentID(segmentation.GetNumberOfSegments() - 1)
        assert last == BEYOND_ID
        assert segmentation.GetSegment(last).GetName() == "decreased z > 2"
        assert _voxels(loaded.nodes.regions, last) > 0

    def test_they_can_be_edited_as_any(self, loaded: Loaded) -> None:
        """The Segment Editor gives a segment that shares its label map one of its own first."""
        segmentation = loaded.nodes.regions.GetSegmentation()
        before = _voxels(loaded.nodes.regions, "insula.L")
        segmentation.SeparateSegmentLabelmap("insula.R")
        segmentation.RemoveSegment("insula.R")
        assert _voxels(loaded.nodes.regions, "insula.L") == before

    def test_a_click_goes_there_and_shows_it(self, loaded: Loaded, host: Any) -> None:
        view = host.sliceView("Red")
        crosshair = host.scene.AddNewNodeByClass("vtkMRMLCrosshairNode")
        place = Scene.showRegion(loaded.env, loaded.nodes.regions, "precuneus", "L")
        index = np.linalg.solve(cases.AFFINE, [*place, 1.0])[:3].round().astype(int)
        array = _labels(loaded.nodes.regions, "precuneus.L")
        assert array[tuple(index)], "the point lies in the region"
        assert place[0] < 0, "left is negative"
        assert crosshair.GetCrosshairRAS() == pytest.approx(place)
        assert view.node.GetSliceToRAS().GetElement(2, 3) == pytest.approx(place[2], abs=2.0)
        display = loaded.nodes.regions.GetDisplayNode()
        assert display.GetSegmentVisibility("precuneus.L")
        assert not display.GetSegmentVisibility("precuneus.R")
        (model,) = _highlights(loaded.env)
        bounds = [0.0] * 6
        model.GetBounds(bounds)
        assert bounds[1] < 8.0, "the left half only"
        assert not model.GetSaveWithScene()
        Scene.showRegion(loaded.env, loaded.nodes.regions, "insula", "both")
        assert len(_highlights(loaded.env)) == 1
        Scene.hideRegion(loaded.env, loaded.nodes.regions)
        assert not _highlights(loaded.env)

    def test_a_reference_region_is_nowhere_to_go(self, loaded: Loaded) -> None:
        assert Scene.showRegion(loaded.env, loaded.nodes.regions, "pons", "both") is None


class TestChart:
    def test_bars_and_band_are_the_numbers_of_the_table(self, loaded: Loaded) -> None:
        nodes = loaded.nodes
        data = next(node for node in nodes.series if node.IsA("vtkMRMLTableNode"))
        rows = {(r["region"], r["side"]): r for r in rowsOf(nodes.table)}
        assert [data.GetCellText(row, 0) for row in (0, 6, 7)] == [
            "AD-like meta-ROI", "Thalamus L", "Thalamus R",
        ]  # fmt: skip
        for row, key in ((0, ("fdg_ad_metaroi", "both")), (7, ("thalamusproper", "R"))):
            for column, name in (("SUVR", "suvr"), ("Normal to (95th)", "normal_high")):
                value = data.GetTable().GetColumnByName(column).GetValue(row)
                assert value == pytest.approx(float(rows[key][name]))
        assert nodes.chart.GetNumberOfPlotSeriesNodes() == 3
        assert nodes.chart.GetYAxisTitle() == "SUVR (pons)"

    def test_without_normals_there_is_no_band(self, host: Any, synthetic: Any) -> None:
        nodes = _ofSynthetic(host, synthetic)
        assert nodes.chart.GetNumberOfPlotSeriesNodes() == 1
        assert nodes.chart.GetYAxisTitle() == f"{marks.QUANTITY} (pons)"


class TestSynthetic:
    def test_every_node_is_marked(self, host: Any, synthetic: Any) -> None:
        nodes = _ofSynthetic(host, synthetic)
        for node in (nodes.table, nodes.regions, nodes.chart, nodes.account, *nodes.series):
            assert node.GetAttribute(SYNTHETIC) == "1"
            assert node.GetName().startswith("[SYN] "), node.GetName()
        segmentation = nodes.regions.GetSegmentation()
        names = [
            segmentation.GetNthSegment(n).GetName()
            for n in range(segmentation.GetNumberOfSegments())
        ]
        assert all(name.startswith("SYN ") for name in names)
        assert segmentation.GetSegment(BEYOND_ID) is None, "z is withheld"
        assert nodes.suvr is None
        assert nodes.table.GetColumnProperty("suvr", "quantityCodeMeaning") == marks.QUANTITY

    def test_it_lies_in_the_folder_of_its_pet(self, host: Any, synthetic: Any) -> None:
        nodes = _ofSynthetic(host, synthetic)
        top, own = path(host.env, nodes.table)
        assert top.startswith("PETSynth - Head T1w - FDG - ")
        assert own == "Quantification - pons - no normals"

    def test_silence_of_the_synthesis_is_kept(self, host: Any, synthetic: Any) -> None:
        rows = {(r["region"], r["side"]): r for r in rowsOf(_ofSynthetic(host, synthetic).table)}
        assert rows["cuneus", "L"]["suvr"] == "n/a"
        assert rows["cuneus", "L"]["note"] == "not informative"

    def test_a_measurement_of_the_other_kind_is_refused(
        self, host: Any, folder: Path, synthetic: Any
    ) -> None:
        pet = _ofSynthetic(host, synthetic).pet
        with pytest.raises(PETSynthError, match="no measurement of this PET"):
            Scene.importQuantification(host.env, folder, pet)


def test_all_of_it_survives_saving(loaded: Loaded, host: Any, tmp_path: Path) -> None:
    rows = rowsOf(loaded.nodes.table)
    voxels = _voxels(loaded.nodes.regions, "precuneus.L")
    Scene.shortTable(host.env, loaded.nodes.table, True)
    Scene.showRegion(host.env, loaded.nodes.regions, "precuneus", "L")
    host.save(tmp_path / "case.mrb")
    host.scene.Clear(0)
    host.load(tmp_path / "case.mrb")
    pet = host.scene.GetFirstNodeByName("Scan A/1")
    nodes = Scene.quantificationOf(host.env, pet)
    assert nodes is not None
    assert rowsOf(nodes.table) == rows, "digit by digit, and n/a is not 0"
    assert nodes.table.GetColumnProperty("suvr", "unitCodeValue") == "{ratio}"
    assert _voxels(nodes.regions, "precuneus.L") == voxels
    assert tagOf(nodes.regions.GetSegmentation().GetSegment("precuneus.L"), REGION_TAG)
    assert nodes.chart.GetNumberOfPlotSeriesNodes() == 3
    assert nodes.record["ReferenceRegion"] == "pons"
    assert nodes.suvr is not None
    assert path(host.env, nodes.table)[-1].startswith("Quantification - pons - ndb-fdg")
    assert not _highlights(host.env)


def _ofSynthetic(host: Any, synthetic: tuple[Path, Path]) -> Scene.QuantifiedNodes:
    made, measured = synthetic
    t1 = cases.volume(host.scene, "Head T1w", cases.t1())
    pet = Scene.importResult(host.env, made, t1Node=t1).pet
    return Scene.importQuantification(host.env, measured, pet, t1)


def _labels(node: Any, segmentId: str) -> np.ndarray:
    """Whether each voxel (I, J, K) of the head lies in a segment."""
    labels = node.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    import vtk

    names = vtk.vtkStringArray()
    names.InsertNextValue(segmentId)
    reference = node.GetScene().GetFirstNodeByName("Head T1w")
    slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(
        node, names, labels, reference
    )
    found = np.transpose(arrayOf(labels)) > 0
    node.GetScene().RemoveNode(labels)
    return np.asarray(found)


def _voxels(node: Any, segmentId: str) -> int:
    return int(_labels(node, segmentId).sum())


def _highlights(env: Any) -> list[Any]:
    from PETSynthScene.Highlight import highlights

    return highlights(env)
