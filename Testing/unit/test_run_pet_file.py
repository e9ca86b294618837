"""What a PET file holds: unit, tracer, model, and whether anybody was scanned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_case import lopsided
from test_run_ssp import write_image

from PETSynthLib.assets import reference_mask
from PETSynthLib.errors import PETSynthError
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.run.pet_file import suvr_in_template


@pytest.fixture
def pet(tmp_path: Path) -> Path:
    """An acquired PET in any unit, with its transform beside it."""
    (tmp_path / "space").mkdir()
    NativeToTemplate(np.eye(4)).write(tmp_path / "space" / "native_to_template.tfm")
    write_image(tmp_path / "pet.nii.gz", 400.0 * lopsided())
    return tmp_path / "pet.nii.gz"


def test_an_acquired_pet_becomes_suvr_of_its_tracer(pet: Path) -> None:
    seen, meaning, _ = suvr_in_template(pet, "fdg", None)
    assert seen.data[reference_mask("pons").mask].mean() == pytest.approx(1.0, abs=1e-5)
    assert (seen.tracer, seen.synthetic) == ("fdg", False)
    assert (meaning.bundle_sha256, meaning.simulated) == ("", False)


@pytest.mark.parametrize(
    ("sidecar", "simulated"),
    [('{"Simulated": true}', True), ('{"Simulated": "no"}', False), ("{", False), ("[]", False)],
)
def test_only_the_simulators_mark_makes_a_person_simulated(
    pet: Path, sidecar: str, simulated: bool
) -> None:
    (pet.parent / "pet.json").write_text(sidecar, encoding="utf-8")
    assert suvr_in_template(pet, "fdg", None)[1].simulated is simulated


def test_without_a_tracer_or_a_transform_nothing_is_guessed(pet: Path) -> None:
    with pytest.raises(PETSynthError, match="not known which tracer"):
        suvr_in_template(pet, "", None)
    (pet.parent / "space" / "native_to_template.tfm").unlink()
    with pytest.raises(PETSynthError, match="no space folder"):
        suvr_in_template(pet, "fdg", None)
