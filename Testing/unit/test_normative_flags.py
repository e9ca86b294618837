"""Flags by the largest z over regions, and the sentence that puts them into proportion."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.normative.flags import Flags, flagged, set_flags


def test_at_most_5_percent_of_the_normals_get_any_flag() -> None:
    z = np.random.default_rng(0).normal(size=(100, 80))
    found = set_flags(z)
    assert found is not None
    # Rank ceil(101 * 0.95) = 96 of 100: four lie above.
    assert found.threshold == np.sort(z.max(axis=1))[95]
    assert found.normals_with(1) == 4
    assert 2.8 < found.threshold < 4.2, "80 regions: a z of 2 is no news"


def test_new_normals_are_flagged_as_rarely() -> None:
    rng = np.random.default_rng(1)
    found = set_flags(rng.normal(size=(200, 80)))
    assert found is not None
    new = rng.normal(size=(2000, 80)).max(axis=1) > found.threshold
    assert new.mean() == pytest.approx(0.05, abs=0.03)


def test_too_few_normals_have_no_threshold() -> None:
    assert set_flags(np.zeros((18, 3))) is None
    assert set_flags(np.zeros((19, 3))) is not None


def test_the_header_says_how_many_normals_have_as_many() -> None:
    flags = Flags(3.1, (4, 2, 1, *[0] * 37), 80)
    assert flags.header(2) == (
        "2 of 80 regions are flagged (z above 3.10); 2 of 40 normals have as many."
    )
    assert flags.header(1).startswith("1 region is flagged")
    assert flags.header(5).endswith("0 of 40 normals have as many.")
    assert flags.header(0) == (
        "No region is flagged (z above 3.10); 37 of 40 normals have none either."
    )


def test_flags_are_counted_and_kept_as_json() -> None:
    flags = Flags(3.0, (1, 0), 4)
    assert flagged([2.9, 3.0, 3.1, -9.0], flags) == 1
    assert Flags.from_dict(flags.as_dict()) == flags
