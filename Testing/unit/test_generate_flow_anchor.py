"""The anchor of flow: how far a network's levels may leave the regional model's."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.generate.flow.anchor import Anchor
from PETSynthLib.generate.flow.reading import REGIONS

pytestmark = pytest.mark.torch
R = len(REGIONS)


class TestAnchor:
    def test_half_the_trust_goes_half_the_way(self) -> None:
        centre = np.ones((1, R))
        level, deviation = np.full(R, 1.3), np.full(R, 0.1)
        # The network stands 0.3 above its average, the regional model says 0.1.
        for trust, added in ((1.0, 0.0), (0.5, -0.1), (0.0, -0.2)):
            anchor = Anchor(centre, np.array([trust]), np.zeros((1, R)))
            assert anchor.correction(level, deviation, 0) == pytest.approx(np.full(R, added))

    def test_what_a_smooth_image_lacks_is_given_back(self) -> None:
        offset = np.linspace(0, 0.1, R)[None]
        anchor = Anchor(np.ones((1, R)), np.zeros(1), offset)
        assert anchor.correction(np.full(R, 1.1), np.full(R, 0.1), 0) == pytest.approx(offset[0])

    def test_a_region_without_grey_matter_is_left_alone(self) -> None:
        anchor = Anchor(np.ones((1, R)), np.zeros(1), np.zeros((1, R)))
        level = np.full(R, np.nan)
        assert anchor.correction(level, np.full(R, 0.1), 0).tolist() == [0.0] * R
