"""Titles, units and codes of the columns of a table of regions."""

from __future__ import annotations

from PETSynthLib.export import marks
from PETSynthLib.export.columns import columns
from PETSynthLib.export.quantification_files import COLUMNS


def test_every_column_of_the_file_is_described() -> None:
    for column in columns((marks.TABLE_COLUMN[0], *COLUMNS), synthetic=True):
        assert column.title != column.name or column.name == "z", column.name
        assert column.description.endswith(".")


def test_the_quantities_of_a_computed_pet_carry_its_mark() -> None:
    for column in columns(COLUMNS, synthetic=True):
        if column.quantity is not None:
            assert column.quantity.meaning.startswith("Synthetic"), column.name
    (z,) = columns(("z",), synthetic=True)
    assert z.quantity is not None
    assert z.quantity.scheme == "99PETSYNTH"


def test_a_measured_pet_has_dicoms_own_z() -> None:
    suvr, z = columns(("suvr", "z"), synthetic=False)
    assert z.quantity is not None
    assert (z.quantity.value, z.quantity.scheme) == ("113071", "DCM")
    assert suvr.quantity is not None
    assert "Synthetic" not in suvr.quantity.meaning
    assert suvr.unit is not None
    assert (suvr.unit.value, suvr.unit.scheme) == ("{ratio}", "UCUM")


def test_words_have_no_unit_and_an_unknown_column_keeps_its_name() -> None:
    region, other = columns(("region", "something"), synthetic=False)
    assert not region.number
    assert (other.title, other.number) == ("something", False)
