"""What PASTA's networks are shown: images, what is known, the label of a slice."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PETSynthLib.generate.pasta.inputs import images_of, known_vector, with_label

pytestmark = pytest.mark.torch


class TestInputs:
    def test_a_flair_that_is_not_there_looks_like_nothing(self) -> None:
        t1 = np.full((1, 1, 1), 0.75, np.float32)
        facts = {"scaling": "fixed", "flair": True}
        assert [float(i) for i in images_of(t1, None, facts)] == [0.0, -1.0]
        assert len(images_of(t1, t1, facts | {"flair": False})) == 1

    def test_what_is_known_stands_in_its_order(self) -> None:
        facts = {
            "clinical_scaling": {"age": [70.0, 10.0], "mmse": [27.0, 2.0]},
            "scanners": ["ge", "philips"],
            "tracer_order": ["fdg", "pib"],
        }
        clinical = {"age": 80.0, "sex": 1.0, "education": None, "mmse": None}
        clinical |= {"adas13": None, "apoe4": None}
        found = known_vector(clinical, "philips", "pib", facts)
        # Sex has no scaling: as good as missing.
        assert found.tolist() == [*[1, 0, 0, 0, 0, 0], *[1, 0, 0, 0, 0, 0], *[0, 1], *[0, 1]]

    def test_the_label_lies_behind_the_slices(self) -> None:
        both = with_label(torch.zeros(2, 3, 4, 4), torch.tensor([0.0, 1.0]))
        assert both.shape == (2, 5, 4, 4)
        assert both[:, 3].eq(0).all()
        assert both[:, 4].eq(1).all()
        assert with_label(torch.zeros(2, 3, 4, 4), torch.zeros(0)).shape == (2, 3, 4, 4)
