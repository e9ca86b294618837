"""The driver of Cyclic 2.5D's claims: verdicts from numbers made by hand, nothing trained."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")
pytest.importorskip("sklearn")

import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

claims = pytest.importorskip("claims_cyclic")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

from claims import MOST_ARMS
from store_case import make_store

from PETSynthLib.learn.settings import apply_sets, build
from PETSynthLib.learn.train.run import settings_type

pytestmark = pytest.mark.torch


def people(ssim: float, error: float) -> dict[str, object]:
    return {
        f"sub-{k}": claims.Judged(ssim + 0.001 * k, 30.0, error + 0.001 * k, 0.1, 0.9)
        for k in range(8)
    }


def test_a_claim_that_does_not_hold_is_printed_so() -> None:
    made = claims.claims_of({"cyclic": people(0.9, 0.06), "none": people(0.8, 0.05)})
    said = {claim.words.split(":")[0]: claim for claim in made}
    assert said["ssim"].held is True
    assert "+0.1000" in said["ssim"].numbers
    assert said["dk_error"].held is False, "a larger error is no gain"
    assert said["psnr"].held is False, "no difference is no gain"
    assert len(made) == len(claims.ENDPOINTS), "arms that were not trained are not compared"


def test_arms_are_at_most_ten_and_their_settings_exist() -> None:
    from PETSynthLib.learn.methods.unet import UNetMethod

    assert len(claims.ARMS) <= MOST_ARMS
    for sets in claims.ARMS.values():
        build(settings_type(UNetMethod), apply_sets({}, list(sets)))
    assert {arm for pair in claims.CLAIMS for arm in pair} <= set(claims.ARMS)


def test_a_person_is_judged_by_the_true_picture(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", n=6, tracers=("fdg", "flortaucipir"), shape=(24, 24, 24))
    subject = store.split("test")[0]
    subject = next(s for s in store.subjects if "flortaucipir" in s.tracers)
    true = store.truth(subject.row, "flortaucipir")
    same = claims.judge(store, subject, true)
    assert (same.ssim, same.dk_error, same.high_uptake) == pytest.approx((1.0, 0.0, 1.0))
    less = claims.judge(store, subject, 0.8 * true)
    assert less.high_uptake == pytest.approx(0.8, abs=1e-5)
    assert less.dk_error > 0.1


def test_standardising_takes_out_what_the_manufacturers_differ_in(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", n=60, tracers=("fdg",), noise=0.0, shape=(10, 10, 10))
    from PETSynthLib.learn.methods.interface import material_of

    material = material_of(store, "auto")
    gaps = {k: claims.disease_signal(material, k, "fdg") for k in ("none", "manufacturer")}
    assert abs(gaps["manufacturer"]["gap"]) < abs(gaps["none"]["gap"])
    assert np.isfinite(gaps["manufacturer"]["d"])


def test_the_perceptual_bench_prints_a_miss() -> None:
    bench = pytest.importorskip("perceptual")
    seconds = {
        "all_slices": 5.0, "term": 5.0, "loop": 10.0, "step": 1.0, "published_step": 3.0,
        "inference": 0.5,
    }  # fmt: skip
    lines = bench.perceptual_verdicts(seconds)
    assert [line.split()[0] for line in lines] == ["met", "MISSED", "MISSED", "met"]
