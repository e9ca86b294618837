"""Whom a model has seen: what a bundle leaves out is doubt, never innocence."""

from __future__ import annotations

from typing import Any

import pytest
from audit_case import Bundle, different_brains
from store_case import case_grid

from PETSynthLib.learn.acquaintance import Doubt, Meeting, faces, meeting, seen_by
from PETSynthLib.learn.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return different_brains(tmp_path_factory.mktemp("s") / "store", 4)


@pytest.mark.parametrize(
    ("training", "doubt"),
    [
        ({"fingerprints": ["a"]}, None),
        ({}, Doubt.UNSAID),
        ({"fingerprints": ["a"], "init": {"people_known": True}}, None),
        ({"fingerprints": ["a"], "init": {"people_known": False}}, Doubt.ORIGIN),
        # A bundle made before it was kept what the first model says.
        ({"fingerprints": ["a"], "init": {"name": "x"}}, Doubt.ORIGIN),
    ],
)
def test_people_are_known_when_the_model_and_its_origin_say(
    training: dict[str, Any], doubt: Doubt | None
) -> None:
    assert seen_by({"training": training}).doubt is doubt


def test_calibration_people_count_with_those_of_the_origin() -> None:
    origin = {"people_known": True, "calibration_fingerprints": ["b"]}
    seen = seen_by(
        {
            "training": {"fingerprints": ["a"], "init": origin},
            "calibration": {"fingerprints": ["c"]},
        }
    )
    assert (seen.trained, seen.calibrated) == ({"a"}, {"b", "c"})
    assert seen.everybody == {"a", "b", "c"}


class TestMeeting:
    def test_whom_it_met_is_named_in_order(self, store: Store) -> None:
        people = faces(store, store.subjects)
        second, third = list(people.values())[1:3]
        bundle = Bundle(
            {"training": {"fingerprints": [third]}, "calibration": {"fingerprints": [second]}}
        )
        found = meeting(people, store.grid, bundle)
        assert found == Meeting(("sub-0002", "sub-0003"), 2, None)

    def test_calibration_people_are_met_even_when_the_trained_ones_are_unsaid(
        self, store: Store
    ) -> None:
        people = faces(store, store.subjects)
        first = next(iter(people.values()))
        found = meeting(people, store.grid, Bundle({"calibration": {"fingerprints": [first]}}))
        assert found.met == ("sub-0001",)
        assert found.doubt is Doubt.UNSAID

    def test_another_grid_is_doubt(self, store: Store) -> None:
        bundle = Bundle({"training": {"fingerprints": ["0" * 16]}}, grid=case_grid((9, 9, 9)))
        assert meeting(faces(store, store.subjects), store.grid, bundle).doubt is Doubt.GRID
