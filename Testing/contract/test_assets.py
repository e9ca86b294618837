"""The shipped data is what its records say, where the one template space says it is."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from PETSynthLib.assets import atlas_volume, composites, read_json, reference_mask, region_names
from PETSynthLib.volume import CANONICAL

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "PETSynthLib" / "assets"
SHARED = ROOT.parent / "shared" / "data"
ATLAS = sorted(path.name.removesuffix(".nii.gz") for path in (ASSETS / "atlas").glob("*.nii.gz"))

WRITTEN_HERE = {
    "manifest.json", "tracers.json", "scales.json", "uptake.json", "atlas/composites.json",
}  # fmt: skip
"""Tables that people of this project wrote; everything else is built and has a checksum."""


RECORDS = ("SHA256SUMS", "meta.json")
"""What holds the checksums of a bundle and of a database."""


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recorded(assets: Path) -> dict[str, str]:
    """Checksum by file: the manifest's, each bundle's ``SHA256SUMS`` and each database's."""
    sums = dict(json.loads((assets / "manifest.json").read_text(encoding="utf-8"))["files"])
    for listing in sorted((assets / "bundles").glob("*/SHA256SUMS")):
        folder = listing.parent.relative_to(assets).as_posix()
        for line in listing.read_text(encoding="utf-8").splitlines():
            sha256, name = line.split(maxsplit=1)
            sums[f"{folder}/{name.lstrip('*')}"] = sha256
    for meta in sorted((assets / "databases").glob("*/meta.json")):
        folder = meta.parent.relative_to(assets).as_posix()
        sums[f"{folder}/arrays.npz"] = json.loads(meta.read_text(encoding="utf-8"))["arrays_sha256"]
    return sums


def complaints(assets: Path) -> Iterator[str]:
    """Files whose bytes differ from their record, that are missing, or that have no record."""
    sums = recorded(assets)
    for name, sha256 in sums.items():
        path = assets / name
        if not path.is_file():
            yield f"recorded, but missing: {name}"
        elif digest(path) != sha256:
            yield f"differs from its record: {name}"
    for path in sorted(assets.rglob("*")):
        name = path.relative_to(assets).as_posix()
        if (
            path.is_file()
            and path.suffix not in (".py", ".pyc")
            and not name.startswith("LICENCES/")
            and path.name not in RECORDS
            and name not in sums
            and name not in WRITTEN_HERE
        ):
            yield f"without a record: {name}"


class TestRecords:
    def test_every_asset_has_a_record_and_agrees_with_it(self) -> None:
        assert list(complaints(ASSETS)) == []

    @pytest.fixture
    def small(self, tmp_path: Path) -> Path:
        """A small asset folder with one built file and one bundle."""
        bundle = tmp_path / "bundles" / "one"
        bundle.mkdir(parents=True)
        (tmp_path / "atlas.nii.gz").write_bytes(b"atlas")
        (bundle / "config.json").write_bytes(b"{}")
        files = {"atlas.nii.gz": digest(tmp_path / "atlas.nii.gz")}
        (tmp_path / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")
        line = f"{digest(bundle / 'config.json')}  config.json\n"
        (bundle / "SHA256SUMS").write_text(line, encoding="utf-8")
        assert list(complaints(tmp_path)) == []
        return tmp_path

    def test_a_flipped_byte_is_seen(self, small: Path) -> None:
        (small / "atlas.nii.gz").write_bytes(b"atlaz")
        assert list(complaints(small)) == ["differs from its record: atlas.nii.gz"]

    def test_a_damaged_bundle_is_seen(self, small: Path) -> None:
        (small / "bundles" / "one" / "config.json").write_bytes(b"[]")
        assert list(complaints(small)) == ["differs from its record: bundles/one/config.json"]

    def test_a_stray_file_is_seen(self, small: Path) -> None:
        (small / "bundles" / "one" / "weights.pt").write_bytes(b"?")
        assert list(complaints(small)) == ["without a record: bundles/one/weights.pt"]

    def test_a_missing_file_is_seen(self, small: Path) -> None:
        (small / "atlas.nii.gz").unlink()
        assert list(complaints(small)) == ["recorded, but missing: atlas.nii.gz"]


class TestLicences:
    def test_every_source_names_a_licence_that_is_shipped(self) -> None:
        for source in read_json("manifest.json")["sources"]:
            notice = source["licence"].split("LICENCES/")[1].rstrip(")")
            assert (ASSETS / "LICENCES" / notice).stat().st_size > 500

    def test_the_readme_names_every_source_and_every_notice(self) -> None:
        text = (ASSETS / "LICENCES" / "README.md").read_text(encoding="utf-8")
        sources = read_json("manifest.json")["sources"]
        assert [s["member"] for s in sources if Path(s["member"]).name not in text] == []
        assert [s["package"] for s in sources if s["package"].split("-")[0] not in text] == []
        notices = [p.name for p in (ASSETS / "LICENCES").glob("*.txt")]
        assert notices
        assert [name for name in notices if name not in text] == []

    def test_the_readme_names_every_built_file(self) -> None:
        text = (ASSETS / "LICENCES" / "README.md").read_text(encoding="utf-8")
        assert [name for name in read_json("manifest.json")["files"] if name not in text] == []


class TestSpace:
    @pytest.mark.parametrize("name", ATLAS)
    def test_an_atlas_file_lies_on_the_canonical_grid(self, name: str) -> None:
        image = nib.load(ASSETS / "atlas" / f"{name}.nii.gz")
        assert image.shape == CANONICAL.shape
        for affine, code in (image.get_sform(coded=True), image.get_qform(coded=True)):
            assert code == 4, "sform and qform say: MNI space"
            np.testing.assert_allclose(affine, CANONICAL.affine, atol=1e-4)

    def test_the_atlas_has_files(self) -> None:
        assert {"template_t1", "regions", "references"} <= set(ATLAS)

    def test_left_is_left(self) -> None:
        labels = atlas_volume("territories").data
        x = CANONICAL.affine[0, 3] + CANONICAL.spacing[0] * np.arange(CANONICAL.shape[0])
        for label, (name, side) in region_names().items():
            where = (labels == label).any(axis=(1, 2))
            if side in ("L", "R") and where.any():
                centre = np.average(x, weights=(labels == label).sum(axis=(1, 2)))
                assert (centre < 0) == (side == "L"), f"{name} {side} at x = {centre:.1f} mm"

    def test_every_label_of_the_atlas_has_a_name_and_every_name_a_voxel(self) -> None:
        labels = set(np.unique(atlas_volume("regions").data).astype(int)) - {0}
        labels |= set(np.unique(atlas_volume("territories").data).astype(int)) - {0}
        assert labels == set(region_names())

    def test_composites_consist_of_known_regions(self) -> None:
        known = {name for name, _ in region_names().values()}
        assert composites()
        for composite, names in composites().items():
            assert set(names) <= known, composite

    @pytest.mark.parametrize(
        "name", ["pons", "cerebellum_whole", "cerebellum_grey", "cerebellum_grey_inferior"]
    )
    def test_a_reference_region_is_inside_the_brain_and_not_tiny(self, name: str) -> None:
        mask = reference_mask(name).mask
        assert (mask & ~atlas_volume("template_brain").mask).sum() == 0
        assert mask.sum() * CANONICAL.voxel_ml > 1.0, "millilitres"


def repository_files() -> list[Path]:
    """What is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    # A source archive: no git, but perhaps an environment and caches in hidden folders.
    tops = [
        path
        for path in ROOT.iterdir()
        if path.name in (".ci", ".gitignore") or not path.name.startswith(".")
    ]
    found = [path for top in tops for path in (top, *top.rglob("*"))]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.shared
def test_nothing_that_may_only_be_read_is_in_the_repository() -> None:
    manifest = SHARED / "manifest.csv"
    if not manifest.is_file():
        pytest.skip("../shared/data is not there")
    with manifest.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    banned = {row["sha256"]: row["file"] for row in rows if row["commit"].startswith("no")}
    assert banned, "the manifest names files that may not be committed"
    assert {p.name: banned[h] for p in repository_files() if (h := digest(p)) in banned} == {}
