"""The driver of RelA's claims: who is in which split, what is trained, how a claim is judged."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
pytest.importorskip("matplotlib")
import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

import claims as shared
import claims_rela as claims
import rela_arms as arms
from store_case import make_store

from PETSynthLib.learn.store import open_store

pytestmark = pytest.mark.torch


def test_there_are_at_most_ten_arms() -> None:
    assert len(arms.ARMS) <= shared.MOST_ARMS


def test_the_third_scanner_is_tested_on_and_twenty_of_its_people_adapt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path / "store", n=24, shape=(8, 8, 8))
    monkeypatch.setattr(arms, "ADAPTED_ON", 5)
    monkeypatch.setattr(arms, "KEPT_FOR_VALIDATION", 2)
    apart, adapt = (
        open_store(arms.resplit(store, tmp_path / name, split))
        for name, split in zip(("apart", "adapt"), arms.shifted(store), strict=True)
    )
    learnt = {s.scanner for s in (*apart.split("train"), *apart.split("validation"))}
    assert learnt == {"ge", "philips"}
    for one in (apart, adapt):
        assert {s.scanner for s in one.split("test")} == {"siemens"}
    assert [s.subject for s in apart.split("test")] == [s.subject for s in adapt.split("test")]
    assert (len(adapt.split("train")), len(adapt.split("validation"))) == (3, 2)
    known = {s.subject for s in (*adapt.split("train"), *adapt.split("validation"))}
    assert not known & {s.subject for s in adapt.split("test")}
    row = store.subjects[0].row
    assert np.array_equal(apart.t1(row), store.t1(row))


def test_an_arm_that_begins_with_another_trains_that_one_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def instead(*words: object) -> None:
        asked.append([str(w) for w in words])
        run = Path(asked[-1][asked[-1].index("-o") + 1])
        (run / "bundle").mkdir(parents=True)

    monkeypatch.setattr(shared, "petsynth", instead)
    stores = {name: tmp_path / name for name in ("own", "apart", "adapt")}
    arms.train(tmp_path, "adapted", stores, 3.0)
    arms.train(tmp_path, "adapted", stores, 3.0)
    names = [Path(command[command.index("-o") + 1]).name for command in asked]
    assert names == ["two-scanners-randomised", "adapted"]
    assert asked[1][asked[1].index("--init") + 1].endswith("two-scanners-randomised/bundle")
    assert 'train.tracers=["flortaucipir", "pib", "pbr28"]' in asked[0]


def numbers(arm: str, condition: str, metric: str, values: list[float]) -> list[arms.Number]:
    return [
        arms.Number(arm, condition, "pib", f"sub-{n}", metric, value)
        for n, value in enumerate(values)
    ]


def test_a_claim_holds_only_with_its_whole_interval() -> None:
    rows = numbers("full", "own", "mae", [0.10, 0.11, 0.12, 0.10])
    clear = numbers("unet", "own", "mae", [0.20, 0.21, 0.23, 0.20])
    unclear = numbers("pix2pix", "own", "mae", [0.20, 0.05, 0.20, 0.06])
    found = {c.words: c for c in claims.claims_of([*rows, *clear, *unclear], ["unet", "pix2pix"])}
    assert found["pib: better than unet (MAE)"].held
    assert not found["pib: better than pix2pix (MAE)"].held
    # (0.10 + 0.10 + 0.11 + 0.10) / 4 less.
    assert "-0.1025" in found["pib: better than unet (MAE)"].numbers


def test_few_steps_are_held_against_both_limits() -> None:
    def held(ssim: float, error: float) -> bool:
        rows = [
            *numbers("full", "ddim 250", "ssim", [0.9]),
            *numbers("distilled", "few draws", "ssim", [ssim]),
            *numbers("full", "ddim 250", "target_error", [0.1]),
            *numbers("distilled", "few draws", "target_error", [error]),
        ]
        return bool(claims.few_steps(claims.Numbers(rows))[0].held)

    assert held(0.89, 0.1015)
    assert not held(0.87, 0.1)
    assert not held(0.9, 0.103)


def test_a_second_site_is_no_worse_only_when_ten_percent_are_ruled_out() -> None:
    def held(there: list[float]) -> bool:
        rows = [
            *numbers("full", "own", "mae", [0.10, 0.10, 0.10]),
            *numbers("full", "second", "mae", there),
        ]
        return bool(claims.second_site(claims.Numbers(rows))[0].held)

    assert held([0.105, 0.105, 0.105])
    assert not held([0.12, 0.12, 0.12])
    assert not held([0.08, 0.14, 0.08])  # the mean is the same; nobody knows


def test_what_was_not_measured_is_not_claimed() -> None:
    assert claims.claims_of([], ["unet"]) == []
