"""The shipped surfaces: closed, outward, mirrored, labelled on the right side."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.assets import asset, region_names
from PETSynthLib.project.surface import SIDES, surfaces

LABELS = region_names()


@pytest.mark.parametrize("side", SIDES)
class TestOneHemisphere:
    def test_has_about_twenty_thousand_vertices(self, side: str) -> None:
        assert 18_000 < len(surfaces()[side].vertices) < 22_000

    def test_every_edge_belongs_to_two_faces_that_run_it_in_opposite_directions(
        self, side: str
    ) -> None:
        faces = surfaces()[side].faces
        edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        forward = {tuple(edge) for edge in edges.tolist()}
        assert len(forward) == len(edges)
        assert {(b, a) for a, b in forward} == forward

    def test_faces_look_outward_so_that_they_enclose_a_positive_volume(self, side: str) -> None:
        surface = surfaces()[side]
        a, b, c = (surface.vertices[surface.faces[:, n]] for n in range(3))
        litres = np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0 / 1e6
        assert 0.6 < litres < 1.1, "half of the ICBM brain of 1.9 L, with its sulci"

    def test_normals_are_unit_vectors_and_agree_with_the_faces(self, side: str) -> None:
        surface = surfaces()[side]
        assert np.allclose(np.linalg.norm(surface.normals, axis=1), 1.0, atol=2e-3)
        a, b, c = (surface.vertices[surface.faces[:, n]] for n in range(3))
        of_face = np.cross(b - a, c - a)
        assert (
            np.einsum("ij,ij->i", of_face, surface.normals[surface.faces[:, 0]]) > 0
        ).mean() > 0.9

    def test_lies_on_its_own_side_of_the_midline(self, side: str) -> None:
        x = surfaces()[side].vertices[:, 0]
        assert (x < 0).all() if side == "L" else (x > 0).all()

    def test_labels_are_of_its_own_side_or_of_the_unpaired_brain_stem(self, side: str) -> None:
        assert {LABELS[int(n)][1] for n in np.unique(surfaces()[side].labels)} <= {side, "B"}

    def test_nearly_every_cortical_region_of_the_atlas_reaches_the_surface(self, side: str) -> None:
        surface = surfaces()[side]
        seen = {LABELS[int(n)][0] for n in np.unique(surface.labels[surface.cortex])}
        cortical = {LABELS[n][0] for n in range(1, 35)}
        assert len(cortical - seen) <= 2, cortical - seen

    def test_the_medial_wall_is_the_cut_near_the_midline_and_not_cortex(self, side: str) -> None:
        surface = surfaces()[side]
        assert 0.04 < surface.medial_wall.mean() < 0.20
        assert not (surface.medial_wall & surface.cortex).any()
        x, y, z = surface.vertices.T
        callosum = (np.abs(x) < 3) & (np.abs(y - 5) < 15) & (np.abs(z - 10) < 8)
        precuneus = (np.abs(x) < 6) & (np.abs(y + 62) < 8) & (np.abs(z - 40) < 8)
        assert surface.medial_wall[callosum].mean() > 0.9
        assert surface.cortex[precuneus].all()

    def test_areas_add_up_to_those_of_the_faces(self, side: str) -> None:
        surface = surfaces()[side]
        a, b, c = (surface.vertices[surface.faces[:, n]] for n in range(3))
        cm2 = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2.0 / 100.0
        assert surface.areas_cm2.sum() == pytest.approx(cm2)
        assert 500 < cm2 < 1200, "a hemisphere whose narrow sulci are bridged"

    def test_cannot_be_changed(self, side: str) -> None:
        with pytest.raises(ValueError, match="read-only"):
            surfaces()[side].vertices[0] = 0.0


def test_left_is_the_mirror_image_of_right_vertex_by_vertex() -> None:
    left, right = (surfaces()[side] for side in SIDES)
    assert np.array_equal(left.vertices * [-1, 1, 1], right.vertices)
    assert np.array_equal(left.normals * [-1, 1, 1], right.normals)
    assert np.array_equal(left.medial_wall, right.medial_wall)


def test_the_file_is_small() -> None:
    assert len(asset("ssp/surfaces.npz").read_bytes()) < 1_500_000
