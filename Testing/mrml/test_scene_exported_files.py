"""What ``petsynth export`` writes for 3D Slicer, read by Slicer's own readers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vtk

UNIT = Path(__file__).resolve().parents[1] / "unit"
if str(UNIT) not in sys.path:
    sys.path.append(str(UNIT))

from finished_case import GRID, STORED, measurement, suvr, synthesis, t1_file
from quantify_case import regions

from PETSynthLib.assets import region_names
from PETSynthLib.export.finished import read_finished
from PETSynthLib.export.formats.labelmap import write_labelmap
from PETSynthLib.export.formats.nrrd import write_nrrd_volumes
from PETSynthLib.progress import Silent
from PETSynthLib.quantify.terminology import colour_of
from PETSynthScene import isSynthetic
from PETSynthScene.Volumes import arrayOf, ijkToRas

LABEL = next(n for n, one in region_names().items() if one == ("superiorfrontal", "L"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exported volumes and regions of a synthetic PET, and regions of an acquired one with z."""
    place = tmp_path_factory.mktemp("exported")
    t1 = t1_file(place / "T1.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(place / "home"))
        made = read_finished(synthesis(place / "fdg", t1))
        judged = read_finished(measurement(place / "judged", t1, z=True))
    out = place / "out"
    out.mkdir()
    write_nrrd_volumes(made, out, Silent())
    write_labelmap(made, out)
    write_labelmap(judged, out)
    return out


def read(scene: Any, kind: str, storage: str, path: Path) -> Any:
    """A node that Slicer's storage node has read."""
    node = scene.AddNewNodeByClass(kind)
    reader = scene.AddNewNodeByClass(storage)
    reader.SetFileName(str(path))
    assert reader.ReadData(node) == 1
    return node


def segmentation(scene: Any, path: Path) -> Any:
    node = read(scene, "vtkMRMLSegmentationNode", "vtkMRMLSegmentationStorageNode", path)
    return node.GetSegmentation()


def tag(segment: Any, name: str) -> str:
    value = vtk.reference("")
    assert segment.GetTag(name, value)
    return str(value)


def voxels_of(segment: Any) -> np.ndarray:
    """(n, 3) RAS positions of the segment's voxels, mm."""
    image = segment.GetRepresentation("Binary labelmap")
    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    affine = np.array([[to_world.GetElement(i, j) for j in range(4)] for i in range(4)])
    first = np.array(image.GetExtent())[::2]
    shape = np.array(image.GetExtent())[1::2] - first + 1
    scalars = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    inside = np.argwhere(scalars.reshape(shape[::-1]) == segment.GetLabelValue())[:, ::-1] + first
    return inside @ affine[:3, :3].T + affine[:3, 3]


def test_a_volume_is_marked_by_its_attributes_and_lies_where_it_was(host: Any, files: Path) -> None:
    kinds = ("vtkMRMLScalarVolumeNode", "vtkMRMLNRRDStorageNode")
    node = read(host.scene, *kinds, files / "fdg_synth_suvr.nrrd")
    assert isSynthetic(node)
    assert node.GetAttribute("PETSynth.Tracer") == "fdg"
    assert node.GetAttribute("PETSynth.ModelHash") == "a" * 64
    assert np.allclose(ijkToRas(node), STORED.affine, atol=1e-9)
    stored = suvr()[::-1, ::-1].transpose(2, 1, 0)
    assert np.array_equal(arrayOf(node), stored)


def test_segments_have_names_colours_terminology_and_their_place(host: Any, files: Path) -> None:
    found = segmentation(host.scene, files / "fdg_synth_regions.seg.nrrd")
    assert found.GetNumberOfLayers() == 1
    names = [found.GetNthSegment(i).GetName() for i in range(found.GetNumberOfSegments())]
    assert all(name.startswith("SYN ") for name in names)
    segment = found.GetSegment("superiorfrontal.L")
    assert segment.GetName() == "SYN Superior frontal left"
    colour = [part / 255 for part in colour_of("superiorfrontal")]
    assert segment.GetColor() == pytest.approx(colour, abs=1e-5)
    entry = tag(segment, "TerminologyEntry").split("~")
    assert entry[1] == "SCT^123037004^Anatomical Structure"
    assert entry[2] == "SCT^83251001^Frontal lobe"
    assert entry[3] == "SCT^7771000^Left"
    assert (tag(segment, "PETSynth.Region"), tag(segment, "PETSynth.Side")) == (
        "superiorfrontal",
        "L",
    )
    index = np.argwhere(regions(8.0).labels.data == LABEL)
    mine = index @ GRID.affine[:3, :3].T + GRID.affine[:3, 3]
    theirs = voxels_of(segment)
    assert theirs[:, 0].max() < 8.0
    assert sorted(map(tuple, theirs.round(3))) == sorted(map(tuple, mine.round(3)))


def test_what_lies_beyond_the_normals_overlaps_the_regions_in_a_second_layer(
    host: Any, files: Path
) -> None:
    found = segmentation(host.scene, files / "fdg_acquired_regions.seg.nrrd")
    assert found.GetNumberOfLayers() == 2
    segment = found.GetSegment("beyond_normals")
    assert segment.GetName() == "Decreased z > 2"
    # Voxels (5..7, 10, 11) of a grid of 8 mm that begins at (-91, -123, -83).
    expected = [(-91.0 + 8 * i, -123.0 + 80, -83.0 + 88) for i in (5, 6, 7)]
    assert sorted(map(tuple, voxels_of(segment).round(6))) == expected
    assert found.GetSegment("superiorfrontal.L").GetName() == "Superior frontal left"


def test_the_colour_table_is_one_of_slicers(host: Any, files: Path) -> None:
    kinds = ("vtkMRMLColorTableNode", "vtkMRMLColorTableStorageNode")
    node = read(host.scene, *kinds, files / "fdg_synth_regions.ctbl")
    assert node.GetColorName(LABEL) == "SYN Superior frontal left"
    colour = [0.0] * 4
    node.GetColor(LABEL, colour)
    assert colour == pytest.approx(
        [*(c / 255 for c in colour_of("superiorfrontal")), 1.0], abs=0.01
    )
