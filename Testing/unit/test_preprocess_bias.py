"""N4: a known field is found and removed, whatever the field of view."""

from __future__ import annotations

import numpy as np
import pytest
from preprocess_heads import made_head, template_to_native

from PETSynthLib.assets import atlas_volume
from PETSynthLib.errors import PETSynthError
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.preprocess.bias import bias_field, without_bias
from PETSynthLib.preprocess.steps import Steps

TRUE = template_to_native()
TRANSFORM = NativeToTemplate(np.linalg.inv(TRUE))


@pytest.mark.slow
def test_a_known_field_is_removed_to_a_few_percent():
    t1, mask = made_head(TRUE)
    clean, inside = t1.volume, mask.volume.mask
    i, _, k = np.meshgrid(*[np.linspace(-1, 1, n) for n in clean.shape], indexing="ij")
    field = np.exp(0.5 * i - 0.3 * k**2)
    steps = Steps()
    brain = atlas_volume("template_brain")
    uneven = clean.with_data(clean.data * field)
    found = without_bias(uneven, bias_field(uneven, brain, TRANSFORM, steps), TRANSFORM)
    reference = without_bias(clean, bias_field(clean, brain, TRANSFORM, Steps()), TRANSFORM)
    tissue = inside & (clean.data > 50)
    before = np.log(field[tissue])
    after = np.log(found.data[tissue] / reference.data[tissue])
    assert before.std() > 0.14
    assert after.std() < 0.25 * before.std()
    assert steps.records[0]["name"] == "bias field"
    assert steps.records[0]["version"].startswith("SimpleITK ")


def test_a_dark_image_is_refused():
    t1, _ = made_head(TRUE)
    dark = t1.volume.with_data(np.zeros(t1.volume.shape))
    with pytest.raises(PETSynthError, match="dark where the brain"):
        bias_field(dark, atlas_volume("template_brain"), TRANSFORM, Steps())
