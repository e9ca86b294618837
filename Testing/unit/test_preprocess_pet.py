"""An acquired PET is laid on its own T1, and how well it fits is measured."""

from __future__ import annotations

import numpy as np
import pytest
from bids_case import GAIN, grid_of, made_brain, made_pet, moved, placed

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.preprocess.lattice import grid_around
from PETSynthLib.preprocess.pet import align_pet, explained, pet_space
from PETSynthLib.preprocess.rigid import AroundBrain, starts_of
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.progress import Silent
from PETSynthLib.volume import Volume

SHIFT = moved((4.0, -3.0, 5.0), (6.0, -5.0, 4.0))


@pytest.fixture(scope="module")
def fixed() -> AroundBrain:
    t1 = made_brain(0).t1
    return pet_space(t1, t1.with_data(t1.data > 0))


def pet_at(matrix: np.ndarray, seed: int = 0) -> Volume:
    """Noisy PET of brain ``seed`` in Bq/mL, the head moved by ``matrix``."""
    image = placed(made_pet(made_brain(seed), "fdg"), matrix, grid_of(3.0))
    rng = np.random.default_rng(1)
    return image.with_data(GAIN * image.data * (1 + 0.1 * rng.standard_normal(image.shape)))


def test_a_moved_pet_is_found_within_a_millimetre_whatever_its_unit(fixed) -> None:
    found, finding = align_pet(fixed, pet_at(SHIFT), "FDG", Silent(), Steps())
    points = np.argwhere(fixed.inside) @ fixed.t1.affine[:3, :3].T + fixed.t1.affine[:3, 3]
    wrong = found - SHIFT
    distance = np.linalg.norm(points @ wrong[:3, :3].T + wrong[:3, 3], axis=1)
    assert distance.mean() < 1.0
    assert finding.verdict.value == "green"
    assert finding.sentence == "The FDG PET matches the T1."


def test_a_pet_of_something_else_is_refused(fixed) -> None:
    rng = np.random.default_rng(0)
    noise = Volume(rng.random((50, 50, 50)), pet_at(np.eye(4)).affine)
    with pytest.raises(PETSynthError, match="The FDG PET does not fit the T1") as caught:
        align_pet(fixed, noise, "FDG", Silent(), Steps())
    assert caught.value.code is ErrorCode.BAD_DATA


def test_the_match_falls_with_every_millimetre_and_for_another_brain(fixed) -> None:
    def match(pet: Volume, shift: float = 0.0) -> float:
        matrix = np.eye(4)
        matrix[1, 3] = shift
        return explained(fixed, resample(pet, matrix, fixed.t1.grid, antialias=True))

    own = pet_at(np.eye(4))
    values = [match(own, shift) for shift in (0.0, 3.0, 6.0, 12.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[2] > 0.05
    assert match(pet_at(np.eye(4), seed=1)) < values[0] - 0.03


def test_an_even_image_is_explained_by_nothing(fixed) -> None:
    assert explained(fixed, np.full(fixed.t1.shape, 7.0, np.float32)) == 0.0


def test_a_second_start_is_made_only_where_the_scanner_put_the_image_elsewhere() -> None:
    data = np.zeros((20, 20, 20))
    data[10, 10, 10] = 1.0
    here = Volume(data, np.eye(4))
    near, far = np.eye(4), np.eye(4)
    near[0, 3], far[0, 3] = 5.0, 50.0
    assert len(starts_of(here, Volume(data, near))) == 1
    starts = starts_of(here, Volume(data, far))
    assert starts[1][:3, 3].tolist() == [50.0, 0.0, 0.0]


def test_the_lattice_around_a_tilted_mask_holds_it_exactly() -> None:
    # Ends of columns must do as well as all voxels, also where the axes are oblique.
    rng = np.random.default_rng(3)
    mask = Volume(rng.random((9, 8, 7)) > 0.9, moved((20.0, 30.0, -10.0), (5.0, 0.0, 1.0)))
    points = np.argwhere(mask.mask) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    grid = grid_around(mask, 2.0)
    assert grid.affine[:3, 3] == pytest.approx(points.min(0) - 10.0)
