"""The plots of the checks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from PETSynthLib.learn.checks.pictures import arms_figure, effects_figure
from PETSynthLib.learn.tidy import Figure


def size(figure: Figure) -> tuple[int, int]:
    with Image.open(io.BytesIO(figure.png)) as picture:
        return picture.size


def test_every_evidence_has_a_line_and_its_value_in_words() -> None:
    lines = [("clinic only", 0.7, 0.6, 0.8, False), ("synthetic PET", 0.8, 0.7, 0.9, True)]
    two = arms_figure("AUC", "Diagnosis", lines, 0.7)
    four = arms_figure("AUC", "Diagnosis", lines * 2, 0.7)
    assert two.alternative == "AUC: clinic only 0.70; synthetic PET 0.80"
    assert size(four)[1] > size(two)[1]


def test_every_tracer_has_a_panel() -> None:
    points = {"mmse": (np.array([0.1, -0.1]), np.array([0.1, 0.0]))}
    one = effects_figure("c", ["fdg"], {"fdg": points}, (0.8, 1.2))
    nothing = {"apoe4": (np.zeros(2), np.zeros(2))}
    two = effects_figure("c", ["fdg", "pib"], {"fdg": points, "pib": nothing}, (0.8, 1.2))
    assert size(two)[0] == pytest.approx(2 * size(one)[0], abs=2)
    assert "fdg, pib" in two.alternative
