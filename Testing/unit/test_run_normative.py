"""``petsynth normative``: tables read, PETs held against each other, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from export_case import lopsided
from normative_case import drawn_people, measured
from test_run_project import write_image

from PETSynthLib.cli import main
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.run import normative as run
from PETSynthLib.run.normative import read_people


def write_table(path: Path, rows: list[str], columns: str = "subject,pet,age,sex") -> Path:
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One acquired PET with its transform; every reading of it is another drawn normal."""
    (tmp_path / "space").mkdir()
    NativeToTemplate(np.eye(4)).write(tmp_path / "space" / "native_to_template.tfm")
    write_image(tmp_path / "pet.nii", 3000.0 * lopsided())
    rng = np.random.default_rng(0)
    middle = drawn_people(3)[1]
    monkeypatch.setattr(run, "measure", lambda pet: measured(middle, rng))
    return tmp_path


def rows(n: int, pet: str = "pet.nii", first: int = 0) -> list[str]:
    return [f"s{first + i},{pet},{60 + i % 25},{'FM'[i % 2]}" for i in range(n)]


def build(folder: Path, table: Path, *more: str) -> int:
    words = ["normative", "build", str(table), "-o", str(folder / "out"), "--tracer", "fdg"]
    return main([*words, *more])


def test_build_info_and_check_on_people_it_never_saw(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(folder / "normals.csv", rows(20))
    facts = folder / "facts.json"
    facts.write_text(json.dumps({"inclusion": "CDR 0", "licence": "CC0"}), encoding="utf-8")
    assert build(folder, table, "--facts", str(facts), "--demo") == 0
    made = folder / "out" / "ndb-fdg_kind-acquired-demo_v1.0.0"
    assert sorted(p.name for p in made.iterdir()) == ["arrays.npz", "meta.json"]
    assert "[green] regions: z of 20 normals has mean" in capsys.readouterr().out
    assert main(["normative", "info", str(made)]) == 0
    said = capsys.readouterr().out
    assert "DEMO (simulated people), 20 normals, 60 to 79 years, acquired PET" in said
    assert "inclusion    CDR 0" in said
    assert "of 20 normals get any" in said
    fresh = write_table(folder / "fresh.csv", rows(25, first=100))
    assert main(["normative", "check", str(made), "--people", str(fresh)]) == 0
    assert "Fresh people: z of 25 normals" in capsys.readouterr().out


def test_an_existing_version_is_refused_before_anything_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(folder / "normals.csv", rows(6))
    assert build(folder, table) == 0
    capsys.readouterr()
    assert build(folder, table) == 2
    assert "already there" in capsys.readouterr().err
    assert build(folder, table, "--version", "1.0.1") == 0


def test_synthetic_pet_binds_the_database_to_its_model(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import hashlib

    for model in ("a", "b"):
        place = folder / model
        (place / "space").mkdir(parents=True)
        NativeToTemplate(np.eye(4)).write(place / "space" / "native_to_template.tfm")
        name = marks.file_name("fdg", "suvr", ".nii.gz")
        write_image(place / name, lopsided(), marks.NIFTI_DESCRIPTION)
        body = {
            "Synthetic": True,
            "Tracer": "fdg",
            "Evidence": "simulation",
            "ConditioningVariables": {"Used": []},
            "Model": {"bundle_sha256": model * 64},
            "Outputs": {name: hashlib.sha256((place / name).read_bytes()).hexdigest()},
        }
        (place / "fdg_synth.json").write_text(json.dumps(body), encoding="utf-8")
    table = write_table(folder / "same.csv", rows(6, pet="a"))
    assert main(["normative", "build", str(table), "-o", str(folder / "out")]) == 0
    meta = json.loads(next((folder / "out").glob("ndb-fdg_kind-synthetic*/meta.json")).read_text())
    assert meta["bundle_sha256"] == "a" * 64
    mixed = write_table(folder / "mixed.csv", [*rows(5, pet="a"), "last,b,70,F"])
    words = ["normative", "build", str(mixed), "-o", str(folder / "mixed")]
    assert main(words) == 2
    assert "PET of last is of another tracer, kind or model" in capsys.readouterr().err
    assert not (folder / "mixed").exists()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("x,pet.nii,old,F", "a number cannot be read"),
        ("x,pet.nii,150,F", "outside 18 to 110"),
        ("x,pet.nii,70,", "neither F nor M"),
        ("s0,pet.nii,70,F", "stands in two rows"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, row: str, why: str) -> None:
    table = write_table(tmp_path / "t.csv", [*rows(2), row])
    with pytest.raises(PETSynthError, match=why) as told:
        read_people(table)
    assert row.split(",")[0] in told.value.text


def test_a_table_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="no rows"):
        read_people(write_table(tmp_path / "t.csv", []))
    with pytest.raises(PETSynthError, match="no column age"):
        read_people(write_table(tmp_path / "t.csv", [], "subject,pet,sex"))


def test_a_missing_pet_names_the_person(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(folder / "t.csv", [*rows(5), "gone,none.nii,70,F"])
    assert build(folder, table) == 2
    assert "gone: " in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_blur_needs_the_resolution_of_every_scanner(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = "subject,pet,age,sex,fwhm"
    table = write_table(folder / "t.csv", [f"{row},6" for row in rows(6)], columns)
    assert build(folder, table, "--fwhm", "8") == 0
    capsys.readouterr()
    sharp = write_table(
        folder / "u.csv", [*(f"{row},6" for row in rows(5)), "z,pet.nii,70,F,9"], columns
    )
    assert build(folder, sharp, "--fwhm", "8", "--version", "2.0.0") == 2
    assert "z cannot be used: its resolution is 9 mm" in capsys.readouterr().err


def test_pet_of_simulated_people_makes_a_demo_that_real_people_are_not_held_against(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(folder / "real.nii", 3000.0 * lopsided())
    (folder / "pet.json").write_text('{"Simulated": true}', encoding="utf-8")
    assert build(folder, write_table(folder / "t.csv", rows(20))) == 0
    made = folder / "out" / "ndb-fdg_kind-acquired-demo_v1.0.0"
    words = ["--tracer", "fdg", "--normals", str(made), "--age", "70", "--sex", "M"]
    capsys.readouterr()
    assert main(["ssp", str(folder / "real.nii"), *words, "-o", str(folder / "no")]) == 2
    assert "this person may be real" in capsys.readouterr().err
    assert not (folder / "no").exists()
    assert main(["ssp", str(folder / "pet.nii"), *words, "-o", str(folder / "yes")]) == 0
    mixed = write_table(folder / "mixed.csv", [*rows(5), "ann,real.nii,70,F"])
    assert build(folder, mixed, "--version", "2.0.0") == 2


def test_unknown_facts_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = folder / "facts.json"
    facts.write_text('{"names": ["Ann"]}', encoding="utf-8")
    table = write_table(folder / "t.csv", rows(6))
    assert build(folder, table, "--facts", str(facts)) == 2
    assert "names" in capsys.readouterr().err


def test_the_surface_page_takes_a_database_at_an_age_and_sex(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(folder, write_table(folder / "t.csv", rows(20))) == 0
    made = next((folder / "out").iterdir())
    words = ["ssp", str(folder / "pet.nii"), "--tracer", "fdg", "--normals", str(made)]
    assert main([*words, "-o", str(folder / "no")]) == 2
    assert "--age and --sex" in capsys.readouterr().err
    assert main([*words, "--age", "90", "--sex", "F", "-o", str(folder / "pages")]) == 0
    assert "EXTRAPOLATED AGE: 90" in capsys.readouterr().out
    names = {path.stem for path in (folder / "pages").glob("fdg_*.p*")}
    assert names == {"fdg_ssp", "fdg_ssp-decrease", "fdg_ssp-increase"}
