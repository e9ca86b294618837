"""Hallucinated and missed clusters, planted lesions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from checks_case import MODEL, R, person, results_of

from PETSynthLib.assets import region_names
from PETSynthLib.learn.checks.clusters import (
    cluster_ml,
    cluster_rows,
    mirrored,
    region_of,
    section,
    z_map,
)
from PETSynthLib.learn.evaluate.results import ImageCase

SHAPE = (12, 10, 10)
VOXEL_ML = 0.1
LEFT = next(k for k, v in region_names().items() if v == ("precuneus", "L"))
RIGHT = next(k for k, v in region_names().items() if v == ("precuneus", "R"))


SEEN: list[dict[str, Any]] = [{"label": LEFT, "depth": 0.4, "visible": True}]


def case(**changes: Any) -> ImageCase:
    """Normal FDG everywhere (1.0, norm 1.0 with sd 0.1), the precuneus on both sides."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:4, 2:5, 2:5], labels[8:11, 2:5, 2:5] = LEFT, RIGHT
    plain = np.ones(SHAPE, np.float32)
    made = ImageCase(
        model=MODEL,
        seed=0,
        tracer="fdg",
        information="mri",
        subject=person(0),
        truth=plain,
        synthetic=plain,
        norm_mean=plain,
        norm_sd=0.1 * plain,
        brain=np.ones(SHAPE, bool),
        labels=labels,
        lesions=None,
        voxel_ml=VOXEL_ML,
    )
    return replace(made, **changes)


def with_hole(where: Any, value: float) -> np.ndarray:
    image = np.ones(SHAPE, np.float32)
    image[where] = value
    return image


def values(made: ImageCase) -> dict[str, float]:
    return {row.metric: row.value for row in cluster_rows(made)}


HOLE = np.s_[5:7, 5:7, 5:8]  # 12 voxels, 1.2 mL


class TestClusters:
    def test_small_ones_are_left_out_and_corners_connect(self) -> None:
        where = np.zeros(SHAPE, bool)
        where[0, 0, :4] = True  # 0.4 mL: too small
        for i in range(5):
            where[3 + i, 3 + i, 3 + i] = True  # 0.5 mL along a diagonal
        assert cluster_ml(where, VOXEL_ML) == pytest.approx(0.5)

    def test_disease_is_low_fdg_and_high_amyloid(self) -> None:
        low = with_hole(HOLE, 0.6)
        assert z_map(low, case())[5, 5, 5] == pytest.approx(4.0)
        assert z_map(low, case(tracer="pib"))[5, 5, 5] == pytest.approx(-4.0)

    def test_what_lies_outside_brain_or_norm_is_nothing(self) -> None:
        low = with_hole(HOLE, 0.6)
        assert not z_map(low, case(brain=np.zeros(SHAPE, bool))).any()
        assert not z_map(low, case(norm_mean=np.zeros(SHAPE, np.float32))).any()

    def test_a_hole_that_is_not_there_is_hallucinated(self) -> None:
        found = values(case(synthetic=with_hole(HOLE, 0.6)))
        assert found["hallucinated_ml"] == pytest.approx(1.2)
        assert found["missed_ml"] == found["abnormal_true_ml"] == 0

    def test_a_hole_that_is_left_out_is_missed(self) -> None:
        found = values(case(truth=with_hole(HOLE, 0.6)))
        assert found["missed_ml"] == pytest.approx(1.2)
        assert found["hallucinated_ml"] == 0

    def test_a_hole_half_shown_is_neither(self) -> None:
        # True z 4, synthetic z 2: weaker, but not normal.
        found = values(case(truth=with_hole(HOLE, 0.6), synthetic=with_hole(HOLE, 0.8)))
        assert found["missed_ml"] == found["hallucinated_ml"] == 0


class TestPlantedLesions:
    def test_labels_know_their_mirror(self) -> None:
        assert mirrored(LEFT) == RIGHT
        assert region_of(LEFT) == "precuneus.L"
        unpaired = next(k for k, v in region_names().items() if v[1] == "B")
        assert mirrored(unpaired) is None

    def test_the_shown_share_is_that_of_the_side_difference(self) -> None:
        left = np.s_[1:4, 2:5, 2:5]
        made = case(truth=with_hole(left, 0.6), synthetic=with_hole(left, 0.9), lesions=SEEN)
        found = values(made)
        assert found["lesion_shown.seen"] == pytest.approx(0.25, abs=1e-6)
        assert found["lesion_true_suvr"] == pytest.approx(0.4)
        assert found["lesion_abnormal_ml"] == pytest.approx(2.7)
        assert found["lesion_missed_ml"] == 0  # z is exactly 1 there, not below

    def test_one_that_the_mri_hides_has_a_name_of_its_own(self) -> None:
        left = np.s_[1:4, 2:5, 2:5]
        hidden = [SEEN[0] | {"visible": False}]
        found = values(case(truth=with_hole(left, 0.6), lesions=hidden))
        assert found["lesion_shown.hidden"] == 0
        assert found["lesion_missed_ml"] == pytest.approx(2.7)

    def test_one_left_out_beside_one_invented_is_counted_on_both_sides(self) -> None:
        # True: 27 voxels of the left precuneus at z 4, a corner of 8 of them shown at z 2.
        # Synthetic: that corner, and 12 voxels at z 4 where nothing is.
        left, corner = np.s_[1:4, 2:5, 2:5], np.s_[1:3, 2:4, 2:4]
        synthetic = with_hole(HOLE, 0.6)
        synthetic[corner] = 0.8
        found = values(case(truth=with_hole(left, 0.6), synthetic=synthetic, lesions=SEEN))
        assert found["abnormal_true_ml"] == pytest.approx(2.7)
        assert found["abnormal_synthetic_ml"] == pytest.approx(1.2)
        assert found["hallucinated_ml"] == pytest.approx(1.2)
        assert found["missed_ml"] == found["lesion_missed_ml"] == pytest.approx(1.9)
        # Side difference: 8 of 27 voxels lower by 0.2, of 27 lower by 0.4.
        assert found["lesion_shown.seen"] == pytest.approx(8 * 0.2 / (27 * 0.4))

    def test_other_tracers_have_none(self) -> None:
        left = np.s_[1:4, 2:5, 2:5]
        made = case(truth=with_hole(left, 0.6), lesions=SEEN, tracer="pib")
        assert not [name for name in values(made) if name.startswith("lesion")]


def test_the_section_gives_means_per_person_and_medians_of_lesions() -> None:
    left = np.s_[1:4, 2:5, 2:5]
    truth = with_hole(left, 0.6)
    rows = cluster_rows(case(synthetic=with_hole(HOLE, 0.6)))
    for share, row in ((0.9, 1), (0.8, 2)):
        made = case(truth=truth, synthetic=with_hole(left, share), subject=person(row),
                    lesions=SEEN)  # fmt: skip
        rows += cluster_rows(made)
    results = results_of([person(i) for i in range(3)], np.ones((3, R)), {"mri": np.ones((3, R))})
    whole, lesions = section(rows, results).tables
    assert whole.rows[0][:4] == (MODEL, "fdg", "mri", "3")
    assert whole.rows[0][6] == "0.40"  # 1.2 mL hallucinated in one of three
    # Both losses are 27 voxels of 0.1 mL at z 4; at 0.9 z is 1 and at 0.8 it is 2: none is missed.
    shown = (MODEL, "mri", "with an MRI correlate", "2", "0.38", "0.25 to 0.50", "2.70", "0.00")
    assert lesions.rows == (shown,)


def test_without_lesions_the_section_says_so() -> None:
    results = results_of([person(0)], np.ones((1, R)), {"mri": np.ones((1, R))})
    found = section(cluster_rows(case()), results)
    assert len(found.tables) == 1
    assert "No planted focal loss" in found.paragraphs[1]
