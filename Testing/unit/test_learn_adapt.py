"""Adapting to a site: scanner and factor are found where people tell them, and only there."""

from __future__ import annotations

import json
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
from PETSynthLib.generate import Effort, load_generator, verify_bundle
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.learn.calibrate import adapt
from PETSynthLib.learn.calibrate.site import FARTHEST, Cases, fit, fit_with_strangers
from PETSynthLib.learn.methods.interface import Material
from PETSynthLib.learn.store import Store
from PETSynthLib.progress import Silent

pytestmark = pytest.mark.torch
NAMES = ("ge", "philips", "siemens")
N, R = 24, 40
SHARE = np.array([-0.4, 1.2, 0.2])


def cases(factor: float, noise: float, share: np.ndarray = SHARE, seed: int = 0) -> Cases:
    """Scanners blur regions by different amounts; the site's is beyond the second."""
    rng = np.random.default_rng(seed)
    level = 1.2 + 0.2 * rng.normal(size=(N, 1, R))
    effect = np.array([0.0, -0.1, 0.1])[None, :, None] * rng.random((1, 1, R))
    made = level + effect + 0.01 * rng.normal(size=(N, 3, R))
    true = factor * np.einsum("nsr,s->nr", made, share)
    true += noise * rng.normal(size=(N, 1)) + noise * rng.normal(size=(N, R))
    return Cases(made, made.mean(1), true, tuple(f"p{k}" for k in range(N)))


class TestFit:
    def test_without_noise_scanner_and_factor_are_those_of_the_site(self) -> None:
        share, factor = fit({"fdg": cases(1.0, 0.0)}, NAMES, 0.01)
        # One direction (more or less blurred) is all that people tell: it decides the mixture.
        assert share.sum() == pytest.approx(1)
        assert share @ [0.0, -0.1, 0.1] == pytest.approx(SHARE @ [0.0, -0.1, 0.1], rel=0.05)
        assert factor["fdg"] == pytest.approx(1.0, abs=0.005)
        alone = cases(1.07, 0.0, np.full(3, 1 / 3))
        assert fit({"fdg": alone}, NAMES, np.inf)[1]["fdg"] == pytest.approx(1.07, abs=1e-4)

    def test_a_site_far_beyond_every_scanner_is_not_followed_there(self) -> None:
        far = cases(1.0, 0.0, np.array([-2.0, 4.0, -1.0]))
        share, _ = fit({"fdg": far}, NAMES, 0.01)
        assert share.sum() == pytest.approx(1)
        assert np.abs(share - 1 / 3).max() == pytest.approx(FARTHEST)

    def test_noise_is_not_taken_for_a_factor(self) -> None:
        equal = np.full(3, 1 / 3)
        found = np.array(
            [
                fit({"fdg": cases(1.0, 0.1, equal, seed)}, NAMES, np.inf)[1]["fdg"]
                for seed in range(40)
            ]
        )
        # The ratio of 24 people scatters by 0.1 / 1.2 / sqrt(24) = 0.017; half are left alone.
        assert found.std() < 0.017
        assert (found == 1.0).mean() > 0.4

    def test_people_held_out_choose_how_much_is_believed(self) -> None:
        site, after = fit_with_strangers({"fdg": cases(1.1, 0.02)}, NAMES)
        assert site.factor["fdg"] == pytest.approx(1.1, abs=0.02)
        assert after["fdg"] < 0.5 * cases(1.1, 0.02).error
        equal = np.full(3, 1 / 3)
        site, after = fit_with_strangers({"fdg": cases(1.0, 0.2, equal)}, NAMES)
        assert after["fdg"] == pytest.approx(cases(1.0, 0.2, equal).error, rel=0.05)

    def test_a_model_that_is_told_no_scanner_gets_a_factor_alone(self) -> None:
        site, _ = fit_with_strangers({"fdg": cases(1.1, 0.01, np.full(3, 1 / 3))}, ())
        assert site.scanner == {}
        assert site.factor["fdg"] == pytest.approx(1.1, abs=0.03)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("site") / "store", n=30, tracers=("fdg",))


@pytest.fixture(scope="module")
def model(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The atlas model, said to work on the store's grid."""
    return atlas_bundle(tmp_path_factory.mktemp("model") / "atlas", store.grid)


def test_the_new_model_draws_at_the_site_s_scale(
    store: Store, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    told = ["adapt", "--data", str(store.folder), "--init", str(model), "-o", str(new)]
    assert main(told) == 0
    out = capsys.readouterr().out
    assert "fdg: SUVR times" in out
    bundle = verify_bundle(new)
    assert bundle.name == "atlas-adapted"
    factor = bundle.config["adaptation"]["factor"]["fdg"]
    assert bundle.config["adaptation"]["of_bundle"] == verify_bundle(model).sha256
    # Whoever is in the split "test" stays a stranger.
    known = len([s for s in store.subjects if s.split != "test"])
    assert bundle.config["adaptation"]["people"]["fdg"] == known
    assert len(bundle.config["calibration"]["fingerprints"]) == known
    assert "Adapted to a site" in (new / "README.md").read_text()
    material, subject = Material(store, "truth", (), ()), store.split("test")[0]
    given = material.inputs(subject, "fdg")
    old, adapted = (
        load_generator(str(m), "cpu").generator.generate(given, Effort(), Silent())
        for m in (model, new)
    )
    assert adapted.mean.data == pytest.approx(old.mean.data * factor, rel=1e-5)
    assert adapted.sd.data == pytest.approx(old.sd.data * factor, rel=1e-5)
    assert adapted.details["site_factor"] == pytest.approx(factor)
    with pytest.raises(PETSynthError, match="adapted to a site already"):
        adapt(store, str(new), tmp_path / "twice")
    with pytest.raises(PETSynthError, match="already there"):
        adapt(store, str(model), new)


def test_too_few_people_are_refused(model: Path, tmp_path: Path) -> None:
    small = make_store(tmp_path / "small", n=12, tracers=("fdg",))
    with pytest.raises(PETSynthError, match=r"^Only \d+ people of the site"):
        adapt(small, str(model), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_factor_that_is_none_is_a_damaged_bundle(model: Path, tmp_path: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["adaptation"] = {"factor": {"fdg": 0.0}}
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "config.json").write_text(json.dumps(config))
    (bad / "README.md").write_text("# atlas\n")
    write_checksums(bad)
    with pytest.raises(PETSynthError, match="not positive"):
        verify_bundle(bad)


def test_people_without_a_known_scanner_get_the_site_s(store: Store) -> None:
    subject = replace(store.subjects[0], scanner="canon")
    assert Material(store, "truth", (), ()).inputs(subject, "fdg").pet_scanner is None
