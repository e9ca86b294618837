"""Whether a model has met the people it is judged on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from evaluate_case import make_predictor
from store_case import case_grid, make_store

from PETSynthLib.learn.evaluate.predictor import Predictor
from PETSynthLib.learn.evaluate.strangers import strangers_claims
from PETSynthLib.learn.fingerprint import fingerprints
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.tidy import Claim


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("s") / "store", n=12, tracers=("fdg",))


def with_facts(predictor: Predictor, **facts: Any) -> Predictor:
    """The same model with other facts in its bundle."""
    config = {**predictor.bundle.config, **facts}
    return replace(predictor, bundle=replace(predictor.bundle, config=config))


def claim(store: Store, predictor: Predictor) -> Claim:
    return strangers_claims(store, store.split("test"), [predictor])[0]


def test_a_model_trained_on_others_holds(store: Store) -> None:
    own = fingerprints(store, store.split("train"))
    found = claim(store, with_facts(make_predictor(store), training={"fingerprints": own}))
    assert found.held is True
    assert found.evidence == "none of 2 T1s is among its 6"


def test_a_model_that_saw_a_judged_person_fails_and_names_the_person(store: Store) -> None:
    judged = store.split("test")
    seen = fingerprints(store, judged[:1])
    for facts in (
        {"training": {"fingerprints": seen}},
        {"training": {"fingerprints": []}, "calibration": {"fingerprints": seen}},
    ):
        found = claim(store, with_facts(make_predictor(store), **facts))
        assert found.held is False
        assert found.evidence == f"1 of 2 are: {judged[0].subject}"


def test_each_model_and_seed_has_its_own_claim(store: Store) -> None:
    knows = with_facts(
        make_predictor(store, seed=1),
        training={"fingerprints": fingerprints(store, store.subjects)},
    )
    stranger = with_facts(make_predictor(store), training={"fingerprints": ["0" * 16]})
    found = strangers_claims(store, store.split("test"), [stranger, knows])
    assert [c.held for c in found] == [True, False]
    assert "training seed 1" in found[1].words


def test_a_model_that_does_not_say_leaves_it_undecided(store: Store) -> None:
    found = claim(store, make_predictor(store))
    assert found.held is None
    assert "does not say whom" in found.evidence


def test_a_model_that_began_with_unknown_people_is_undecided(store: Store) -> None:
    training = {"fingerprints": ["0" * 16], "init": {"people_known": False}}
    found = claim(store, with_facts(make_predictor(store), training=training))
    assert found.held is None
    assert "began as a model that does not say" in found.evidence


def test_on_another_grid_nobody_can_tell(store: Store) -> None:
    grid = case_grid((14, 16, 14))
    body = {"shape": list(grid.shape), "affine": grid.affine.tolist(), "space": grid.name}
    other = with_facts(make_predictor(store), grid=body, training={"fingerprints": ["0" * 16]})
    found = claim(store, other)
    assert found.held is None
    assert "another grid than the store" in found.evidence
