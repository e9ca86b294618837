"""Which images are offered, what DICOM says, what the lights say, what goes out to a job."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from head import BRAIN, Head, filled, linear, straight, turned
from slicer_scene import SlicerScene

from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthScene import (
    PatientFacts,
    chooseT1,
    exportInputs,
    findFlairCandidates,
    findT1Candidates,
    importResult,
    patientFacts,
    quickFindings,
    samePatient,
    showFused,
    shown,
)
from PETSynthScene.Slices import compositeOf, fillColumn
from PETSynthScene.Volumes import arrayOf, ijkToRas, setArray, vtkMatrix


def patient(host: SlicerScene, name: str, *nodes: Any, **facts: str) -> int:
    """A patient with one study that holds ``nodes``; returns the study's item."""
    tree = host.env.subjectHierarchy
    person = tree.CreateSubjectItem(tree.GetSceneItemID(), name)
    study = tree.CreateStudyItem(person, "MRI")
    for key, value in facts.items():
        tree.SetItemAttribute(study if key == "StudyDate" else person, f"DICOM.{key}", value)
    for node in nodes:
        tree.CreateItem(study, node)
    return study


def test_t1_is_offered_first_and_our_own_volumes_never(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    flair = head.node(host.scene, "sub-01_T2_FLAIR")
    unknown = head.node(host.scene, "series 5")
    t1 = head.node(host.scene, "sub-01_T1w")
    importResult(host.env, head.result(tmp_path), t1Node=t1)

    assert findT1Candidates(host.env) == [t1, unknown, flair]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["a T1w", "b FLAIR"], "a T1w"),
        (["a T1w", "b T1w"], None),
        (["FLAIR"], None),
        (["ax 3D MPRAGE", "CT head"], "ax 3D MPRAGE"),
    ],
)
def test_a_t1_is_chosen_only_without_doubt(
    host: SlicerScene, head: Head, names: list[str], chosen: str | None
) -> None:
    for name in names:
        head.node(host.scene, name)
    found = chooseT1(host.env)

    assert (found.GetName() if found else None) == chosen


def test_what_the_user_looks_at_is_chosen(host: SlicerScene, head: Head) -> None:
    head.node(host.scene, "a T1w")
    seen = head.node(host.scene, "b T1w")
    fillColumn(host.env, ["Red"], seen)

    assert chooseT1(host.env) is seen


def test_a_flair_of_another_patient_is_not_offered(host: SlicerScene, head: Head) -> None:
    t1, flair = head.node(host.scene, "T1w"), head.node(host.scene, "FLAIR")
    stranger, loose = head.node(host.scene, "FLAIR x"), head.node(host.scene, "FLAIR y")
    patient(host, "A", t1, flair)
    patient(host, "B", stranger)

    assert findFlairCandidates(host.env, t1) == [flair]
    assert not samePatient(host.env, t1, stranger)
    assert samePatient(host.env, t1, loose)
    assert quickFindings(host.env, t1, stranger)[3].verdict is Verdict.RED


def test_age_and_sex_come_from_dicom(host: SlicerScene, head: Head) -> None:
    t1, loose = head.node(host.scene), head.node(host.scene)
    facts = {"PatientBirthDate": "19500322", "PatientSex": "F", "PatientID": "p7"}
    patient(host, "A", t1, StudyDate="20210322", **facts)

    assert patientFacts(host.env, t1) == PatientFacts("p7", 71.0, "F")
    assert patientFacts(host.env, loose) == PatientFacts()


@pytest.mark.parametrize("facts", [{"PatientBirthDate": "unknown", "PatientSex": "O"}, {}])
def test_what_dicom_does_not_say_stays_unknown(
    host: SlicerScene, head: Head, facts: dict[str, str]
) -> None:
    t1 = head.node(host.scene)
    patient(host, "A", t1, StudyDate="20210322", **facts)

    assert patientFacts(host.env, t1) == PatientFacts()


def verdicts(host: SlicerScene, t1: Any, flair: Any = None) -> list[Verdict]:
    """Sequence, voxels, coverage, FLAIR."""
    return [finding.verdict for finding in quickFindings(host.env, t1, flair)]


def test_a_good_head_is_green(host: SlicerScene) -> None:
    head = Head(np.diag([0.75, 0.75, 0.75, 1.0]) @ straight(), order=(1, 2, 0))
    green = Verdict.GREEN

    assert verdicts(host, head.node(host.scene)) == [green, green, green, green]


@pytest.mark.parametrize(
    ("change", "light", "verdict"),
    [
        ("CT", 0, Verdict.RED),
        ("no name", 0, Verdict.AMBER),
        ("thick", 1, Verdict.AMBER),
        ("very thick", 1, Verdict.RED),
        ("sheared", 1, Verdict.RED),
        ("small", 2, Verdict.RED),
        ("cut at the top", 2, Verdict.AMBER),
        ("same FLAIR", 3, Verdict.RED),
    ],
)
def test_each_light_can_turn(host: SlicerScene, change: str, light: int, verdict: Verdict) -> None:
    head = Head(np.diag([0.75, 0.75, 0.75, 1.0]) @ straight(), flips=(2,))
    t1 = head.node(host.scene)
    place = ijkToRas(t1)
    if change == "CT":
        setArray(t1, arrayOf(t1) - 1000.0)
    elif change == "no name":
        t1.SetName("series 5")
    elif change == "thick":
        t1.SetIJKToRASMatrix(vtkMatrix(place @ np.diag([1, 1, 1.4, 1])))
    elif change == "very thick":
        t1.SetIJKToRASMatrix(vtkMatrix(place @ np.diag([1, 1, 2.2, 1])))
    elif change == "sheared":
        place[0, 1] += 0.3
        t1.SetIJKToRASMatrix(vtkMatrix(place))
    elif change == "small":
        t1.SetIJKToRASMatrix(vtkMatrix(np.diag([0.3, 0.3, 0.3, 1]) @ place))
    elif change == "cut at the top":
        t1.SetIJKToRASMatrix(vtkMatrix(np.diag([1.4, 1.4, 1.4, 1]) @ place))
        setArray(t1, arrayOf(t1)[10:])  # stored upside down: the first slices are the top

    assert verdicts(host, t1, t1 if change == "same FLAIR" else None)[light] is verdict


class Database:
    """What the quick look asks Slicer's DICOM database."""

    def instanceValue(self, instance: str, tag: str) -> str:
        return "Gadobutrol" if (instance, tag) == ("1.2.7", "0018,0010") else ""


@pytest.mark.parametrize(
    ("instances", "name"),
    [("1.2.7 1.2.8", "contrast_agent"), ("1.2.9", "sequence"), (None, "sequence")],
)
def test_a_contrast_agent_that_dicom_names_is_red(
    host: SlicerScene, head: Head, instances: str | None, name: str
) -> None:
    t1 = head.node(host.scene)
    t1.SetAttribute("DICOM.instanceUIDs", instances)
    found = quickFindings(replace(host.env, dicomDatabase=Database()), t1)[0]

    assert found.name == name
    assert (found.verdict is Verdict.RED) == (name == "contrast_agent")
    assert quickFindings(host.env, t1)[0].name == "sequence", "without a database nothing is known"


def test_the_lights_are_quick_on_a_large_scan(host: SlicerScene, head: Head) -> None:
    node = head.volume(host.scene, "T1w", filled((BRAIN, 1.0)))
    setArray(node, np.zeros((256, 256, 256), np.int16))
    began = time.perf_counter()
    quickFindings(host.env, node)

    assert time.perf_counter() - began < 0.5


def test_the_flair_goes_out_where_it_lies_beside_the_t1(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    flair = Head(turned(0, 0, 30) @ straight()).node(host.scene, "FLAIR")
    t1.SetAndObserveTransformNodeID(linear(host.scene, turned(0, 0, -20)).GetID())
    flair.SetAndObserveTransformNodeID(linear(host.scene, turned(0, 0, -50)).GetID())
    inputs = exportInputs(host.env, tmp_path, t1, flair)

    # In the T1's space the FLAIR is turned by 30 - 50 + 20 = 0 degrees: both lie alike.
    one, two = (sitk.ReadImage(str(path)) for path in (inputs.t1, inputs.flair))
    assert np.allclose(one.GetDirection(), two.GetDirection(), atol=1e-6)
    assert np.allclose(one.GetOrigin(), two.GetOrigin(), atol=1e-4)
    assert two.GetPixelID() == sitk.sitkFloat32


def test_a_mask_on_other_voxels_lands_on_those_of_the_t1(
    host: SlicerScene, head: Head, tmp_path: Path
) -> None:
    t1 = head.node(host.scene)
    other = Head(flips=(0, 1), order=(1, 0, 2))
    mask = other.volume(host.scene, "mask", filled((BRAIN, 3.0)))
    inputs = exportInputs(host.env, tmp_path, t1, maskNode=mask)
    written = sitk.ReadImage(str(inputs.mask))

    assert np.array_equal(sitk.GetArrayFromImage(written), arrayOf(t1) > 0)
    assert written.GetPixelID() == sitk.sitkUInt8


def test_an_empty_mask_is_refused(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    mask = head.volume(host.scene, "mask", filled())
    count = host.scene.GetNumberOfNodes()

    with pytest.raises(PETSynthError) as problem:
        exportInputs(host.env, tmp_path, head.node(host.scene), maskNode=mask)
    assert problem.value.code is ErrorCode.BAD_MASK
    assert host.scene.GetNumberOfNodes() <= count + 2  # the T1 and its display


def test_a_t1_without_voxels_is_refused(host: SlicerScene, tmp_path: Path) -> None:
    t1 = host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1w")

    assert quickFindings(host.env, t1)[0].verdict is Verdict.RED
    with pytest.raises(PETSynthError) as problem:
        exportInputs(host.env, tmp_path, t1)
    assert problem.value.code is ErrorCode.BAD_IMAGE


def test_two_patients_keep_apart(host: SlicerScene, head: Head, tmp_path: Path) -> None:
    one, two = head.node(host.scene, "A T1w"), head.node(host.scene, "B T1w")
    studies = [patient(host, name, node) for name, node in (("A", one), ("B", two))]
    place = linear(host.scene, turned(0, 0, 10))
    two.SetAndObserveTransformNodeID(place.GetID())
    folders = [head.result(tmp_path / name) for name in "AB"]
    first = importResult(host.env, folders[0], exportInputs(host.env, tmp_path, one))
    second = importResult(host.env, folders[1], exportInputs(host.env, tmp_path, two))
    tree = host.env.subjectHierarchy

    for nodes, t1, study in ((first, one, studies[0]), (second, two, studies[1])):
        assert nodes.t1 is t1
        assert tree.GetItemParent(nodes.folder) == study
        assert nodes.pet.GetName().startswith(f"[SYN] {t1.GetName()}")
        showFused(host.env, nodes)
        assert shown(host.env) is nodes.pet
        assert compositeOf(host.env, "Red").GetBackgroundVolumeID() == t1.GetID()
    assert first.pet.GetParentTransformNode() is None
    assert second.pet.GetParentTransformNode() is place
    # Only the outlines of the patient who is shown.
    assert not first.regions.GetDisplayNode().IsDisplayableInView("vtkMRMLSliceNodeRed")
    assert second.regions.GetDisplayNode().IsDisplayableInView("vtkMRMLSliceNodeRed")
