"""Building a database: what was drawn is found, calibration is measured, requests are checked."""

from __future__ import annotations

import pytest
from normative_case import MEAN, PER_YEAR, REFERENCES, SD, database, drawn, drawn_people

from PETSynthLib.errors import PETSynthError
from PETSynthLib.normative.build import Description, build


def test_what_was_drawn_is_found_on_regions_surface_and_voxels() -> None:
    made = database()
    assert made.meta.terms == ("mean", "age", "sex")
    for found in (made.roi["SUVR"], made.surface["CBL"]["L"], made.volume):
        # Half the sex difference is in the mean: women are the zero.
        middle = found.beta[0].mean() + found.beta[2].mean() / 2.0
        assert middle == pytest.approx(MEAN, abs=0.01)
        assert found.beta[1].mean() == pytest.approx(PER_YEAR, abs=0.0005)
        assert found.sd.mean() == pytest.approx(SD, rel=0.03)


def test_every_reference_has_its_own_set() -> None:
    made = database()
    for key, value in REFERENCES.items():
        assert made.surface[key]["R"].beta[0].mean() * value == pytest.approx(
            made.surface["CBL"]["R"].beta[0].mean()
        )
        assert made.roi[key].sd.mean() * value == pytest.approx(made.roi["SUVR"].sd.mean())


def test_the_normals_are_calibrated_against_each_other() -> None:
    meta = database().meta
    assert set(meta.calibration) == {"regions", *(f"surface_{key}" for key in REFERENCES)}
    for name, found in meta.calibration.items():
        assert found.good, name
        assert abs(found.mean) < 0.03
        assert found.percent_above == pytest.approx(5.0, abs=1.0)


def test_the_facts_of_the_people_are_told() -> None:
    meta = database().meta
    assert meta.name == "ndb-fdg_kind-acquired_v1.0.0"
    assert (meta.n, meta.age, meta.men_percent) == (40, (55.0, 70.0, 85.0), 50.0)
    assert meta.reference_region == "pons"
    assert meta.title == "40 normals, 55 to 85 years, acquired PET"
    assert meta.fwhm_mm < 2.5, "noise of single voxels"


def test_a_demo_says_so_in_name_and_title() -> None:
    meta = database(20, demo=True).meta
    assert meta.name == "ndb-fdg_kind-acquired-demo_v1.0.0"
    assert meta.title.startswith("DEMO (simulated people)")


def test_fewer_than_20_have_no_flags() -> None:
    assert database(19).meta.flags is None
    assert database().meta.flags is not None


@pytest.mark.parametrize(("kind", "bundle"), [("synthetic", ""), ("acquired", "ab12")])
def test_kind_and_model_belong_together(kind: str, bundle: str) -> None:
    with pytest.raises(PETSynthError, match="belongs to one model"):
        build(Description("fdg", kind, bundle), drawn_people(20), drawn([]))


def test_another_kind_and_nobody_are_refused() -> None:
    with pytest.raises(PETSynthError, match="acquired or synthetic"):
        build(Description("fdg", "imagined"), drawn_people(20), drawn([]))
    with pytest.raises(PETSynthError, match="no people"):
        build(Description("fdg", "acquired"), [], drawn([]))


def test_four_people_are_too_few_for_age_and_sex() -> None:
    with pytest.raises(PETSynthError, match="4 people cannot tell apart"):
        build(Description("fdg", "acquired"), drawn_people(4), drawn(drawn_people(4)))


def test_a_missing_pet_is_no_person() -> None:
    with pytest.raises(ValueError, match="6 people, but 5 PET"):
        build(Description("fdg", "acquired"), drawn_people(6), drawn(drawn_people(6)[:5]))
