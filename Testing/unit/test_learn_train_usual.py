"""What a bundle says of the people it was learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

pytestmark = pytest.mark.torch
pytest.importorskip("torch")

from PETSynthLib.learn.train.usual import usual_of
from PETSynthLib.preprocess.atlas_grid import atlas_on
from PETSynthLib.preprocess.input_features import FEATURES, InputStatistics
from PETSynthLib.volume import CANONICAL, Grid, Volume

GRID = Grid((24, 28, 24), CANONICAL.affine @ np.diag([4.0, 4.0, 4.0, 1.0]), CANONICAL.name)
"""8 mm: a person takes a millisecond."""


@dataclass(frozen=True)
class Someone:
    """A subject; only every second has a flortaucipir PET."""

    row: int

    @property
    def tracers(self) -> tuple[str, ...]:
        return ("fdg", "flortaucipir") if self.row % 2 else ("fdg",)


class Drawn:
    """Material and store of people whose intensities are drawn."""

    tracers = ("fdg", "flortaucipir")

    def __init__(self, people: int) -> None:
        self.store = self
        self.train = tuple(Someone(row) for row in range(people))
        self.asked: list[int] = []

    def brain(self, row: int) -> np.ndarray:
        return atlas_on("template_brain", GRID).mask

    def t1(self, row: int) -> np.ndarray:
        self.asked.append(row)
        rng = np.random.default_rng(row)
        base = rng.normal(0.7, 0.03) + 0.3 * atlas_on("template_wm", GRID).data
        noise = rng.uniform(0.01, 0.05) * rng.normal(size=GRID.shape)
        return (base + noise) * self.brain(row)

    def pet(self, subject: Someone, tracer: str) -> np.ndarray:
        white = atlas_on("template_wm", GRID).data > 0.9
        return np.where(white, 1.0, 1.5 + subject.row / 1000.0)

    def volume(self, data: np.ndarray) -> Volume:
        return Volume(np.asarray(data, dtype=np.float32), GRID.affine, GRID.name)


def test_enough_people_leave_statistics_of_their_mri_and_ranges_of_their_pet() -> None:
    found = usual_of(Drawn(60))
    statistics = InputStatistics.from_dict(found["input_statistics"])
    assert statistics.people == 60
    assert statistics.mean[FEATURES.index("white_median")] > 0.95
    # 60 people have FDG, 30 flortaucipir: too few for a first and last percentile.
    assert set(found["output_ranges"]) == {"fdg"}
    low, high = found["output_ranges"]["fdg"]["grey_over_white"]
    assert (low, high) == pytest.approx((1.5006, 1.5584), abs=0.01)


def test_few_people_leave_nothing() -> None:
    assert usual_of(Drawn(6)) == {}


def test_of_very_many_people_500_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PETSynthLib.learn.train.usual.MOST", 5)
    material = Drawn(9)
    usual_of(material)
    assert material.asked == [0, 2, 4, 6, 8]
