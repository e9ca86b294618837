"""Images in the bounded range of a network, and back to SUVR."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.generate.scaling import fixed_ranges, own_range, scaled, scaled_mri, suvr_of


def test_suvr_comes_back_and_is_never_negative() -> None:
    suvr = np.array([0.0, 1.1, 2.75, 3.0], np.float32)
    net = scaled(suvr, (0.0, 2.75))
    assert net[[0, 2]].tolist() == pytest.approx([-1.0, 1.0])
    assert suvr_of(net, (0.0, 2.75)).tolist() == pytest.approx(suvr.tolist())
    assert suvr_of(np.float32([-1.4]), (0.0, 2.75)).tolist() == [0.0]


def test_the_mri_is_scaled_by_a_fixed_top_or_by_itself() -> None:
    t1 = np.array([0.0, 0.75, 3.0], np.float32)
    assert scaled_mri(t1, "fixed").tolist() == pytest.approx([-1.0, 0.0, 1.0])
    assert scaled_mri(t1, "paper").tolist() == pytest.approx([-1.0, -0.5, 1.0])
    assert scaled_mri(np.zeros(2, np.float32), "paper").tolist() == [-1.0, -1.0]


def test_the_published_way_forgets_the_level() -> None:
    pet = np.array([0.0, 1.0, 2.0], np.float32)
    once, twice = (scaled(k * pet, own_range(k * pet)) for k in (1, 2))
    assert np.array_equal(once, twice)


def test_a_fixed_range_reaches_above_the_display_window() -> None:
    # FDG is shown up to 2.2 SUVR.
    assert fixed_ranges(["fdg"]) == {"fdg": [0.0, 3.08]}
