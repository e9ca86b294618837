"""Surface projection from files to files: what belongs together, what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from export_case import labels_named, lopsided
from normative_case import database
from PIL import Image

from PETSynthLib.cli import main
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks, ssp
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.project.references import REFERENCES
from PETSynthLib.project.surface import surfaces
from PETSynthLib.request import ProjectRequest, project_request_from_dict, read_request
from PETSynthLib.run import project_walk as module
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.project_job import run_projection
from PETSynthLib.run.whole import Finished
from PETSynthLib.run.worker import KINDS
from PETSynthLib.volume import CANONICAL


def write_image(path: Path, data: np.ndarray, description: str = "") -> None:
    """A NIfTI on `CANONICAL`'s affine."""
    image = nib.Nifti1Image(data.astype(np.float32), CANONICAL.affine)
    image.header["descrip"] = description.encode()
    nib.save(image, path)


def synthesis_in(folder: Path, key: str = "fdg", **changes: Any) -> Path:
    """A folder as ``petsynth synthesize`` leaves it, as far as it matters here."""
    (folder / "space").mkdir(parents=True)
    NativeToTemplate(np.eye(4)).write(folder / "space" / "native_to_template.tfm")
    names = [marks.file_name(key, part, ".nii.gz") for part in ("suvr", "sd")]
    write_image(folder / names[0], lopsided(), marks.NIFTI_DESCRIPTION)
    write_image(folder / names[1], 0.1 * lopsided(), marks.NIFTI_DESCRIPTION)
    body = {
        "Synthetic": True,
        "Tracer": key,
        "Evidence": "simulation",
        "ConditioningVariables": {"Used": ["age"]},
        "Model": {"bundle_sha256": "ab" * 32},
        "Outputs": {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names},
        **changes,
    }
    (folder / marks.file_name(key, "", ".json")).write_text(json.dumps(body), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True, scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Pages of a few pixels; how they are drawn has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(ssp, "render_page", lambda *_: Image.new("RGB", (8, 8)))
        yield


@pytest.fixture(scope="module")
def fdg(quick: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finished]:
    """The folder of a synthesis, and what became of it; not to be changed."""
    folder = synthesis_in(tmp_path_factory.mktemp("fdg") / "synthesis")
    return folder, run(folder, palette="uniform")


@pytest.fixture
def synthesis(tmp_path: Path) -> Path:
    return synthesis_in(tmp_path / "synthesis")


@pytest.fixture
def acquired(tmp_path: Path) -> ProjectRequest:
    """An acquired PET in kBq/mL and the transform of its scan."""
    folder = tmp_path / "acquired"
    folder.mkdir()
    write_image(folder / "pet.nii.gz", 5000.0 * lopsided())
    NativeToTemplate(np.eye(4)).write(folder / "to_template.tfm")
    pet, transform = folder / "pet.nii.gz", folder / "to_template.tfm"
    return ProjectRequest(str(pet), str(tmp_path / "out"), "fdg", str(transform))


def run(pet: Path, **changes: Any) -> Finished:
    """Project the PET of a folder into the folder beside it."""
    return run_request(ProjectRequest(str(pet), str(pet.parent / "out"), **changes))


def run_request(request: ProjectRequest) -> Finished:
    return run_projection(request, lambda _: None, Cancellation())


def numbers(made: Finished) -> dict[str, np.ndarray]:
    """The arrays of a result, read without pickles."""
    (path,) = made.path.parent.glob("*.npz")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def record(made: Finished) -> dict[str, Any]:
    name = next(n for n in made.body["files"] if n.endswith("ssp.json"))
    return dict(json.loads((made.path.parent / name).read_text(encoding="utf-8")))


def over(side: str, *names: str) -> np.ndarray:
    """Cortex of the named regions of a side, a few millimetres inside their borders."""
    surface = surfaces()[side]
    return np.isin(surface.labels, labels_named(*names, side=side)) & surface.cortex


def test_the_folder_of_a_synthesis_is_enough(fdg: tuple[Path, Finished]) -> None:
    made = fdg[1]
    stem = "fdg_synth_ssp"
    assert set(made.body["files"]) == {f"{stem}.{k}" for k in ("png", "pdf", "npz", "json")} | {
        "request.json"
    }
    assert made.body["kind"] == "project"
    assert made.body["notices"] == [marks.DEMONSTRATION]
    assert made.body["references"]["PNS"] == pytest.approx(1.0, abs=0.01)


def test_numbers_lie_at_the_vertices_of_their_side(fdg: tuple[Path, Finished]) -> None:
    arrays = numbers(fdg[1])
    count = len(surfaces()["L"].vertices)
    assert {n for n in arrays if n != "description"} == {
        f"{name}_{side}" for name in ("uptake", "depth", "sd") for side in "LR"
    }
    assert all(a.shape == (count,) for n, a in arrays.items() if n != "description")
    assert all(a.dtype == np.float32 for n, a in arrays.items() if n != "description")
    # Left frontal has 1.3, right temporal 0.7 (`lopsided`); the spread is a tenth of it.
    frontal, temporal = "rostralmiddlefrontal", "middletemporal"
    assert np.median(arrays["uptake_L"][over("L", frontal)]) == pytest.approx(1.3, abs=0.01)
    assert np.median(arrays["uptake_R"][over("R", frontal)]) == pytest.approx(1.0, abs=0.01)
    assert np.median(arrays["uptake_R"][over("R", temporal)]) == pytest.approx(0.7, abs=0.01)
    assert np.median(arrays["sd_R"][over("R", temporal)]) == pytest.approx(0.07, abs=0.001)


def test_numbers_and_record_say_what_they_are(fdg: tuple[Path, Finished]) -> None:
    synthesis, made = fdg
    assert str(numbers(made)["description"]).startswith(marks.NIFTI_COMMENT)
    body = record(made)
    pet = synthesis / "fdg_synth_suvr.nii.gz"
    digest = hashlib.sha256(pet.read_bytes()).hexdigest()
    assert body["Synthetic"] is True
    assert body["FirstLines"] == [marks.DEMONSTRATION]
    assert body["Sources"] == [{"Role": "PET", "Name": pet.name, "sha256": digest}]
    assert body["Maps"]["uptake"]["unit"] == "SUVR"
    assert body["References"]["PNS"]["region"] == "pons"
    for name, written in body["Outputs"].items():
        content = (made.path.parent / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == written


def test_low_middle_and_high_of_an_exploratory_tracer_go_together(tmp_path: Path) -> None:
    made = run(synthesis_in(tmp_path / "pib", "pib"))
    arrays = numbers(made)
    assert record(made)["OnlyTogether"] == ["low10", "uptake", "high90"]
    # 80 % of a normal distribution lie within 1.2816 SD; the SD is a tenth of the uptake.
    frontal = over("L", "rostralmiddlefrontal")
    low, middle, high = (arrays[f"{n}_L"][frontal] for n in ("low10", "uptake", "high90"))
    assert np.median(high / middle) == pytest.approx(1.128, abs=1e-3)
    assert np.median(low / middle) == pytest.approx(0.872, abs=1e-3)


def test_an_acquired_pet_of_a_simulated_person_in_any_unit(acquired: ProjectRequest) -> None:
    Path(acquired.pet).with_name("pet.json").write_text('{"Simulated": true}', encoding="utf-8")
    made = run_request(acquired)
    assert made.body["notices"] == record(made)["FirstLines"] == [marks.SIMULATED]
    assert {"fdg_ssp.png", "fdg_ssp.pdf", "fdg_ssp.npz"} < set(made.body["files"])
    assert made.body["references"]["PNS"] == pytest.approx(1.0, abs=0.01)
    assert record(made)["Synthetic"] is False
    assert marks.WORD not in str(numbers(made)["description"])


def test_z_of_every_reference_where_the_normals_are_for_this_pet(
    acquired: ProjectRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "read_database", lambda _: database())
    person = ClinicalRecord(age=70.0, sex="F")
    made = run_request(replace(acquired, database=str(Path(acquired.pet).parent), clinical=person))
    arrays = numbers(made)
    assert {"fdg_ssp-decrease.png", "fdg_ssp-increase.pdf"} < set(made.body["files"])
    assert {f"z_{key}_{side}" for key in REFERENCES for side in "LR"} < set(arrays)
    # No uncertainty of an acquired PET is known.
    assert not [name for name in arrays if name.startswith("reliable")]
    # Normal mean 1.5 / 0.75 pons = 2, SD 0.12 / 0.75 = 0.16 (`normative_case`), more by the
    # widening of 40 normals: (2 - 0.7) / 0.16 = 8.1 at most.
    low = np.median(arrays["z_PNS_R"][over("R", "middletemporal")])
    assert 7.0 < low < 8.2
    assert record(made)["Database"]["n"] == 40


def test_z_within_the_models_own_spread_is_not_reliable(
    synthesis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "read_database", lambda _: database(bundle="ab" * 32))
    body = json.loads((synthesis / "fdg_synth.json").read_text(encoding="utf-8"))
    (synthesis / "fdg_synth.json").write_text(
        json.dumps({**body, "Evidence": "real pairs"}), encoding="utf-8"
    )
    made = run(synthesis, database=str(synthesis), clinical=ClinicalRecord(age=70.0, sex="F"))
    arrays = numbers(made)
    z, reliable = arrays["z_PNS_R"], arrays["reliable_PNS_R"]
    assert reliable.dtype == bool
    # Own uncertainty in z: SD 0.07 of the uptake 0.7 / normal SD 0.16, about 0.4.
    own = np.median(0.07 / 0.16)
    temporal = over("R", "middletemporal")
    assert reliable[temporal].mean() == pytest.approx((np.abs(z[temporal]) > own).mean(), abs=0.1)


def test_regions_that_are_not_informative_are_told_to_the_page(
    synthesis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "region\tside\tnote\nprecuneus\tL\tnot informative\ncuneus\tL\tn/a\n"
    (synthesis / "fdg_synth_regions.tsv").write_text(table, encoding="utf-8")
    body = json.loads((synthesis / "fdg_synth.json").read_text(encoding="utf-8"))
    body["Outputs"]["fdg_synth_regions.tsv"] = hashlib.sha256(table.encode()).hexdigest()
    (synthesis / "fdg_synth.json").write_text(json.dumps(body), encoding="utf-8")
    seen: list[Any] = []
    monkeypatch.setattr(module, "write_surface", lambda _, result, *__: seen.append(result))
    run(synthesis)
    assert seen[0].unsure == {("precuneus", "L")}


def test_the_command_runs_the_same_request(
    fdg: tuple[Path, Finished], capsys: pytest.CaptureFixture[str]
) -> None:
    synthesis, by_hand = fdg
    assert main(["ssp", str(synthesis), "--palette", "uniform"]) == 0
    said = capsys.readouterr().out
    assert "PNS 1.00" in said
    out = synthesis / "ssp"
    assert "fdg_synth_ssp.npz" in said
    request = read_request(out / "request.json")
    assert request == ProjectRequest(str(synthesis), str(out), palette="uniform")
    again = {path.name: path for path in out.glob("*.npz")}
    with np.load(again["fdg_synth_ssp.npz"]) as file:
        for name, array in numbers(by_hand).items():
            assert np.array_equal(file[name], array), name


def test_the_worker_knows_the_kind(synthesis: Path) -> None:
    (synthesis / "fdg_synth.json").unlink()
    body = ProjectRequest(str(synthesis), str(synthesis.parent / "out"), "fdg").as_dict()
    assert project_request_from_dict(body).as_dict() == body
    with pytest.raises(PETSynthError, match="the JSON file that says how it was made"):
        KINDS["project"](json.loads(json.dumps(body)), lambda _: None, Cancellation())


def test_the_folder_of_a_synthesis_is_not_overwritten(synthesis: Path) -> None:
    (synthesis / "request.json").write_text('{"kind": "synthesize", "version": 1}')
    with pytest.raises(PETSynthError, match="another kind of run"):
        run_request(ProjectRequest(str(synthesis), str(synthesis)))


class TestRefused:
    @staticmethod
    def code(request: ProjectRequest) -> ErrorCode:
        out = Path(request.output)
        before = out.is_file()
        with pytest.raises(PETSynthError) as caught:
            run_request(request)
        assert caught.value.exit_status == 2
        assert not out.is_dir()
        assert out.is_file() == before
        return caught.value.code

    def of(self, pet: Path, **changes: Any) -> ErrorCode:
        return self.code(ProjectRequest(str(pet), str(pet.parent / "out"), **changes))

    def test_a_synthetic_pet_without_its_json_file(self, synthesis: Path) -> None:
        (synthesis / "fdg_synth.json").unlink()
        assert self.of(synthesis, tracer="fdg") is ErrorCode.BAD_DATA

    def test_a_renamed_synthetic_pet_is_known_by_its_header(self, synthesis: Path) -> None:
        (synthesis / "fdg_synth_suvr.nii.gz").rename(synthesis / "scan.nii.gz")
        assert self.of(synthesis / "scan.nii.gz", tracer="fdg") is ErrorCode.BAD_DATA

    def test_a_synthetic_pet_that_was_changed(self, synthesis: Path) -> None:
        write_image(synthesis / "fdg_synth_suvr.nii.gz", 2.0 * lopsided())
        assert self.of(synthesis) is ErrorCode.BAD_DATA

    def test_another_tracer_than_the_synthetic_pet_shows(self, synthesis: Path) -> None:
        assert self.of(synthesis, tracer="pib") is ErrorCode.BAD_REQUEST

    def test_a_folder_without_a_pet(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        assert self.of(tmp_path / "empty") is ErrorCode.BAD_REQUEST

    def test_a_demonstration_model_beside_normals(
        self, synthesis: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "read_database", lambda _: database(bundle="ab" * 32))
        request = ProjectRequest(
            str(synthesis),
            str(synthesis.parent / "out"),
            database=str(synthesis),
            clinical=ClinicalRecord(age=70.0, sex="F"),
        )
        with pytest.raises(PETSynthError, match="comes from a demonstration model"):
            run_request(request)
        assert not Path(request.output).exists()

    def test_an_acquired_pet_without_tracer(self, acquired: ProjectRequest) -> None:
        assert self.code(replace(acquired, tracer="")) is ErrorCode.BAD_REQUEST

    def test_an_unknown_tracer(self, acquired: ProjectRequest) -> None:
        assert self.code(replace(acquired, tracer="water")) is ErrorCode.UNSUPPORTED_TRACER

    def test_an_acquired_pet_without_transform(self, acquired: ProjectRequest) -> None:
        assert self.code(replace(acquired, transform=None)) is ErrorCode.BAD_REQUEST

    def test_an_empty_pet(self, acquired: ProjectRequest) -> None:
        write_image(Path(acquired.pet), np.zeros(CANONICAL.shape))
        assert self.code(acquired) is ErrorCode.BAD_IMAGE

    def test_an_output_that_is_a_file(self, synthesis: Path) -> None:
        (synthesis.parent / "out").write_text("mine", encoding="utf-8")
        assert self.of(synthesis) is ErrorCode.BAD_OUTPUT
        assert (synthesis.parent / "out").read_text(encoding="utf-8") == "mine"

    def test_a_palette_there_is_not(self) -> None:
        with pytest.raises(PETSynthError, match="'rainbow' is not known"):
            ProjectRequest("pet.nii", "out", palette="rainbow")
