"""Which voxels belong to which region."""

from __future__ import annotations

import numpy as np
import pytest

from PETSynthLib.assets import composites, region_names
from PETSynthLib.quantify import COMPOSITES, HEADLINE, title_of
from PETSynthLib.quantify.regions import labels_of, template_regions
from PETSynthLib.volume import CANONICAL


def test_every_region_of_the_atlas_and_the_cerebellum_has_voxels():
    present = set(np.unique(template_regions().data).astype(int)) - {0}
    assert present == set(region_names())


def test_left_labels_lie_left_and_right_labels_right():
    data = template_regions().data
    for label, (name, side) in region_names().items():
        x = CANONICAL.affine[0, 3] + 2.0 * np.argwhere(data == label)[:, 0].mean()
        if side != "B":
            assert (x < 0) == (side == "L"), name


def test_every_composite_is_made_of_regions_the_atlas_has():
    known = {name for name, _ in region_names().values()}
    assert set(composites()) < set(COMPOSITES)
    for members in COMPOSITES.values():
        assert members
        assert set(members) <= known
        assert len(set(members)) == len(members)


def test_the_lobes_share_no_region():
    lobes = [COMPOSITES[name] for name in HEADLINE if name.endswith("_lobe")]
    members = [name for lobe in lobes for name in lobe]
    assert len(lobes) == 4
    assert len(set(members)) == len(members)


def test_labels_of_one_side_and_of_both():
    assert len(labels_of("striatum", "L")) == 2
    assert len(labels_of("striatum", "both")) == 4
    assert labels_of("brainstem", "B") == (83,)
    with pytest.raises(KeyError):
        labels_of("brainstem", "L")
    with pytest.raises(KeyError):
        labels_of("cortx", "both")


def test_every_region_has_words():
    for name in {*COMPOSITES, *(name for name, _ in region_names().values())}:
        words = title_of(name)
        assert words[0].isupper()
        assert "_" not in words
    assert title_of("thalamusproper") == "Thalamus"
    assert title_of("precuneus") == "Precuneus"
