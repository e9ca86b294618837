"""Reading a finished result: both kinds, and every way in which it is none."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from finished_case import GRID, STORED, measurement, suvr, synthesis, t1_file

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export.finished import read_finished
from PETSynthLib.export.nameless import without_names
from PETSynthLib.request import QUANTIFY, SYNTHESIZE


@pytest.fixture(scope="module")
def t1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return t1_file(tmp_path_factory.mktemp("scan") / "Smith_T1.nii.gz")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, t1: Path) -> dict[str, Path]:
    """Results of every sort; tests that change one copy it first."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(home))
        return {
            "fdg": synthesis(folder / "fdg", t1),
            "pib": synthesis(folder / "pib", t1, "pib", "simulation"),
            "acquired": measurement(folder / "acquired", t1),
            "judged": measurement(folder / "judged", t1, z=True),
            "measured": measurement(folder / "measured", t1, evidence="simulation"),
        }


@pytest.fixture
def copied(made: dict[str, Path], tmp_path: Path) -> Path:
    """An FDG synthesis to spoil."""
    return Path(shutil.copytree(made["fdg"], tmp_path / "fdg"))


def refusal(folder: Path) -> PETSynthError:
    with pytest.raises(PETSynthError) as caught:
        read_finished(folder)
    assert caught.value.exit_status == 2
    return caught.value


def sealed(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its digest, as somebody would who knows about digests."""
    (folder / name).write_bytes(content)
    body = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    body["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "result.json").write_text(json.dumps(body), encoding="utf-8")


class TestReading:
    def test_a_synthesis_has_its_images_pages_and_marks(self, made: dict[str, Path]) -> None:
        found = read_finished(made["fdg"])
        assert (found.kind, found.tracer.key, found.synthetic) == (SYNTHESIZE, "fdg", True)
        assert found.images == {
            "expected": "fdg_synth_expected.nii.gz",
            "sample-01": "fdg_synth_sample-01.nii.gz",
            "sd": "fdg_synth_sd.nii.gz",
            "suvr": "fdg_synth_suvr.nii.gz",
        }
        assert found.pages == {"": "fdg_synth.png", "ssp": "fdg_synth_ssp.png"}
        assert found.release.evidence == "real pairs"
        assert found.first_lines == (found.release.banner,)
        assert found.model["bundle_sha256"] == "a" * 64
        assert (found.reference_region, found.regions_source) == ("pons", "atlas, affine")

    def test_voxels_come_in_canonical_order_and_the_file_keeps_its_own(
        self, made: dict[str, Path]
    ) -> None:
        found = read_finished(made["fdg"])
        pet = found.pet("sd")
        assert (pet.quantity, pet.synthetic) == ("sd", True)
        assert np.array_equal(pet.data, (0.1 * suvr()).astype(np.float32))
        assert pet.grid.same_as(GRID)
        assert found.scan("suvr").stored.same_as(STORED)
        assert found.regions.volume.grid.same_as(GRID)
        assert found.pet("sample-01").quantity == "sample"

    def test_a_measurement_of_an_acquired_pet_has_no_image_of_ours(
        self, made: dict[str, Path]
    ) -> None:
        found = read_finished(made["acquired"])
        assert (found.kind, found.synthetic, dict(found.images)) == (QUANTIFY, False, {})
        assert (made["acquired"] / "fdg_acquired_suvr.nii.gz").is_file()
        assert found.withheld["z-score"] == "no normative database was given"
        assert found.model == {}
        assert {row["synthetic"] for row in found.table.rows} == {"FALSE"}

    def test_z_is_there_where_it_was_allowed(self, made: dict[str, Path]) -> None:
        found = read_finished(made["judged"])
        (row,) = (r for r in found.table.rows if r["z"] != "n/a")
        assert (row["region"], row["side"], found.table.number(row, "z")) == ("precuneus", "L", 2.5)
        assert found.table.number(row, "suvr_gtm") is None
        assert found.table.number(row, "no such column") is None
        assert "z-score" not in found.withheld

    def test_a_measured_synthetic_pet_keeps_its_banner(self, made: dict[str, Path]) -> None:
        found = read_finished(made["measured"])
        assert found.synthetic
        assert found.first_lines[0].startswith("DEMONSTRATION MODEL")
        assert {"Centiloid", "z-score"} <= set(found.release.withheld)

    def test_low_and_high_of_an_exploratory_tracer_are_there(self, made: dict[str, Path]) -> None:
        found = read_finished(made["pib"])
        assert found.release.triptych
        assert {"low10", "suvr", "high90"} < set(found.images)

    def test_names_of_files_can_be_left_behind(self, made: dict[str, Path]) -> None:
        found = read_finished(made["fdg"])
        assert found.t1.name == "Smith_T1.nii.gz"
        bare = without_names(found)
        assert (bare.t1.name, bare.t1.sha256) == ("T1", found.t1.sha256)
        assert "Smith" not in json.dumps([dict(bare.record), [s.name for s in bare.sources]])
        assert "Smith" in json.dumps(dict(found.record))


class TestRefusals:
    def test_a_folder_without_a_result(self, tmp_path: Path) -> None:
        error = refusal(tmp_path)
        assert (error.code, "holds no result" in error.text) == (ErrorCode.BAD_REQUEST, True)
        assert "is no folder" in refusal(tmp_path / "nowhere").text

    def test_a_result_of_another_kind(self, tmp_path: Path) -> None:
        body = {"version": 1, "kind": "project", "files": {}}
        (tmp_path / "result.json").write_text(json.dumps(body), encoding="utf-8")
        assert "another kind (project)" in refusal(tmp_path).text

    @pytest.mark.parametrize("text", ["{", "[]", '{"kind": "synthesize"}'])
    def test_a_result_that_is_damaged(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "result.json").write_text(text, encoding="utf-8")
        assert refusal(tmp_path).code in (ErrorCode.BAD_REQUEST, ErrorCode.BAD_DATA)

    def test_a_result_of_another_version(self, copied: Path) -> None:
        body = json.loads((copied / "result.json").read_text(encoding="utf-8"))
        (copied / "result.json").write_text(json.dumps({**body, "version": 9}), encoding="utf-8")
        assert "version 9" in refusal(copied).text

    @pytest.mark.parametrize(
        "name", ["fdg_synth_suvr.nii.gz", "fdg_synth_regions.tsv", "space/regions.nii.gz"]
    )
    def test_a_file_that_was_changed_or_is_missing_is_named(self, copied: Path, name: str) -> None:
        (copied / name).write_bytes(b"\0" + (copied / name).read_bytes()[1:])
        assert f"{name} of the result in {copied} was changed" in refusal(copied).text
        (copied / name).unlink()
        assert f"{name} of the result in {copied} is missing" in refusal(copied).text

    def test_a_table_that_lost_its_mark(self, copied: Path) -> None:
        table = (copied / "fdg_synth_regions.tsv").read_bytes().replace(b"TRUE\t", b"FALSE\t")
        sidecar = json.loads((copied / "fdg_synth.json").read_text(encoding="utf-8"))
        sidecar["Outputs"]["fdg_synth_regions.tsv"] = hashlib.sha256(table).hexdigest()
        sealed(copied, "fdg_synth_regions.tsv", table)
        sealed(copied, "fdg_synth.json", json.dumps(sidecar).encode())
        assert "damaged" in refusal(copied).text

    def test_z_that_is_withheld(self, made: dict[str, Path], tmp_path: Path) -> None:
        folder = Path(shutil.copytree(made["judged"], tmp_path / "judged"))
        record = json.loads((folder / "fdg_acquired_suvr.json").read_text(encoding="utf-8"))
        record["NotAvailable"]["z-score"] = "because"
        sealed(folder, "fdg_acquired_suvr.json", json.dumps(record).encode())
        assert "damaged" in refusal(folder).text

    def test_an_exploratory_middle_without_its_low(
        self, made: dict[str, Path], tmp_path: Path
    ) -> None:
        folder = Path(shutil.copytree(made["pib"], tmp_path / "pib"))
        body = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        del body["files"]["pib_synth_low10.nii.gz"]
        (folder / "result.json").write_text(json.dumps(body), encoding="utf-8")
        assert "damaged" in refusal(folder).text
