"""A FLAIR is laid on its own T1, and only on its own."""

from __future__ import annotations

import numpy as np
import pytest
from preprocess_heads import made_flair, made_head, template_to_native

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.preprocess.flair import align_flair, edge_likeness
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.progress import Silent
from PETSynthLib.volume import Volume

TRUE = template_to_native()


@pytest.fixture(scope="module")
def head():
    t1, mask = made_head(TRUE)
    return t1.volume, mask.volume


def moved(volume, shift=(6.0, -4.0, 3.0)):
    """The person moved between the two scans."""
    affine = volume.affine.copy()
    affine[:3, 3] += shift
    return Volume(volume.data, affine)


def test_a_moved_flair_is_found_within_half_a_millimetre(head):
    t1, brain = head
    matrix, findings = align_flair(t1, moved(made_flair(TRUE).volume), brain, Silent(), Steps())
    assert np.abs(matrix[:3, 3] - (6.0, -4.0, 3.0)).max() < 0.5
    assert np.abs(matrix[:3, :3] - np.eye(3)).max() < 0.01
    assert findings[0].verdict.value == "green"


def test_another_brain_is_refused(head):
    t1, brain = head
    other = made_flair(template_to_native((0.0, 3.0, -5.0), 0.97), seed=4).volume
    with pytest.raises(PETSynthError, match="not show the same head") as caught:
        align_flair(t1, other, brain, Silent(), Steps())
    assert caught.value.code is ErrorCode.BAD_FLAIR


def test_a_flair_from_elsewhere_in_the_scanner_is_refused_not_crashed(head):
    t1, brain = head
    rng = np.random.default_rng(0)
    affine = t1.affine.copy()
    affine[:3, 3] += 5000.0
    with pytest.raises(PETSynthError, match="not show the same head"):
        align_flair(t1, Volume(rng.random(t1.shape), affine), brain, Silent(), Steps())


def test_edges_do_not_depend_on_contrast():
    rng = np.random.default_rng(0)
    image = rng.random((20, 20, 20)).astype(np.float32)
    inside = np.ones(image.shape, bool)
    assert edge_likeness(image, 3.0 - 2.0 * image, inside) == pytest.approx(1.0)
    assert edge_likeness(image, np.ones_like(image), inside) == 0.0
