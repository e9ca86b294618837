"""Errors at several numbers of steps: on validation people alone, against the true picture."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
pytest.importorskip("sklearn")

import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

steps = pytest.importorskip("steps")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

from store_case import make_store

pytestmark = pytest.mark.torch


class Off:
    """A model that draws the truth and a tenth of an SUVR more."""

    bundle = SimpleNamespace(config={"tracers": ["fdg"]})

    def __init__(self) -> None:
        self.seen: list[str] = []

    def images(self, store: object, subject: object, tracer: str, clinical: object) -> object:
        self.seen.append(subject.subject)
        true = store.truth(subject.row, tracer)
        return SimpleNamespace(mean=true + 0.1, sd=np.full_like(true, 0.2))


def test_errors_are_those_of_validation_people(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", n=6, tracers=("fdg", "flortaucipir"), shape=(24, 24, 24))
    model = Off()
    found = steps.errors(store, model, people=8)
    assert (found["brain"], found["target"], found["sd"]) == pytest.approx(
        (0.1, 0.1, 0.2), abs=1e-5
    )
    assert model.seen == [s.subject for s in store.split("validation") if "fdg" in s.tracers]


def test_a_store_without_anybody_to_ask_is_one_sentence(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", n=6, tracers=("pib",), shape=(24, 24, 24))
    with pytest.raises(SystemExit, match="No validation person"):
        steps.errors(store, Off(), people=8)
