"""Flags by the largest z over regions, and the sentence that puts them into proportion."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.normative.flags import (
    Flags,
    flagged,
    set_flags,
    threshold_rank,
    usual_percent,
)
from PETSynthLib.normative.regression import as_z, fit, inverse_of, left_out

REGIONS = 24


def test_at_most_5_percent_of_the_normals_get_any_flag() -> None:
    z = np.random.default_rng(0).normal(size=(100, 80))
    found = set_flags(z)
    assert found is not None
    # Rank ceil(101 * 0.95) = 96 of 100: four lie above.
    assert found.threshold == np.sort(z.max(axis=1))[95]
    assert found.normals_with(1) == 4
    assert 2.8 < found.threshold < 4.2, "80 regions: a z of 2 is no news"


def drawn_x(rng: np.random.Generator, n: int) -> np.ndarray:
    """Mean, age about 70 and sex of ``n`` people."""
    return np.column_stack([np.ones(n), rng.uniform(-15.0, 20.0, n), rng.integers(0, 2, n)])


def shares_flagged(n: int, databases: int, fresh: int = 100, tails: float = 1e9) -> np.ndarray:
    """Share of new normals with any flag, of each of many drawn databases of ``n`` people.

    Regions are correlated (0.5), and distributed as Student's t with ``tails`` degrees.
    """
    rng = np.random.default_rng(n)
    shares = []
    for _ in range(databases):
        x = drawn_x(rng, n + fresh)
        common = rng.standard_normal((n + fresh, 1))
        y = np.sqrt(0.5) * (common + rng.standard_normal((n + fresh, REGIONS)))
        if tails < 100:
            y /= np.sqrt(rng.chisquare(tails, y.shape) / tails)
        old, new = x[:n], x[n:]
        flags = set_flags(as_z(left_out(old, y[:n]), n, 3, own=True))
        assert flags is not None
        found, inverse = fit(old, y[:n]), inverse_of(old)
        wide = np.sqrt(1.0 + np.einsum("ij,jk,ik->i", new, inverse, new))[:, None]
        z = as_z((new @ found.beta - y[n:]) / (found.sd * wide), n, 3)
        shares.append(float((z.max(axis=1) > flags.threshold).mean()))
    return np.array(shares)


@pytest.mark.parametrize(("n", "tails"), [(30, 1e9), (40, 1e9), (60, 1e9), (100, 1e9), (60, 6.0)])
def test_over_many_databases_5_percent_of_new_normals_are_flagged(n: int, tails: float) -> None:
    # One person among n + 1 has a largest z above the threshold's rank with this probability.
    expected = (n + 1 - threshold_rank(n)) / (n + 1)
    assert expected == pytest.approx(0.05, abs=0.02)
    shares = shares_flagged(n, 150, tails=tails)
    # 99 % band of the mean of 150 databases; its width from their own scatter.
    error = 2.58 * shares.std() / np.sqrt(150)
    assert error < 0.012, "the test could not fail"
    # The fit with n - 1 people is a little less sure than that with n: at most 0.5 % of bias.
    assert abs(shares.mean() - expected) < error + 0.005


def test_one_database_is_within_what_chance_explains() -> None:
    shares = 100.0 * shares_flagged(60, 150)
    low, high = usual_percent(60, 100)
    assert ((shares < low) | (shares > high)).mean() <= 0.04, "1 % expected"
    # Beta-binomial: 3 of 61 expected, Beta(3, 58); worked out by its cumulative sums.
    assert (low, high) == (0.0, 17.0)


def test_chance_explains_less_with_more_normals() -> None:
    widths = [np.ptp(usual_percent(n, 200)) for n in (40, 100, 400)]
    assert widths[0] > widths[1] > widths[2] > 2.0


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
