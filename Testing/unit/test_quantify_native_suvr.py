"""The reference region: what is refused, what is said; and hand-worked means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from quantify_case import pet_volume, regions, uptake

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.quantify.native_suvr import (
    measure_native_reference,
    reference_rows,
    template_difference,
)
from PETSynthLib.quantify.suvr import RegionTable, RegionValue
from PETSynthLib.volume import CANONICAL


def measured(data: np.ndarray, name: str = "cerebellum_whole"):
    found, findings = measure_native_reference(pet_volume(data), regions(), name)
    return found, {one.name: one for one in findings}


def test_a_constant_volume_is_its_own_reference() -> None:
    found, findings = measured(np.full(CANONICAL.shape, 7.0))
    assert found.reference.mean == pytest.approx(7.0)
    assert found.reference.cv == pytest.approx(0.0, abs=1e-4)
    assert found.asymmetry_percent == pytest.approx(0.0, abs=1e-4)
    assert found.in_view == 1.0
    assert {one.verdict.value for one in findings.values()} == {"green"}


def test_a_reference_without_uptake_is_refused() -> None:
    with pytest.raises(PETSynthError, match="shows no uptake, so there is no SUVR") as caught:
        measured(np.zeros(CANONICAL.shape))
    assert caught.value.code is ErrorCode.BAD_DATA
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(("share", "verdict"), [(0.05, "amber"), (0.3, "red")])
def test_a_cut_off_reference_is_amber_then_red(share: float, verdict: str) -> None:
    # The field of view ends inside the cerebellum: slices from below are empty.
    mask = regions().references["cerebellum_whole"].mask
    pet = pet_volume(np.ones(CANONICAL.shape))
    below = np.cumsum(mask.sum(axis=(0, 1))) / mask.sum()
    data = pet.data.copy()
    data[:, :, : int(np.searchsorted(below, share)) + 1] = 0.0
    found, findings = measure_native_reference(pet.with_data(data), regions(), "cerebellum_whole")
    finding = next(one for one in findings if one.name == "reference_in_pet")
    assert finding.verdict.value == verdict
    assert found.reference.mean == 1.0, "what is missing does not pull the mean down"


def test_a_quiet_half_of_the_cerebellum_is_said() -> None:
    pet = pet_volume(np.ones(CANONICAL.shape))
    data = np.where(regions().left, 0.8, 1.0).astype(np.float32)
    found, findings = measure_native_reference(pet.with_data(data), regions(), "cerebellum_grey")
    # 200 (0.8 - 1) / 1.8
    assert found.asymmetry_percent == pytest.approx(-22.22, abs=0.01)
    finding = next(one for one in findings if one.name == "reference_asymmetry")
    assert finding.verdict.value == "amber"
    assert "The left side" in finding.sentence


def test_one_side_out_of_view_has_no_asymmetry_to_tell() -> None:
    pet = pet_volume(np.ones(CANONICAL.shape))
    data = np.where(regions().left, 0.0, 1.0).astype(np.float32)
    _, findings = measure_native_reference(pet.with_data(data), regions(), "cerebellum_grey")
    finding = next(one for one in findings if one.name == "reference_asymmetry")
    assert (finding.value, finding.verdict.value) == ("one side", "amber")


def test_an_uneven_reference_is_amber() -> None:
    rng = np.random.default_rng(0)
    _, findings = measured(1.0 + 0.4 * rng.standard_normal(CANONICAL.shape).clip(-2, 2))
    assert findings["reference_evenness"].verdict.value == "amber"


def test_reference_rows_stand_beside_the_regions_with_sides() -> None:
    rows = {(row.region, row.side): row for row in reference_rows(pet_volume(uptake()), regions())}
    assert rows["pons", "B"].mean == pytest.approx(1.0, abs=0.02)
    assert ("pons", "L") not in rows
    both, left = rows["white_matter", "both"], rows["white_matter", "L"]
    assert both.ml == pytest.approx(left.ml + rows["white_matter", "R"].ml)
    assert both.asymmetry.startswith("sides alike")
    assert both.mean < rows["cerebellum_grey", "both"].mean


def table(mean: float) -> RegionTable:
    rows = tuple(
        RegionValue(name, side, 1.0, mean, 0.0, mean, mean)
        for name, side in (("cuneus", "L"), ("cuneus", "R"), ("brainstem", "B"))
    )
    return RegionTable("fdg", "pons", 1.0, (), rows, [])


def test_native_and_template_are_compared_region_by_region() -> None:
    template = {"cuneus.L": 1.02, "cuneus.R": 0.98, "brainstem": 1.0}
    finding = template_difference(table(1.0), template)
    assert finding.value == pytest.approx(2.0)
    assert finding.verdict.value == "green"
    far = template_difference(table(1.0), dict.fromkeys(template, 1.1))
    assert far.verdict.value == "amber"
    assert template_difference(replace(table(1.0), regions=()), {}).verdict.value == "amber"
