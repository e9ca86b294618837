"""Hidden states: what is known stays known, and diseases follow one another."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.learn.cohort.parameters import AETIOLOGIES, SITES
from PETSynthLib.learn.cohort.people import Facts, draw_facts, draw_people

KNOWN = Facts(71.0, 0.0, "clinic", "philips")


def test_known_education_and_apoe4_are_kept_and_unknown_ones_drawn() -> None:
    known = draw_people(Facts(71.0, 0.0, "clinic", "ge", 12.0, 2.0), 500, np.random.default_rng(0))
    assert set(known.education) == {12.0}
    assert set(known.apoe4) == {2.0}
    drawn = draw_people(KNOWN, 4000, np.random.default_rng(0))
    assert set(drawn.apoe4) == {0.0, 1.0, 2.0}
    # Two alleles of frequency 0.2 each.
    assert drawn.apoe4.mean() == pytest.approx(0.4, abs=0.03)


def test_amyloid_comes_in_two_humps_and_more_often_with_apoe4() -> None:
    def positive(apoe4: float) -> float:
        facts = Facts(71.0, 0.0, "clinic", "philips", None, apoe4)
        amyloid = draw_people(facts, 4000, np.random.default_rng(1)).amyloid
        assert not ((amyloid > 0.27) & (amyloid < 0.34)).any()
        return float((amyloid > 0.3).mean())

    # Log odds -1 at 71 years, and 1.05 an allele: 0.269, 0.512, 0.750.
    assert [positive(a) for a in (0, 1, 2)] == pytest.approx([0.269, 0.512, 0.750], abs=0.03)


def test_tau_follows_amyloid_and_atrophy_follows_tau() -> None:
    people = draw_people(KNOWN, 8000, np.random.default_rng(2))
    ad = people.aetiology == AETIOLOGIES.index("ad")
    assert (people.amyloid[ad] > 0.3).all()
    assert people.tau[ad].mean() > people.tau[~ad].mean() + 0.3
    assert np.corrcoef(people.tau, people.neurodegeneration)[0, 1] > 0.4


def test_disease_is_more_frequent_on_one_scanner_than_on_another() -> None:
    def share(scanner: str) -> float:
        people = draw_people(Facts(71.0, 0.0, "clinic", scanner), 6000, np.random.default_rng(3))
        return float((people.aetiology == AETIOLOGIES.index("ad")).mean())

    assert share("ge") > share("philips") + 0.05 > share("siemens") + 0.08


def test_the_sites_differ_in_age_and_resolution() -> None:
    rng = np.random.default_rng(4)
    ages = {site: [draw_facts(site, rng).age for _ in range(400)] for site in SITES}
    assert np.mean(ages["community"]) > np.mean(ages["clinic"]) + 2
    assert SITES["clinic"].psf_mm != SITES["community"].psf_mm
    assert min(min(a) for a in ages.values()) >= 50
