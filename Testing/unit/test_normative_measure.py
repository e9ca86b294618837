"""What is read off a PET, and that the whole chain finds a lesion where it is."""

from __future__ import annotations

import numpy as np
import pytest
from export_case import pet_on, table_of
from project_case import LEFT_PARIETAL, constant, simulated

from PETSynthLib.normative.build import Description, build
from PETSynthLib.normative.measure import SPARED, brain_index, judged, measure, values_of
from PETSynthLib.normative.regression import Person
from PETSynthLib.normative.score import matched, normals, score, voxel_z
from PETSynthLib.normative.summary import summarize
from PETSynthLib.project.sampling import sample_both
from PETSynthLib.project.zmaps import z_maps
from PETSynthLib.quantify.region_means import region_keys
from PETSynthLib.quantify.regions import COMPOSITES
from PETSynthLib.volume import CANONICAL, Grid


def test_a_constant_pet_is_constant_everywhere() -> None:
    found = measure(pet_on(CANONICAL, constant(1.25).data))
    assert found.roi == pytest.approx(1.25)
    assert all(values == pytest.approx(1.25) for values in found.surface.values())
    assert found.references == pytest.approx(dict.fromkeys(("GLB", "THL", "CBL", "PNS"), 1.25))
    assert found.volume.shape == brain_index().shape
    assert (found.divisor("SUVR"), found.divisor("CBL")) == (1.0, pytest.approx(1.25))


def test_a_pet_on_another_grid_is_refused() -> None:
    other = Grid((20, 20, 20), CANONICAL.affine, CANONICAL.name)
    with pytest.raises(ValueError, match="must lie on"):
        measure(pet_on(other, np.ones(other.shape)))


def test_only_atlas_regions_outside_the_references_are_judged() -> None:
    keys = [region_keys()[position] for position in judged()]
    assert not set(keys) & set(COMPOSITES)
    assert not any(key.startswith(SPARED) for key in keys)
    assert "precuneus.L" in keys
    assert "hippocampus.R" in keys


def test_a_table_speaks_in_region_keys() -> None:
    table = table_of(pet_on(CANONICAL, constant(2.0).data), None)
    found = values_of(table)
    assert found["precuneus.L"] == pytest.approx(2.0)
    assert found["fdg_ad_metaroi"] == pytest.approx(2.0)
    assert found["brainstem"] == pytest.approx(2.0)
    assert set(found) <= set(region_keys())
    assert "precuneus" not in found


def test_a_lesion_among_twenty_simulated_normals_is_found_on_its_side() -> None:
    people = [Person(60.0 + i, "FM"[i % 2]) for i in range(20)]
    pets = (measure(pet_on(CANONICAL, simulated(seed).data)) for seed in range(20))
    made = build(Description("fdg", "acquired", demo=True), people, pets)
    patient, who = pet_on(CANONICAL, simulated(99, LEFT_PARIETAL).data), Person(70.0, "F")
    patient, smoothness = matched(made, who, patient)
    assert smoothness.value < 3.0
    own = measure(patient)
    z = z_maps(sample_both(patient), own.references, normals(made, who))["CBL"]
    found = summarize(z)
    assert found.clusters[0].side == "L"
    assert found.clusters[0].region in ("inferiorparietal", "supramarginal", "superiorparietal")
    assert found.clusters[0].peak > 4.0
    scores = score(made, who, dict(zip(region_keys(), own.roi, strict=True)))
    flagged = [row.key for row in scores.rows if row.flagged]
    assert "inferiorparietal.L" in flagged
    assert "inferiorparietal.R" not in flagged
    assert "0 of 20 normals have as many" in scores.header
    lost = np.nan_to_num(voxel_z(made, who, patient).data) > 3.0
    assert lost[: CANONICAL.shape[0] // 2].sum() > 20 * lost[CANONICAL.shape[0] // 2 :].sum()
