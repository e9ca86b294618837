"""Bad input, each through the command line: one plain sentence, what to do, nothing written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PETSynthLib.assets import atlas_volume
from PETSynthLib.cli import main
from PETSynthLib.errors import EXIT_BAD_REQUEST
from PETSynthLib.generate import find_bundle
from PETSynthLib.preprocess import align, bias

GRID = np.diag([2.0, 2.0, 2.0, 1.0])


def save(path: Path, data: np.ndarray, affine: np.ndarray = GRID) -> Path:
    nib.save(nib.Nifti1Image(data.astype(np.float32), affine), path)
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(10, 100, shape)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder with a space and an umlaut, as people have them."""
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PETSYNTH_LOG", raising=False)
    folder = tmp_path / "Jürgens Bilder"
    folder.mkdir()
    return folder


@pytest.fixture
def head(place) -> Path:
    """A T1 with which nothing is wrong."""
    template = atlas_volume("template_t1")
    return save(place / "T1.nii.gz", template.data, template.affine)


def refused(
    capsys,
    place: Path,
    words: list[str | Path],
    model: str | Path = "atlas",
    there_already: tuple[bool, ...] = (False, True),
) -> str:
    """Run the command into a new and into an existing folder; returns the sentence and the hint.

    Fails unless every run ends as bad input has to.
    """
    out = place / "out"
    answers = []
    for existing in there_already:
        if existing:
            out.mkdir()
            (out / "notes.txt").write_text("mine", encoding="utf-8")
        before = snapshot(place)
        arguments = ["synthesize", *words, "--model", model, "--output", out, "--quiet"]
        if "--tracer" not in words:
            arguments += ["--tracer", "fdg"]
        status = main([str(word) for word in arguments])
        printed = capsys.readouterr()
        assert status == EXIT_BAD_REQUEST, printed.err
        assert snapshot(place) == before
        answers.append(check_sentence(printed))
    shutil.rmtree(out, ignore_errors=True)
    (answer,) = set(answers)
    return answer


def check_sentence(printed) -> str:
    assert printed.out == ""
    assert "Traceback" not in printed.err
    sentence, hint = printed.err.splitlines()
    assert sentence.startswith("petsynth: ")
    for line in (sentence, hint):
        assert line.endswith(".")
        assert "Error" not in line
    assert not re.search(r"[.!?] [A-Z]", sentence), "more than one sentence"
    return printed.err


def snapshot(place: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(place)): p.read_bytes() if p.is_file() else None
        for p in sorted(place.rglob("*"))
    }


def test_a_missing_file(capsys, place):
    assert "does not exist" in refused(capsys, place, [place / "T1.nii.gz"])


@pytest.mark.parametrize("name", ["T1.nii.gz", "T1.nii", "T1.nrrd", "T1.txt", "T1"])
def test_a_file_that_is_no_image(capsys, place, name):
    (place / name).write_text("Dear colleague,\n", encoding="utf-8")
    refused(capsys, place, [place / name])


def test_an_empty_file(capsys, place):
    (place / "T1.nii.gz").write_bytes(b"")
    refused(capsys, place, [place / "T1.nii.gz"])


def test_a_folder_instead_of_a_file(capsys, place):
    (place / "T1.nii.gz").mkdir()
    refused(capsys, place, [place / "T1.nii.gz"])


def test_a_single_slice(capsys, place):
    refused(capsys, place, [save(place / "T1.nii.gz", noise(64, 64))])
    refused(capsys, place, [save(place / "T1.nii.gz", noise(64, 64, 1))])


def test_a_series_of_volumes(capsys, place):
    refused(capsys, place, [save(place / "T1.nii.gz", noise(20, 20, 20, 5))])


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_empty_or_constant_volume(capsys, place, value):
    refused(capsys, place, [save(place / "T1.nii.gz", np.full((64, 64, 64), value))])


def test_a_volume_full_of_nan(capsys, place):
    data = noise(64, 64, 64)
    data[:, :, :40] = np.nan
    refused(capsys, place, [save(place / "T1.nii.gz", data)])


def test_a_truncated_file(capsys, place, head):
    content = head.read_bytes()
    head.write_bytes(content[: len(content) // 2])
    refused(capsys, place, [head])


def abdomen() -> np.ndarray:
    """A belly on 3 mm voxels: skin, fat, spine, liver, kidneys; no head in sight."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (110, 80, 90)), indexing="ij")
    body = (x / 0.9) ** 2 + (y / 0.85) ** 2 < 1
    data = np.where(body, 250.0, 0.0)
    data[(x / 0.8) ** 2 + (y / 0.7) ** 2 < 1] = 90
    data[(x**2 + (y + 0.5) ** 2) < 0.02] = 180
    data[((x - 0.4) / 0.35) ** 2 + ((y - 0.1) / 0.4) ** 2 + ((z - 0.3) / 0.5) ** 2 < 1] = 140
    for side in (-0.45, 0.45):
        data[((x - side) / 0.15) ** 2 + ((y + 0.3) / 0.15) ** 2 + (z / 0.3) ** 2 < 1] = 60
    return data + np.where(body, noise(*data.shape) / 10, 0)


@pytest.mark.torch
@pytest.mark.slow
def test_an_abdomen(capsys, place):
    belly = save(place / "T1.nii.gz", abdomen(), np.diag([3.0, 3.0, 3.0, 1.0]))
    answer = refused(capsys, place, [belly], there_already=(True,))
    assert "brain" in answer


def test_a_mask_of_another_grid(capsys, place, head):
    other = save(place / "other.nii.gz", noise(30, 30, 30) > 50)
    refused(capsys, place, [head, "--mask", other])


def test_an_empty_mask(capsys, place, head):
    template = atlas_volume("template_t1")
    empty = save(place / "empty.nii.gz", np.zeros(template.shape), template.affine)
    refused(capsys, place, [head, "--mask", empty])


def test_a_mask_of_something_else_on_the_same_grid(capsys, place, head):
    template = atlas_volume("template_brain")
    ball = np.zeros(template.shape)
    ball[5:20, 5:20, 5:20] = 1
    refused(capsys, place, [head, "--mask", save(place / "b.nii.gz", ball, template.affine)])


def test_a_missing_mask_and_a_missing_flair(capsys, place, head):
    assert "mask" in refused(capsys, place, [head, "--mask", place / "no.nii.gz"])
    assert "FLAIR" in refused(capsys, place, [head, "--flair", place / "no.nii.gz"])


@pytest.mark.slow
def test_a_flair_of_another_head(capsys, place, monkeypatch):
    # Greedy answers at once: this T1 is the template. N4 takes a short look only.
    monkeypatch.setattr(align, "greedy_affine", lambda *_: np.eye(4))
    monkeypatch.setattr(bias, "ITERATIONS", (3, 3))
    # On coarse voxels, for speed: another head, elsewhere, turned, longer in one direction.
    template = atlas_volume("template_t1")
    half = np.diag([4.0, 4.0, 4.0, 1.0])
    small = save(place / "T1.nii.gz", template.data[::2, ::2, ::2], half)
    brain = atlas_volume("template_brain").data
    small_mask = save(place / "mask.nii.gz", brain[::2, ::2, ::2], half)
    wide = np.array([[0, -2.8, 0, 90], [2.0, 0, 0, -60], [0, 0, 5.2, -200], [0, 0, 0, 1.0]])
    other = save(place / "flair.nii.gz", template.data[::-2, ::2, ::-2] + noise(48, 56, 48), wide)
    words = [small, "--flair", other, "--mask", small_mask]
    assert "same head" in refused(capsys, place, words, there_already=(True,))


def test_an_unknown_tracer(capsys, place, head):
    answer = refused(capsys, place, [head, "--tracer", "aspirin"])
    assert "'aspirin'" in answer
    assert "florbetapir" in answer


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--age", "300"),
        ("--age", "nan"),
        ("--sex", "x"),
        ("--education", "-1"),
        ("--mmse", "31"),
        ("--adas13", "86"),
        ("--apoe4", "3"),
        ("--pet-scanner", "toshiba"),
        ("--samples", "-1"),
        ("--steps", "0"),
        ("--seed", "-1"),
        ("--device", "toaster"),
    ],
)
def test_a_value_that_cannot_be(capsys, place, head, option, value):
    refused(capsys, place, [head, f"{option}={value}"])


def test_a_model_that_is_not_there(capsys, place, head):
    assert "atlas" in refused(capsys, place, [head], model="nonsense")


@pytest.mark.parametrize("name", ["config.json", "README.md", "SHA256SUMS"])
def test_a_bundle_with_a_flipped_byte(capsys, place, head, name):
    bundle = place / "bundle"
    shutil.copytree(find_bundle("atlas"), bundle)
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 0x20
    (bundle / name).write_bytes(content)
    refused(capsys, place, [head], model=bundle)


def test_a_file_where_the_output_folder_should_be(capsys, place, head):
    (place / "out").write_text("mine", encoding="utf-8")
    before = snapshot(place)
    words = ["synthesize", head, "--tracer", "fdg", "--model", "atlas", "-o", place / "out", "-q"]
    assert main([str(w) for w in words]) == EXIT_BAD_REQUEST
    check_sentence(capsys.readouterr())
    assert snapshot(place) == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_read_only_output_folder(capsys, head):
    # Not below pytest's own folder, which is closed to other users; root gives up its rights.
    open_place = Path(tempfile.mkdtemp(prefix="petsynth-test-"))
    open_place.chmod(0o755)
    out = open_place / "out"
    out.mkdir()
    out.chmod(0o555)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)
        words = ["synthesize", head, "--tracer", "fdg", "--model", "atlas", "-o", out, "-q"]
        status = main([str(w) for w in words])
    finally:
        if root:
            os.seteuid(0)
    assert status == EXIT_BAD_REQUEST
    assert "cannot be written" in check_sentence(capsys.readouterr())
    assert [p.name for p in open_place.rglob("*")] == ["out"]
    out.chmod(0o755)
    shutil.rmtree(open_place)


def test_a_full_output_folder(capsys, place, head):
    disk = place / "small disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.name == "nt" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        words = ["synthesize", head, "--tracer", "fdg", "--model", "atlas", "-o", disk / "o", "-q"]
        assert main([str(w) for w in words]) == EXIT_BAD_REQUEST
        assert "not enough free disk space" in check_sentence(capsys.readouterr())
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)
