"""Brain masks: the user's, the network's, the atlas's, and how each is checked."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from preprocess_heads import made_head, sampled, scan_of, template_to_native
from scipy import ndimage

from PETSynthLib.assets import atlas_volume
from PETSynthLib.checks import Verdict
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.preprocess import brain as brain_module
from PETSynthLib.preprocess.align import dice
from PETSynthLib.preprocess.brain import (
    coverage_finding,
    find_brain,
    largest_component,
    millilitres,
    tidy,
    users_brain,
)
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.progress import Silent
from PETSynthLib.volume import Volume

TRUE = template_to_native()
TRANSFORM = NativeToTemplate(np.linalg.inv(TRUE))


@pytest.fixture(scope="module")
def head():
    return made_head(TRUE)


def test_a_fitting_mask_is_taken_as_it_is(head):
    t1, mask = head
    labels = scan_of(mask.volume.with_data(mask.volume.data * 3))  # any label above one half
    assert (users_brain(t1, labels).data == mask.volume.data).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.with_data(np.zeros(v.shape)), "is empty"),
        (lambda v: v.with_data(np.ones(v.shape)), "a brain has"),
        (lambda v: v.with_data(ndimage.binary_erosion(v.mask, iterations=12)), "a brain has"),
        (lambda v: Volume(v.data[:-1], v.affine), "not lie on the same grid"),
        (lambda v: Volume(v.data, v.affine @ np.diag([1, 1, 1.01, 1])), "not lie on the same grid"),
    ],
    ids=["empty", "everything", "tiny", "other shape", "other place"],
)
def test_a_mask_that_does_not_fit_is_refused(head, change, words):
    t1, mask = head
    with pytest.raises(PETSynthError, match=words) as caught:
        users_brain(t1, scan_of(change(mask.volume)))
    assert caught.value.code is ErrorCode.BAD_MASK


def test_the_atlas_finds_the_brain_without_torch(head, monkeypatch):
    t1, mask = head
    for package in [name for name in sys.modules if name.split(".")[0] in ("torch", "deepbet")]:
        monkeypatch.delitem(sys.modules, package)
    for package in ("torch", "deepbet"):
        monkeypatch.setitem(sys.modules, package, None)  # importing it now fails
    steps = Steps()
    found, findings = find_brain(t1, None, "cpu", Silent(), steps)
    assert dice(found.mask, mask.volume.mask) > 0.93
    assert findings[0].name == "brain_mask_method"
    assert findings[0].verdict is Verdict.AMBER
    assert "not installed" in findings[0].sentence
    assert steps.records[-1]["parameters"] == {"source": "atlas"}


def test_a_network_that_fails_gives_way_to_the_atlas(head, monkeypatch):
    def broken(*_):
        raise AssertionError("Not enough foreground to calculate bounding box")

    t1, mask = head
    monkeypatch.setattr(brain_module, "why_no_deepbet", lambda: "")
    monkeypatch.setattr(brain_module, "deepbet_brain", broken)
    monkeypatch.setattr(brain_module, "atlas_brain", lambda *_: mask.volume)
    found, findings = find_brain(t1, None, "cpu", Silent(), Steps())
    assert (found.data == mask.volume.data).all()
    assert "deepbet failed" in findings[0].sentence


def test_too_small_a_brain_is_no_head(head, monkeypatch):
    t1, mask = head
    small = mask.volume.with_data(ndimage.binary_erosion(mask.volume.mask, iterations=10))
    monkeypatch.setattr(brain_module, "why_no_deepbet", lambda: "")
    monkeypatch.setattr(brain_module, "deepbet_brain", lambda *_: small)
    with pytest.raises(PETSynthError, match="No whole brain was found"):
        find_brain(t1, None, "cpu", Silent(), Steps())


def test_orbits_and_loose_pieces_are_cut_off(head):
    _, mask = head
    template = atlas_volume("template_brain").data
    with_orbits = template.copy()
    with_orbits[38:58, 98:112, 22:34] = 1  # in front of and below the frontal lobe
    native = sampled(with_orbits, TRUE, order=0)
    loose = native.data.copy()
    loose[2:5, 2:5, 2:5] = 1
    cleaned = tidy(native.with_data(loose), TRANSFORM)
    assert cleaned.data[3, 3, 3] == 0
    assert native.mask.sum() - mask.volume.mask.sum() > 50
    extra = cleaned.mask & ~ndimage.binary_dilation(mask.volume.mask, iterations=4)
    assert extra.sum() == 0
    assert (cleaned.mask & mask.volume.mask).sum() == mask.volume.mask.sum()


def test_the_largest_component_is_kept():
    mask = np.zeros((6, 6, 6), bool)
    mask[0, 0, 0] = True
    mask[3:5, 3:5, 3:5] = True
    assert largest_component(mask).sum() == 8
    assert not largest_component(np.zeros((3, 3, 3), bool)).any()


def test_millilitres_count_the_voxels():
    assert millilitres(Volume(np.ones((10, 10, 10)), np.diag([1, 2, 3, 1]))) == pytest.approx(6.0)


@pytest.mark.parametrize(("slices_lost", "verdict"), [(-5, "green"), (6, "amber"), (30, "red")])
def test_a_scan_that_cuts_the_brain_gets_its_light(head, slices_lost, verdict):
    t1, mask = (scan.volume for scan in head)
    start = np.argwhere(mask.mask)[:, 2].min() + slices_lost
    affine = t1.affine.copy()
    affine[:3, 3] += affine[:3, 2] * start
    finding = coverage_finding(Volume(t1.data[:, :, start:], affine), TRANSFORM)
    assert finding.verdict.value == verdict
