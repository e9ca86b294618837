"""Codes and colours of regions: every region has its own colour and a code that is true of it."""

from __future__ import annotations

import pytest

from PETSynthLib.assets import region_names
from PETSynthLib.quantify.regions import COMPOSITES
from PETSynthLib.quantify.terminology import SIDES, code_of, colour_of

REGIONS = sorted({name for name, _ in region_names().values()})


@pytest.mark.parametrize(
    ("region", "value"),
    [
        ("hippocampus", "5366008"),
        ("entorhinal", "3937002"),
        ("precuneus", "16630005"),
        ("superiorfrontal", "83251001"),
        ("posteriorcingulate", "279215006"),
        ("frontal_lobe", "83251001"),
        ("fdg_ad_metaroi", "12738006"),
        ("my own region", "12738006"),
    ],
)
def test_a_region_has_the_code_of_its_structure_or_lobe(region, value):
    assert (code_of(region).value, code_of(region).scheme) == (value, "SCT")


def test_no_region_of_the_atlas_is_just_brain():
    assert [name for name in REGIONS if code_of(name).value == "12738006"] == []


def test_codes_and_meanings_agree_one_to_one():
    found = {code_of(name) for name in (*REGIONS, *COMPOSITES)}
    assert len({code.value for code in found}) == len({code.meaning for code in found})


def test_colours_tell_the_regions_apart_and_fit_a_byte():
    colours = [colour_of(name) for name in REGIONS]
    assert len(set(colours)) == len(REGIONS)
    assert all(0 <= part <= 255 for colour in colours for part in colour)
    assert colour_of("no such region") == (200, 200, 200)


def test_left_is_left():
    assert SIDES["L"].meaning == "Left"
    assert SIDES["R"].meaning == "Right"


def test_the_codes_are_those_of_the_standards_dictionary():
    dictionary = pytest.importorskip("pydicom.sr.codedict").codes.SCT
    known = {
        dictionary.Hippocampus.value,
        dictionary.ParietalLobe.value,
        dictionary.FrontalLobe.value,
        dictionary.TemporalLobe.value,
        dictionary.OccipitalLobe.value,
        dictionary.LimbicLobe.value,
        dictionary.Insula.value,
        dictionary.EntorhinalCortex.value,
    }
    wanted = ("hippocampus", "precuneus", "superiorfrontal", "fusiform", "cuneus")
    wanted += ("posteriorcingulate", "insula", "entorhinal")
    assert {code_of(name).value for name in wanted} == known
