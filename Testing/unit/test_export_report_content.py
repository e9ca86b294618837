"""The form of a report refuses what its evidence does not carry."""

from __future__ import annotations

import pytest
from report_case import ACQUIRED, SIMULATION, content, line, png

from PETSynthLib.export.policy import NORMATIVE, release
from PETSynthLib.export.report_content import Picture, cutoffs_that_hold, lines_of
from PETSynthLib.export.shown import ShownRow
from PETSynthLib.quantify import RegionValue
from PETSynthLib.tracers import Cutoff, tracer

CUT = Cutoff(1.1, "SUVR", "thalamusproper", "pons", "mine", "Cut", "Paper")
PAGE = Picture(png(), "z")

FORBIDDEN = {
    "z": ({"headline": (line(z=2.0),)}, "z-score"),
    "z of a region of the long table": ({"regions": (line(z=2.0),)}, "z-score"),
    "normal band": ({"headline": (line(normal=(1.2, 1.8)),)}, "z-score"),
    "flag": ({"regions": (line(flagged=True),)}, "z-score"),
    "flags": ({"flags": "1 region is flagged."}, "z-score"),
    "normals": ({"normals": "40 normals"}, "z-score"),
    "page of decreases": ({"surface": {"ssp-decrease": PAGE}}, "z-score"),
    "page of increases": ({"surface": {"ssp": PAGE, "ssp-increase": PAGE}}, "z-score"),
    "percentile": ({"headline": (line(percentile=3.0),)}, "percentile"),
    "Centiloid": ({"scales": (("Centiloid", "34"),)}, "Centiloid"),
    "CenTauR": ({"scales": (("CenTauR", "34"),)}, "CenTauR"),
    "CenTauRz": ({"scales": (("CenTauRz", "3"),)}, "CenTauR"),
    "Braak stage": ({"scales": (("Braak stage", "III"),)}, "Braak stage"),
    "cut-off": ({"cutoffs": (CUT,)}, "cut-off marker"),
}


@pytest.mark.parametrize("case", FORBIDDEN)
@pytest.mark.parametrize("evidence", ["simulation", "population atlas", "real pairs"])
def test_a_judgement_on_a_synthetic_pet_cannot_be_put_into_a_report(case, evidence):
    changes, named = FORBIDDEN[case]
    with pytest.raises(ValueError, match=named):
        content(release(evidence, exploratory=False), **changes)


@pytest.mark.parametrize("case", FORBIDDEN)
def test_an_acquired_pet_may_carry_it(case):
    changes, _ = FORBIDDEN[case]
    assert content(ACQUIRED, **changes)


def test_every_judgement_of_the_policy_is_looked_for():
    assert {named for _, named in FORBIDDEN.values()} == set(NORMATIVE)


def test_a_report_without_a_banner_is_refused():
    for banner in ((), ("",)):
        with pytest.raises(ValueError, match="banner"):
            content(banner=banner)


def test_a_hidden_value_takes_mean_and_spread_with_it():
    value = RegionValue("precuneus", "both", 9.0, 1.5, 0.1, 1.5, 1.6, None)
    shown = ShownRow("precuneus", "both", 9.0, value, "", "", None)
    hidden = ShownRow("precuneus", "both", 9.0, None, "not informative", "", None)
    means, spreads = {("precuneus", "both"): 1.4}, {("precuneus", "both"): 0.2}
    known, unknown = lines_of((shown, hidden), means, spreads)
    assert (known.expected, known.spread) == (1.4, 0.2)
    assert (unknown.expected, unknown.spread) == (None, None)


def test_a_spread_stands_only_where_there_is_no_interval():
    value = RegionValue("precuneus", "both", 9.0, 1.5, 0.1, 1.5, 1.6, (1.4, 1.6))
    (made,) = lines_of(
        [ShownRow("precuneus", "both", 9.0, value, "", "", None)], spread={("precuneus", "both"): 1}
    )
    assert made.spread is None


def test_a_cut_off_holds_only_for_its_reference_and_its_pipeline():
    florbetapir = tracer("florbetapir")
    theirs = "UC Berkeley (FreeSurfer)"

    def held(reference: str = "cerebellum_whole", pipeline: str = theirs, policy=ACQUIRED):
        return [cut.value for cut in cutoffs_that_hold(florbetapir, reference, pipeline, policy)]

    assert held() == [1.11]  # the other one is in Centiloids
    assert held(pipeline="PETSynth 0.1.0") == []
    assert held(reference="pons") == []
    assert held(policy=SIMULATION) == []
