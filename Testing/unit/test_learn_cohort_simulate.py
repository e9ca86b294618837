"""A cohort: resumable, never half a subject, refuses to mix; its table; its command."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nilearn")
pytestmark = pytest.mark.torch

from bids_validator_case import bids_errors
from cohort_case import SEED, SPACING_MM, subject

from PETSynthLib.cli import main
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.cohort import simulate
from PETSynthLib.learn.cohort.bids import COLUMNS
from PETSynthLib.learn.cohort.simulate import CohortRequest, simulate_cohort, simulate_into
from PETSynthLib.learn.cohort.subject import Simulated, person_of
from PETSynthLib.volume import Volume


def request(out: Path, **more: object) -> CohortRequest:
    settings = {"subjects": 2, "seed": SEED, "tracers": ("fdg", "pib"), "spacing_mm": SPACING_MM}
    return CohortRequest(out=out, **{**settings, **more})


def small() -> Simulated:
    """A subject with images of a few voxels: what is written does not matter here."""
    little = Volume(np.ones((4, 4, 4)), np.eye(4))
    pets = dict.fromkeys(("fdg", "pib"), little)
    one = replace(subject(), t1=little, flair=little, labels=little)
    return replace(one, acquired=pets, noise_free=pets)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, and every subject is the same small one."""

    def run(request: CohortRequest, todo: list[int]) -> Iterator[int]:
        for index in todo:
            yield simulate_into(request, index)

    monkeypatch.setattr(simulate, "_run", run)
    monkeypatch.setattr("PETSynthLib.learn.cohort.subject.simulate_subject", lambda *a: small())


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.usefixtures("quick")
class TestCohort:
    def test_it_is_a_bids_data_set_that_says_it_is_simulated(self, tmp_path: Path) -> None:
        out = tmp_path / "cohort"
        simulate_cohort(request(out))
        top = {p.name for p in out.iterdir()}
        assert top == {
            "README", "dataset_description.json", "derivatives", "participants.json",
            "participants.tsv", "sub-0001", "sub-0002",
        }  # fmt: skip
        described = json.loads((out / "dataset_description.json").read_text())
        assert "SIMULATED" in described["Name"]
        assert "SIMULATED" in (out / "README").read_text()
        ignored = (out / "derivatives" / "simulation" / ".bidsignore").read_text()
        assert "_oracle.npz" in ignored
        with (out / "participants.tsv").open() as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        assert [r["participant_id"] for r in rows] == ["sub-0001", "sub-0002"]
        assert list(rows[0]) == list(COLUMNS)
        assert len({r["anatomy"] for r in rows}) == 2

    @pytest.mark.slow
    def test_the_validator_of_bids_finds_no_error(self, tmp_path: Path) -> None:
        out = tmp_path / "cohort"
        simulate_cohort(request(out))
        assert bids_errors(out, tmp_path) == []
        assert bids_errors(out / "derivatives" / "simulation", tmp_path) == []
        (out / "sub-0001" / "anat" / "notes.txt").write_text("x")
        assert bids_errors(out, tmp_path) == ["NOT_INCLUDED"]

    def test_an_interrupted_cohort_goes_on_and_ends_with_the_same_bytes(
        self, tmp_path: Path
    ) -> None:
        whole, broken = tmp_path / "whole", tmp_path / "broken"
        simulate_cohort(request(whole))
        simulate_cohort(request(broken, subjects=1))
        # Killed in the middle of the second: a part folder, derivatives without images.
        (broken / ".part" / "sub-0002" / "raw").mkdir(parents=True)
        (broken / "derivatives" / "simulation" / "sub-0002").mkdir()
        told: list[tuple[int, int]] = []
        cohort = simulate_cohort(request(broken), lambda done, total: told.append((done, total)))
        assert (cohort.made, cohort.kept) == (1, 1)
        assert told == [(1, 2), (2, 2)]
        assert digest(broken) == digest(whole)

    def test_a_second_site_is_added_with_numbers_of_its_own(self, tmp_path: Path) -> None:
        simulate_cohort(request(tmp_path / "c"))
        simulate_cohort(request(tmp_path / "c", first_index=11, site="community"))
        assert (tmp_path / "c" / "sub-0012").is_dir()
        with pytest.raises(PETSynthError, match="free number"):
            simulate_cohort(request(tmp_path / "c", site="community"))

    def test_people_of_one_diagnosis_keep_the_numbers_they_have_among_all(
        self, tmp_path: Path
    ) -> None:
        numbers = [
            k for k in range(1, 60) if person_of(SEED, k, "clinic", "default").diagnosis == "AD"
        ][:3]
        simulate_cohort(request(tmp_path / "ad", subjects=3, diagnosis="AD"))
        made = sorted(p.name for p in (tmp_path / "ad").glob("sub-*"))
        assert made == [f"sub-{k:04d}" for k in numbers]
        with pytest.raises(PETSynthError, match="diagnosis = 'AD', not None"):
            simulate_cohort(request(tmp_path / "ad"))

    def test_people_chosen_by_a_diagnosis_say_so_and_others_do_not(self, tmp_path: Path) -> None:
        simulate_cohort(request(tmp_path / "ad", subjects=1, diagnosis="AD"))
        simulate_cohort(request(tmp_path / "all", subjects=1))
        told = []
        for name in ("ad", "all"):
            (file,) = (tmp_path / name).glob("derivatives/simulation/*/*_latents.json")
            told.append(json.loads(file.read_text(encoding="utf-8")).get("only_diagnosis"))
        assert told == ["AD", None]

    def test_an_oracle_of_people_of_one_diagnosis_is_not_checked(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["simulate", str(tmp_path / "c"), "--subjects", "1", "--seed", str(SEED)]
        words += ["--spacing", "2", "--tracers", "fdg", "--diagnosis", "AD", "--oracle-check"]
        assert main(words) == 0
        assert "The oracle is not checked" in capsys.readouterr().out
        assert not list(tmp_path.rglob("explained_variance.json"))

    def test_more_people_of_a_diagnosis_than_there_are_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="people up to number 9999 have the diagnosis"):
            simulate_cohort(request(tmp_path / "c", first_index=9990, diagnosis="VaD", subjects=9))
        assert not (tmp_path / "c").exists()

    def test_another_seed_does_not_mix_in(self, tmp_path: Path) -> None:
        simulate_cohort(request(tmp_path / "c"))
        with pytest.raises(PETSynthError, match="seed = 11, not 12") as problem:
            simulate_cohort(request(tmp_path / "c", seed=12))
        assert problem.value.code is ErrorCode.BAD_DATA

    def test_a_folder_with_other_files_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("x")
        with pytest.raises(PETSynthError, match="holds other files"):
            simulate_cohort(request(tmp_path))
        assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]

    def test_the_command_simulates_and_prints_the_oracle(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "c"
        words = f"simulate {out} --subjects 1 --seed 11 --tracers fdg,pib --oracle-check"
        assert main(words.split()) == 0
        printed = capsys.readouterr().out
        assert "1 subjects simulated" in printed
        assert "fdg           both" in printed
        file = out / "derivatives" / "simulation" / "explained_variance.json"
        rows = json.loads(file.read_text())
        assert {r["tracer"] for r in rows["targets"]} == {"fdg", "pib"}
        assert 0 < rows["image_over_truth"]["sd"] < 0.02
        assert "Image over truth" in printed


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"subjects": 0}, "number of subjects"),
        ({"config": "wild"}, "configuration"),
        ({"site": "moon"}, "site"),
        ({"diagnosis": "flu"}, "one of CN, AD, FTD, DLB, VaD"),
        ({"tracers": ("gold",)}, "tracer"),
        ({"tracers": ("fdg", "florbetaben")}, "no PET of florbetaben"),
        ({"tracers": ()}, "No tracer"),
        ({"jobs": 0}, "processes"),
        ({"first_index": 9999, "subjects": 2}, "9999 to 10000"),
        ({"spacing_mm": 3.0}, "3 mm"),
    ],
)
def test_a_request_that_cannot_be_done_is_one_sentence(
    tmp_path: Path, wrong: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PETSynthError, match=sentence) as problem:
        request(tmp_path, **wrong)
    assert problem.value.exit_status == 2


def test_a_bad_option_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "c"
    assert main(f"simulate {out} --subjects 1 --seed 1 --config wild".split()) == 2
    assert "configuration 'wild'" in capsys.readouterr().err
    assert not out.exists()
