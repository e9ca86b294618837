"""A bundle is believed only when every byte and every field is right."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.generate import find_bundle, list_bundles, load_generator, verify_bundle
from PETSynthLib.generate.bundle import check_config, write_checksums
from PETSynthLib.request import Preset, SynthesisRequest


@pytest.fixture
def a_copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(find_bundle("atlas"), tmp_path / "copy"))


@pytest.mark.parametrize("folder", list_bundles(), ids=lambda f: f.name)
def test_every_shipped_bundle_is_whole_small_and_free_of_pickles(folder: Path) -> None:
    bundle = verify_bundle(folder)
    assert bundle.name == folder.name
    files = [p for p in folder.iterdir() if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 8e6
    assert {p.suffix for p in files} <= {".json", ".md", ".safetensors", ""}


def damaged(folder: Path) -> str:
    with pytest.raises(PETSynthError) as refusal:
        verify_bundle(folder)
    assert refusal.value.code is ErrorCode.BUNDLE_DAMAGED
    assert refusal.value.exit_status == 2
    return refusal.value.text


def test_a_flipped_bit_is_found(a_copy: Path) -> None:
    card = a_copy / "README.md"
    body = bytearray(card.read_bytes())
    body[10] ^= 1
    card.write_bytes(body)
    assert "README.md has another checksum" in damaged(a_copy)


def test_a_missing_and_a_foreign_file_are_found(a_copy: Path) -> None:
    (a_copy / "weights.pt").write_bytes(b"x")
    assert "weights.pt" in damaged(a_copy)
    (a_copy / "weights.pt").unlink()
    (a_copy / "README.md").unlink()
    assert "lacks README.md" in damaged(a_copy)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", ".hidden", "C:\\x"])
def test_checksums_cannot_name_files_elsewhere(a_copy: Path, name: str) -> None:
    with (a_copy / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.write(f"{'0' * 64}  {name}\n")
    assert "malformed" in damaged(a_copy)


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda config: config.pop(key)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.update(bundle_version=2),
        lambda c: c.update(method="os"),
        lambda c: c.update(trained_on="hearsay"),
        lambda c: c.update(name="../flow"),
        lambda c: c.update(tracers=["water"]),
        lambda c: c.update(tracers=[]),
        lambda c: c["grid"].update(space="elsewhere"),
        lambda c: c["presets"]["fast"].update(samples=1000),
        without("grid"),
        without("regional_sd_factor"),
        without("licence"),
    ],
)
def test_a_wrong_configuration_is_refused(
    a_copy: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    path = a_copy / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    check_config(config)
    spoil(config)
    path.write_text(json.dumps(config), encoding="utf-8")
    write_checksums(a_copy)
    assert "unusable config.json" in damaged(a_copy)


def test_a_bundle_is_found_by_name_by_path_and_in_the_users_home(
    a_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_bundle(str(a_copy)) == a_copy
    own = tmp_path / "home" / "bundles" / "mine"
    shutil.copytree(a_copy, own)
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    assert find_bundle("mine") == own
    with pytest.raises(PETSynthError, match="Choose one of"):
        find_bundle("yours")


def test_a_request_may_override_the_presets_samples_and_steps(a_copy: Path) -> None:
    bundle = verify_bundle(a_copy)
    plain = bundle.effort(SynthesisRequest("t1", "out", preset=Preset.FAST, seed=5))
    assert (plain.samples, plain.seed) == (bundle.config["presets"]["fast"]["samples"], 5)
    chosen = bundle.effort(SynthesisRequest("t1", "out", samples=7, steps=3))
    assert (chosen.samples, chosen.steps) == (7, 3)


def test_the_atlas_refuses_a_device_it_cannot_use() -> None:
    with pytest.raises(PETSynthError) as refusal:
        load_generator("atlas", "cuda")
    assert refusal.value.code is ErrorCode.DEVICE
