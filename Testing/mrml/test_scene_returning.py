"""The folder of a synthesis, written again from a scene that was saved and loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import quantified_case as cases

import PETSynthScene as Scene
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.finished import read_finished
from PETSynthScene.Volumes import arrayOf


@pytest.fixture
def saved(host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A synthetic PET that came with an MRB; its job folder is gone."""
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    mri = cases.write(tmp_path / "t1.nii.gz", cases.t1(), cases.AFFINE)
    made = cases.synthesis(tmp_path / "synthesis", mri)
    t1 = cases.volume(host.scene, "Head T1w", cases.t1())
    Scene.importResult(host.env, made, t1Node=t1)
    host.save(tmp_path / "case.mrb")
    host.scene.Clear(0)
    host.load(tmp_path / "case.mrb")
    return Scene.listResults(host.env)[0]


def again(host: Any, pet: Any, tmp_path: Path) -> Path:
    (tmp_path / "job").mkdir()
    folder = tmp_path / "job" / "result"
    Scene.writeAgain(host.env, pet, folder)
    return folder


def test_it_is_a_whole_result_with_the_same_voxels_in_the_same_place(
    host: Any, saved: Any, tmp_path: Path
) -> None:
    folder = again(host, saved, tmp_path)
    finished = read_finished(folder)
    assert finished.synthetic
    assert finished.model["bundle_sha256"] == "ab" * 32
    image, before = (
        nib.load(place / "fdg_synth_suvr.nii.gz") for place in (folder, tmp_path / "synthesis")
    )
    assert np.array_equal(
        nib.as_closest_canonical(image).get_fdata(), nib.as_closest_canonical(before).get_fdata()
    )
    canonical = nib.as_closest_canonical(image).affine
    assert canonical == pytest.approx(nib.as_closest_canonical(before).affine)
    assert {path.name for path in folder.glob("*.nii.gz")} == {
        "fdg_synth_suvr.nii.gz",
        "fdg_synth_sd.nii.gz",
    }


def test_it_is_measured_as_before(host: Any, saved: Any, tmp_path: Path) -> None:
    folder = again(host, saved, tmp_path)
    request = cases.QuantifyRequest
    mri = json.loads((folder / "request.json").read_text(encoding="utf-8"))["t1"]
    one = cases.measure(request(str(folder), mri, str(tmp_path / "again")))
    first = cases.measure(
        request(str(tmp_path / "synthesis"), str(tmp_path / "t1.nii.gz"), str(tmp_path / "first"))
    )
    assert cases.tableOf(one) == cases.tableOf(first)


def test_changed_voxels_are_refused(host: Any, saved: Any, tmp_path: Path) -> None:
    arrayOf(saved)[12, 12, 12] += 0.01
    saved.GetImageData().GetPointData().GetScalars().Modified()
    with pytest.raises(PETSynthError, match=r"voxels of .* were changed") as caught:
        again(host, saved, tmp_path)
    assert caught.value.code is ErrorCode.BAD_DATA
    assert not (tmp_path / "job" / "result").exists()


def test_another_t1_is_refused(host: Any, saved: Any, tmp_path: Path) -> None:
    t1 = Scene.resultOf(host.env, saved).t1
    arrayOf(t1)[12, 12, 12] += 1.0
    t1.GetImageData().GetPointData().GetScalars().Modified()
    with pytest.raises(PETSynthError, match="'Head T1w' were changed"):
        again(host, saved, tmp_path)
    host.scene.RemoveNode(t1)
    with pytest.raises(PETSynthError, match="T1w has left the scene"):
        Scene.writeAgain(host.env, saved, tmp_path / "job" / "result")


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_without_its_provenance_it_is_refused(
    host: Any, saved: Any, tmp_path: Path, text: str
) -> None:
    Scene.resultOf(host.env, saved).provenance.SetText(text)
    with pytest.raises(PETSynthError, match="Nothing in the scene says"):
        again(host, saved, tmp_path)


def test_the_scene_names_no_folder_of_this_computer(host: Any, saved: Any, tmp_path: Path) -> None:
    text = Scene.resultOf(host.env, saved).provenance.GetText()
    assert str(tmp_path) not in text
    assert len(Scene.resultDigest(saved)) == 64
