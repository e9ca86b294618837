"""The recipe of the shipped model: steps in order, none twice, nobody judged among its people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

yaml = pytest.importorskip("yaml")
release = pytest.importorskip("release")
v1 = pytest.importorskip("v1")

from PETSynthLib.assets import asset
from PETSynthLib.generate.bundle import write_checksums

pytestmark = pytest.mark.torch
BENCHMARK = Path(release.__file__).parent


@pytest.fixture
def recipe() -> dict[str, Any]:
    return yaml.safe_load(release.RECIPE.read_text(encoding="utf-8"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was asked of petsynth; a training and a calibration leave a bundle."""
    commands: list[list[str]] = []

    def instead(*words: object) -> None:
        commands.append([str(w) for w in words])
        if words[0] in ("train", "calibrate"):
            out = Path(commands[-1][commands[-1].index("-o") + 1])
            bundle(out / "bundle" if words[0] == "train" else out)

    for module in (release, v1):
        monkeypatch.setattr(module, "petsynth", instead)
    return commands


def bundle(folder: Path) -> None:
    folder.mkdir(parents=True)
    config = json.loads(asset("bundles/atlas/config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text("# atlas\n")
    write_checksums(folder)


def test_nobody_whom_the_benchmark_judges_is_trained_or_calibrated_on(
    recipe: dict[str, Any],
) -> None:
    protocol = yaml.safe_load((BENCHMARK / "v1.yaml").read_text(encoding="utf-8"))
    cohort = protocol["cohorts"]["a"]
    judged = cohort["subjects"] - cohort["split"]["test"]
    assert recipe["cohorts"]["train"]["seed"] == cohort["seed"]
    assert recipe["cohorts"]["train"]["subjects"] <= judged
    taken = {c["seed"] for c in protocol["cohorts"].values()}
    assert recipe["cohorts"]["calibration"]["seed"] not in taken
    assert recipe["cohorts"]["calibration"]["subjects"] >= 500
    assert (
        sum(recipe["cohorts"]["train"]["split"].values()) == recipe["cohorts"]["train"]["subjects"]
    )


def test_finished_steps_are_kept(
    recipe: dict[str, Any], asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "BUNDLES", tmp_path / "assets")
    for _ in range(2):
        for step in (release.model, release.calibration, release.install):
            step(tmp_path, recipe, 2)
    assert [command[0] for command in asked] == [
        *("simulate", "prepare", "train"),
        *("simulate", "prepare", "calibrate"),
    ]
    assert (tmp_path / "assets" / recipe["method"] / "config.json").is_file()


def test_a_bundle_that_is_too_large_is_not_installed(
    recipe: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "BUNDLES", tmp_path / "assets")
    bundle(tmp_path / "calibrated")
    with pytest.raises(SystemExit, match="MB"):
        release.install(tmp_path, {**recipe, "largest_mb": 0.0001}, 2)
    assert not (tmp_path / "assets").exists()
