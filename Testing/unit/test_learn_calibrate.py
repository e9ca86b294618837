"""Calibration: the conformal rank by hand, the promise on fresh people, refusal of few."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from train_case import make_store

from PETSynthLib.assets import asset
from PETSynthLib.cli import main
from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate import verify_bundle
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.learn.calibrate import calibrate
from PETSynthLib.learn.calibrate.calibrate import conformal_quantile, factors, region_columns
from PETSynthLib.learn.fingerprint import fingerprints
from PETSynthLib.learn.regions import region_keys
from PETSynthLib.learn.store import Store

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("cal") / "store", n=150, tracers=("fdg",))


@pytest.fixture(scope="module")
def model(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas model, said to work on the store's grid: quick, and wrong by a good deal."""
    folder = tmp_path_factory.mktemp("model") / "atlas"
    folder.mkdir()
    config: dict[str, Any] = json.loads(asset("bundles/atlas/config.json").read_text())
    grid = store.grid
    config["grid"] |= {"shape": list(grid.shape), "affine": grid.affine.tolist()}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text("# atlas\n")
    write_checksums(folder)
    return folder


class TestQuantile:
    def test_it_is_the_ceil_of_ninety_percent_of_one_more(self) -> None:
        # n = 20: ceil(21 * 0.9) = 19th smallest; n = 99: the 90th.
        assert conformal_quantile(np.arange(1.0, 21.0)[:, None]) == 19.0
        assert conformal_quantile(np.arange(1.0, 100.0)[:, None]) == 90.0

    def test_two_sides_count_as_two_scores_of_one_person(self) -> None:
        scores = np.stack([np.arange(1.0, 21.0), np.arange(1.0, 21.0)], 1)
        assert conformal_quantile(scores) == 19.0

    def test_ninety_percent_of_strangers_are_covered(self) -> None:
        rng = np.random.default_rng(0)
        covered = []
        for _ in range(400):
            quantile = conformal_quantile(np.abs(rng.standard_t(3, (50, 1))))
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
        table = factors(scores)
        assert "precuneus" not in table
        assert table["fdg_ad_metaroi"] == pytest.approx(1 / 1.6449, abs=1e-4)


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
    with pytest.raises(PETSynthError, match="Only 5 calibration subjects"):
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
