"""Side differences, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.learn.evaluate.asymmetry import asymmetry, paired_regions, target_asymmetry
from PETSynthLib.learn.regions import region_index, region_keys
from PETSynthLib.quantify import COMPOSITES


def values() -> np.ndarray:
    return np.ones((1, len(region_keys())))


def test_the_index_is_the_difference_over_the_middle() -> None:
    table = values()
    table[0, region_index("precuneus.L")] = 0.9
    table[0, region_index("precuneus.R")] = 1.1
    names = [name for name, *_ in paired_regions()]
    found = asymmetry(table)[0]
    assert found[names.index("precuneus")] == pytest.approx(-20.0)
    assert np.abs(np.delete(found, names.index("precuneus"))).max() == 0.0


def test_every_pair_has_both_sides_and_the_brain_stem_has_none() -> None:
    names = [name for name, *_ in paired_regions()]
    assert "brainstem" not in names
    for name, left, right in paired_regions():
        assert (region_keys()[left], region_keys()[right]) == (f"{name}.L", f"{name}.R")


def test_a_composite_averages_its_members() -> None:
    table = values()
    table[0, region_index("precuneus.L")] = 0.9
    table[0, region_index("precuneus.R")] = 1.1
    members = len(COMPOSITES["fdg_ad_metaroi"])
    assert target_asymmetry(table, "fdg_ad_metaroi")[0] == pytest.approx(-20.0 / members)
    assert target_asymmetry(table, "tau_temporal_metaroi")[0] == 0.0
