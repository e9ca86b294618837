"""The image type: place and meaning travel with the voxels."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.volume import CANONICAL, Grid, PetVolume, Volume, on_grid


class TestVolume:
    def test_refuses_an_array_without_three_axes(self) -> None:
        with pytest.raises(ValueError, match="three axes"):
            Volume(np.zeros((4, 4)), np.eye(4))

    def test_refuses_an_affine_that_places_nothing(self) -> None:
        with pytest.raises(ValueError, match="inverted"):
            Volume(np.zeros((2, 2, 2)), np.diag([1.0, 1.0, 0.0, 1.0]))

    def test_holds_float32_and_float64(self) -> None:
        volume = Volume(np.ones((2, 3, 4), np.int16), np.eye(4, dtype=np.float32))
        assert volume.data.dtype == np.float32
        assert volume.affine.dtype == np.float64
        assert volume.shape == (2, 3, 4)

    def test_with_data_keeps_place_and_meaning(self) -> None:
        pet = PetVolume(np.ones((2, 2, 2)), np.eye(4), tracer="fdg", reference_region="pons")
        other = pet.with_data(np.zeros((2, 2, 2)))
        assert isinstance(other, PetVolume)
        assert other.tracer == "fdg"
        with pytest.raises(ValueError, match="expected shape"):
            pet.with_data(np.zeros((2, 2, 3)))

    def test_a_pet_names_its_tracer_and_reference(self) -> None:
        with pytest.raises(ValueError, match="names its tracer"):
            PetVolume(np.ones((2, 2, 2)), np.eye(4))


class TestGrid:
    def test_the_canonical_grid_is_mirror_symmetric(self) -> None:
        x = CANONICAL.affine[0, 3] + 2.0 * np.arange(CANONICAL.shape[0])
        assert np.array_equal(x, -x[::-1])

    def test_spacing_and_volume_of_an_oblique_grid(self) -> None:
        turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1.0]])
        affine = np.eye(4)
        affine[:3, :3] = turn @ np.diag([1.0, 2.0, 3.0])
        grid = Grid((4, 4, 4), affine)
        assert grid.spacing == pytest.approx((1.0, 2.0, 3.0))
        assert grid.voxel_ml == pytest.approx(0.006)

    def test_same_as_notices_a_shift_of_a_hundredth_of_a_millimetre(self) -> None:
        moved = CANONICAL.affine.copy()
        moved[0, 3] += 0.01
        assert CANONICAL.same_as(Grid(CANONICAL.shape, CANONICAL.affine.copy()))
        assert not CANONICAL.same_as(Grid(CANONICAL.shape, moved))


class TestCrop:
    def test_keeps_every_voxel_at_its_place(self) -> None:
        values = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
        whole = on_grid(values, Grid((4, 5, 6), np.diag([2.0, 2.0, 2.0, 1.0])))
        affine = whole.affine.copy()
        affine[:3, 3] = (2.0, 4.0, 6.0)
        part = whole.crop(Grid((2, 2, 3), affine))
        assert part.data[0, 0, 0] == values[1, 2, 3]
        assert part.data[-1, -1, -1] == values[2, 3, 5]

    @pytest.mark.parametrize("origin", [(1.0, 0.0, 0.0), (-2.0, 0.0, 0.0), (6.0, 0.0, 0.0)])
    def test_refuses_what_is_no_part(self, origin: tuple[float, float, float]) -> None:
        whole = on_grid(np.zeros((4, 4, 4)), Grid((4, 4, 4), np.diag([2.0, 2.0, 2.0, 1.0])))
        affine = whole.affine.copy()
        affine[:3, 3] = origin
        with pytest.raises(ValueError, match="no part"):
            whole.crop(Grid((2, 4, 4), affine))
