"""What flow reads off an MRI: each region's own numbers, the cerebrum's, and what is not known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from PETSynthLib.clinical import FIELDS
from PETSynthLib.generate.atlas.forward import atlas_labels, grid_key_of
from PETSynthLib.generate.flow.reading import (
    ANATOMY,
    CEREBELLUM,
    OWN,
    REGIONS,
    Reading,
    read_mri,
    variable_names,
    variables,
)
from PETSynthLib.preprocess.atlas_grid import atlas_on
from PETSynthLib.volume import CANONICAL, Grid, Volume, on_grid

pytestmark = pytest.mark.torch
R, P = len(REGIONS), len(OWN)
SCANNERS = ["ge", "philips", "siemens"]
PHILIPS, NO_SCANNER = np.eye(3, dtype=np.float32)[1], np.zeros(3, np.float32)


def coarse() -> Grid:
    affine = CANONICAL.affine.copy()
    affine[:3, :3] *= 4
    affine[:3, 3] += 3
    return Grid((24, 28, 24), affine, CANONICAL.name)


def template(grid: Grid) -> tuple[Volume, Volume]:
    brain = atlas_on("template_brain", grid)
    t1 = atlas_on("template_t1", grid)
    return Volume(t1.data / np.percentile(t1.data[brain.mask], 97), t1.affine, t1.space), brain


class TestVariables:
    def test_every_variable_has_its_place_and_unknown_is_nan(self) -> None:
        reading = Reading(np.arange(R * P, dtype=float).reshape(R, P), np.array([0.1, 0.2]))
        numbers = dict.fromkeys(FIELDS) | {"mmse": 24.0}
        known = variables(reading, numbers, PHILIPS)
        names = variable_names(SCANNERS)
        assert known.shape == (R, len(names))
        assert known[3, :P].tolist() == reading.regions[3].tolist()
        cerebral = [k for k, label in enumerate(REGIONS) if label < CEREBELLUM]
        column = names.index("cerebral_t1_in_grey")
        assert known[7, column] == pytest.approx(reading.regions[cerebral, 5].mean())
        assert (known[:, names.index("mmse")] == 24.0).all()
        assert (known[:, names.index("flair_load")] == 0.2).all()
        assert np.isnan(known[:, names.index("age")]).all()
        assert (known[:, names.index("scanner_philips")] == 1.0).all()
        assert (known[:, names.index("scanner_ge")] == 0.0).all()
        assert np.isnan(variables(reading, numbers, NO_SCANNER)[:, -3:]).all()

    def test_what_is_known_of_one_region_is_known_of_all(self) -> None:
        t1, brain = template(coarse())
        reading, _ = read_mri(t1, brain, None)
        known = np.isfinite(variables(reading, dict.fromkeys(FIELDS), NO_SCANNER))
        assert (known == known[0]).all()
        assert known[0].sum() == 2 * len(ANATOMY)

    def test_a_flair_that_is_not_shown_leaves_nothing_behind(self) -> None:
        t1, brain = template(coarse())
        seen, _ = read_mri(t1, brain, t1)
        hidden, without = seen.without_flair(), read_mri(t1, brain, None)[0]
        for mine, other in ((hidden.regions, without.regions), (hidden.flair, without.flair)):
            assert np.array_equal(mine, other, equal_nan=True)


class TestReading:
    def test_a_thinner_cortex_is_read_where_it_is_thin(self) -> None:
        grid = coarse()
        t1, brain = template(grid)
        territories, _ = atlas_labels(grid_key_of(grid))
        thin = t1.data.copy()
        thin[territories == REGIONS[20]] *= 0.4  # as dark as CSF
        before = read_mri(t1, brain, None)[0].regions
        after = read_mri(Volume(thin, t1.affine, t1.space), brain, None)[0].regions
        change = after - before
        share = OWN.index("csf_share")
        assert change[20, share] > 0.3
        assert np.abs(np.delete(change[:, share], 20)).max() < 0.1
        assert np.isnan(before[:, -1]).all()

    def test_grey_matter_is_seen_through_the_scanner(self) -> None:
        """A region that is grey matter altogether has all of its signal; thin cortex loses some."""
        reading, _ = read_mri(*template(coarse()), None)
        fine, blurred = reading.regions[:, 0], reading.regions[:, 1]
        assert ((blurred <= fine + 0.05) | (fine == 0)).all()
        assert (reading.regions[:, :5] >= 0).all()
        assert (reading.regions[:, :5] <= 1 + 1e-6).all()

    def test_brightness_in_grey_matter_is_its_mean_there(self) -> None:
        grid = coarse()
        t1, brain = template(grid)
        even = on_grid(np.where(brain.mask, 0.8, 0.0), grid)
        reading, _ = read_mri(t1, brain, even)
        column = reading.regions[:, OWN.index("flair_in_grey")]
        assert column[column > 0] == pytest.approx(0.8, abs=0.01)

    def test_bright_spots_in_the_flair_raise_its_load(self) -> None:
        grid = coarse()
        t1, brain = template(grid)
        even = np.where(brain.mask, 1.0, 0.0)
        spotted = even.copy()
        spotted[10:13, 12:15, 14:17] = 2.0
        calm = read_mri(t1, brain, on_grid(even, grid))[0].flair[1]
        busy = read_mri(t1, brain, on_grid(spotted, grid))[0].flair[1]
        assert calm == 0.0
        assert busy > 0.03
