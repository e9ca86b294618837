"""Uptake of every class: linear where it should be, fixed where the references lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from PETSynthLib.assets import region_names
from PETSynthLib.generate.atlas.forward import labels_named
from PETSynthLib.learn.cohort.parameters import CONFIGURATIONS, UPTAKE
from PETSynthLib.learn.cohort.people import FACTORS, Facts, draw_people
from PETSynthLib.learn.cohort.uptake import (
    CLASSES,
    LESION,
    LOSS_AD,
    WHITE,
    base_uptake,
    factor_table,
    uptake,
)
from PETSynthLib.tracers import simulated_tracers

DEFAULT = CONFIGURATIONS["default"]
DRAWN = draw_people(Facts(60.0, 0.0, "clinic", "ge"), 50, np.random.default_rng(0))
PLAIN = replace(
    DRAWN,
    factors=np.zeros_like(DRAWN.factors),
    off_target=np.zeros(50),
    frontal=np.zeros(50),
    occipital=np.zeros(50),
    vascular=np.zeros(50),
    asymmetry=np.zeros(50),
)
LEFT_PRECUNEUS = next(k for k, v in region_names().items() if v == ("precuneus", "L"))


@pytest.mark.parametrize("tracer", list(simulated_tracers()))
def test_nothing_changes_the_uptake_of_brain_stem_and_cerebellum(tracer: str) -> None:
    table = uptake(tracer, DRAWN, None, DEFAULT)
    fixed = labels_named("brainstem", "cerebellum")
    assert table.shape == (50, CLASSES)
    assert (table[:, fixed] == base_uptake(tracer)[fixed]).all()
    assert table[:, LEFT_PRECUNEUS].std() > 0


def test_neurodegeneration_takes_its_share_of_fdg() -> None:
    n = UPTAKE.fdg_ad * PLAIN.neurodegeneration
    expected = base_uptake("fdg")[LEFT_PRECUNEUS] * (1 - LOSS_AD[LEFT_PRECUNEUS] * n)
    table = uptake("fdg", PLAIN, None, DEFAULT)
    assert table[:, LEFT_PRECUNEUS] == pytest.approx(expected, rel=1e-5)


def test_amyloid_adds_to_the_precuneus_what_the_table_says() -> None:
    table = uptake("pib", PLAIN, None, DEFAULT)
    added = table[:, LEFT_PRECUNEUS] - base_uptake("pib")[LEFT_PRECUNEUS]
    assert added == pytest.approx(UPTAKE.amyloid_pib * PLAIN.amyloid, abs=1e-5)


def test_asymmetry_takes_from_one_side_what_it_spares_on_the_other() -> None:
    right = next(k for k, v in region_names().items() if v == ("precuneus", "R"))
    table = uptake("fdg", replace(PLAIN, asymmetry=np.full(50, 0.4)), None, DEFAULT)
    even = uptake("fdg", PLAIN, None, DEFAULT)
    ill = PLAIN.neurodegeneration > 0.2
    assert (table[ill, LEFT_PRECUNEUS] < even[ill, LEFT_PRECUNEUS]).all()
    assert table[:, LEFT_PRECUNEUS] + table[:, right] == pytest.approx(
        even[:, LEFT_PRECUNEUS] + even[:, right], rel=1e-4
    )


def test_a_focal_loss_takes_fdg_of_one_region_of_one_side_and_no_other_tracer() -> None:
    focal = np.full(50, LEFT_PRECUNEUS), np.full(50, 0.5)
    with_loss, without = (uptake("fdg", DRAWN, f, DEFAULT) for f in (focal, None))
    changed = np.flatnonzero((with_loss != without).any(0))
    assert list(changed) == [LEFT_PRECUNEUS]
    assert with_loss[:, LEFT_PRECUNEUS] == pytest.approx(0.5 * without[:, LEFT_PRECUNEUS])
    assert (uptake("pib", DRAWN, focal, DEFAULT) == uptake("pib", DRAWN, None, DEFAULT)).all()


def test_a_lesion_takes_up_less_fdg_than_white_matter() -> None:
    base = base_uptake("fdg")
    assert base[LESION] == pytest.approx((1 - UPTAKE.fdg_lesion) * base[WHITE])


def test_every_grey_class_beside_the_references_has_a_whole_and_a_lobe_factor() -> None:
    table = factor_table()
    fixed = labels_named("brainstem", "cerebellum")
    free = [k for k in region_names() if k not in fixed]
    assert table.shape == (FACTORS, CLASSES)
    assert (table[0, free] == 1).all()
    assert (table[1:, free].sum(0) == 1).all()
    assert not table[:, fixed].any()
