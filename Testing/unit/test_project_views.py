"""The eight views: what is left, right, up and hidden in each, and the z-buffer below them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from project_case import LEFT_FRONTAL, LEFT_MEDIAL, LEFT_ORBITAL, blob

from PETSynthLib.project.paint import Row, paint
from PETSynthLib.project.sampling import sample_both
from PETSynthLib.project.surface import surfaces
from PETSynthLib.project.views import VIEWS, _nearest_faces, both, raster

NAMES = [view.name for view in VIEWS]
TABLE = {
    # Direction in which anterior points lie (x right, y up; 0: towards or away), image-left side.
    "RT.LAT": ((1, 0), ""),
    "LT.LAT": ((-1, 0), ""),
    "SUP": ((0, 1), "L"),
    "INF": ((0, 1), "R"),
    "ANT": ((0, 0), "R"),
    "POST": ((0, 0), "L"),
    "RT.MED": ((-1, 0), ""),
    "LT.MED": ((1, 0), ""),
}
"""The canonical page of 3D-SSP as NEUROSTAT draws it."""


def seen_at(name: str, position: np.ndarray) -> np.ndarray:
    """Pixels (n, 2) as x, y (up), centred at 0, that show the vertices in ``position`` (2V,)."""
    view = raster(name)
    share = view.interpolate(position.astype(np.float32))
    down, across = np.divmod(view.pixels[share > 0.5], view.shape[1])
    return np.stack([across - view.shape[1] / 2, view.shape[0] / 2 - down], axis=1)


@pytest.fixture(scope="module")
def vertices() -> np.ndarray:
    return both(surfaces()["L"].vertices, surfaces()["R"].vertices)


class TestOrientation:
    def test_the_columns_are_in_the_canonical_order(self) -> None:
        assert list(TABLE) == NAMES

    @pytest.mark.parametrize("name", NAMES)
    def test_anterior_is_where_the_table_says(self, name: str, vertices: np.ndarray) -> None:
        front, back = (seen_at(name, sign * vertices[:, 1] > 45.0) for sign in (1, -1))
        (across, up), _ = TABLE[name]
        if across:
            assert across * (front[:, 0].mean() - back[:, 0].mean()) > 200
        elif up:
            assert front[:, 1].mean() - back[:, 1].mean() > 200
        else:
            shown, hidden = (front, back) if name == "ANT" else (back, front)
            assert len(shown) > 10 * len(hidden)

    @pytest.mark.parametrize("name", [n for n in NAMES if n not in ("SUP", "INF")])
    def test_superior_is_up(self, name: str, vertices: np.ndarray) -> None:
        top, bottom = (seen_at(name, sign * vertices[:, 2] > 30.0) for sign in (1, -1))
        assert top[:, 1].mean() - bottom[:, 1].mean() > 100

    def test_superior_is_seen_from_above_and_hidden_from_below(self, vertices: np.ndarray) -> None:
        vertex = vertices[:, 2] > 60.0
        assert len(seen_at("SUP", vertex)) > 1000
        assert len(seen_at("INF", vertex)) == 0

    @pytest.mark.parametrize("name", NAMES)
    def test_the_image_left_side_is_what_table_and_letters_say(
        self, name: str, vertices: np.ndarray
    ) -> None:
        letters = next(view.letters for view in VIEWS if view.name == name)
        _, side = TABLE[name]
        assert letters[0] == side
        if side:
            left = seen_at(name, vertices[:, 0] < -10.0)[:, 0].mean()
            assert (left < -50) if side == "L" else (left > 50)

    @pytest.mark.parametrize(("name", "side"), [(n, n[0]) for n in NAMES if "." in n])
    def test_lateral_and_medial_views_show_the_hemisphere_they_name(
        self, name: str, side: str, vertices: np.ndarray
    ) -> None:
        own = vertices[:, 0] > 0 if side == "R" else vertices[:, 0] < 0
        assert len(seen_at(name, own)) == len(raster(name).pixels)
        lateral = seen_at(name, np.abs(vertices[:, 0]) > 45.0)
        assert (len(lateral) > 5000) == name.endswith("LAT")


@cache
def bright(centre: tuple[float, float, float], name: str) -> np.ndarray:
    """Where a blob around ``centre`` shines in a finished picture: (n, 2), x and y (up)."""
    samples = sample_both(blob(centre))
    row = Row("PET", samples["L"].values, samples["R"].values, "uptake", (1.0, 5.0))
    pixels = np.asarray(paint(row, name, "uniform")).sum(axis=2)
    down, across = np.nonzero(pixels > 400)
    height, width = pixels.shape
    return np.stack([across - width / 2, height / 2 - down], axis=1)


class TestBlob:
    """A bright left-frontal blob, through sampling and painting, in finished pixels."""

    @pytest.mark.parametrize(
        ("name", "centre", "right"),
        [
            ("LT.LAT", LEFT_FRONTAL, -1),
            ("SUP", LEFT_FRONTAL, -1),
            ("INF", LEFT_ORBITAL, 1),
            ("ANT", LEFT_FRONTAL, 1),
            ("LT.MED", LEFT_MEDIAL, 1),
        ],
    )
    def test_stands_where_the_convention_puts_it(
        self, name: str, centre: tuple[float, float, float], right: int
    ) -> None:
        places = bright(centre, name)
        assert len(places) > 30
        assert np.all(right * places[:, 0] > 0)
        assert places[:, 1].mean() > 0, "in the upper half"

    @pytest.mark.parametrize(
        ("centre", "names"),
        [
            (LEFT_FRONTAL, ("RT.LAT", "POST", "RT.MED", "LT.MED", "INF")),
            (LEFT_ORBITAL, ("RT.LAT", "POST", "RT.MED", "SUP")),
            (LEFT_MEDIAL, ("RT.LAT", "LT.LAT", "POST", "RT.MED", "INF")),
        ],
    )
    def test_is_not_seen_from_where_it_is_hidden(
        self, centre: tuple[float, float, float], names: tuple[str, ...]
    ) -> None:
        assert {name: len(bright(centre, name)) for name in names} == dict.fromkeys(names, 0)

    def test_a_right_sided_blob_is_the_mirror_image(self) -> None:
        right = (-LEFT_FRONTAL[0], *LEFT_FRONTAL[1:])
        for name, other in (("RT.LAT", "LT.LAT"), ("SUP", "SUP"), ("ANT", "ANT")):
            seen, mirrored = bright(right, name), bright(LEFT_FRONTAL, other)
            assert len(seen) > 30
            assert np.allclose(seen.mean(axis=0), mirrored.mean(axis=0) * [-1, 1], atol=3.0)
            assert len(bright(right, "LT.LAT")) == 0


class TestZBuffer:
    def test_of_two_faces_over_one_pixel_the_nearer_is_shown(self) -> None:
        square = np.array([[0, 0], [0, 4], [4, 0]], float)
        xy = np.concatenate([square, square])
        depth = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
        faces = np.array([[0, 1, 2], [3, 4, 5]])
        pixels, face, _ = _nearest_faces(xy, depth, faces, (4, 4))
        assert 0 in pixels, "the corner at the origin is covered"
        assert np.all(face == 1)
        assert np.all(_nearest_faces(xy, -depth, faces, (4, 4))[1] == 0)

    def test_what_turns_its_back_is_not_shown(self) -> None:
        xy = np.array([[0, 0], [0, 4], [4, 0], [1, 1]], float)
        faces = np.array([[0, 1, 2], [0, 2, 1]])
        _, face, _ = _nearest_faces(xy, np.zeros(4), faces, (4, 4))
        assert np.all(face == 0)

    def test_weights_are_those_of_the_pixel_centre(self) -> None:
        # Pixel (0, 0) has its centre at (0.5, 0.5): 1/8 of the way along either side of length 4.
        xy = np.array([[0, 0], [0, 4], [4, 0]], float)
        pixels, _, weights = _nearest_faces(xy, np.zeros(3), np.array([[0, 1, 2]]), (4, 4))
        first = weights[:, np.flatnonzero(pixels == 0)[0]]
        assert first.tolist() == pytest.approx([0.75, 0.125, 0.125])

    @pytest.mark.parametrize("name", NAMES)
    def test_a_constant_is_interpolated_to_itself(self, name: str) -> None:
        view = raster(name)
        count = 2 * len(surfaces()["L"].vertices)
        assert np.allclose(view.interpolate(np.full(count, 3.0)), 3.0, atol=1e-5)
        assert view.light.min() >= 0.0
        assert view.light.max() <= 1.0
