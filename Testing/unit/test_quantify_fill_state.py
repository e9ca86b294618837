"""Fill state is a share of voxels, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.quantify.fill_state import fill_state, fill_states
from PETSynthLib.quantify.regions import labels_of
from PETSynthLib.volume import Volume


def volumes(z: list[float]) -> tuple[Volume, Volume]:
    """A row of voxels: four in the left precuneus, four in the right, the rest nowhere."""
    (left,), (right,) = labels_of("precuneus", "L"), labels_of("precuneus", "R")
    labels = [left] * 4 + [right] * 4 + [0] * (len(z) - 8)
    shape = (len(z), 1, 1)
    return (
        Volume(np.array(z, np.float32).reshape(shape), np.eye(4)),
        Volume(np.array(labels, np.float32).reshape(shape), np.eye(4)),
    )


def test_the_share_above_the_threshold_is_counted_by_side() -> None:
    z, labels = volumes([3.0, 3.0, 3.0, 0.0, 2.0, 2.1, -5.0, 0.0, 9.0])
    assert fill_state(z, labels, "precuneus", "L") == 75.0
    assert fill_state(z, labels, "precuneus", "R") == 25.0, "2.0 is not above 2.0"
    assert fill_state(z, labels, "precuneus") == 50.0
    assert fill_state(z, labels, "precuneus", threshold=2.5) == 37.5


def test_voxels_without_a_z_are_not_counted() -> None:
    z, labels = volumes([3.0, float("nan"), float("nan"), 0.0, *[float("nan")] * 4])
    assert fill_state(z, labels, "precuneus", "L") == 50.0
    assert np.isnan(fill_state(z, labels, "precuneus", "R"))


def test_another_grid_is_refused() -> None:
    z, labels = volumes([0.0] * 8)
    with pytest.raises(ValueError, match="one grid"):
        fill_state(Volume(z.data, 2 * np.eye(4)), labels, "precuneus")


def test_all_regions_at_once_are_the_regions_one_by_one() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 86, (20, 20, 20))
    z = rng.normal(1.5, 2.0, labels.shape)
    z[rng.random(labels.shape) > 0.9] = np.nan
    volumes_ = Volume(z, np.eye(4)), Volume(labels, np.eye(4))
    found = fill_states(*volumes_)
    for name, side in (("precuneus", "L"), ("brainstem", "B"), ("fdg_ad_metaroi", "both")):
        key = f"{name}.{side}" if side == "L" else name
        assert found[key] == pytest.approx(fill_state(*volumes_, name, side))
    nothing = fill_states(volumes_[0], volumes_[1].with_data(np.zeros(labels.shape)))
    assert all(np.isnan(value) for value in nothing.values())
