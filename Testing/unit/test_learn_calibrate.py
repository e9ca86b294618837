"""Calibration: the conformal rank by hand, the promise on fresh people, refusal of few."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from store_case import atlas_bundle
from train_case import make_store

from PETSynthLib.cli import main
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import verify_bundle
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.learn.calibrate import calibrate
from PETSynthLib.learn.calibrate.calibrate import (
    FEWEST,
    conformal_quantile,
    factors,
    region_columns,
)
from PETSynthLib.learn.fingerprint import fingerprints
from PETSynthLib.learn.regions import region_keys
from PETSynthLib.learn.store import Store, StoreWriter, Subject, open_store

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("cal") / "store", n=150, tracers=("fdg",))


@pytest.fixture(scope="module")
def model(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas model, said to work on the store's grid: quick, and wrong by a good deal."""
    return atlas_bundle(tmp_path_factory.mktemp("model") / "atlas", store.grid)


def names(n: int) -> list[str]:
    return [f"p{k}" for k in range(n)]


class TestQuantile:
    def test_it_is_the_ceil_of_ninety_percent_of_one_more(self) -> None:
        # n = 20: ceil(21 * 0.9) = 19th smallest; n = 99: the 90th.
        assert conformal_quantile(np.arange(1.0, 21.0)[:, None], names(20)) == 19.0
        assert conformal_quantile(np.arange(1.0, 100.0)[:, None], names(99)) == 90.0
        # 5 people cannot tell nine of ten: the largest score is all there is.
        assert conformal_quantile(np.arange(1.0, 6.0)[:, None], names(5)) == 5.0

    def test_two_sides_count_as_two_scores_of_one_person(self) -> None:
        scores = np.stack([np.arange(1.0, 21.0), np.arange(1.0, 21.0)], 1)
        assert conformal_quantile(scores, names(20)) == 19.0

    def test_a_person_with_two_sessions_has_one_vote(self) -> None:
        # The best of 20 people comes nine times: by scans the 27th of 28 would be asked for, the
        # error 20; nineteen of twenty people stay below 19.
        often = ["p0"] * 9 + names(20)[1:]
        assert conformal_quantile(np.r_[np.ones(9), 2.0:21.0][:, None], often) == 19.0
        # The worst comes nine times: by scans the error of 20 would be reached.
        often = names(20) + ["p19"] * 8
        scores = np.r_[1.0:20.0, np.full(9, 20.0)][:, None]
        assert conformal_quantile(scores, often) == 19.0

    def test_repeated_visits_do_not_fake_a_coverage(self) -> None:
        rng = np.random.default_rng(1)
        covered = []
        for _ in range(400):
            # 19 people seen once and one seen thirty times; a person's scans are alike.
            size = rng.exponential(size=21)
            visits = [*range(20), *[0] * 29]
            scores = np.abs(size[visits] * (1 + 0.1 * rng.normal(size=len(visits))))
            quantile = conformal_quantile(scores[:, None], [f"p{k}" for k in visits])
            covered.append(abs(size[20] * (1 + 0.1 * rng.normal())) <= quantile)
        # Nineteen of twenty-one: 0.905, and 400 trials scatter by 0.015. By scans it is 0.79.
        assert 0.86 < np.mean(covered) < 0.95

    def test_ninety_percent_of_strangers_are_covered(self) -> None:
        rng = np.random.default_rng(0)
        covered = []
        for _ in range(400):
            quantile = conformal_quantile(np.abs(rng.standard_t(3, (50, 1))), names(50))
            covered.append(abs(rng.standard_t(3)) <= quantile)
        # 400 trials at a true 0.902: within 3.3 standard errors of 0.015.
        assert 0.853 < np.mean(covered) < 0.951

    def test_regions_have_both_sides_and_composites_one_column(self) -> None:
        columns = region_columns()
        assert [region_keys()[c] for c in columns["precuneus"]] == ["precuneus.L", "precuneus.R"]
        assert len(columns["fdg_ad_metaroi"]) == 1

    def test_a_region_that_too_few_show_gets_no_factor(self) -> None:
        scores = np.ones((25, len(region_keys())))
        first = region_columns()["precuneus"][0]
        scores[:6, first] = np.nan
        table = factors(scores, names(25))
        assert "precuneus" not in table
        assert table["fdg_ad_metaroi"] == pytest.approx(1 / 1.6449, abs=1e-4)
        # Twenty-five scans of nineteen people are nineteen people.
        assert factors(np.ones_like(scores), [*names(19), *names(6)]) == {}


def test_a_calibrated_bundle_names_its_people_and_covers_them(
    store: Store, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    arguments = ["calibrate", "--data", str(store.folder), "--model", str(model), "-o", str(out)]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "People: fdg 25" in said.out
    assert "use 500" in said.err.replace("\n", " ")
    bundle = verify_bundle(out)
    body = bundle.config["calibration"]
    assert body["of_bundle"] == verify_bundle(model).sha256
    assert set(body["sets"]) == {"mri", "both", "no_flair"}
    found = body["sets"]["mri"]["fdg"]
    assert found["people"] == 25
    assert bundle.config["regional_sd_factor"]["fdg"] == found["factor"]
    assert "fdg_ad_metaroi" in found["factor"]
    assert "25" in (out / "README.md").read_text()


def test_fewer_than_twenty_are_refused(model: Path, tmp_path: Path) -> None:
    small = make_store(tmp_path / "small", n=30, tracers=("fdg",))
    with pytest.raises(PETSynthError, match="Only 5 calibration people"):
        calibrate(small, str(model), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_another_grid_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(PETSynthError, match="on different grids"):
        calibrate(store, "atlas", tmp_path / "new")


def test_a_bundle_is_not_overwritten(store: Store, model: Path) -> None:
    with pytest.raises(PETSynthError, match="already there"):
        calibrate(store, str(model), model)


def test_people_the_model_was_trained_on_are_refused(
    store: Store, model: Path, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    shutil.copytree(model, known)
    config = json.loads((known / "config.json").read_text())
    seen = store.split("calibration")[:2]
    config["training"] = {"fingerprints": fingerprints(store, seen)}
    (known / "config.json").write_text(json.dumps(config))
    write_checksums(known)
    with pytest.raises(PETSynthError, match=r"^2 of the calibration subjects are people that"):
        calibrate(store, str(known), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def relabelled(store: Store, folder: Path, change: Callable[[Subject], Subject]) -> Store:
    """A store of the same images whose table of subjects is another."""
    shutil.copytree(store.folder, folder)
    facts = {k: v for k, v in store.facts.items() if k != "store_version"}
    StoreWriter(folder, facts, len(store.subjects)).write_subjects(map(change, store.subjects))
    return open_store(folder)


def test_two_sessions_of_one_brain_are_one_person(
    store: Store, model: Path, tmp_path: Path
) -> None:
    calibration = [s.subject for s in store.split("calibration")]

    def paired(subject: Subject) -> Subject:
        if subject.subject not in calibration[:10]:
            return subject
        return replace(subject, anatomy=f"pair-{calibration.index(subject.subject) // 2}")

    twice = relabelled(store, tmp_path / "twice", paired)
    assert calibrate(twice, str(model), tmp_path / "new").people == {"fdg": 20}
    config = verify_bundle(tmp_path / "new").config
    assert config["calibration"]["sets"]["mri"]["fdg"]["people"] == 20


def test_a_store_of_calibration_people_alone_is_enough(model: Path, tmp_path: Path) -> None:
    small = make_store(tmp_path / "small", n=FEWEST, tracers=("fdg",))
    alone = relabelled(small, tmp_path / "alone", lambda s: replace(s, split="calibration"))
    assert calibrate(alone, str(model), tmp_path / "new").people == {"fdg": FEWEST}


def test_who_lacks_a_flair_that_the_model_needs_is_left_out(model: Path, tmp_path: Path) -> None:
    needing = tmp_path / "needing"
    shutil.copytree(model, needing)
    config = json.loads((needing / "config.json").read_text())
    (needing / "config.json").write_text(json.dumps({**config, "needs": ["flair"]}))
    write_checksums(needing)
    small = make_store(tmp_path / "small", n=30, tracers=("fdg",))
    alone = relabelled(small, tmp_path / "alone", lambda s: replace(s, split="calibration"))
    done = calibrate(alone, str(needing), tmp_path / "new")
    assert done.people == {"fdg": 22}  # every fourth has none
    assert done.warning.startswith("8 of 30 subjects were left out: they have no FLAIR")
    body = verify_bundle(tmp_path / "new").config["calibration"]
    assert set(body["sets"]) == {"mri", "both"}
    assert len(body["fingerprints"]) == 22
    nobody = relabelled(
        small, tmp_path / "nobody", lambda s: replace(s, split="calibration", flair=False)
    )
    with pytest.raises(PETSynthError, match="Only 0 calibration people") as refused:
        calibrate(nobody, str(needing), tmp_path / "none")
    assert "with a FLAIR" in refused.value.hint
