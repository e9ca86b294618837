"""A z map in words: the cluster's place and area, the lobe's mean."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.normative.summary import LOBES, lobes, summarize
from PETSynthLib.project.clusters import RegionZ
from PETSynthLib.project.surface import SIDES, surfaces
from PETSynthLib.quantify.regions import labels_of


def test_a_lobe_is_the_area_weighted_mean_of_its_regions() -> None:
    rows = [
        RegionZ("cuneus", "L", 10.0, 1.0, 2.5, 20.0),
        RegionZ("lingual", "L", 30.0, 3.0, 4.0, 60.0),
        RegionZ("insula", "R", 5.0, -1.0, 0.0, 0.0),
        RegionZ("brainstem", "L", 9.0, 9.0, 9.0, 100.0),
    ]
    found = {(row.lobe, row.side): row for row in lobes(rows)}
    assert set(found) == {("occipital_lobe", "L"), ("insula", "R")}
    row = found["occipital_lobe", "L"]
    assert (row.area_cm2, row.mean, row.peak, row.percent_above) == (40.0, 2.5, 4.0, 50.0)


def test_a_lost_region_is_a_cluster_with_its_name_and_area() -> None:
    surface = surfaces()["L"]
    lost = np.isin(surface.labels, labels_of("inferiorparietal", "L"))
    z = {side: np.zeros(len(surfaces()[side].vertices)) for side in SIDES}
    z["L"][lost] = 3.5
    found = summarize(z)
    assert found.clusters[0].region == "inferiorparietal"
    assert found.clusters[0].area_cm2 == pytest.approx(surface.areas_cm2[lost].sum(), rel=0.1)
    assert found.sentences()[0].startswith("left inferior parietal: ")
    assert found.sentences()[0].endswith("cm2 with z above 2, peak 3.5")
    parietal = next(row for row in found.lobes if (row.lobe, row.side) == ("parietal_lobe", "L"))
    assert 10 < parietal.percent_above < 60


def test_without_a_cluster_that_is_said() -> None:
    z = {side: np.zeros(len(surfaces()[side].vertices)) for side in SIDES}
    assert summarize(z).sentences() == ["No patch of 3 cm2 or more has z above 2."]


def test_the_cortex_lies_in_exactly_one_lobe() -> None:
    members = [name for lobe in LOBES.values() for name in lobe]
    assert len(members) == len(set(members)) == 34
