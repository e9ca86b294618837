"""Lesions and contrast agents in a T1: seen where they are drawn, not where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from PETSynthLib.checks import Verdict
from PETSynthLib.preprocess.atlas_grid import atlas_on
from PETSynthLib.preprocess.intensity import scaled
from PETSynthLib.preprocess.unusual import (
    enhancement_finding,
    largest_difference,
    sides_finding,
)
from PETSynthLib.volume import CANONICAL, Grid, Volume


@pytest.fixture(scope="module")
def head() -> tuple[Volume, Volume]:
    """The template at 3 mm, as a generator sees a scan."""
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = -82.5, -111.0, -81.0
    grid = Grid((56, 64, 56), affine, CANONICAL.name)
    brain, t1 = atlas_on("template_brain", grid), atlas_on("template_t1", grid)
    return t1.with_data(scaled(t1.data, brain.mask) * brain.mask), brain


def ball(t1: Volume, centre: tuple[float, float, float], mm: float) -> np.ndarray:
    ijk = np.indices(t1.shape).reshape(3, -1)
    xyz = t1.affine[:3, :3] @ ijk + t1.affine[:3, 3:]
    away = np.linalg.norm(xyz - np.array(centre)[:, None], axis=0)
    return (away < mm).reshape(t1.shape)


def with_lesion(head: tuple[Volume, Volume], mm: float, value: float, x: float = 35.0) -> Volume:
    t1, brain = head
    return t1.with_data(
        np.where(ball(t1, (x, -10.0, 28.0), mm) & brain.mask, value, t1.data).astype(np.float32)
    )


class TestSides:
    def test_the_template_is_like_its_mirror_image(self, head) -> None:
        finding = sides_finding(*head)
        assert finding.verdict is Verdict.GREEN
        assert finding.value < 1.0

    @pytest.mark.parametrize(("x", "side"), [(35.0, "right"), (-35.0, "left")])
    def test_a_dark_ball_is_found_on_its_side_with_its_volume(self, head, x, side) -> None:
        t1 = with_lesion(head, 20.0, 0.4, x)
        finding = sides_finding(t1, head[1])
        assert finding.verdict is Verdict.AMBER
        assert side in finding.sentence
        volume_ml, centre = largest_difference(t1, head[1])
        # 4/3 pi 2^3 = 33.5 mL; what lies within the softening of its rim is less apart.
        assert 15 < volume_ml < 34
        assert centre == pytest.approx((x, -10.0, 28.0), abs=5.0)

    def test_a_small_one_is_left_alone(self, head) -> None:
        assert sides_finding(with_lesion(head, 8.0, 0.4), head[1]).verdict is Verdict.GREEN

    def test_the_same_on_both_sides_is_nothing_one_sided(self, head) -> None:
        both = with_lesion((with_lesion(head, 20.0, 0.4), head[1]), 20.0, 0.4, -35.0)
        assert sides_finding(both, head[1]).verdict is Verdict.GREEN

    def test_on_a_grid_that_is_not_symmetric_the_answer_is_the_same(self, head) -> None:
        t1, brain = with_lesion(head, 20.0, 0.4), head[1]
        cut = [Volume(v.data[:52].copy(), t1.affine, v.space) for v in (t1, brain)]
        whole, _ = largest_difference(t1, brain)
        assert largest_difference(*cut)[0] == pytest.approx(whole, rel=0.1)


class TestEnhancement:
    def test_nothing_of_the_template_is_as_bright(self, head) -> None:
        finding = enhancement_finding(*head)
        assert (finding.verdict, finding.value) == (Verdict.GREEN, 0.0)

    @pytest.mark.parametrize(
        ("share", "verdict"),
        [(0.0003, Verdict.GREEN), (0.002, Verdict.AMBER), (0.01, Verdict.RED)],
    )
    def test_the_more_bright_spots_the_worse(self, head, share, verdict) -> None:
        t1, brain = head
        inside = np.flatnonzero(brain.mask.ravel())
        chosen = np.random.default_rng(0).choice(inside, int(share * len(inside)), replace=False)
        data = t1.data.copy().ravel()
        data[chosen] = 1.5
        finding = enhancement_finding(t1.with_data(data.reshape(t1.shape)), brain)
        assert finding.verdict is verdict
        assert finding.name == "contrast_agent"

    def test_bright_scalp_at_the_rim_of_a_mask_is_no_enhancement(self, head) -> None:
        t1, brain = head
        rim = brain.mask & ~ndimage.binary_erosion(brain.mask)
        bright = t1.with_data(np.where(rim, 1.6, t1.data).astype(np.float32))
        assert enhancement_finding(bright, brain).verdict is Verdict.GREEN


def test_the_panel_has_words_for_what_is_seen() -> None:
    panel = Path(__file__).resolve().parents[2] / "PETSynth" / "PETSynthPanel" / "Sentences.py"
    text = panel.read_text(encoding="utf-8")
    for key in ("contrast_agent.seen_amber", "contrast_agent.seen_red"):
        assert f'"{key}"' in text
