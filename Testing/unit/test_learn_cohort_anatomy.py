"""Brains on a 2 mm lattice: fractions, labels, and what the recorded numbers do to them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nilearn")
pytestmark = pytest.mark.torch

import torch

from PETSynthLib.generate.atlas.forward import labels_named
from PETSynthLib.learn.cohort.anatomy import Brain, displacement, make_brain
from PETSynthLib.learn.cohort.evidence import Shown
from PETSynthLib.learn.cohort.subject import template_at
from PETSynthLib.learn.cohort.uptake import CSF, LESION, WHITE

PRECUNEUS_L, PRECUNEUS_R = 24, 65
# With more threads torch may round the last bit otherwise.
torch.set_num_threads(1)


@cache
def brain(numbers: tuple[float, ...] = (0.0,) * 6, focal: int = 0, seed: int = 7) -> Brain:
    shown = Shown(numbers, focal, 0.6 if focal else 0.0)
    return make_brain(template_at(2.0), shown, np.random.default_rng(seed))


def grey_of(one: Brain, label: int) -> float:
    return float(one.grey[one.classes == label].sum())


def test_fractions_are_fractions() -> None:
    maps = [brain().grey, *brain().fractions.values()]
    assert min(float(m.min()) for m in maps) >= -1e-6
    assert float(brain().tissue.max()) <= 1 + 1e-4


def test_the_brain_has_a_brain_s_size() -> None:
    # 8 mm^3 a voxel; grey holds the deep nuclei, the brain stem and the cerebellum's.
    grey = 8e-3 * float(brain().grey.sum())
    white = 8e-3 * float(brain().fractions[WHITE].sum())
    assert 500 < grey < 900
    assert 300 < white < 650


def test_every_region_is_there_and_left_lies_left() -> None:
    labels = brain().regions
    assert set(np.unique(labels)) == set(range(86))
    x = template_at(2.0).coordinates[0] + 0 * labels
    assert x[labels == PRECUNEUS_L].mean() < -3
    assert x[labels == PRECUNEUS_R].mean() > 3


def test_cortex_is_labelled_where_grey_matter_prevails() -> None:
    one = brain()
    cortex = (one.regions > 0) & (one.deep == 0)
    assert (one.grey[cortex] > 0.5).all()


def test_the_warp_folds_nothing_over() -> None:
    where = displacement(template_at(2.0), np.random.default_rng(3))[0].numpy()[..., ::-1]
    half = (np.array(where.shape[:3]) - 1) / 2
    jacobian = np.stack([np.stack(np.gradient(where[..., a] * half[a]), -1) for a in range(3)], -2)
    assert float(np.linalg.det(jacobian).min()) > 0.1


def test_two_seeds_are_two_foldings() -> None:
    inside = (template_at(2.0).grey > 0.5) & (template_at(2.0).deep == 0)
    one, two = (brain(seed=s).grey[inside] for s in (7, 8))
    assert np.corrcoef(one, two)[0, 1] < 0.6


def test_left_atrophy_takes_grey_matter_on_the_left() -> None:
    ill = brain((0.9, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert grey_of(ill, PRECUNEUS_L) < 0.92 * grey_of(brain(), PRECUNEUS_L)
    assert grey_of(ill, PRECUNEUS_R) == pytest.approx(grey_of(brain(), PRECUNEUS_R), rel=0.02)


def test_global_atrophy_widens_the_ventricles() -> None:
    near = template_at(2.0).ventricles > 0.25
    old = brain((0.0, 0.0, 0.0, 0.0, 0.8, 0.0))
    assert old.fractions[CSF][near].sum() > 1.1 * brain().fractions[CSF][near].sum()


def test_a_visible_focal_loss_takes_one_region() -> None:
    focal = brain(focal=PRECUNEUS_L)
    assert grey_of(focal, PRECUNEUS_L) < 0.8 * grey_of(brain(), PRECUNEUS_L)
    assert grey_of(focal, PRECUNEUS_R) == pytest.approx(grey_of(brain(), PRECUNEUS_R), rel=1e-5)


def test_lesions_grow_with_the_load_and_lie_in_white_matter() -> None:
    much = brain((0.0, 0.0, 0.0, 0.0, 0.0, 1.2))
    assert much.fractions[LESION].sum() > 3 * brain().fractions[LESION].sum()
    assert not much.fractions[LESION][np.isin(much.deep, labels_named("thalamusproper"))].any()


def test_the_same_seed_gives_the_same_brain() -> None:
    again = make_brain(template_at(2.0), Shown((0.0,) * 6, 0, 0.0), np.random.default_rng(7))
    assert again.grey.tobytes() == brain().grey.tobytes()
