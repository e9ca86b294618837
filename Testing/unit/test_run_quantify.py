"""``petsynth quantify`` from files to files: hand-worked answers, and every bad input."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import normative_case
import numpy as np
import pytest
import SimpleITK as sitk
from normative_case import MEAN, database
from quantify_case import (
    freesurfer,
    native_grid,
    pet_volume,
    prepared,
    regions,
    uptake,
    with_lesion,
    write,
)
from scipy import ndimage

from PETSynthLib.assets import reference_mask
from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.cli import main
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.normative.database import ARRAYS, write_database
from PETSynthLib.preprocess.pet_alignment import PetAlignment
from PETSynthLib.preprocess.warp import only_affine
from PETSynthLib.quantify import quantify
from PETSynthLib.quantify.regions import labels_of
from PETSynthLib.request import QuantifyRequest, Regions
from PETSynthLib.run import quantify_job, quantify_walk
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.quantify_walk import measure_pet
from PETSynthLib.run.worker import KINDS
from PETSynthLib.volume import CANONICAL

AFFINE = native_grid().affine
OKAY = Finding("stub", 0.0, "", Verdict.GREEN, "Fine.")


def in_place(*_: object, **__: object) -> tuple[PetAlignment, list[Finding]]:
    """A PET that lies on its T1; how that is measured has its own tests."""
    return PetAlignment(np.eye(4), False, 0.0, 1.0, "In its place."), [OKAY]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither preparation nor registration: the head is the template itself."""
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(quantify_walk, "place_pet", in_place)
    monkeypatch.setattr(
        quantify_walk, "fit_warp", lambda p, *_: (only_affine(p.transform), {}, OKAY)
    )
    monkeypatch.setattr(quantify_job, "measure_pet", partial(measure_pet, prepare=prepared))


def every_region() -> list[tuple[str, str]]:
    """Region and side of every row that a synthesis writes."""
    table = quantify(pet_volume(uptake()), None, regions().labels, {})
    return [(row.region, row.side) for row in (*table.headline, *table.regions)]


class Case:
    """A folder with a T1, PETs and what goes with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.t1 = write(folder / "t1.nii.gz", pet_volume(uptake()).data * 100.0, AFFINE)

    def pet(self, data: np.ndarray, name: str = "pet.nii.gz", gain: float = 5000.0) -> Path:
        return write(self.folder / name, gain * pet_volume(data).data, AFFINE)

    def run(self, pet: Path, out: str = "out", **changes: Any) -> dict[tuple[str, str], dict]:
        request = QuantifyRequest(str(pet), str(self.t1), str(self.folder / out), "fdg")
        quantify_job.run_quantification(replace(request, **changes), lambda _: None, Cancellation())
        return self.rows(out)

    def rows(self, out: str = "out") -> dict[tuple[str, str], dict]:
        (table,) = (self.folder / out).glob("*_regions.tsv")
        with table.open(encoding="utf-8") as stream:
            found = csv.DictReader(stream, delimiter="\t")
            return {(row["region"], row["side"]): row for row in found}

    def refusal(self, pet: Path, out: str = "out", **changes: Any) -> PETSynthError:
        """The error of a run that has to leave nothing behind."""
        before = sorted(self.folder.iterdir())
        with pytest.raises(PETSynthError) as caught:
            self.run(pet, out, **changes)
        assert caught.value.exit_status == 2
        assert sorted(p for p in self.folder.iterdir() if p.name != "home") == [
            p for p in before if p.name != "home"
        ]
        return caught.value


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture(scope="module")
def normals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ndb") / "normals"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normative_case, "SD", 0.08)
        write_database(database.__wrapped__(), folder)
    return folder


OF_SEVENTY = {"clinical": ClinicalRecord(age=70.0, sex="F")}


def test_a_constant_volume_is_one_everywhere(case: Case) -> None:
    inside = np.where(uptake() > 0, 1.0, 0.0)
    for (region, side), row in case.run(case.pet(inside)).items():
        if row["note"] == "n/a":
            assert float(row["suvr"]) == pytest.approx(1.0, abs=1e-4), (region, side)
            assert float(row["suvr_sd_voxels"]) == pytest.approx(0.0, abs=1e-4)


def test_the_unit_of_the_pet_does_not_matter(case: Case) -> None:
    first = case.run(case.pet(uptake(), gain=5000.0), "one")
    second = case.run(case.pet(uptake(), "other.nii.gz", gain=0.25), "two")
    for place in (("precuneus", "L"), ("fdg_ad_metaroi", "both")):
        assert float(first[place]["suvr"]) == pytest.approx(float(second[place]["suvr"]), abs=2e-4)


@pytest.mark.parametrize("change", ["LPS", "shifted"])
def test_how_the_files_are_stored_changes_no_number(case: Case, change: str) -> None:
    lesion = with_lesion("precuneus.L")
    plain = case.run(case.pet(lesion), "plain")
    data, t1 = 5000.0 * pet_volume(lesion).data, 100.0 * pet_volume(uptake()).data
    affine = AFFINE.copy()
    if change == "LPS":
        # First two axes run the other way; the header says so.
        data, t1 = data[::-1, ::-1], t1[::-1, ::-1]
        affine[:3, 3] += affine[:3, :2] @ (np.array(data.shape[:2]) - 1)
        affine[:, :2] *= -1.0
    else:
        # Two empty voxels more on one side, with the origin moved to match.
        data, t1 = (np.pad(one, ((2, 0), (0, 0), (0, 0))) for one in (data, t1))
        affine[:3, 3] -= 2.0 * affine[:3, 0]
    case.t1 = write(case.folder / "t1b.nii.gz", t1, affine)
    other = case.run(write(case.folder / "b.nii.gz", data, affine), "other")
    assert other == plain


def test_a_lesion_of_thirty_percent_is_found_on_its_side_alone(case: Case, normals: Path) -> None:
    # Normals are 1.5 everywhere, SD 0.08: a loss of 30 % is z = 5.6 before anything blurs.
    # The hippocampus is hurt as well, but on slices of 4 mm it is not shown.
    hurt = with_lesion("inferiorparietal.L") < 0.99 * uptake()
    hurt |= with_lesion("hippocampus.L") < 0.99 * uptake()
    lesion = np.where(hurt, 0.7 * MEAN, MEAN)
    # The reference is 1, with a margin so that nothing else is mixed into it.
    pons = ndimage.binary_dilation(reference_mask("pons").mask, iterations=3)
    lesion = np.where(pons, 1.0, lesion)
    rows = case.run(case.pet(lesion), database=str(normals), **OF_SEVENTY)
    hurt, opposite = rows["inferiorparietal", "L"], rows["inferiorparietal", "R"]
    assert float(hurt["z"]) > 4.0
    assert hurt["flag"] == "yes"
    assert abs(float(opposite["z"])) < 2.0
    assert opposite["flag"] == "no"
    assert float(hurt["fill_state_percent"]) > 50.0 > float(opposite["fill_state_percent"])
    assert float(hurt["normal_low"]) < float(hurt["expected"]) < float(hurt["normal_high"])
    assert float(hurt["suvr_template"]) < float(hurt["normal_low"])
    told = json.loads(next((case.folder / "out").glob("*_acquired_suvr.json")).read_text())
    frontal = rows["frontal_lobe", "both"]
    seen, usual = (float(frontal[column]) for column in ("suvr_template", "expected"))
    (line,) = (line for line in told["HeadlineText"] if line.startswith("Frontal"))
    assert f"; on the template {seen:.2f}, expected {usual:.2f}, z " in line
    space = case.folder / "out" / "space"
    beyond = nib.load(space / "beyond_normals.nii.gz").get_fdata()
    labels = nib.load(space / "regions.nii.gz").get_fdata()
    left, right = (
        beyond[labels == labels_of("inferiorparietal", side)[0]].mean() for side in ("L", "R")
    )
    assert left > 0.5 > right, "where z is beyond 2, as the fill state says"
    assert rows["inferiorparietal", "both"]["asymmetry"].startswith("left lower by ")
    assert rows["hippocampus", "L"]["note"].startswith("not shown")
    flagged = sum(row["flag"] == "yes" for row in rows.values())
    header = json.loads((case.folder / "out" / "result.json").read_text("utf-8"))["notices"]
    (said,) = (line for line in header if "flagged" in line)
    assert f" {flagged} " in said.partition("flagged")[0]
    assert "Not shown, and not counted: " in said
    # There was uptake everywhere; what is kept is the brain.
    kept = nib.load(case.folder / "out" / "fdg_acquired_suvr.nii.gz").get_fdata()
    assert kept[0, 0, 0] == 0.0
    assert np.median(kept[kept > 1.2]) == pytest.approx(MEAN, abs=1e-3)


def test_regions_by_the_affine_bend_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantify_walk, "fit_warp", lambda *_: pytest.fail("nobody asked for it"))
    case.run(case.pet(uptake()), regions=Regions.AFFINE)
    body = json.loads((case.folder / "out" / "fdg_acquired_suvr.json").read_text("utf-8"))
    assert body["Regions"] == {"source": "atlas, affine"}
    assert "deformable_alignment" not in {check["name"] for check in body["Checks"]}


def test_native_and_template_agree_within_two_percent(case: Case) -> None:
    # As smooth as a PET is (8 mm): what is sharper than the voxels depends on where they lie.
    smooth = pet_volume(ndimage.gaussian_filter(uptake(), 1.7), spacing=3.0)
    case.t1 = write(
        case.folder / "t1b.nii.gz", pet_volume(uptake(), spacing=3.0).data, smooth.affine
    )
    case.run(write(case.folder / "pet.nii.gz", 5000.0 * smooth.data, smooth.affine))
    body = json.loads((case.folder / "out" / "fdg_acquired_suvr.json").read_text("utf-8"))
    check = next(one for one in body["Checks"] if one["name"] == "native_template")
    assert check["value"] <= 2.0


def test_amyloid_is_put_on_a_scale_and_called_uncalibrated(case: Case) -> None:
    case.run(case.pet(uptake()), tracer="pib", reference="cerebellum_whole")
    body = json.loads((case.folder / "out" / "pib_acquired_suvr.json").read_text("utf-8"))
    (line,) = body["Scales"]
    assert line["scale"] == "centiloid"
    assert not line["calibrated"]
    assert "uncalibrated" in line["unit"]


def test_partial_volume_correction_stands_beside(case: Case) -> None:
    rows = case.run(case.pet(uptake()), gtm_fwhm_mm=3.0)
    row = rows["precuneus", "L"]
    assert row["suvr_gtm"] != "n/a"
    assert row["suvr_gtm"] != row["suvr"]
    body = json.loads((case.folder / "out" / "fdg_acquired_suvr.json").read_text("utf-8"))
    assert body["PartialVolume"]["fwhm_mm"] == 3.0


class TestBadInput:
    def test_a_wrong_tracer_name_is_met_with_the_nearest(self, case: Case) -> None:
        error = case.refusal(case.pet(uptake()), tracer="florbetapyr")
        assert error.code is ErrorCode.UNSUPPORTED_TRACER
        assert "Did you mean florbetapir?" in error.hint

    def test_a_truncated_pet(self, case: Case) -> None:
        cut = pet_volume(uptake()).data.copy()
        cut[:, :, :14] = 0.0
        pet = write(case.folder / "cut.nii.gz", cut, AFFINE)
        error = case.refusal(pet)
        assert "shows only" in error.text
        assert error.check == "pet_coverage"

    def test_a_truncated_pet_may_be_measured_knowingly_but_not_without_reference(
        self, case: Case
    ) -> None:
        cut = pet_volume(uptake()).data.copy()
        cut[:, :, 31:] = 0.0
        pet = write(case.folder / "cut.nii.gz", cut, AFFINE)
        case.run(pet, overridden_checks=("pet_coverage",))
        body = json.loads((case.folder / "out" / "result.json").read_text("utf-8"))
        assert any(f["overridden"] for f in body["findings"])
        assert "Overridden by the user: pet_coverage." in body["notices"]
        below = pet_volume(uptake()).data.copy()
        below[:, :, :20] = 0.0
        pet = write(case.folder / "below.nii.gz", below, AFFINE)
        error = case.refusal(pet, "no", overridden_checks=("pet_coverage",))
        assert "shows no uptake" in error.text

    def test_an_unknown_reference(self, case: Case) -> None:
        pet = case.pet(uptake())
        with pytest.raises(PETSynthError, match="'cerebelum' is not known"):
            case.run(pet, reference="cerebelum")

    def test_a_database_of_another_tracer(self, case: Case, normals: Path) -> None:
        pet = case.pet(uptake())
        error = case.refusal(pet, tracer="pib", database=str(normals), **OF_SEVENTY)
        assert "is of FDG, the PET of PiB" in error.text

    def test_a_database_without_age_and_sex(self, case: Case, normals: Path) -> None:
        error = case.refusal(case.pet(uptake()), database=str(normals))
        assert "--age" in error.hint

    def test_an_age_outside_the_span_is_said_beside_every_z(
        self, case: Case, normals: Path
    ) -> None:
        old = {"clinical": ClinicalRecord(age=99.0, sex="F")}
        case.run(case.pet(uptake()), database=str(normals), **old)
        body = json.loads((case.folder / "out" / "fdg_acquired_suvr.json").read_text("utf-8"))
        check = next(one for one in body["Checks"] if one["name"] == "age_span")
        assert check["verdict"] == "amber"
        assert check["sentence"].startswith("EXTRAPOLATED AGE: 99 years")

    def test_a_database_with_corrupted_arrays(self, case: Case, tmp_path: Path) -> None:
        folder = tmp_path / "broken"
        write_database(database(), folder)
        content = bytearray((folder / ARRAYS).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (folder / ARRAYS).write_bytes(bytes(content))
        error = case.refusal(case.pet(uptake()), database=str(folder), **OF_SEVENTY)
        assert "missing or damaged" in error.text

    def test_a_demonstration_database_on_a_person(self, case: Case, tmp_path: Path) -> None:
        folder = tmp_path / "demo"
        write_database(database(demo=True), folder)
        pet = case.pet(uptake())
        error = case.refusal(pet, database=str(folder), **OF_SEVENTY)
        assert "is a demonstration" in error.text
        (case.folder / "pet.json").write_text('{"Simulated": true}', encoding="utf-8")
        case.run(pet, database=str(folder), **OF_SEVENTY)

    def test_the_t1_in_the_place_of_its_pet(self, case: Case) -> None:
        assert "are the same image" in case.refusal(case.t1).text

    def test_a_parcellation_of_another_grid(
        self, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def waited(*_: object) -> None:
            raise AssertionError("the atlas was bent first, which takes a minute")

        monkeypatch.setattr("PETSynthLib.run.quantify_walk.atlas_warp", waited)
        far = AFFINE.copy()
        far[1, 3] += 60.0
        labels = write(tmp_path / "aseg.nii.gz", freesurfer(), far)
        error = case.refusal(case.pet(uptake()), parcellation=str(labels))
        assert "another grid" in error.text

    def test_the_space_of_another_head(self, case: Case, tmp_path: Path) -> None:
        (tmp_path / "space").mkdir()
        error = case.refusal(case.pet(uptake()), space=str(tmp_path / "space"))
        assert "holds no brain mask and transform of this T1" in error.text

    def test_a_folder_with_a_synthesis_is_left_alone(self, case: Case) -> None:
        out = case.folder / "taken"
        out.mkdir()
        (out / "request.json").write_text('{"kind": "synthesize", "version": 1}')
        error = case.refusal(case.pet(uptake()), "taken")
        assert "result of another kind of run" in error.text
        assert [p.name for p in out.iterdir()] == ["request.json"]


class TestSynthetic:
    """A synthetic PET keeps its mark, its intervals and its silence."""

    @pytest.fixture
    def synthesis(self, case: Case) -> Path:
        folder = case.folder / "synthesis"
        folder.mkdir()
        pet = write(folder / "fdg_synth_suvr.nii.gz", pet_volume(uptake()).data, AFFINE)
        sd = write(folder / "fdg_synth_sd.nii.gz", 0.1 * pet_volume(uptake()).data, AFFINE)
        cells = dict.fromkeys(every_region(), "1.0\tn/a\tn/a\tn/a")
        cells["precuneus", "L"] = "1.5\t1.3\t1.7\tn/a"
        cells["cuneus", "L"] = "n/a\tn/a\tn/a\tnot informative"
        lines = [
            "synthetic\tregion\tside\tsuvr\tinterval90_low\tinterval90_high\tnote",
            *(f"TRUE\t{name}\t{side}\t{rest}" for (name, side), rest in cells.items()),
        ]
        table = folder / "fdg_synth_regions.tsv"
        table.write_text("\n".join(lines), encoding="utf-8")
        body = {
            "Synthetic": True,
            "Tracer": "fdg",
            "Evidence": "simulation",
            "ConditioningVariables": {"Used": ["age"]},
            "Model": {"name": "flow", "bundle_sha256": "ab" * 32},
            "Sources": [{"Role": "T1", "sha256": hashlib.sha256(case.t1.read_bytes()).hexdigest()}],
            "Outputs": {
                one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in (pet, sd, table)
            },
        }
        (folder / "fdg_synth.json").write_text(json.dumps(body), encoding="utf-8")
        return folder

    def test_every_row_is_marked_and_bears_the_interval_of_the_synthesis(
        self, case: Case, synthesis: Path
    ) -> None:
        rows = case.run(synthesis, tracer="")
        assert {row["synthetic"] for row in rows.values()} == {"TRUE"}
        row = rows["precuneus", "L"]
        middle = float(row["suvr"])
        assert float(row["interval90_low"]) == pytest.approx(middle - 0.2, abs=2e-4)
        assert rows["precuneus", "R"]["interval90_low"] == "n/a"
        assert not list((case.folder / "out").glob("*suvr.nii.gz")), "the PET is not copied"

    def test_its_report_gets_the_uncertainty_of_the_synthesis(
        self, case: Case, synthesis: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: dict[str, Any] = {}

        def report(path: Path, **words: object) -> None:
            given.update(words)
            path.write_text("", encoding="utf-8")

        monkeypatch.setattr(quantify_walk, "write_quantification_report", report)
        case.run(synthesis, tracer="")
        assert given["unsure"] == {("cuneus", "L")}
        assert (given["sd"].quantity, given["sd"].shape) == ("sd", CANONICAL.shape)

    def test_what_the_synthesis_did_not_show_stays_hidden(
        self, case: Case, synthesis: Path
    ) -> None:
        row = case.run(synthesis, tracer="")["cuneus", "L"]
        assert (row["suvr"], row["note"]) == ("n/a", "not informative")
        assert {row["suvr_template"], row["suvr_median"], row["asymmetry"]} == {"n/a"}

    def test_it_is_refused_on_another_t1(self, case: Case, synthesis: Path) -> None:
        case.t1 = write(case.folder / "t1b.nii.gz", pet_volume(uptake()).data * 90.0, AFFINE)
        error = case.refusal(synthesis, tracer="")
        assert "was made from another MRI" in error.text

    def test_it_is_not_held_against_normals(
        self, case: Case, synthesis: Path, normals: Path, tmp_path: Path
    ) -> None:
        error = case.refusal(synthesis, tracer="", database=str(normals), **OF_SEVENTY)
        assert "is of acquired PET, this PET is synthetic" in error.text
        own = tmp_path / "own"
        write_database(database(bundle="ab" * 32), own)
        error = case.refusal(synthesis, tracer="", database=str(own), **OF_SEVENTY)
        assert "demonstration model" in error.text

    def test_reference_and_partial_volume_stay_as_they_are(
        self, case: Case, synthesis: Path
    ) -> None:
        assert (
            "keeps the reference"
            in case.refusal(synthesis, tracer="", reference="cerebellum_grey").text
        )
        assert "for acquired PET" in case.refusal(synthesis, tracer="", gtm_fwhm_mm=6.0).text

    @pytest.mark.parametrize("how", ["renamed", "nrrd"])
    def test_a_renamed_or_converted_one_does_not_pass_for_acquired(
        self, case: Case, synthesis: Path, how: str
    ) -> None:
        data = pet_volume(uptake()).data
        image = nib.Nifti1Image(data, AFFINE)
        image.header["descrip"] = marks.NIFTI_DESCRIPTION.encode()
        path = case.folder / "scan.nii.gz"
        nib.save(image, path)
        if how == "nrrd":
            copy = sitk.ReadImage(str(path))
            for key in copy.GetMetaDataKeys():
                copy.EraseMetaData(key)
            copy.SetMetaData("PETSynth.Synthetic", "1")
            path = case.folder / "scan.nrrd"
            sitk.WriteImage(copy, str(path))
        assert "This PET is synthetic" in case.refusal(path).text

    def test_without_its_table_it_is_not_known_what_may_be_shown(
        self, case: Case, synthesis: Path
    ) -> None:
        (synthesis / "fdg_synth_regions.tsv").unlink()
        assert "it is not known which of its values" in case.refusal(synthesis, tracer="").text

    def test_a_parcellation_gets_no_interval_and_is_told_why(
        self, case: Case, synthesis: Path, tmp_path: Path
    ) -> None:
        labels = write(tmp_path / "aseg.nii.gz", freesurfer(), AFFINE)
        rows = case.run(synthesis, tracer="", parcellation=str(labels))
        assert {row["interval90_low"] for row in rows.values()} == {"n/a"}
        assert rows["cuneus", "L"]["note"] == "not informative"
        body = json.loads((case.folder / "out" / "result.json").read_text("utf-8"))
        said = {finding["name"]: finding["sentence"] for finding in body["findings"]}
        assert said["interval_regions"].startswith("No 90 % intervals")


def test_command_line_and_worker_give_the_same_numbers(
    case: Case,
) -> None:
    pet = case.pet(with_lesion("insula.R"))
    out = case.folder / "typed"
    words = ["quantify", str(pet), "--t1", str(case.t1), "--tracer", "fdg", "-o", str(out)]
    assert main([*words, "--quiet"]) == 0
    body = json.loads((out / "request.json").read_text(encoding="utf-8"))
    assert body["kind"] == "quantify"
    body["output"] = str(case.folder / "sent")
    KINDS["quantify"](body, lambda _: None, Cancellation())
    assert case.rows("sent") == case.rows("typed")
    assert main(["run", str(case.folder / "sent" / "request.json"), "--quiet"]) == 0
