"""Back to the scan: units, edges, sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from export_case import generated, laid_on, lopsided, pet_on, prepared_on, rotation

from PETSynthLib.assets import atlas_volume, reference_mask
from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.quantify import quantify
from PETSynthLib.restore import restore, soft_brain
from PETSynthLib.restore.reference import measure_reference, share_inside
from PETSynthLib.volume import CANONICAL, Grid, Volume, on_grid


def native_grid(spacing: tuple[float, float, float], turn: np.ndarray) -> Grid:
    """A grid of 200 mm a side, turned about the origin."""
    shape = tuple(round(200.0 / s) for s in spacing)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = [-100.0, -118.0, -90.0]
    return Grid(shape, turn @ affine)


def test_soft_brain_falls_off_by_millimetres_not_by_voxels():
    # One plane of brain; x runs in steps of 0.5 mm, y in steps of 7 mm.
    data = np.zeros((41, 5, 5), np.float32)
    data[20, 2, 2] = 1.0
    brain = Volume(data, np.diag([0.5, 7.0, 7.0, 1.0]))
    weights = soft_brain(brain).data
    assert weights[20, 2, 2] == 1.0
    assert weights[24, 2, 2] == 1.0  # 2 mm: still within the margin
    assert weights[27, 2, 2] == pytest.approx(np.exp(-0.5), abs=1e-6)  # 3.5 mm: one sigma beyond
    assert weights[34, 2, 2] == 0.0  # 7 mm: gone
    assert weights[20, 3, 2] == 0.0  # one voxel away along y is 7 mm away


def test_soft_brain_of_an_empty_mask_is_empty():
    brain = Volume(np.zeros((4, 4, 4)), np.eye(4))
    assert not soft_brain(brain).data.any()


def test_reference_becomes_one_and_the_sd_and_samples_share_the_factor():
    brain = atlas_volume("template_brain").data
    result = restore(generated(2.5 * brain, samples=2), prepared_on(CANONICAL, np.eye(4)))
    pons = reference_mask("pons").mask
    assert result.reference_factor == pytest.approx(0.4)
    assert result.mean.data[pons].mean() == pytest.approx(1.0, abs=1e-5)
    assert result.sd.data[pons].mean() == pytest.approx(0.1, abs=1e-5)
    assert len(result.samples) == 2
    assert result.samples[1].data[pons].mean() == pytest.approx(1.0, abs=1e-5)
    assert (result.mean.tracer, result.sd.quantity) == ("fdg", "sd")


def test_nothing_is_left_far_from_the_brain_and_nothing_is_negative():
    haze = np.full(CANONICAL.shape, 1.0, np.float32)
    haze[:40] = -0.5
    result = restore(generated(haze), prepared_on(CANONICAL, np.eye(4)))
    brain = atlas_volume("template_brain").mask
    near = np.asarray(soft_brain(on_grid(brain, CANONICAL)).data > 0)
    assert not result.mean.data[~near].any()
    assert result.mean.data.min() == 0.0
    assert result.mean.data[60, 56, 48] == pytest.approx(1.0, abs=1e-5)


def test_reference_statistics_by_hand():
    data = np.zeros(CANONICAL.shape, np.float32)
    voxels = np.argwhere(reference_mask("pons").mask)
    for n, voxel in enumerate(voxels):
        data[tuple(voxel)] = (1.0, 3.0)[n % 2]
    data[tuple(voxels[-1])] = 0.0  # without uptake: left out
    used = len(voxels) - 1
    found = measure_reference(pet_on(CANONICAL, data))
    assert used % 2 == 0  # so that ones and threes balance
    assert found.mean == pytest.approx(2.0)
    assert found.cv == pytest.approx(50.0)
    assert found.ml == pytest.approx(used * 0.008)


def test_an_uneven_reference_is_amber():
    data = np.ones(CANONICAL.shape, np.float32)
    data[::2] = 3.0
    findings = {
        f.name: f for f in restore(generated(data), prepared_on(CANONICAL, np.eye(4))).findings
    }
    assert findings["reference_evenness"].verdict is Verdict.AMBER
    assert findings["reference_volume"].verdict is Verdict.GREEN


def test_a_scan_that_cuts_the_reference_off_is_amber():
    # The pons reaches down to about z = -44 mm; this scan ends at -30 mm.
    grid = Grid((96, 112, 66), CANONICAL.affine @ shift(0, 0, 30))
    assert grid.affine[2, 3] == -27.0
    result = restore(generated(np.ones(CANONICAL.shape)), prepared_on(grid, np.eye(4)))
    finding = next(f for f in result.findings if f.name == "reference_in_view")
    assert finding.verdict is Verdict.AMBER
    assert finding.value < 50.0


def shift(i: float, j: float, k: float) -> np.ndarray:
    """4x4 translation in voxels."""
    moved = np.eye(4)
    moved[:3, 3] = (i, j, k)
    return moved


def test_share_inside_counts_voxel_centres():
    mask = np.zeros((4, 1, 1), np.float32)
    mask[:] = 1.0
    volume = Volume(mask, np.eye(4))
    assert share_inside(volume, np.eye(4), Grid((3, 1, 1), np.eye(4))) == 0.75
    assert share_inside(volume, np.eye(4), Grid((4, 1, 1), np.eye(4))) == 1.0


def test_no_uptake_in_the_reference_is_refused_in_one_sentence():
    with pytest.raises(PETSynthError) as refused:
        restore(generated(np.zeros(CANONICAL.shape)), prepared_on(CANONICAL, np.eye(4)))
    assert refused.value.code is ErrorCode.ALIGNMENT
    assert "pons" in refused.value.text


def test_values_that_are_no_numbers_are_refused_not_hidden():
    answer = generated(np.ones(CANONICAL.shape))
    data = answer.sd.data.copy()
    data[3, 3, 3] = np.nan
    with pytest.raises(PETSynthError) as refused:
        restore(replace(answer, sd=answer.sd.with_data(data)), prepared_on(CANONICAL, np.eye(4)))
    assert refused.value.code is ErrorCode.INTERNAL


@pytest.mark.parametrize(
    ("spacing", "turn"),
    [
        ((2.0, 2.0, 2.0), np.eye(4)),
        ((2.5, 2.0, 3.0), rotation(2, 25.0)),
        ((2.0, 2.5, 2.5), rotation(0, -20.0) @ rotation(1, 15.0)),
    ],
    ids=["straight", "turned", "oblique"],
)
def test_left_stays_left_in_turned_heads(spacing, turn):
    """Left-frontal +30 %, right-temporal -30 % come back on the right sides with right words."""
    grid = native_grid(spacing, turn)
    prepared = prepared_on(grid, np.linalg.inv(turn))
    result = restore(generated(lopsided()), prepared)
    table = quantify(result.mean, result.sd, laid_on(prepared).labels, {})

    def of(region: str, side: str) -> float:
        return table.value(region, side).mean

    assert of("rostralmiddlefrontal", "L") == pytest.approx(1.3, abs=0.05)
    assert of("rostralmiddlefrontal", "R") == pytest.approx(1.0, abs=0.05)
    assert of("middletemporal", "R") == pytest.approx(0.7, abs=0.05)
    assert of("middletemporal", "L") == pytest.approx(1.0, abs=0.05)
    for region in ("rostralmiddlefrontal", "middletemporal"):
        words = table.value(region).asymmetry
        assert words.startswith("right lower by"), (region, words)
    # By place, without any label: a point of the left frontal lobe in the template.
    point = turn @ np.array([-36.0, 38.0, 24.0, 1.0])
    i, j, k = np.linalg.solve(grid.affine, point)[:3].round().astype(int)
    assert result.mean.data[i, j, k] == pytest.approx(1.3, abs=0.05)
