"""The BIDS derivative: names, places, sidecars; and what the standard's own validator says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_validator_case import bids_errors
from finished_case import measurement, synthesis, t1_file

from PETSynthLib.assets import atlas_volume
from PETSynthLib.batch import participants
from PETSynthLib.export.bids_dataset import derivative_description
from PETSynthLib.export.finished import Finished, read_finished
from PETSynthLib.export.formats.bids import write_bids
from PETSynthLib.export.formats.bids_names import person_of
from PETSynthLib.progress import Silent
from PETSynthLib.volume import CANONICAL


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BIDS data set with one T1."""
    folder = tmp_path_factory.mktemp("raw")
    (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    t1_file(folder / "sub-07" / "ses-01" / "anat" / "sub-07_ses-01_acq-fast_T1w.nii.gz")
    return folder


@pytest.fixture(scope="module")
def made(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """Results of that T1, and of one that is not in BIDS."""
    folder = tmp_path_factory.mktemp("results")
    (t1,) = raw.rglob("*_T1w.nii.gz")
    stray = t1_file(folder / "Smith, Eva.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(folder / "home"))
        return {
            "fdg": read_finished(synthesis(folder / "fdg", t1)),
            "pib": read_finished(synthesis(folder / "pib", stray, "pib", "simulation")),
            "acquired": read_finished(measurement(folder / "acquired", t1, z=True)),
        }


def written(finished: Finished, folder: Path, subject: str = "", bare: bool = False) -> list[str]:
    folder.mkdir(exist_ok=True)
    files = write_bids(finished, folder, folder, subject, bare, Silent())
    assert sorted(files) == sorted(p for p in folder.rglob("*") if p.is_file())
    return [p.relative_to(folder).as_posix() for p in files]


def body_of(path: Path) -> dict[str, object]:
    return dict(json.loads(path.read_text("utf-8")))


def test_names_of_a_scan_in_bids(made: dict[str, Finished], tmp_path: Path) -> None:
    files = written(made["fdg"], tmp_path / "out")
    begin = "sub-07/ses-01/pet/sub-07_ses-01_trc-18FFDG"
    anatomy = "sub-07/ses-01/anat/sub-07_ses-01"
    images = [
        f"{begin}_space-T1w_desc-synthExpected_pet",
        f"{begin}_space-T1w_desc-synthSample01_pet",
        f"{begin}_space-T1w_desc-synthStd_pet",
        f"{begin}_space-T1w_desc-synthSUVR_pet",
        f"{begin}_space-MNI152NLin2009aSym_res-2_desc-synthSUVR_pet",
    ]
    assert sorted(files) == sorted(
        [
            "dataset_description.json",
            "README",
            ".bidsignore",
            *(f"{name}{suffix}" for name in images for suffix in (".nii.gz", ".json")),
            f"{begin}_desc-synthROI_stat.tsv",
            f"{begin}_desc-synthROI_stat.json",
            *(
                f"{anatomy}_space-T1w_desc-synthRegions_dseg{s}"
                for s in (".nii.gz", ".tsv", ".json")
            ),
        ]
    )


def test_sidecars_hold_what_a_computed_pet_can_say_and_nothing_a_scanner_would(
    made: dict[str, Finished], raw: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    written(made["fdg"], out)
    pet = out / "sub-07" / "ses-01" / "pet"
    body = body_of(pet / "sub-07_ses-01_trc-18FFDG_space-T1w_desc-synthSUVR_pet.json")
    wanted = {
        "Synthetic": True,
        "TracerName": "FDG (simulated)",
        "TracerRadionuclide": "none",
        "Units": "unitless",
        "SkullStripped": True,
        "SpatialReference": "orig",
        "ReferenceRegion": "pons",
        "Seeds": [7, 8],
        "EnsembleSize": 2,
        "ScaleToSUVR": 0.5,
        "Sources": ["bids:raw:sub-07/ses-01/anat/sub-07_ses-01_acq-fast_T1w.nii.gz"],
    }
    assert {key: body[key] for key in wanted} == wanted
    assert {"Model", "InputQC", "ConditioningVariables", "SoftwareVersions"} <= set(body)
    for raw_field in ("InjectedRadioactivity", "ModeOfAdministration", "TimeZero", "ScanStart"):
        assert raw_field not in body
    links = body_of(out / "dataset_description.json")["DatasetLinks"]
    assert (out / links["raw"]).resolve() == raw.resolve()
    there = body_of(
        pet / "sub-07_ses-01_trc-18FFDG_space-MNI152NLin2009aSym_res-2_desc-synthSUVR_pet.json"
    )
    assert set(there["Resolution"]) == {"2"}
    assert "2009" in there["SpatialReference"]


def test_on_the_template_the_picture_lies_on_the_templates_brain(
    made: dict[str, Finished], tmp_path: Path
) -> None:
    written(made["fdg"], tmp_path / "out")
    (path,) = (tmp_path / "out").rglob("*space-MNI*_pet.nii.gz")
    image = nib.load(path)
    assert np.array_equal(image.affine, CANONICAL.affine)
    assert int(image.header["sform_code"]) == 4
    assert bytes(image.header["descrip"]).startswith(b"SYNTHETIC PET")
    # The head of the test is the template itself, on voxels of 8 mm.
    inside, brain = np.asarray(image.dataobj) > 0.3, atlas_volume("template_brain").mask
    assert 2 * (inside & brain).sum() / (inside.sum() + brain.sum()) > 0.85


def test_exploratory_tracers_have_low_middle_and_high_in_both_spaces(
    made: dict[str, Finished], tmp_path: Path
) -> None:
    files = written(made["pib"], tmp_path / "out")
    for space in ("space-T1w", "space-MNI152NLin2009aSym_res-2"):
        for part in ("Low10", "SUVR", "High90"):
            (_,) = (f for f in files if f"{space}_desc-synth{part}_pet.nii.gz" in f)


def test_a_scan_outside_bids_is_named_by_its_digest_not_by_its_file(
    made: dict[str, Finished], tmp_path: Path
) -> None:
    files = written(made["pib"], tmp_path / "out")
    digest = hashlib.sha256(Path(made["pib"].request["t1"]).read_bytes()).hexdigest()
    label = f"sub-t1x{digest[:12]}"
    assert {f.split("/")[0] for f in files if "/" in f} == {label}
    assert not any("Smith" in f for f in files)
    assert "DatasetLinks" not in body_of(tmp_path / "out" / "dataset_description.json")
    (path,) = (tmp_path / "out").rglob("*T1w_desc-synthSUVR_pet.json")
    assert "Sources" not in body_of(path)


def test_the_users_label_counts_and_deidentified_ones_forget_the_scans_own(
    made: dict[str, Finished], tmp_path: Path
) -> None:
    named = person_of(made["fdg"], tmp_path, "control12", False)
    assert (named.subject, named.session) == ("control12", "01")
    bare = person_of(made["fdg"], tmp_path, "", True)
    assert bare.subject == f"t1x{made['fdg'].t1.sha256[:12]}"
    assert (bare.session, bare.source, bare.links) == ("", "", {})


def test_an_acquired_pets_image_does_not_leave_but_its_table_does(
    made: dict[str, Finished], tmp_path: Path
) -> None:
    files = written(made["acquired"], tmp_path / "out")
    assert not any("_pet." in name for name in files)
    (table,) = (tmp_path / "out").rglob("*_desc-acquiredROI_stat.tsv")
    assert table.read_text("utf-8").startswith("synthetic\t")
    assert not any("synth" in name for name in files)


def test_a_table_beside_the_label_map_names_every_label(
    made: dict[str, Finished], tmp_path: Path
) -> None:
    written(made["fdg"], tmp_path / "out")
    (table,) = (tmp_path / "out").rglob("*_dseg.tsv")
    head, *rows = (line.split("\t") for line in table.read_text("utf-8").splitlines())
    assert head == ["index", "name", "color"]
    (image,) = (tmp_path / "out").rglob("*_dseg.nii.gz")
    there = set(np.unique(nib.load(image).dataobj).tolist()) - {0}
    assert {int(row[0]) for row in rows} == there
    assert all(row[1].startswith("SYN ") for row in rows)


def test_batch_and_export_describe_a_derivative_in_the_same_words(tmp_path: Path) -> None:
    described = derivative_description("x", "petsynth export", {"raw": ".."})
    assert described["DatasetLinks"] == {"raw": ".."}
    assert participants.derivative_description is derivative_description


@pytest.mark.slow
def test_the_validator_of_bids_finds_no_error(made: dict[str, Finished], tmp_path: Path) -> None:
    out = tmp_path / "out"
    written(made["fdg"], out)
    others = tmp_path / "others"
    written(made["pib"], others)
    # Two people in one derivative, one of them from a scan outside BIDS.
    (person,) = others.glob("sub-*")
    person.rename(out / person.name)
    assert bids_errors(out, tmp_path) == []
    (out / "sub-07" / "ses-01" / "pet" / "notes.txt").write_text("x")
    assert bids_errors(out, tmp_path) == ["NOT_INCLUDED"]
