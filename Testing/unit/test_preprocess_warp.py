"""The deformable step: what it finds, what it moves, and that a stored one is the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_case import prepared_on
from scipy import ndimage

from PETSynthLib.assets import atlas_volume
from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.preprocess import warp as module
from PETSynthLib.preprocess.greedy import GreedyFailed
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.preprocess.warp import (
    FIELD,
    FRACTION_MM,
    RECORD,
    Warp,
    atlas_warp,
    fit_warp,
    gates_of,
    jacobian,
    only_affine,
    read_warp,
    warp_finding,
    write_warp,
)
from PETSynthLib.progress import Silent
from PETSynthLib.request import Regions
from PETSynthLib.volume import CANONICAL, Grid, Volume

HERE = NativeToTemplate(np.eye(4))
SOURCES = {"t1_sha256": "a" * 64}
GATES = {"folded_percent": 0.0, "nmi": 1.2, "nmi_affine": 1.1, "mean_mm": 2.0, "largest_mm": 2.0}


def constant(right_mm: float) -> np.ndarray:
    """A field that moves everything to the right."""
    field = np.zeros((3, *CANONICAL.shape), np.float32)
    field[0] = right_mm
    return field


def waves(amplitude_mm: float = 4.0) -> np.ndarray:
    """A smooth field, waves of 80 mm."""
    x, y, z = np.indices(CANONICAL.shape) * (2.0 * np.pi / 40.0)
    return (amplitude_mm * np.stack([np.sin(y), np.sin(z), np.sin(x)])).astype(np.float32)


def bent_template(field: np.ndarray) -> Volume:
    """The head that ``field`` lays on the template: its voxel shows what lies at x + field."""
    template = atlas_volume("template_t1")
    brain = template.data * atlas_volume("template_brain").mask
    where = np.indices(CANONICAL.shape) + field / 2.0
    return Volume(ndimage.map_coordinates(brain, where, order=1), CANONICAL.affine, CANONICAL.name)


def test_a_bent_head_is_found_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("picsl_greedy")
    # The coarse levels alone take a second and find waves of 80 mm.
    monkeypatch.setattr(module, "OPTIONS", module.OPTIONS.replace("100x50x10", "60x15x0"))
    truth = waves()
    prepared = replace(prepared_on(CANONICAL, np.eye(4)), t1=bent_template(truth))
    warp, gates, finding = fit_warp(prepared, Silent(), Steps())
    inside = ndimage.binary_erosion(atlas_volume("template_brain").mask, iterations=4)
    before = np.linalg.norm(truth, axis=0)[inside].mean()
    after = np.linalg.norm(warp.field - truth, axis=0)[inside].mean()
    assert after < 0.4 * before
    assert gates["nmi"] > gates["nmi_affine"] + 0.05
    assert finding.verdict.value == "green"
    assert np.array_equal(warp.field, np.rint(warp.field / FRACTION_MM) * FRACTION_MM)


def test_labels_move_by_the_field() -> None:
    # What lies 4 mm (two voxels) further right on the template is the label here.
    labels = atlas_volume("regions")
    brain = labels.with_data(np.ones(labels.shape))
    found = Warp(HERE, constant(4.0)).labels_to_native({"regions": labels}, brain)["regions"]
    assert np.array_equal(found.data[:-2], labels.data[2:])
    assert not found.data[-2:].any(), "beyond the template there is nothing"


def test_labels_stay_inside_the_brain() -> None:
    labels = atlas_volume("regions")
    brain = labels.with_data(np.zeros(labels.shape))
    brain.data.setflags(write=True)
    brain.data[40:50] = 1.0
    found = only_affine(HERE).labels_to_native({"regions": labels}, brain)["regions"]
    assert np.array_equal(found.data[40:50], labels.data[40:50])
    assert not found.data[:40].any()


def test_the_way_back_undoes_the_way_there() -> None:
    field = waves(3.0)
    native = bent_template(field)
    back = Warp(HERE, field).brain_from_native(native, np.eye(4))
    inside = ndimage.binary_erosion(atlas_volume("template_brain").mask, iterations=3)
    template = atlas_volume("template_t1").data
    agreement = np.corrcoef(back.data[inside], template[inside])[0, 1]
    unbent = np.corrcoef(native.data[inside], template[inside])[0, 1]
    assert agreement > 0.97  # interpolated twice
    assert unbent < 0.9


def test_a_stored_field_is_read_to_the_last_digit(tmp_path: Path) -> None:
    field = (np.rint(waves() / FRACTION_MM) * FRACTION_MM).astype(np.float32)
    write_warp(Warp(HERE, field), SOURCES, GATES, tmp_path)
    found = read_warp(tmp_path, HERE, SOURCES)
    assert found is not None
    assert np.array_equal(found[0].field, field)
    assert found[1] == GATES


@pytest.mark.parametrize(
    "what",
    ["t1", "affine", "options", "damaged", "cut", "empty", "exchanged", "gates", "list", "missing"],
)
def test_a_field_of_something_else_is_made_again(tmp_path: Path, what: str) -> None:
    write_warp(Warp(HERE, constant(1.0)), SOURCES, GATES, tmp_path)
    sources, affine = SOURCES, HERE
    if what == "t1":
        sources = {"t1_sha256": "b" * 64}
    elif what == "affine":
        moved = np.eye(4)
        moved[0, 3] = 0.5
        affine = NativeToTemplate(moved)
    elif what == "options":
        record = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
        (tmp_path / RECORD).write_text(json.dumps({**record, "options": "-m SSD"}))
    elif what == "damaged":
        (tmp_path / FIELD).write_bytes(b"not a field")
    elif what == "cut":
        content = (tmp_path / FIELD).read_bytes()
        (tmp_path / FIELD).write_bytes(content[: len(content) // 2])
    elif what == "empty":
        (tmp_path / FIELD).write_bytes(b"")
    elif what == "exchanged":
        record = (tmp_path / RECORD).read_bytes()
        write_warp(Warp(HERE, constant(3.0)), SOURCES, GATES, tmp_path)
        (tmp_path / RECORD).write_bytes(record)
    elif what == "gates":
        record = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
        del record["gates"]["mean_mm"]  # of which the check speaks
        (tmp_path / RECORD).write_text(json.dumps(record))
    elif what == "list":
        (tmp_path / RECORD).write_text("null")
    else:
        (tmp_path / FIELD).unlink()
    assert read_warp(tmp_path, affine, sources) is None


def test_nothing_is_written_of_an_affine_alone(tmp_path: Path) -> None:
    write_warp(only_affine(HERE), SOURCES, {}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_earlier_field_is_taken_before_a_new_one_is_made(tmp_path: Path) -> None:
    head = prepared_on(CANONICAL, np.eye(4))
    made = Warp(head.transform, constant(2.0))
    for name in ("others", "own", "new"):
        (tmp_path / name).mkdir()
    write_warp(made, {"t1_sha256": "f" * 64}, GATES, tmp_path / "others")
    write_warp(made, head.sources, GATES, tmp_path / "own")

    def fit(*_: object) -> tuple[Warp, dict, Finding]:
        raise AssertionError("it was there already")

    spaces = [tmp_path / "nowhere", tmp_path / "others", tmp_path / "own"]
    here = tmp_path / "new"
    found, told = atlas_warp(Regions.DEFORMABLE, head, spaces, here, Silent(), Steps(), fit)
    assert np.array_equal(found.field, made.field)
    assert [finding.verdict for finding in told] == [Verdict.GREEN]
    kept = read_warp(here, head.transform, head.sources)
    assert kept is not None
    assert np.array_equal(kept[0].field, made.field)


def test_a_field_that_nobody_has_is_made_and_kept(tmp_path: Path) -> None:
    head = prepared_on(CANONICAL, np.eye(4))
    fitted = Warp(head.transform, constant(2.0)), GATES, warp_finding(GATES)
    found, _ = atlas_warp(
        Regions.DEFORMABLE, head, [], tmp_path, Silent(), Steps(), lambda *_: fitted
    )
    assert found is fitted[0]
    assert read_warp(tmp_path, head.transform, head.sources) is not None


def test_the_head_is_bent_on_the_template_s_grid_whatever_the_generator_s(monkeypatch) -> None:
    head = prepared_on(CANONICAL, np.eye(4))
    part = Grid((80, 96, 84), CANONICAL.affine, CANONICAL.name)
    cut = replace(head, t1=Volume(np.zeros(part.shape), part.affine, part.name))
    seen = []

    def greedy(fixed: Volume, *_: object) -> np.ndarray:
        seen.append(fixed)
        return constant(0.0)

    monkeypatch.setattr(module, "greedy_deformation", greedy)
    fit_warp(cut, Silent(), Steps())
    (fixed,) = seen
    brain, template = atlas_volume("template_brain").mask, atlas_volume("template_t1").data
    assert fixed.grid.same_as(CANONICAL)
    assert not fixed.data[~brain].any()
    assert np.corrcoef(fixed.data[brain], template[brain])[0, 1] > 0.99


def answered(monkeypatch: pytest.MonkeyPatch, answer: object) -> tuple[Warp, str]:
    def greedy(*_: object) -> np.ndarray:
        if isinstance(answer, Exception):
            raise answer
        return np.asarray(answer)

    monkeypatch.setattr(module, "greedy_deformation", greedy)
    warp, _, finding = fit_warp(prepared_on(CANONICAL, np.eye(4)), Silent(), Steps())
    assert finding.verdict.value == "amber"
    return warp, finding.sentence


def test_without_greedy_the_affine_has_to_do_and_says_so(monkeypatch) -> None:
    problem = GreedyFailed("picsl-greedy is not installed")
    warp, said = answered(monkeypatch, problem)
    assert not warp.deformable
    assert "by the affine alone because picsl-greedy is not installed" in said


def test_a_field_that_folds_the_brain_is_not_used(monkeypatch) -> None:
    folding = np.zeros((3, *CANONICAL.shape), np.float32)
    # x + field runs backwards: -1.5 mm a millimetre.
    folding[0] = -1.5 * np.abs(np.arange(96) * 2.0 - 95.0)[:, None, None]
    assert jacobian(folding).min() == pytest.approx(-0.5)
    warp, said = answered(monkeypatch, folding)
    assert not warp.deformable
    assert "it folded the brain" in said


def test_a_field_that_brings_nothing_closer_is_not_used(monkeypatch) -> None:
    warp, said = answered(monkeypatch, waves(6.0))
    assert not warp.deformable
    assert "did not come closer" in said


def test_no_field_folds_nothing_and_changes_no_likeness() -> None:
    gates = gates_of(constant(0.0), atlas_volume("template_t1"))
    assert gates["folded_percent"] == 0.0
    assert gates["nmi"] == gates["nmi_affine"]


def test_who_wants_the_affine_gets_no_fit_and_no_word_of_it(tmp_path: Path) -> None:
    head = prepared_on(CANONICAL, np.eye(4))

    def fit(*_: object) -> tuple[Warp, dict, Finding]:
        raise AssertionError("nobody asked for it")

    warp, told = atlas_warp(Regions.AFFINE, head, [], tmp_path, Silent(), Steps(), fit)
    assert (warp.deformable, told) == (False, [])
    assert not list(tmp_path.iterdir())
