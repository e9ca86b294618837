"""``petsynth doctor``: the block of text, and the comparison of a device with the CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from PETSynthLib import __version__
from PETSynthLib.assets import atlas_volume
from PETSynthLib.cli import doctor as command
from PETSynthLib.cli import main
from PETSynthLib.errors import EXIT_BAD_REQUEST
from PETSynthLib.generate import LoadedGenerator, load_generator
from PETSynthLib.run import device_check
from PETSynthLib.run.device_check import check_device, template_input
from PETSynthLib.volume import CANONICAL


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))


@pytest.fixture
def no_torch(monkeypatch):
    """Leaves out the worker that asks torch (it takes seconds)."""
    monkeypatch.setattr(command, "_torch", lambda: {"torch devices": "not asked"})


class Skewed:
    """A device on which the left precuneus comes out ``percent`` too hot."""

    def __init__(self, generator, percent):
        self.generator, self.percent = generator, percent

    def generate(self, inputs, effort, progress):
        generated = self.generator.generate(inputs, effort, progress)
        labels = atlas_volume("regions").data
        factor = np.where(labels == PRECUNEUS, 1 + self.percent / 100, 1).astype(np.float32)
        mean = generated.mean.with_data(generated.mean.data * factor)
        return replace(generated, mean=mean)


PRECUNEUS = 24


def skewed(percent):
    def load(model, device):
        loaded = load_generator(model, "cpu")
        if device == "cpu":
            return loaded
        return LoadedGenerator(loaded.bundle, Skewed(loaded.generator, percent))

    return load


def test_the_block_holds_what_a_bug_report_needs(no_torch, capsys, tmp_path):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for word in (
        f"PETSynth           {__version__}",
        "Python",
        "System",
        "Memory",
        "Disk free",
        str(tmp_path / "home"),
        "numpy",
        "SimpleITK",
        "deepbet",
        "torch",
        "atlas",
        "sha256",
    ):
        assert word in out


@pytest.mark.torch
def test_torch_s_devices_are_asked_in_a_worker(capsys):
    pytest.importorskip("torch")
    assert main(["doctor"]) == 0
    assert "cpu (" in capsys.readouterr().out


def test_the_same_device_differs_by_nothing():
    check = check_device("cpu", "atlas")
    assert check.difference_percent == 0.0
    assert check.passed
    assert check.seconds > 0
    assert check.peak_memory_mb > 10


@pytest.mark.parametrize(("percent", "passed"), [(0.4, True), (0.6, False)])
def test_half_a_percent_in_one_region_is_the_limit(percent, passed):
    check = check_device("cuda", "atlas", skewed(percent))
    assert check.difference_percent == pytest.approx(percent, rel=1e-2)
    assert check.passed is passed


def test_a_device_beyond_the_limit_ends_with_status_1(no_torch, monkeypatch, capsys):
    original = check_device
    monkeypatch.setattr(
        device_check, "check_device", lambda device, model: original(device, model, skewed(2.0))
    )
    assert main(["doctor", "--device", "cuda", "--model", "atlas"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_a_device_within_the_limit_ends_with_status_0(no_torch, capsys):
    assert main(["doctor", "--device", "cpu", "--model", "atlas"]) == 0
    assert "passed" in capsys.readouterr().out


def test_a_device_that_is_not_there_is_said_plainly(no_torch, capsys):
    assert main(["doctor", "--device", "cuda:9", "--model", "atlas"]) == EXIT_BAD_REQUEST
    assert "cuda:9" in capsys.readouterr().err


def test_the_template_looks_like_a_prepared_scan():
    inputs = template_input(CANONICAL)
    inside = inputs.t1.data[inputs.brain.mask]
    assert np.percentile(inside, 97) == pytest.approx(1.0, abs=0.01)
    assert inputs.t1.data[~inputs.brain.mask].max() == 0.0
    assert inputs.t1.grid.same_as(CANONICAL)


def test_a_model_is_asked_for_what_it_knows_and_shown_what_it_needs():
    asked = []

    def picky(name, device):
        loaded = load_generator("atlas", "cpu")
        config = {**loaded.bundle.config, "tracers": ["pib", "pbr28"], "needs": ["flair"]}

        class Watching:
            def generate(self, inputs, effort, progress):
                asked.append((inputs.tracer.key, inputs.flair is not None))
                return loaded.generator.generate(inputs, effort, progress)

        return LoadedGenerator(replace(loaded.bundle, config=config), Watching())

    assert check_device("cpu", "atlas", picky).passed
    assert asked == [("pib", True), ("pib", True)]
