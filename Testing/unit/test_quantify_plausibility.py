"""Whether a synthetic PET looks like one of its tracer, on pictures painted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.assets import reference_mask
from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.generate.interface import Generated
from PETSynthLib.preprocess.atlas_grid import atlas_on
from PETSynthLib.quantify.plausibility import (
    FEWEST,
    output_findings,
    tissue_ratios,
    usual_ranges,
)
from PETSynthLib.volume import CANONICAL, PetVolume

BRAIN = atlas_on("template_brain", CANONICAL)
LABELS = atlas_on("regions", CANONICAL).data


def painted(grey: float, white: float, pons: float, tracer: str = "fdg") -> PetVolume:
    """Constant tissues; the cerebellum's reference is 1, the rest ``grey``."""
    data = np.full(CANONICAL.shape, grey, np.float32)
    data[atlas_on("template_wm", CANONICAL).data > 0.9] = white
    data[reference_mask("cerebellum_whole").mask] = 1.0
    data[reference_mask("pons").mask] = pons
    place = (CANONICAL.affine, CANONICAL.name)
    return PetVolume(data * BRAIN.mask, *place, tracer=tracer, reference_region="pons")


def checked(pet: PetVolume, sd: float = 0.1, ranges: dict | None = None) -> dict[str, Finding]:
    """Findings by name; the standard deviation is a share of the mean everywhere."""
    made = Generated(pet, pet.with_data(sd * pet.data))
    return {f.name: f for f in output_findings(made, BRAIN, ranges or {})}


def test_ratios_are_those_that_were_painted() -> None:
    found = tissue_ratios(painted(1.5, 1.0, 0.8), BRAIN)
    # Pons and cerebellum hold some grey and white of their own: a few percent of either tissue.
    assert found["grey_over_white"] == pytest.approx(1.5, rel=0.05)
    assert found["pons_over_cerebellum"] == pytest.approx(0.8, rel=1e-4)


def test_a_picture_without_uptake_has_no_ratio_and_is_amber() -> None:
    pet = painted(1.5, 1.0, 0.8)
    found = checked(pet.with_data(0.0 * pet.data))
    assert found["grey_over_white"].value == "no uptake"
    assert found["grey_over_white"].verdict is Verdict.AMBER
    assert found["pons_over_cerebellum"].verdict is Verdict.AMBER


def test_the_models_own_range_decides_where_it_has_one() -> None:
    ranges = {"grey_over_white": [1.2, 1.6], "pons_over_cerebellum": [0.7, 0.9]}
    good = checked(painted(1.4, 1.0, 0.8), ranges=ranges)
    assert {f.verdict for f in good.values()} == {Verdict.GREEN}
    assert good["grey_over_white"].limit == "1.20 to 1.60"
    # Pons alone is too high: 1.0 of the cerebellum.
    bad = checked(painted(1.4, 1.0, 1.0), ranges=ranges)
    assert bad["grey_over_white"].verdict is Verdict.GREEN
    assert bad["pons_over_cerebellum"].verdict is Verdict.AMBER
    assert "may not be a FDG PET's" in bad["pons_over_cerebellum"].sentence


def test_without_one_twice_and_half_of_the_population_do() -> None:
    # Healthy people's FDG has grey over white 1.5 after the blur.
    assert checked(painted(2.5, 1.0, 0.8))["grey_over_white"].verdict is Verdict.GREEN
    found = checked(painted(0.6, 1.0, 0.8))["grey_over_white"]
    assert found.verdict is Verdict.AMBER, "white matter brighter than grey is no FDG"
    assert checked(painted(0.6, 1.0, 1.4, "pib"))["grey_over_white"].verdict is Verdict.GREEN


def test_a_tracer_of_which_nothing_is_known_says_so() -> None:
    found = checked(painted(1.0, 1.0, 1.0, "mk6240"))
    assert found["grey_over_white"].limit == "not known"
    assert found["grey_over_white"].undecided
    assert found["grey_over_white"].verdict is Verdict.GREEN


def test_regions_of_wide_spread_are_named() -> None:
    pet = painted(1.5, 1.0, 0.8)
    label = int(LABELS[LABELS > 0].min())
    sd = np.where(label == LABELS, 0.5 * pet.data, 0.1 * pet.data)
    found = output_findings(Generated(pet, pet.with_data(sd)), BRAIN, {})[-1]
    assert found.verdict is Verdict.AMBER
    assert found.value == pytest.approx(0.5, abs=0.02)
    assert found.sentence.startswith("Not reliable here, the model's spread is too wide:")
    assert found.sentence.count(",") == 1, "one region alone"


def test_an_even_spread_is_said() -> None:
    found = checked(painted(1.5, 1.0, 0.8), sd=0.1)["model_spread"]
    assert (found.verdict, found.value) == (Verdict.GREEN, 0.1)
    assert "at most 10 %" in found.sentence


def test_usual_ranges_are_the_first_and_last_percentile_of_enough_people() -> None:
    rows = [
        {"grey_over_white": 1.0 + i / 100.0, "pons_over_cerebellum": np.nan} for i in range(101)
    ]
    assert usual_ranges(rows) == {"grey_over_white": [1.01, 1.99]}
    assert usual_ranges(rows[: FEWEST - 1]) == {}
