"""What adapting is held against: both models on the same people, paired."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

adapt = pytest.importorskip("adapt")

pytestmark = pytest.mark.torch


def test_a_line_says_before_after_and_how_sure_the_difference_is() -> None:
    people = [f"sub-{n}" for n in range(6)]
    before = [("before", "fdg", s, 0.10 + 0.01 * n, 0.2, 0.8) for n, s in enumerate(people)]
    after = [("after", "fdg", s, 0.08 + 0.01 * n, 0.2, 0.9) for n, s in enumerate(people)]
    lines = adapt.lines_of([*before, *after])
    assert lines[0] == ("fdg regional error: 0.125 before, 0.105 after (-0.020 to -0.020, n = 6)")
    assert lines[2].startswith("fdg covered: 0.800 before, 0.900 after (+0.100 to +0.100")
