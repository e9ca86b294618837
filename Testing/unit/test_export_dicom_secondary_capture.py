"""Pages leave as pictures under a strip that says what they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("highdicom")

from dicom_case import errors_of, finished, write
from PIL import Image

from PETSynthLib.colour_maps import ORANGE
from PETSynthLib.export.dicom.secondary_capture import STRIP, with_strip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("sc")


@pytest.fixture(scope="module")
def written(place):
    return write(finished(place / "result"), place, ("sc",))


def test_figure_and_surface_page_are_one_series(written):
    assert set(written) == {"fdg_synth_page-figure.dcm", "fdg_synth_page-ssp.dcm"}
    assert len({one.SeriesInstanceUID for one in written.values()}) == 1
    assert sorted(one.InstanceNumber for one in written.values()) == [1, 2]


def test_the_page_comes_back_below_its_strip(written):
    for one in written.values():
        pixels = one.pixel_array
        assert pixels.shape == (80 + STRIP, 640, 3)
        assert (pixels[STRIP:] == 40).all()
        assert (pixels[:STRIP] == np.array(ORANGE)).all(axis=-1).sum() > 100
        assert one.BurnedInAnnotation == "YES"


def test_the_strips_words_fit_a_narrow_page(tmp_path):
    Image.new("RGB", (320, 50)).save(tmp_path / "narrow.png")
    ink = with_strip(tmp_path / "narrow.png")[:STRIP].any(axis=(0, 2))
    assert ink[4:60].any()
    assert not ink[-3:].any()


def test_the_standards_own_checker_finds_no_error(written, place):
    for name in written:
        assert errors_of(place / "out" / name) == []
