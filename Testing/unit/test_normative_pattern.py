"""Likeness of a person's z and a pattern of the user's, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.policy import release, require_pattern
from PETSynthLib.normative.pattern import Pattern, read_pattern, similarity


def table(tmp_path: Path, *rows: str) -> Path:
    """A pattern of these rows."""
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["region,weight", *rows]), encoding="utf-8")
    return path


def eight(tmp_path: Path) -> Pattern:
    """Weights 1 to 4, each on both sides."""
    names = ("precuneus", "cuneus", "lingual", "insula")
    return read_pattern(table(tmp_path, *(f"{name},{i}" for i, name in enumerate(names, 1))))


def test_a_name_without_a_side_means_both(tmp_path: Path) -> None:
    found = eight(tmp_path)
    assert found.name == "mine"
    assert len(found.weights) == 8
    assert found.weights["cuneus.L"] == found.weights["cuneus.R"] == 2.0


def test_the_correlation_is_pearsons(tmp_path: Path) -> None:
    pattern = eight(tmp_path)
    assert similarity(pattern, {k: 3.0 * w - 1.0 for k, w in pattern.weights.items()}).r == 1.0
    assert similarity(pattern, {k: -w for k, w in pattern.weights.items()}).r == -1.0
    # z is 1 in the precuneus alone, whose weight 1 is 1.5 below the mean of 1, 2, 3, 4: with
    # covariance -0.375 and SD 1.118 and 0.433, r = -0.7746.
    z = {key: float(key.startswith("precuneus")) for key in pattern.weights}
    found = similarity(pattern, z)
    assert (found.r, found.regions) == (-0.7746, 8)
    assert "correlation -0.77 with z over 8 regions" in found.sentence()


def test_a_person_without_z_has_no_likeness(tmp_path: Path) -> None:
    pattern = eight(tmp_path)
    for z in ({}, {"cuneus.L": 1.0}, dict.fromkeys(pattern.weights, np.nan)):
        with pytest.raises(PETSynthError, match="have a z of their own"):
            similarity(pattern, z)
    with pytest.raises(PETSynthError, match="that differ"):
        similarity(pattern, dict.fromkeys(pattern.weights, 1.0))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("precunus,1",), "no region of the atlas"),
        (("cerebellum,1",), "no region of the atlas with a z"),
        (("frontal_lobe,1",), "no region of the atlas"),
        (("cuneus,a lot",), "the weight 'a lot'"),
        (("cuneus,nan",), "the weight 'nan'"),
        (("cuneus,1", "cuneus.L,2"), "names cuneus.L twice"),
        (("cuneus,1",), "has 2 regions, and 8 are needed"),
        (tuple(f"{n},1" for n in ("cuneus", "lingual", "insula", "fusiform")), "the same weight"),
    ],
)
def test_unusable_patterns_are_one_sentence(
    tmp_path: Path, rows: tuple[str, ...], words: str
) -> None:
    with pytest.raises(PETSynthError, match=words):
        read_pattern(table(tmp_path, *rows))


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("name,value\ncuneus,1\n", encoding="utf-8")
    with pytest.raises(PETSynthError, match="no column region, weight"):
        read_pattern(path)


@pytest.mark.parametrize("evidence", ["simulation", "population atlas", "real pairs"])
def test_no_synthetic_pet_is_compared_with_a_pattern(evidence: str) -> None:
    with pytest.raises(PETSynthError, match="synthetic PET is compared with no pattern"):
        require_pattern(release(evidence, exploratory=False))


def test_an_acquired_pet_is_when_it_has_z() -> None:
    require_pattern(release("acquired", exploratory=False))
