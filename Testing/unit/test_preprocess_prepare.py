"""The whole preparation: what comes out, what is reused, what is refused."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from preprocess_heads import (
    displacement_mm,
    made_flair,
    made_head,
    scan_of,
    template_to_native,
)
from scipy import ndimage

from PETSynthLib.assets import asset_path, atlas_volume
from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.errors import Cancelled, ErrorCode, PETSynthError
from PETSynthLib.preprocess import align as align_module
from PETSynthLib.preprocess import bias as bias_module
from PETSynthLib.preprocess import prepare, write_space
from PETSynthLib.progress import Silent
from PETSynthLib.read import read_scan
from PETSynthLib.volume import CANONICAL, Volume

TRUE = template_to_native()


@pytest.fixture
def known_alignment(monkeypatch):
    """The calls of greedy, which answers with the truth at once; N4 takes a short look only."""
    return answering(monkeypatch)


def answering(patch):
    calls = []
    patch.setattr(bias_module, "ITERATIONS", (3, 3))

    def answer(*_):
        calls.append(1)
        return TRUE if len(calls) % 2 else np.eye(4)

    patch.setattr(align_module, "greedy_affine", answer)
    return calls


@pytest.fixture(scope="module")
def head():
    """T1, brain mask and FLAIR of one made head."""
    return *made_head(TRUE), made_flair(TRUE)


@pytest.fixture(scope="module")
def first(head):
    """What the head becomes, and what was told meanwhile."""
    t1, mask, flair = head
    progress = Silent()
    with pytest.MonkeyPatch.context() as patch:
        answering(patch)
        return run(t1, mask, flair, progress=progress), progress


def run(t1, mask, flair=None, space=None, progress=None, overridden=()):
    return prepare(
        t1,
        flair=flair,
        mask=mask,
        space=space,
        grid=CANONICAL,
        device="cpu",
        progress=progress or Silent(),
        overridden=overridden,
    )


def test_the_t1_arrives_on_the_template_scaled_and_brain_only(head, first):
    t1, _, _ = head
    prepared, progress = first
    assert prepared.t1.grid.same_as(CANONICAL)
    assert prepared.t1.space == CANONICAL.name
    brain = prepared.brain.mask
    assert prepared.t1.data[~brain].max() == 0
    assert np.percentile(prepared.t1.data[brain], 97) == pytest.approx(1.0, abs=1e-3)
    inside = brain & atlas_volume("template_brain").mask
    template = atlas_volume("template_t1").data
    assert np.corrcoef(prepared.t1.data[inside], template[inside])[0, 1] > 0.93
    assert prepared.flair is not None
    grey, white = (atlas_volume(f"template_{n}").data > 0.8 for n in ("gm", "wm"))
    assert prepared.flair.data[inside & grey].mean() > prepared.flair.data[inside & white].mean()
    assert prepared.native_brain.grid.same_as(t1.volume.grid)
    assert prepared.native_t1.grid.same_as(t1.volume.grid)
    assert prepared.findings == progress.findings
    assert Verdict.RED not in [f.verdict for f in prepared.findings]
    names = [step["name"] for step in prepared.steps]
    assert names == [
        "brain mask",
        "alignment",
        "bias field",
        "intensity",
        "FLAIR to T1",
        "bias field of the FLAIR",
    ]
    for step in prepared.steps:
        assert set(step) == {"name", "version", "parameters", "seconds", "outcome"}
    json.dumps(prepared.steps)


def test_left_stays_left(head, first, known_alignment):
    t1, mask, _ = head
    # A dark spot of 10 mm in the left hemisphere, in the scanner's own millimetres.
    spot_template = np.array([-36.0, -20.0, 30.0])
    spot = TRUE[:3, :3] @ spot_template + TRUE[:3, 3]
    ijk = np.moveaxis(np.indices(t1.volume.shape), 0, -1)
    away = np.linalg.norm(ijk * 2.0 + t1.volume.affine[:3, 3] - spot, axis=-1)
    data = np.where(away < 10, 0.5 * t1.volume.data, t1.volume.data)
    lesioned = run(dataclasses.replace(t1, volume=t1.volume.with_data(data)), mask)
    loss = np.clip(first[0].t1.data - lesioned.t1.data - 0.2, 0, None)
    centre = np.array(ndimage.center_of_mass(loss)) * 2.0 + CANONICAL.affine[:3, 3]
    assert np.abs(centre - spot_template).max() < 2.0


def test_mask_transforms_and_bias_fields_are_reused_only_for_the_same_images(
    tmp_path, head, first, known_alignment
):
    t1, mask, flair = head
    folder = tmp_path / "space"
    first, _ = first
    write_space(first, t1, folder)
    again = run(t1, mask, flair, space=folder)
    assert len(known_alignment) == 0
    assert [s["name"] for s in again.steps] == ["brain mask and alignment", "intensity"]
    for name in ("t1", "flair"):
        np.testing.assert_array_equal(again.fields[name].data, first.fields[name].data)
    assert np.abs(again.t1.data - first.t1.data).max() < 1e-5
    assert (again.native_brain.data == first.native_brain.data).all()
    assert np.abs(again.flair.data - first.flair.data).max() < 1e-5

    other = dataclasses.replace(t1, sha256="f" * 64)
    run(other, mask, space=folder)
    assert len(known_alignment) == 2
    # A user who brings a mask where there was none wants it used.
    run(t1, dataclasses.replace(mask, sha256="e" * 64), space=folder)
    assert len(known_alignment) == 4


def test_a_damaged_space_folder_is_made_again(tmp_path, head, first, known_alignment):
    t1, mask, _ = head
    write_space(first[0], t1, tmp_path)
    (tmp_path / "native_to_template.tfm").write_text("nonsense")
    run(t1, mask, space=tmp_path)
    assert len(known_alignment) == 2


def test_a_bias_field_that_is_damaged_is_found_again(tmp_path, head, first, known_alignment):
    t1, mask, _ = head
    write_space(first[0], t1, tmp_path)
    (tmp_path / "bias_t1.nii.gz").write_bytes(b"nonsense")
    again = run(t1, mask, space=tmp_path)
    assert len(known_alignment) == 0
    assert "bias field" in [s["name"] for s in again.steps]
    assert np.abs(again.t1.data - first[0].t1.data).max() < 1e-5


def test_the_space_folder_holds_no_image_of_the_head(tmp_path, head, first):
    t1, _, _ = head
    write_space(first[0], t1, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "bias_flair.nii.gz",
        "bias_t1.nii.gz",
        "brain_mask.nii.gz",
        "native_to_template.tfm",
        "space.json",
    ]
    record = json.loads((tmp_path / "space.json").read_text(encoding="utf-8"))
    assert record["t1_sha256"] == t1.sha256
    assert record["steps"][1]["outcome"]["gates"]["dice"] > 0.9


def test_a_red_finding_of_the_reader_stops_the_run(head, known_alignment):
    t1, mask, _ = head
    red = Finding("t1_slice_thickness", 7.0, "6 mm", Verdict.RED, "The slices are too thick.")
    with pytest.raises(PETSynthError, match="The slices are too thick") as caught:
        run(dataclasses.replace(t1, findings=[red]), mask)
    assert caught.value.code is ErrorCode.BAD_GEOMETRY


THICK = Finding("t1_slice_thickness", 7.0, "6 mm", Verdict.RED, "The slices are too thick.")
UNEVEN = Finding("t1_anisotropy", 8.0, "7", Verdict.RED, "The voxels are too uneven.")


def test_an_overridden_check_does_not_stop_the_run_and_is_told(head, known_alignment):
    t1, mask, _ = head
    names = ("contrast_agent", "t1_slice_thickness")
    prepared = run(dataclasses.replace(t1, findings=[THICK]), mask, overridden=names)
    told = {f.name: f for f in prepared.findings if f.overridden}
    assert set(told) == set(names)
    assert {f.verdict for f in told.values()} == {Verdict.AMBER}
    assert all(f.sentence.endswith("Overridden by the user.") for f in told.values())


def test_overriding_one_check_leaves_the_next_one_shut(head, known_alignment):
    t1, mask, _ = head
    scan = dataclasses.replace(t1, findings=[THICK, UNEVEN])
    with pytest.raises(PETSynthError, match="too uneven") as caught:
        run(scan, mask, overridden=("t1_slice_thickness", "coverage"))
    assert caught.value.check == "t1_anisotropy", "what the user could override next"


def test_a_cut_brain_is_refused_until_the_user_overrides_it(head, known_alignment):
    t1, mask, _ = head
    shape = t1.volume.shape
    kept = round(shape[2] * 0.7)  # the top of the head is missing

    def cut(scan):
        return dataclasses.replace(
            scan, volume=Volume(scan.volume.data[:, :, :kept], scan.volume.affine)
        )

    with pytest.raises(PETSynthError, match=r"covers only \d+ %") as caught:
        run(cut(t1), cut(mask))
    assert caught.value.check == "coverage"
    prepared = run(cut(t1), cut(mask), overridden=("coverage",))
    (told,) = [f for f in prepared.findings if f.name == "coverage"]
    assert told.overridden
    assert told.verdict is Verdict.AMBER


def test_a_flair_in_place_of_the_t1_is_refused(head, known_alignment):
    _, mask, flair = head
    with pytest.raises(PETSynthError, match="does not have the contrast of a T1") as caught:
        run(flair, mask)
    assert caught.value.code is ErrorCode.BAD_IMAGE
    assert caught.value.check == "", "this one cannot be overridden"


def test_a_mask_beside_the_brain_is_blamed(head, monkeypatch):
    t1, mask, _ = head
    monkeypatch.setattr(align_module, "greedy_affine", lambda *_: np.eye(4))
    monkeypatch.setattr(align_module, "PITCHES_DEG", (0.0,))
    block = np.zeros(t1.volume.shape)
    block[20:90, 50:70, 20:90] = 1
    with pytest.raises(PETSynthError, match="mask does not fit") as caught:
        run(t1, dataclasses.replace(mask, volume=mask.volume.with_data(block)))
    assert caught.value.code is ErrorCode.BAD_MASK


def test_a_cancel_between_the_steps_is_obeyed(head, known_alignment):
    class Stops(Silent):
        def step(self, done, total):
            if done == 2:
                raise Cancelled

    t1, mask, _ = head
    with pytest.raises(Cancelled):
        run(t1, mask, progress=Stops())


def test_importing_brings_neither_torch_nor_greedy():
    program = (
        "import sys, PETSynthLib.preprocess\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'deepbet', 'picsl_greedy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.fixture
def sample():
    with asset_path("sample/colin27_T1w.nii.gz") as path:
        return read_scan(path)


@pytest.mark.slow
@pytest.mark.torch
def test_a_real_head_passes_every_gate_and_prints_nothing(sample, capfd):
    pytest.importorskip("deepbet")
    pytest.importorskip("picsl_greedy")
    prepared = run(sample, None)
    assert capfd.readouterr().out == ""
    assert [f.verdict for f in prepared.findings] == [Verdict.GREEN] * len(prepared.findings)
    # colin27 was brought to MNI space by its makers: nearly the identity.
    assert displacement_mm(prepared.transform.inverse, np.eye(4)) < 5.0
    # No orbits: nothing in front of the frontal lobe below the level of the thalamus.
    _, j, k = np.argwhere(prepared.brain.mask).T
    y, z = j * 2.0 - 127.0, k * 2.0 - 87.0
    assert not ((y > 64) & (z < -28)).any()


@pytest.mark.slow
@pytest.mark.torch
def test_what_is_no_head_is_refused():
    pytest.importorskip("deepbet")
    with pytest.raises(PETSynthError) as caught:
        run(made_abdomen(), None)
    assert caught.value.code in (ErrorCode.BAD_IMAGE, ErrorCode.ALIGNMENT)


def made_abdomen():
    """Fat, muscle, a liver, a spleen, a spine, two kidneys: smooth organs in an oval trunk."""
    axes = [np.linspace(-1, 1, n) for n in (160, 110, 90)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    image = np.where(x**2 + y**2 < 1, 900.0, 0.0)
    image[x**2 / 0.8 + y**2 / 0.7 < 1] = 300.0
    image[(x - 0.35) ** 2 / 0.15 + (y - 0.2) ** 2 / 0.25 + z**2 / 0.6 < 1] = 550.0
    image[(x + 0.55) ** 2 / 0.04 + y**2 / 0.08 + (z - 0.2) ** 2 / 0.2 < 1] = 420.0
    image[x**2 / 0.03 + (y + 0.55) ** 2 / 0.05 < 1] = 700.0
    for side in (-0.4, 0.4):
        image[(x - side) ** 2 / 0.02 + (y + 0.35) ** 2 / 0.03 + (z + 0.2) ** 2 / 0.15 < 1] = 380.0
    image += np.random.default_rng(0).normal(0, 15, image.shape)
    affine = np.diag([2.2, 2.2, 3.0, 1.0])
    affine[:3, 3] = (-176.0, -121.0, -135.0)
    return scan_of(Volume(image, affine))
