"""A PET beside its T1 is refused with the distance, or moved, and either is said."""

from __future__ import annotations

import numpy as np
import pytest
from bids_case import GAIN, grid_of, made_brain, made_pet, moved, placed

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.preprocess.pet_alignment import (
    ASIDE_MM,
    drawn_on_this_t1,
    mirror,
    mirrored_finding,
    pet_coverage,
    place_pet,
    surface_distance,
)
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.progress import Silent
from PETSynthLib.volume import Volume

ASIDE = moved((3.0, -2.0, 4.0), (6.0, -5.0, 4.0))
HERE = NativeToTemplate(np.eye(4))


@pytest.fixture(scope="module")
def t1() -> Volume:
    return made_brain(0).t1


def pet_at(matrix: np.ndarray) -> Volume:
    """PET of the same brain in Bq/mL, the head moved by ``matrix``."""
    image = placed(made_pet(made_brain(0), "fdg"), matrix, grid_of(3.0))
    return image.with_data(GAIN * image.data)


def place(t1: Volume, pet: Volume, register: bool):
    return place_pet(
        t1,
        t1.with_data(t1.data > 0),
        pet,
        "FDG",
        HERE,
        register=register,
        progress=Silent(),
        steps=Steps(),
    )


def test_the_surface_moves_by_a_shift_and_by_nothing_else() -> None:
    ball = np.zeros((20, 20, 20))
    ball[5:15, 5:15, 5:15] = 1.0
    brain = Volume(ball, np.diag([2.0, 2.0, 2.0, 1.0]))
    shift = np.eye(4)
    shift[:3, 3] = (3.0, 0.0, 4.0)
    assert surface_distance(shift, brain) == pytest.approx(5.0)
    assert surface_distance(np.eye(4), brain) == 0.0


def test_a_turn_counts_at_the_surface_not_in_the_middle() -> None:
    affine = np.eye(4)
    affine[:3, 3] = (-25.0, -1.0, -1.0)
    centred = Volume(np.ones((51, 3, 3)), affine)
    angle = np.deg2rad(6.0)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    # A thin rod of half length 25: the mean distance is about half of 25 x angle.
    assert surface_distance(turn, centred) == pytest.approx(12.7 * angle, rel=0.05)


def test_a_pet_aside_is_refused_with_the_distance_and_the_way_out(t1: Volume) -> None:
    with pytest.raises(PETSynthError, match=r"lies \d+\.\d mm from the T1") as caught:
        place(t1, pet_at(ASIDE), register=False)
    assert caught.value.code is ErrorCode.ALIGNMENT
    assert caught.value.exit_status == 2
    assert "--register" in caught.value.hint
    said = float(caught.value.text.split(" lies ")[1].split(" mm")[0])
    brain = t1.with_data(t1.data > 0)
    assert said == pytest.approx(surface_distance(ASIDE, brain), abs=1.0)


def test_register_moves_it_and_says_how_far(t1: Volume) -> None:
    found, findings = place(t1, pet_at(ASIDE), register=True)
    brain = t1.with_data(t1.data > 0)
    assert found.registered
    assert surface_distance(np.linalg.inv(ASIDE) @ found.t1_to_pet, brain) < 1.0
    assert found.distance_mm > ASIDE_MM[1]
    assert f"lay {found.distance_mm:.1f} mm from the T1" in found.sentence
    assert [one.name for one in findings] == ["pet_alignment", "pet_match", "pet_sides"]
    assert {one.verdict.value for one in findings} == {"green"}


def test_a_pet_in_its_place_is_not_moved(t1: Volume) -> None:
    found, findings = place(t1, pet_at(np.eye(4)), register=False)
    assert np.array_equal(found.t1_to_pet, np.eye(4))
    assert found.distance_mm < 1.0
    assert "was not moved" in found.sentence
    assert findings[0].verdict.value == "green"


def test_swapped_sides_are_said() -> None:
    assert mirrored_finding(-0.05).verdict.value == "green"
    finding = mirrored_finding(0.05)
    assert finding.verdict.value == "amber"
    assert "left and right swapped" in finding.sentence.lower()


def test_the_mirror_swaps_about_the_middle_of_the_head_not_of_the_scanner() -> None:
    # The head's middle lies at scanner x = 10.
    to_template = np.eye(4)
    to_template[0, 3] = -10.0
    swap = mirror(NativeToTemplate(to_template))
    assert (swap @ [13.0, 5.0, 7.0, 1.0]).tolist() == [7.0, 5.0, 7.0, 1.0]


@pytest.mark.parametrize(
    ("empty", "verdict"), [(0, "green"), (1, "green"), (5, "amber"), (15, "red")]
)
def test_what_a_cut_off_pet_lacks_is_counted(empty: int, verdict: str) -> None:
    data = np.ones((100, 10, 10))
    data[:empty] = 0.0
    volume = Volume(data, np.eye(4))
    finding = pet_coverage(volume, volume.with_data(np.ones(data.shape)))
    assert finding.verdict.value == verdict
    assert finding.value == pytest.approx(1.0 - empty / 100)


def test_a_pet_drawn_on_this_t1_needs_no_registration() -> None:
    found, (finding,) = drawn_on_this_t1()
    assert (found.distance_mm, found.registered, found.likeness) == (0.0, False, None)
    assert finding.verdict.value == "green"
