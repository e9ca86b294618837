"""Resampling anatomies."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from PETSynthLib.learn.checks.resampling import interval, resamples


def test_all_rows_of_a_drawn_anatomy_come_along() -> None:
    # a has rows 0 and 2, b row 1: whatever is drawn, rows 0 and 2 come equally often.
    for rows in resamples(["a", "b", "a"], seed=1, draws=50):
        count = Counter(rows.tolist())
        assert count[0] == count[2]
        assert count[0] + count[1] == 2


def test_the_same_seed_draws_the_same_cohorts() -> None:
    names = [str(i) for i in range(9)]
    first, second = resamples(names, 3, 5), resamples(names, 3, 5)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_the_interval_is_central_and_skips_what_is_not_defined() -> None:
    values = np.append(np.arange(0.0, 101.0), math.nan)
    assert interval(values, 0.9) == pytest.approx((5.0, 95.0))
    assert all(math.isnan(v) for v in interval(np.array([math.nan])))
