"""Regional means are plain means over the voxels of a region's labels."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.assets import region_names
from PETSynthLib.quantify.region_means import (
    LABELS,
    label_sums,
    membership,
    region_index,
    region_keys,
    regional_means,
)


def label_of(name: str, side: str) -> int:
    return next(k for k, v in region_names().items() if v == (name, side))


def test_every_region_is_named_once_and_sides_are_apart() -> None:
    keys = region_keys()
    assert len(keys) == len(set(keys))
    assert {"precuneus.L", "precuneus.R", "brainstem", "fdg_ad_metaroi"} <= set(keys)
    assert "precuneus" not in keys
    assert keys[region_index("thalamusproper.R")] == "thalamusproper.R"


def test_every_label_belongs_to_exactly_one_single_region() -> None:
    single = [k for k, key in enumerate(region_keys()) if "." in key or key == "brainstem"]
    times = membership()[single].sum(axis=0)
    assert times[0] == 0
    assert times[sorted(region_names())].tolist() == [1] * len(region_names())


def test_a_composite_is_the_mean_over_voxels_not_over_regions() -> None:
    left, right = label_of("putamen", "L"), label_of("caudate", "R")
    # Three voxels of putamen at 2, one of caudate at 6: (3 * 2 + 6) / 4 = 3.
    labels = np.array([[[left, left], [left, right], [0, 0]]])
    image = np.array([[[2.0, 2.0], [2.0, 6.0], [100.0, 100.0]]])
    means = regional_means(labels, image)
    assert means[region_index("putamen.L")] == 2.0
    assert means[region_index("caudate.R")] == 6.0
    assert means[region_index("striatum")] == 3.0


def test_a_region_without_voxels_is_not_a_number() -> None:
    means = regional_means(np.zeros((2, 2, 2), int), np.ones((2, 2, 2)))
    assert np.isnan(means).all()


def test_sums_count_voxels_or_add_values() -> None:
    labels = np.array([[[1, 1, 85]]])
    assert label_sums(labels)[[1, 85, 2]].tolist() == [2, 1, 0]
    values = np.array([[[0.5, 0.25, 4.0]]])
    assert label_sums(labels, values)[[1, 85]] == pytest.approx([0.75, 4.0])
    assert len(label_sums(labels)) == LABELS == 86
