"""All files of a synthesis: names, order, checksums, marks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from export_case import generated, laid_on, lopsided, prepared_on, record
from PIL import Image

from PETSynthLib.errors import Cancelled
from PETSynthLib.export import Expected, ssp, write_results
from PETSynthLib.progress import Silent
from PETSynthLib.quantify import quantify
from PETSynthLib.read import Scan
from PETSynthLib.restore import restore
from PETSynthLib.volume import CANONICAL, Grid, Volume

# The scan's file runs left, posterior, superior; the canonical grid is the template's.
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])
FLIP[:2, 3] = (95, 111)
STORED = Grid(CANONICAL.shape, CANONICAL.affine @ FLIP)


def written(folder, key: str = "fdg", samples: int = 0, progress=None) -> dict[str, str]:
    prepared = prepared_on(CANONICAL, np.eye(4))
    restored = restore(generated(lopsided(), key, samples), prepared)
    regions = laid_on(prepared)
    table = quantify(restored.mean, restored.sd, regions.labels, {})
    scan = Scan(
        volume=Volume(prepared.native_t1.data, CANONICAL.affine),
        stored=STORED,
        findings=[],
        sha256="c" * 64,
        header={"sform_code": 4},
    )
    told = progress or Silent()
    beside = Expected(restored.mean, table)
    return write_results(
        folder, scan, prepared, restored, table, record(key), told, regions, beside
    )


@pytest.fixture(scope="module")
def fdg(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Folder and files of an FDG synthesis with two samples."""
    folder = tmp_path_factory.mktemp("fdg")
    return folder, written(folder, samples=2)


def test_names_checksums_and_the_stored_grid(fdg):
    tmp_path, files = fdg
    assert list(files) == [
        "fdg_synth_suvr.nii.gz",
        "fdg_synth_sd.nii.gz",
        "fdg_synth_expected.nii.gz",
        "fdg_synth_sample-01.nii.gz",
        "fdg_synth_sample-02.nii.gz",
        "space/regions.nii.gz",
        "space/reference.nii.gz",
        "fdg_synth_regions.tsv",
        "fdg_synth.png",
        "fdg_synth_ssp.png",
        "fdg_synth.json",
        "report.html",
    ]
    there = (path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert sorted(files) == sorted(path.as_posix() for path in there)
    for name, digest in files.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    body = json.loads((tmp_path / "fdg_synth.json").read_text(encoding="utf-8"))
    assert body["Outputs"] == {name: files[name] for name in list(files)[:10]}

    image = nib.load(tmp_path / "fdg_synth_suvr.nii.gz")
    assert np.array_equal(image.affine, STORED.affine)
    assert int(image.header["sform_code"]) == 4
    # Left frontal lobe (x = -36 mm) is 1.3, right is 1.0, by the file's own affine.
    for x, value in ((-36.0, 1.3), (36.0, 1.0)):
        point = np.linalg.solve(image.affine, [x, 38.0, 24.0, 1.0])[:3].round().astype(int)
        assert float(image.dataobj[tuple(point)]) == pytest.approx(value, abs=0.02)


def test_every_file_says_what_it_is(fdg):
    tmp_path, _ = fdg
    for path in (p for p in tmp_path.iterdir() if p.is_file()):
        content = path.read_bytes()
        if path.name.endswith(".gz"):
            content = bytes(nib.load(path).header.binaryblock)
        assert b"synthetic" in content.lower(), path.name


def test_low_and_high_of_an_exploratory_tracer_go_along_with_the_mean(tmp_path, monkeypatch):
    monkeypatch.setattr(ssp, "render_page", lambda *_: Image.new("RGB", (8, 8)))
    files = written(tmp_path, key="pib")
    assert {"pib_synth_suvr.nii.gz", "pib_synth_low10.nii.gz", "pib_synth_high90.nii.gz"} <= set(
        files
    )


def test_it_stops_between_files_when_asked(tmp_path):
    class Impatient(Silent):
        def step(self, done: int, total: int) -> None:
            if done == 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        written(tmp_path, progress=Impatient())
    assert len([path for path in tmp_path.iterdir() if path.is_file()]) == 2
    assert not list((tmp_path / "space").iterdir())


def test_the_region_map_lies_on_the_stored_grid_in_whole_numbers(fdg):
    tmp_path, _ = fdg
    labels = nib.load(tmp_path / "space" / "regions.nii.gz")
    assert labels.get_data_dtype() == np.uint8
    assert np.array_equal(labels.affine, STORED.affine)
    # Label 28 is the left superior parietal cortex: on the left by the file's own affine.
    x = nib.affines.apply_affine(labels.affine, np.argwhere(np.asarray(labels.dataobj) == 28))[:, 0]
    assert x.max() < 4.0
    assert np.asarray(nib.load(tmp_path / "space" / "reference.nii.gz").dataobj).any()
