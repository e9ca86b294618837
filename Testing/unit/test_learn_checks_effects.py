"""The oracle's effect of a fact, from what the store holds of each person."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from checks_case import R
from store_case import make_store

from PETSynthLib.learn.checks.effects import effects_of
from PETSynthLib.learn.cohort import effect as simulator
from PETSynthLib.learn.evaluate.results import Results, regional_table
from PETSynthLib.learn.oracle import read_oracle
from PETSynthLib.learn.regions import region_index
from PETSynthLib.learn.store import Store

TARGET = region_index("fdg_ad_metaroi")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two people, the first of whom has a hidden state beside the oracle."""
    store = make_store(tmp_path / "store", n=2, shape=(8, 8, 8), tracers=("fdg",))
    hidden = {"config": "default", "index": 1}
    (store.folder / "oracle" / f"{store.subjects[0].subject}.json").write_text(json.dumps(hidden))
    return store


def results(store: Store, hotter: float = 1.0) -> Results:
    truth = hotter * regional_table(store, store.subjects, "fdg")
    return Results(store, store.subjects, {"fdg": truth}, {"fdg": truth}, {}, (), {})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, float], str]]:
    """What the simulator's oracle is asked; a point of MMSE is worth 0.01 SUVR to it."""
    calls = []

    def oracle_effect(folder: Path, changes: dict[str, float], information: str) -> np.ndarray:
        # It finds both files under the names that the simulator gives them.
        assert json.loads((folder / f"{folder.name}_latents.json").read_text())["index"] == 1
        assert read_oracle(folder / f"{folder.name}_oracle.npz").tracers == ("fdg",)
        calls.append((folder.name, changes, information))
        return np.full((1, R), 0.01 * changes["mmse"], np.float32)

    monkeypatch.setattr(simulator, "oracle_effect", oracle_effect)
    return calls


def test_the_store_s_own_oracle_is_asked_once_for_each_change(
    store: Store, asked: list[tuple[str, dict[str, float], str]]
) -> None:
    first = store.subjects[0]
    effect = effects_of(results(store))
    assert effect is not None
    assert effect(first, "mmse", 20.0)["fdg"][TARGET] == pytest.approx(0.2, rel=1e-3)
    effect(first, "mmse", 20.0)
    assert asked == [(first.subject, {"mmse": 20.0}, "both")]


@pytest.mark.usefixtures("asked")
def test_it_is_measured_as_the_model_s_picture_is(store: Store) -> None:
    # A grid that shows 4 % less of everything shows 4 % less of the change.
    plain, lower = (effects_of(results(store, factor)) for factor in (1.0, 0.96))
    assert plain is not None
    assert lower is not None
    first = store.subjects[0]
    ratio = lower(first, "mmse", 20.0)["fdg"] / plain(first, "mmse", 20.0)["fdg"]
    assert ratio[TARGET] == pytest.approx(0.96)


@pytest.mark.usefixtures("asked")
def test_a_person_whose_hidden_state_is_unknown_has_no_effect(store: Store) -> None:
    effect = effects_of(results(store))
    assert effect is not None
    assert effect(store.subjects[1], "mmse", 20.0) == {}


def test_the_cohort_is_asked_about_people_whose_store_knows_nothing(
    store: Store, tmp_path: Path, asked: list[tuple[str, dict[str, float], str]]
) -> None:
    name = store.subjects[0].subject
    folder = tmp_path / "bids" / "derivatives" / "simulation" / name
    folder.mkdir(parents=True)
    oracle = store.folder / "oracle" / f"{name}.npz"
    oracle.rename(folder / f"{name}_oracle.npz")
    oracle.with_suffix(".json").rename(folder / f"{name}_latents.json")
    assert effects_of(results(store)) is None
    effect = effects_of(results(store), tmp_path / "bids")
    assert effect is not None
    effect(store.subjects[0], "mmse", 20.0)
    assert [call[0] for call in asked] == [name]


def test_real_people_have_no_oracle(tmp_path: Path) -> None:
    real = make_store(tmp_path / "r", n=1, shape=(8, 8, 8), tracers=("fdg",), kind="real")
    assert effects_of(results(real)) is None
