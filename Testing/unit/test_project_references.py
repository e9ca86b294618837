"""Reference values of a surface projection."""

from __future__ import annotations

import numpy as np
import pytest
from project_case import constant

from PETSynthLib.assets import atlas_volume, reference_mask
from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.project.references import REFERENCES, cerebellum_finding, reference_values
from PETSynthLib.project.sampling import SurfaceSamples, sample_both
from PETSynthLib.project.surface import SIDES, surfaces
from PETSynthLib.quantify.regions import labels_of
from PETSynthLib.volume import CANONICAL, Volume, on_grid


def painted(**values: float) -> Volume:
    """1 everywhere, other values in thalamus, cerebellum, pons or the left cerebellum."""
    data = np.ones(CANONICAL.shape, np.float32)
    territories = atlas_volume("territories").data
    masks = {
        "thalamus": np.isin(atlas_volume("regions").data, labels_of("thalamusproper", "both")),
        "cerebellum": np.isin(territories, labels_of("cerebellum", "both")),
        "left_cerebellum": np.isin(territories, labels_of("cerebellum", "L")),
        "pons": reference_mask("pons").mask,
    }
    for name, value in values.items():
        data[masks[name]] = value
    return on_grid(data, CANONICAL)


def test_each_reference_is_the_mean_of_its_own_region() -> None:
    volume = painted(thalamus=3.0, cerebellum=2.0, pons=0.5)
    samples = {
        side: SurfaceSamples(
            np.where(surfaces()[side].medial_wall, 99.0, {"L": 4.0, "R": 6.0}[side]),
            np.zeros(len(surfaces()[side].vertices)),
        )
        for side in SIDES
    }
    found = reference_values(volume, samples)
    assert list(found) == list(REFERENCES) == ["GLB", "THL", "CBL", "PNS"]
    assert found["GLB"] == pytest.approx(5.0), "mean of both sides, the medial wall left out"
    assert found["THL"] == pytest.approx(3.0)
    assert found["CBL"] == pytest.approx(2.0, abs=1e-3), "one voxel is shared with the pons"
    assert found["PNS"] == pytest.approx(0.5)


def test_a_reference_without_uptake_is_refused_by_name() -> None:
    volume = painted(pons=0.0)
    with pytest.raises(PETSynthError, match="pons") as caught:
        reference_values(volume, sample_both(volume))
    assert caught.value.code is ErrorCode.BAD_DATA


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(PETSynthError):
        reference_values(constant(0.0), sample_both(constant(0.0)))


def test_a_cerebellum_lower_on_one_side_is_named_as_no_reference() -> None:
    finding = cerebellum_finding(painted(left_cerebellum=0.8))
    # 100 (1 - 0.8) / 0.9 = 22.2 %
    assert finding.value == pytest.approx(22.2, abs=0.1)
    assert finding.verdict is Verdict.AMBER
    assert "left" in finding.sentence


def test_an_even_cerebellum_passes() -> None:
    assert cerebellum_finding(constant(1.0)).verdict is Verdict.GREEN
    assert cerebellum_finding(painted(left_cerebellum=0.95)).verdict is Verdict.GREEN
