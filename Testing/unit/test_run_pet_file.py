"""What a PET file holds: unit, tracer, model, and whether anybody was scanned."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from export_case import lopsided
from test_run_ssp import write_image

from PETSynthLib.assets import asset_path, reference_mask
from PETSynthLib.errors import PETSynthError
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.run.pet_file import (
    SAMPLE,
    json_beside,
    sample_sha256,
    says_synthetic,
    suvr_in_template,
)


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


def test_a_json_file_of_the_same_name_that_says_synthetic_is_believed(tmp_path: Path) -> None:
    # Another program's copy may have lost the header, and the sidecar may not name its outputs.
    image = tmp_path / "scan.nii.gz"
    image.write_bytes(b"")
    assert json_beside(image) == {}
    (tmp_path / "scan.json").write_text('{"Synthetic": true}', encoding="utf-8")
    assert says_synthetic(image)


def test_an_nrrd_header_keeps_the_mark_of_a_node(tmp_path: Path) -> None:
    image = tmp_path / "scan.nrrd"
    image.write_bytes(b"NRRD0004\ntype: float\nPETSynth.Synthetic:=1\n\n1234")
    assert says_synthetic(image)
    # The same bytes among the voxels are no mark.
    image.write_bytes(b"NRRD0004\ntype: float\n\nPETSynth.Synthetic")
    assert not says_synthetic(image)


def test_the_sample_is_known_by_its_digest() -> None:
    with asset_path(SAMPLE) as path:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sample_sha256()
