"""A person beside the normals: z by hand, refusals, and what is said of age and number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from normative_case import MEAN, PER_YEAR, SD, database
from scipy import ndimage, stats

from PETSynthLib.checks import Verdict
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.policy import release
from PETSynthLib.export.ssp import ssp_pages
from PETSynthLib.export.surface_maps import project
from PETSynthLib.normative.measure import brain_index
from PETSynthLib.normative.regression import Person, design, widening
from PETSynthLib.normative.score import (
    expected_volume,
    findings_for,
    flags_header,
    matched,
    normals,
    require,
    score,
    voxel_z,
)
from PETSynthLib.quantify.region_means import region_index, region_keys
from PETSynthLib.volume import CANONICAL, PetVolume

WOMAN = Person(80.0, "F")
KEY = "precuneus.L"


def pet_of(values: np.ndarray | float, tracer: str = "fdg") -> PetVolume:
    """A PET on `CANONICAL` with values in the brain."""
    data = np.zeros(CANONICAL.shape, np.float32)
    data.ravel()[brain_index()] = values
    return PetVolume(data, CANONICAL.affine, CANONICAL.name, tracer=tracer, reference_region="pons")


def test_a_w_score_is_its_formula() -> None:
    made = database()
    x = design([WOMAN], made.meta.terms)[0]
    at = region_index(KEY)
    expected = float(x @ made.roi["SUVR"].beta[:, at])
    sd = float(made.roi["SUVR"].sd[at])
    row = score(made, WOMAN, {KEY: expected - 3.0 * sd * widening(x, made.inverse)}).row(KEY)
    assert row.expected == pytest.approx(expected)
    assert row.z == pytest.approx(3.0)
    assert row.percentile == pytest.approx(0.135, abs=0.001)
    assert row.percent < 0


def test_below_40_a_z_is_provisional_and_smaller() -> None:
    made = database(25)
    x = design([WOMAN], made.meta.terms)[0]
    at = region_index(KEY)
    sd = float(made.roi["SUVR"].sd[at]) * widening(x, made.inverse)
    low = float(x @ made.roi["SUVR"].beta[:, at]) - 3.0 * sd
    found = score(made, WOMAN, {KEY: low})
    assert found.row(KEY).z == pytest.approx(stats.norm.isf(stats.t.sf(3.0, 22)))
    assert found.row(KEY).z < 2.8
    assert "provisional" in found.findings[0].sentence


def test_below_20_there_is_no_z_but_a_percent_difference() -> None:
    made = database(19)
    found = score(made, WOMAN, {KEY: 0.9 * float(database(19).roi["SUVR"].beta[0, 0])})
    assert found.row(KEY).z is None
    assert found.row(KEY).percentile is None
    assert found.row(KEY).percent < 0
    assert found.header == "No flags: 19 normals are too few for z."
    for refused in (normals, lambda d, p: voxel_z(d, p, pet_of(1.0))):
        with pytest.raises(PETSynthError, match="z needs at least 20"):
            refused(made, WOMAN)


def test_z_points_in_the_direction_of_disease() -> None:
    high = {KEY: MEAN + 4 * SD}
    fdg, amyloid = database(), database(tracer="pib")
    assert score(fdg, WOMAN, high).row(KEY).z < -3
    found = score(amyloid, WOMAN, high)
    assert found.row(KEY).z > 3
    assert found.direction == "increase"
    assert found.row(KEY).percentile > 99


def test_a_deep_loss_is_flagged_and_no_composite_is() -> None:
    values = dict.fromkeys(region_keys(), MEAN + PER_YEAR * 10)
    values |= {KEY: 0.5, "fdg_ad_metaroi": 0.5, "cerebellum.L": 0.5}
    found = score(database(), WOMAN, values)
    assert [row.key for row in found.rows if row.flagged] == [KEY]
    assert found.header.startswith("1 region is flagged")
    assert found.header.endswith("of 40 normals have as many.")


def test_regions_not_measured_are_left_out() -> None:
    found = score(database(), WOMAN, {KEY: 1.4, "precuneus.R": float("nan"), "moon": 1.0})
    assert [row.key for row in found.rows] == [KEY]


@pytest.mark.parametrize(
    ("age", "extrapolated"), [(55, False), (85, False), (86, True), (40, True)]
)
def test_an_age_outside_the_normals_is_told(age: float, extrapolated: bool) -> None:
    finding = findings_for(database(), Person(age, "M"))[1]
    assert (finding.verdict is Verdict.AMBER) == extrapolated
    assert ("EXTRAPOLATED AGE" in finding.sentence) == extrapolated


def test_a_demo_database_says_so() -> None:
    assert any(f.name == "demo_database" for f in findings_for(database(20, demo=True), WOMAN))
    assert not any(f.name == "demo_database" for f in findings_for(database(), WOMAN))


def test_a_database_of_something_else_is_refused() -> None:
    acquired, synthetic = database(), database(20, bundle="ab12")
    require(acquired, "fdg", "pons")
    require(synthetic, "fdg", "pons", "ab12")
    for made, arguments, words in (
        (acquired, ("pib", "pons"), "is of FDG, the PET of PiB"),
        (acquired, ("fdg", "cerebellum_whole"), "divided by pons"),
        (acquired, ("fdg", "pons", "ab12"), "of acquired PET, this PET is synthetic"),
        (synthetic, ("fdg", "pons"), "of synthetic PET, this PET is acquired"),
        (synthetic, ("fdg", "pons", "cd34"), "another model"),
    ):
        with pytest.raises(PETSynthError, match=words):
            require(made, *arguments)


def test_a_demonstration_is_for_people_who_do_not_exist() -> None:
    demo = database(20, demo=True)
    require(demo, "fdg", "pons", simulated=True)
    with pytest.raises(PETSynthError, match="may be real"):
        require(demo, "fdg", "pons")


@pytest.mark.parametrize("n", [25, 40])
def test_five_percent_of_the_normals_lie_on_either_side_of_the_normal_band(n: int) -> None:
    band = score(database(n), WOMAN, {KEY: 1.4}).row(KEY).normal
    assert band is not None
    found = [score(database(n), WOMAN, {KEY: end}).row(KEY).percentile for end in band]
    assert found == pytest.approx([5.0, 95.0])


def test_too_few_normals_have_no_band() -> None:
    assert score(database(15), WOMAN, {KEY: 1.4}).row(KEY).normal is None


def test_the_surface_normals_are_mean_and_sd_at_this_age() -> None:
    found = normals(database(), WOMAN)
    assert set(found) == {"GLB", "THL", "CBL", "PNS"}
    assert found["CBL"].mean["L"].mean() == pytest.approx(MEAN + PER_YEAR * 10, abs=0.03)
    assert found["GLB"].mean["L"] == pytest.approx(found["CBL"].mean["L"] / 1.25)
    wide = widening(design([WOMAN], database().meta.terms)[0], database().inverse)
    assert found["CBL"].sd["R"] == pytest.approx(database().surface["CBL"]["R"].sd * wide)


def test_the_surface_page_takes_them() -> None:
    pet = pet_of(1.4)
    pages = ssp_pages(project(pet), release("acquired", False), normals(database(), WOMAN), "who")
    assert set(pages) == {"ssp", "ssp-decrease", "ssp-increase"}


def test_the_voxel_map_is_positive_where_uptake_is_lost_and_empty_outside() -> None:
    values = database().volume.expected(design([WOMAN], database().meta.terms)[0])
    values[:1000] -= 5 * SD
    z = voxel_z(database(), WOMAN, pet_of(values)).data.ravel()
    assert z[brain_index()[:1000]].mean() == pytest.approx(4.6, abs=0.5)
    assert np.abs(z[brain_index()[1000:]]).max() < 1e-3
    assert np.isnan(z[np.setdiff1d(np.arange(z.size), brain_index())]).all()


def test_the_expected_picture_has_no_uptake_outside_the_brain() -> None:
    seen = expected_volume(database(), WOMAN).data.ravel()
    assert seen[brain_index()].mean() == pytest.approx(MEAN + PER_YEAR * 10, abs=0.02)
    assert seen.sum() == pytest.approx(seen[brain_index()].sum())


def test_a_sharper_pet_is_blurred_to_match() -> None:
    made = database()
    smooth = replace(made, meta=replace(made.meta, fwhm_mm=8.0))
    noise = np.random.default_rng(6).standard_normal(len(brain_index()))
    seen, finding = matched(smooth, WOMAN, pet_of(MEAN + noise))
    assert "was blurred" in finding.sentence
    assert matched(smooth, WOMAN, seen)[1].value == pytest.approx(0.0, abs=1.0)


def test_a_smoother_pet_is_told_and_left_alone() -> None:
    rng = np.random.default_rng(5)
    noise = ndimage.gaussian_filter(rng.standard_normal(CANONICAL.shape), 3.0)
    smooth = pet_of(MEAN + noise.ravel()[brain_index()])
    seen, finding = matched(database(), WOMAN, smooth)
    assert seen is smooth
    assert finding.verdict is Verdict.AMBER
    assert "smoother" in finding.sentence


def test_a_hidden_region_is_not_counted_among_the_flags() -> None:
    values = dict.fromkeys(region_keys(), MEAN + PER_YEAR * 10)
    values |= {KEY: 0.5, "hippocampus.L": 0.5}
    rows = score(database(), WOMAN, values).rows
    shown = [row for row in rows if row.key != "hippocampus.L"]
    header = flags_header(database().meta, shown)
    assert header.startswith("1 region is flagged")
    assert header.endswith("Not shown, and not counted: 1 of 82 regions.")
