"""What a PET file holds: unit, tracer, model, and whether anybody was scanned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from export_case import lopsided
from test_run_project import write_image

from PETSynthLib.assets import asset_path, reference_mask
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.meaning import (
    SAMPLE,
    Meaning,
    json_beside,
    meaning_of,
    sample_sha256,
    says_synthetic,
)
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


class TestSynthesis:
    """A synthetic PET is what its JSON file says, with the files that were written with it."""

    NAMES = ("fdg_synth_suvr.nii.gz", "fdg_synth_sd.nii.gz", "fdg_synth_regions.tsv")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in (*self.NAMES, "fdg_synth_expected.nii.gz", "fdg_synth_sample-01.nii.gz"):
            (tmp_path / name).write_bytes(name.encode())
        self.write(tmp_path, lambda body: None)
        return tmp_path

    @staticmethod
    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def write(self, folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
        body = {
            "Synthetic": True,
            "Tracer": "fdg",
            "Evidence": "simulation",
            "ConditioningVariables": {"Used": ["mmse"]},
            "Model": {"name": "flow", "bundle_sha256": "ab" * 32},
            "Sources": [{"Role": "T1", "sha256": "c" * 64}],
            "Outputs": {p.name: self.digest(p) for p in folder.iterdir() if p.suffix != ".json"},
        }
        edit(body)
        (folder / "fdg_synth.json").write_text(json.dumps(body), encoding="utf-8")

    def meaning(self, folder: Path, name: str = NAMES[0]) -> Meaning:
        # Of the scan only the digest is asked for.
        scan: Any = SimpleNamespace(sha256=self.digest(folder / name))
        return meaning_of(folder / name, scan, "")

    def refusal(self, folder: Path, name: str = NAMES[0]) -> PETSynthError:
        with pytest.raises(PETSynthError) as caught:
            self.meaning(folder, name)
        assert caught.value.exit_status == 2
        return caught.value

    def test_its_files_and_its_model_are_found(self, folder: Path) -> None:
        found = self.meaning(folder)
        assert (found.sd, found.table) == (folder / self.NAMES[1], folder / self.NAMES[2])
        assert (found.bundle_sha256, found.source_t1_sha256) == ("ab" * 32, "c" * 64)
        assert "MMSE" in found.release.cognition

    @pytest.mark.parametrize("part", ["sd", "expected", "sample-01"])
    def test_its_other_volumes_are_not_taken_for_it(self, folder: Path, part: str) -> None:
        error = self.refusal(folder, f"fdg_synth_{part}.nii.gz")
        assert error.code is ErrorCode.BAD_REQUEST
        assert self.NAMES[0] in error.hint

    @pytest.mark.parametrize("name", NAMES[1:])
    def test_a_file_beside_it_that_was_altered_is_refused(self, folder: Path, name: str) -> None:
        (folder / name).write_bytes(b"another")
        error = self.refusal(folder)
        assert error.code is ErrorCode.BAD_DATA
        assert name in error.text

    @pytest.mark.parametrize(
        "edit",
        [
            lambda body: body.pop("Evidence"),
            lambda body: body.update(Evidence="acquired"),
            lambda body: body.update(Evidence="hearsay"),
            lambda body: body.update(Tracer=7),
            lambda body: body.update(Model=None),
            lambda body: body["Model"].update(bundle_sha256=""),
            lambda body: body.update(ConditioningVariables=[]),
            lambda body: body.update(Sources=[{"Role": "T1"}]),
            lambda body: body.update(Outputs=None),
        ],
    )
    def test_an_edited_json_file_is_a_sentence(
        self, folder: Path, edit: Callable[[dict[str, Any]], object]
    ) -> None:
        self.write(folder, edit)
        assert self.refusal(folder).code is ErrorCode.BAD_DATA
