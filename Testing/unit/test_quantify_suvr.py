"""Regional numbers against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from export_case import pet_on, table_of

from PETSynthLib.assets import atlas_volume
from PETSynthLib.checks import Verdict
from PETSynthLib.quantify import HEADLINE, asymmetry_words, quantify
from PETSynthLib.quantify.regions import labels_of, template_regions
from PETSynthLib.quantify.suvr import RegionTable
from PETSynthLib.volume import CANONICAL, Grid, Volume

LINE = Grid((12, 1, 1), np.diag([2.0, 3.0, 5.0, 1.0]))
"""Twelve voxels of 0.03 mL."""


def measured(
    values: list[float], regions: list[tuple[str, str]], factor: float = 0.4
) -> RegionTable:
    """Table of a row of voxels; ``regions`` names region and side of each, sd is 0.5."""
    numbers = [labels_of(*region)[0] if region[0] else 0 for region in regions]
    pad = 12 - len(values)
    pet = np.array([*values, *(pad * [9.0])]).reshape(12, 1, 1)
    labels = np.array([*numbers, *(pad * [0])], np.float32).reshape(12, 1, 1)
    return quantify(
        pet_on(LINE, pet),
        pet_on(LINE, np.full((12, 1, 1), 0.5), quantity="sd"),
        Volume(labels, LINE.affine),
        {"thalamusproper": factor, "striatum": factor},
    )


def test_statistics_of_one_region_by_hand():
    row = measured([1.0, 3.0, 2.0, 7.0], [*(3 * [("thalamusproper", "L")]), ("", "")]).value(
        "thalamusproper", "L"
    )
    assert row.ml == pytest.approx(0.09)
    assert row.mean == pytest.approx(2.0)
    assert row.sd_voxels == pytest.approx(math.sqrt(2.0 / 3.0))
    assert row.median == pytest.approx(2.0)
    assert row.p90 == pytest.approx(2.8)


def test_interval_is_the_mean_plus_minus_1_645_factor_sd():
    row = measured([2.0], [("thalamusproper", "L")]).value("thalamusproper", "L")
    assert row.interval == pytest.approx((2.0 - 1.6449 * 0.4 * 0.5, 2.0 + 1.6449 * 0.4 * 0.5))


def test_interval_never_goes_below_zero():
    row = measured([0.1], [("thalamusproper", "L")], factor=10.0).value("thalamusproper", "L")
    assert row.interval is not None
    assert row.interval[0] == 0.0


def test_no_calibration_no_interval():
    row = measured([2.0], [("caudate", "L")]).value("caudate", "L")
    assert row.interval is None


def test_a_composite_weighs_its_regions_by_volume():
    # Three voxels of caudate at 1, one of putamen at 3: (3 * 1 + 3) / 4.
    table = measured([1.0, 1.0, 1.0, 3.0], [*(3 * [("caudate", "L")]), ("putamen", "L")])
    assert table.value("striatum", "L").mean == pytest.approx(1.5)
    assert table.value("striatum", "L").ml == pytest.approx(0.12)


def test_both_sides_are_weighed_by_volume_and_the_words_name_the_lower_side():
    regions = [("thalamusproper", "L"), ("thalamusproper", "R"), ("thalamusproper", "R")]
    row = measured([0.94, 1.0, 1.0], regions).value("thalamusproper", "both")
    assert row.mean == pytest.approx(2.94 / 3)
    assert row.asymmetry == "left lower by 6 %"


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (0.94, 1.0, "left lower by 6 %"),
        (1.0, 0.94, "right lower by 6 %"),
        (1.0, 1.3, "left lower by 26 %"),
        (1.0, 1.04, "sides alike (within 5 %)"),
        (1.0, 1.0, "sides alike (within 5 %)"),
        (float("nan"), 1.0, ""),
        (0.0, 0.0, ""),
    ],
)
def test_asymmetry_in_words(left, right, words):
    assert asymmetry_words(left, right) == words


def test_a_region_outside_the_scan_has_no_value():
    row = measured([1.0], [("thalamusproper", "L")]).value("thalamusproper", "R")
    assert row.ml == 0.0
    assert math.isnan(row.mean)
    assert row.interval is None


def test_headline_begins_with_the_tracers_target_and_rows_come_in_threes():
    pet = pet_on(CANONICAL, atlas_volume("template_brain").data, "flortaucipir")
    table = table_of(pet, pet)
    assert table.headline[0].region == "tau_temporal_metaroi"
    assert [row.side for row in table.headline[:3]] == ["both", "L", "R"]
    assert {row.region for row in table.headline} == {"tau_temporal_metaroi", *HEADLINE}
    assert len(table.regions) == 3 * 42 + 1  # 42 pairs and the brain stem
    assert table.value("brainstem", "B").mean == pytest.approx(1.0)
    assert table.slice_mm == 2.0


def test_a_mirror_symmetric_brain_is_called_alike_on_both_sides():
    grey = atlas_volume("template_gm").data
    pet = pet_on(CANONICAL, 1.0 + grey + grey[::-1])
    for row in table_of(pet, pet).headline:
        assert row.side != "both" or row.asymmetry.startswith("sides alike"), row


def test_a_whole_brain_is_covered():
    brain = pet_on(CANONICAL, atlas_volume("template_brain").data)
    (finding,) = table_of(brain, brain).findings
    assert finding.verdict is Verdict.GREEN


def test_a_region_of_half_its_expected_size_is_amber_whatever_the_size_of_the_head():
    numbers = template_regions().data.astype(int)
    pole = labels_of("frontalpole", "L")[0]
    voxels = np.argwhere(numbers == pole)
    for voxel in voxels[: int(0.6 * len(voxels))]:
        numbers[tuple(voxel)] = 0
    # Half the voxel size: a head of an eighth of the volume is a small head, not a cut one.
    grid = Grid(CANONICAL.shape, np.diag([1.0, 1.0, 1.0, 1.0]))
    pet = pet_on(grid, np.ones(grid.shape))
    (finding,) = quantify(pet, None, Volume(numbers, grid.affine), {}).findings
    assert finding.verdict is Verdict.AMBER
    assert finding.value == 1
    assert "frontal pole left" in finding.sentence


def test_volumes_on_different_grids_are_refused():
    pet = pet_on(LINE, np.ones((12, 1, 1)))
    elsewhere = Volume(np.ones((12, 1, 1)), np.diag([2.5, 3.0, 5.0, 1.0]))
    with pytest.raises(ValueError, match="share one grid"):
        quantify(pet, None, elsewhere, {})
