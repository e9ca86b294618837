"""Fingerprints of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from store_case import make_store

from PETSynthLib.learn.fingerprint import LENGTH, fingerprint, fingerprints


def test_the_same_values_have_the_same_fingerprint_whatever_their_type_and_order() -> None:
    image = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert len(fingerprint(image)) == LENGTH
    assert fingerprint(image) == fingerprint(np.asfortranarray(image.astype(np.float64)))


@pytest.mark.parametrize("change", ["value", "shape"])
def test_another_image_has_another(change: str) -> None:
    image = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    other = image.reshape(4, 3, 2) if change == "shape" else image.copy()
    if change == "value":
        other[0, 0, 0] = 1
    assert fingerprint(image) != fingerprint(other)


def test_a_store_gives_those_of_its_t1s(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", n=3, shape=(8, 8, 8), tracers=("fdg",))
    found = fingerprints(store, store.subjects)
    assert len(found) == 3
    assert fingerprint(store.t1(1)) in found
