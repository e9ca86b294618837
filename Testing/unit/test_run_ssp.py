"""``petsynth ssp``: which files belong together, what is refused, nothing half-written."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from export_case import lopsided
from normative_case import database

from PETSynthLib.cli import main
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.run import ssp as module
from PETSynthLib.run.ssp import SspRequest, run_ssp
from PETSynthLib.volume import CANONICAL


def write_image(path: Path, data: np.ndarray, description: str = "") -> None:
    """A NIfTI on `CANONICAL`'s affine."""
    image = nib.Nifti1Image(data.astype(np.float32), CANONICAL.affine)
    image.header["descrip"] = description.encode()
    nib.save(image, path)


@pytest.fixture
def synthesis(tmp_path: Path) -> Path:
    """A folder as ``petsynth synthesize`` leaves it, as far as it matters here."""
    folder = tmp_path / "synthesis"
    (folder / "space").mkdir(parents=True)
    NativeToTemplate(np.eye(4)).write(folder / "space" / "native_to_template.tfm")
    names = ("fdg_synth_suvr.nii.gz", "fdg_synth_sd.nii.gz")
    write_image(folder / names[0], lopsided(), marks.NIFTI_DESCRIPTION)
    write_image(folder / names[1], 0.1 * lopsided(), marks.NIFTI_DESCRIPTION)
    body = {
        "Synthetic": True,
        "Tracer": "fdg",
        "Evidence": "simulation",
        "ConditioningVariables": {"Used": ["age"]},
        "Model": {"bundle_sha256": "ab" * 32},
        "Outputs": {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names},
    }
    (folder / "fdg_synth.json").write_text(json.dumps(body), encoding="utf-8")
    return folder


@pytest.fixture
def acquired(tmp_path: Path) -> tuple[Path, Path]:
    """An acquired PET in kBq/mL and the transform of its scan."""
    folder = tmp_path / "acquired"
    folder.mkdir()
    write_image(folder / "pet.nii.gz", 5000.0 * lopsided())
    NativeToTemplate(np.eye(4)).write(folder / "to_template.tfm")
    return folder / "pet.nii.gz", folder / "to_template.tfm"


def test_the_folder_of_a_synthesis_is_enough(synthesis: Path) -> None:
    made = run_ssp(SspRequest(synthesis))
    assert made.files == (synthesis / "fdg_synth_ssp.png", synthesis / "fdg_synth_ssp.pdf")
    assert made.files[0].stat().st_size > 100_000
    assert made.references["PNS"] == pytest.approx(1.0, abs=0.01)
    assert not list(synthesis.glob(".*")), "nothing unfinished is left"


def test_an_acquired_pet_in_any_unit_becomes_suvr(acquired: tuple[Path, Path]) -> None:
    pet, transform = acquired
    made = run_ssp(SspRequest(pet, pet.parent / "out", transform, "fdg"))
    assert [path.name for path in made.files] == ["fdg_ssp.png", "fdg_ssp.pdf"]
    assert made.references["PNS"] == pytest.approx(1.0, abs=0.01)


def test_the_command_prints_the_references_and_the_file(
    synthesis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pages"
    assert main(["ssp", str(synthesis), "-o", str(out), "--palette", "uniform"]) == 0
    said = capsys.readouterr().out
    assert "PNS 1.00" in said
    assert str(out / "fdg_synth_ssp.png") in said
    assert (out / "fdg_synth_ssp.png").is_file()


def test_regions_that_are_not_informative_are_told_to_the_page(
    synthesis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "region\tside\tnote\nprecuneus\tL\tnot informative\ncuneus\tL\tn/a\n"
    (synthesis / "fdg_synth_regions.tsv").write_text(table, encoding="utf-8")
    body = json.loads((synthesis / "fdg_synth.json").read_text(encoding="utf-8"))
    body["Outputs"]["fdg_synth_regions.tsv"] = hashlib.sha256(table.encode()).hexdigest()
    (synthesis / "fdg_synth.json").write_text(json.dumps(body), encoding="utf-8")
    seen: list[object] = []
    monkeypatch.setattr(module, "ssp_pages", lambda *a: seen.append(a[-2]) or {})
    run_ssp(SspRequest(synthesis))
    assert seen == [{("precuneus", "L")}]


def test_the_page_of_a_simulated_person_is_told_so(
    acquired: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pet, transform = acquired
    (pet.parent / "pet.json").write_text('{"Simulated": true}', encoding="utf-8")
    seen: list[object] = []
    monkeypatch.setattr(module, "ssp_pages", lambda *a: seen.append(a[-1]) or {})
    run_ssp(SspRequest(pet, pet.parent / "out", transform, "fdg"))
    assert seen == [True]


def test_pages_are_replaced_all_together_or_not_at_all(
    synthesis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [synthesis / f"fdg_synth_ssp.{kind}" for kind in ("png", "pdf")]
    for page in pages:
        page.write_text("of an earlier run", encoding="utf-8")
    monkeypatch.setattr(module, "ssp_pages", lambda *_: {})
    monkeypatch.setattr(module, "ssp_files", lambda *_: {page.name: b"new" for page in pages})
    replace = Path.replace

    def full(source: Path, target: Path) -> Path:
        if target == pages[1] and source.read_bytes() == b"new":
            raise OSError(errno.ENOSPC, "full")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(PETSynthError) as caught:
        run_ssp(SspRequest(synthesis))
    assert caught.value.code is ErrorCode.BAD_OUTPUT
    assert [page.read_text(encoding="utf-8") for page in pages] == 2 * ["of an earlier run"]
    assert not list(synthesis.glob(".*"))


class TestRefused:
    @staticmethod
    def code(request: SspRequest) -> ErrorCode:
        with pytest.raises(PETSynthError) as caught:
            run_ssp(request)
        assert caught.value.exit_status == 2
        return caught.value.code

    def test_a_synthetic_pet_without_its_json_file(self, synthesis: Path) -> None:
        (synthesis / "fdg_synth.json").unlink()
        assert self.code(SspRequest(synthesis, tracer="fdg")) is ErrorCode.BAD_DATA

    def test_a_renamed_synthetic_pet_is_known_by_its_header(self, synthesis: Path) -> None:
        (synthesis / "fdg_synth_suvr.nii.gz").rename(synthesis / "scan.nii.gz")
        request = SspRequest(synthesis / "scan.nii.gz", tracer="fdg")
        assert self.code(request) is ErrorCode.BAD_DATA

    def test_a_synthetic_pet_that_was_changed(self, synthesis: Path) -> None:
        write_image(synthesis / "fdg_synth_suvr.nii.gz", 2.0 * lopsided())
        assert self.code(SspRequest(synthesis)) is ErrorCode.BAD_DATA

    def test_another_tracer_than_the_synthetic_pet_shows(self, synthesis: Path) -> None:
        assert self.code(SspRequest(synthesis, tracer="pib")) is ErrorCode.BAD_REQUEST

    def test_a_folder_without_a_pet(self, tmp_path: Path) -> None:
        assert self.code(SspRequest(tmp_path)) is ErrorCode.BAD_REQUEST

    def test_a_demonstration_model_beside_normals(
        self, synthesis: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "read_database", lambda _: database(bundle="ab" * 32))
        request = SspRequest(synthesis, normals=synthesis, age=70.0, sex="F")
        with pytest.raises(PETSynthError, match="comes from a demonstration model"):
            run_ssp(request)

    def test_an_acquired_pet_without_tracer(self, acquired: tuple[Path, Path]) -> None:
        assert self.code(SspRequest(acquired[0], None, acquired[1])) is ErrorCode.BAD_REQUEST

    def test_an_acquired_pet_without_transform(self, acquired: tuple[Path, Path]) -> None:
        assert self.code(SspRequest(acquired[0], tracer="fdg")) is ErrorCode.BAD_REQUEST

    def test_an_empty_pet_leaves_nothing_behind(self, acquired: tuple[Path, Path]) -> None:
        pet, transform = acquired
        write_image(pet, np.zeros(CANONICAL.shape))
        out = pet.parent / "out"
        with pytest.raises(PETSynthError):
            run_ssp(SspRequest(pet, out, transform, "fdg"))
        assert not out.exists()

    def test_an_output_that_is_a_file(self, synthesis: Path, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("mine", encoding="utf-8")
        assert self.code(SspRequest(synthesis, tmp_path / "taken")) is ErrorCode.BAD_OUTPUT
        assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"
