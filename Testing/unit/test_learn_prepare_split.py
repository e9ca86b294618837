"""No anatomy stands on both sides of a split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.prepare.split import (
    parse_shares,
    read_split_file,
    split_column,
    split_sessions,
)
from PETSynthLib.read.dataset import Session

SHARES = {"train": 0.7, "validation": 0.1, "calibration": 0.1, "test": 0.1}


def session(name: str, **facts: str) -> Session:
    anatomy = facts.pop("anatomy", name.partition("_ses-")[0])
    return Session(name=name, anatomy=anatomy, t1=Path("t1.nii"), facts=facts)


def many(n: int, **facts: str) -> list[Session]:
    return [session(f"sub-{k:03d}", **facts) for k in range(n)]


def test_shares_become_whole_numbers_of_anatomies() -> None:
    found = split_sessions(many(20), SHARES, seed=0)
    expected = {"train": 14, "validation": 2, "calibration": 2, "test": 2}
    assert Counter(found.values()) == expected


def test_a_small_data_set_still_has_every_split() -> None:
    assert sorted(split_sessions(many(4), SHARES, seed=0).values()) == sorted(SHARES)


def test_two_sessions_of_a_brain_go_together() -> None:
    sessions = [session(f"sub-{k}_ses-{s}") for k in range(10) for s in (1, 2)]
    assert len(split_sessions(sessions, SHARES, seed=1)) == 10


def test_the_seed_decides_and_the_order_of_files_does_not() -> None:
    people = many(30)
    first = split_sessions(people, SHARES, seed=3)
    assert split_sessions(people[::-1], SHARES, seed=3) == first
    assert split_sessions(people, SHARES, seed=4) != first


def test_a_held_out_site_is_only_tested_on_even_for_a_brain_seen_elsewhere() -> None:
    sessions = [
        *many(10, site="A"),
        session("sub-900", site="B"),
        session("sub-000_ses-2", site="B"),
    ]
    found = split_sessions(sessions, {"train": 0.9, "validation": 0.1}, 0, held_out_site="B")
    assert {name for name, split in found.items() if split == "test"} == {"sub-900", "sub-000"}
    with pytest.raises(PETSynthError, match="from the site 'C'"):
        split_sessions(sessions, SHARES, 0, held_out_site="C")


@pytest.mark.parametrize("words", ["train=1,exam=0", "train=.5", "train", "train=x", "test=-1"])
def test_shares_that_make_no_split_are_refused(words: str) -> None:
    with pytest.raises(PETSynthError, match="is not understood"):
        parse_shares(words)


def test_shares_are_read_from_words() -> None:
    assert parse_shares("train=.75, test=.25") == {"train": 0.75, "test": 0.25}


def test_a_file_names_subjects_sessions_or_anatomies(tmp_path: Path) -> None:
    path = tmp_path / "split.tsv"
    path.write_text("subject\tsplit\nsub-1\ttrain\nbrain7\ttest\n")
    sessions = [session("sub-1_ses-1"), session("sub-2", anatomy="brain7")]
    assert read_split_file(path, sessions) == {"sub-1": "train", "brain7": "test"}


def test_a_brain_in_two_splits_is_refused() -> None:
    sessions = [
        session("sub-1_ses-1", split="train"),
        session("sub-1_ses-2", split="test"),
    ]
    with pytest.raises(PETSynthError, match="sub-1 stands in two splits"):
        split_column(sessions)


def test_a_subject_without_a_split_is_refused_where_others_have_one(tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="sub-2 has the split ''"):
        split_column([session("sub-1", split="train"), session("sub-2")])
    assert split_column(many(2)) == {}


def test_a_subject_that_stands_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.tsv"
    path.write_text("subject\tsplit\nsub-1\ttrain\nsub-1\ttest\n")
    with pytest.raises(PETSynthError, match=r"sub-1 stands twice in split\.tsv"):
        read_split_file(path, [session("sub-1")])
