"""BIDS folders are searched by the names of their files; what cannot be used is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.read.bids import find_bids
from PETSynthLib.read.dataset import tracer_key


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_images_are_found_by_session_and_tracer(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-a/anat/sub-01_ses-a_FLAIR.nii",
        "sub-01/ses-a/pet/sub-01_ses-a_trc-18FFDG_pet.nii.gz",
        "sub-01/ses-a/pet/sub-01_ses-a_trc-AV45_rec-acdyn_pet.nii.gz",
        "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz",
        "sub-02/anat/sub-02_T1w.nii.gz",
    )
    data = find_bids(tmp_path)
    assert [s.name for s in data.sessions] == ["sub-01_ses-a", "sub-01_ses-b", "sub-02"]
    assert [s.anatomy for s in data.sessions] == ["sub-01", "sub-01", "sub-02"]
    first = data.sessions[0]
    assert first.flair is not None
    assert sorted(first.pets) == ["fdg", "florbetapir"]
    assert data.sessions[1].pets == {}
    assert data.problems == ()
    assert not data.simulated


def test_of_several_runs_the_first_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "sub-1/anat/sub-1_run-2_T1w.nii.gz", "sub-1/anat/sub-1_run-1_T1w.nii.gz")
    assert find_bids(tmp_path).sessions[0].t1.name == "sub-1_run-1_T1w.nii.gz"


def test_a_tracer_may_be_named_by_the_sidecar(tmp_path: Path) -> None:
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii", "sub-1/pet/sub-1_pet.nii.gz")
    (tmp_path / "sub-1/pet/sub-1_pet.json").write_text(json.dumps({"TracerName": "[11C]PIB"}))
    session = find_bids(tmp_path).sessions[0]
    assert list(session.pets) == ["pib"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sub-1_pet.nii.gz", "does not name its tracer"),
        ("sub-1_trc-18FDOPA_pet.nii.gz", "'18FDOPA' of sub-1_trc-18FDOPA_pet.nii.gz is not known"),
    ],
)
def test_a_pet_without_a_known_tracer_is_one_sentence(
    tmp_path: Path, name: str, words: str
) -> None:
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii", f"sub-1/pet/{name}")
    data = find_bids(tmp_path)
    assert len(data.sessions) == 1
    assert [p.name for p in data.problems] == ["sub-1"]
    assert words in data.problems[0].text


def test_a_pet_without_its_t1_is_one_sentence_and_stops_nobody(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "sub-1/ses-1/anat/sub-1_ses-1_T1w.nii",
        "sub-1/ses-2/pet/sub-1_ses-2_trc-18FFDG_pet.nii",
    )
    data = find_bids(tmp_path)
    assert [s.name for s in data.sessions] == ["sub-1_ses-1"]
    assert data.problems[0].name == "sub-1_ses-2"
    assert "a PET but no T1" in data.problems[0].text


def test_people_and_visits_are_described_by_their_tables(tmp_path: Path) -> None:
    touch(tmp_path, "sub-1/ses-1/anat/sub-1_ses-1_T1w.nii")
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tage\tsex\tMMSE\tmanufacturer\tsite\tapoe4\n"
        "sub-1\t70\tfemale\t28\tGE Medical Systems\tA\tn/a\n"
    )
    (tmp_path / "sub-1/sub-1_sessions.tsv").write_text("session_id\tage\tmmse\nses-1\t72.5\t26\n")
    session = find_bids(tmp_path).sessions[0]
    person = session.clinical
    assert (person.age, person.sex, person.mmse, person.apoe4) == (72.5, "F", 26.0, None)
    assert session.fact("site") == "A"
    assert session.scanner == "ge"


def test_a_participant_with_two_rows_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii", "sub-2/anat/sub-2_T1w.nii")
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tage\nsub-1\t70\nsub-1\t71\nsub-2\t80\nsub-2\t80\n"
    )
    data = find_bids(tmp_path)
    assert [s.name for s in data.sessions] == ["sub-2"]
    assert "two different rows" in data.problems[0].text


def test_a_value_that_is_no_number_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-1\told\n")
    with pytest.raises(PETSynthError, match="says 'old' under age"):
        _ = find_bids(tmp_path).sessions[0].clinical


def test_a_table_without_its_key_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii")
    (tmp_path / "participants.tsv").write_text("subject\tage\nsub-1\t70\n")
    with pytest.raises(PETSynthError, match="no column participant_id"):
        find_bids(tmp_path)


def test_a_folder_without_any_t1_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="No usable T1") as caught:
        find_bids(tmp_path)
    assert caught.value.code is ErrorCode.BAD_DATA


def test_what_a_simulation_knows_is_found_only_where_it_says_so(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "sub-1/anat/sub-1_T1w.nii",
        "derivatives/simulation/sub-1/sub-1_dseg.nii.gz",
        "derivatives/simulation/sub-1/sub-1_trc-18FFDG_desc-noisefree_pet.nii.gz",
        "derivatives/simulation/sub-1/sub-1_oracle.npz",
    )
    assert not find_bids(tmp_path).simulated
    (tmp_path / "dataset_description.json").write_text('{"Name": "SIMULATED people"}')
    data = find_bids(tmp_path)
    files = data.sessions[0].simulation
    assert data.simulated
    assert files.labels is not None
    assert list(files.truth) == ["fdg"]
    assert files.oracle is not None
    assert files.latents is None


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("18FFDG", "fdg"),
        ("FDG", "fdg"),
        ("11CPIB", "pib"),
        ("18FAV45", "florbetapir"),
        ("Florbetapir", "florbetapir"),
        ("[18F]AV-1451", "flortaucipir"),
        ("11CPBR28", "pbr28"),
        ("MK6240", "mk6240"),
        ("[18F]FBB", "florbetaben"),
        ("PI2620", None),
        ("", None),
    ],
)
def test_tracers_go_by_many_names(words: str, key: str | None) -> None:
    assert tracer_key(words) == key
