"""A scan without skull is its own brain mask; a head is not."""

from __future__ import annotations

import numpy as np
import pytest
from preprocess_heads import made_head, scan_of, template_to_native

from PETSynthLib.preprocess.brain import find_brain
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.preprocess.stripped import stripped_brain
from PETSynthLib.progress import Silent
from PETSynthLib.volume import Volume


@pytest.fixture(scope="module")
def stripped() -> tuple[Volume, Volume]:
    """T1 without skull, fluid at zero inside, and its true outline."""
    t1, mask = made_head(template_to_native())
    data = np.where(mask.volume.mask, np.maximum(t1.volume.data, 1.0), 0.0)
    middle = tuple(np.argwhere(mask.volume.mask).mean(0).astype(int))
    data[middle] = 0.0
    return t1.volume.with_data(data), mask.volume


def test_the_outline_of_a_stripped_scan_is_found_with_its_holes_filled(stripped) -> None:
    t1, true = stripped
    found = stripped_brain(t1)
    assert found is not None
    assert np.array_equal(found.mask, true.mask)


def test_a_head_with_a_skull_is_none(stripped) -> None:
    t1, _ = made_head(template_to_native())
    assert stripped_brain(t1.volume) is None
    # Nor with a background of zero, as defacing leaves it: it is too large.
    blanked = t1.volume.with_data(np.where(t1.volume.data > 8, t1.volume.data, 0.0))
    assert stripped_brain(blanked) is None


def test_something_small_or_in_two_pieces_is_none(stripped) -> None:
    t1, _ = stripped
    small = t1.data.copy()
    small[:, :, : small.shape[2] // 2] = 0.0
    small[: small.shape[0] // 2] = 0.0
    assert stripped_brain(t1.with_data(small)) is None
    halves = t1.data.copy()
    halves[halves.shape[0] // 2 - 2 : halves.shape[0] // 2 + 2] = 0.0
    assert stripped_brain(t1.with_data(halves)) is None


def test_a_stripped_scan_needs_no_network(stripped) -> None:
    t1, true = stripped
    steps = Steps()
    brain, findings = find_brain(scan_of(t1), None, "cpu", Silent(), steps)
    assert np.array_equal(brain.mask, true.mask)
    assert findings == []
    assert steps.records[0]["parameters"] == {"source": "scan without skull"}
