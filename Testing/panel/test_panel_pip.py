"""The installer's command line on the real pip: tiny wheels from a folder, no network, no fakes."""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[2] / "PETSynth/Resources/requirements.txt"
EVERYTHING = {
    "torch": "2.9.0",
    "nibabel": "5.3.0",
    "pillow": "11.0.0",
    "safetensors": "0.5.0",
    "picsl-greedy": "1.3.0",
    "connected-components-3d": "3.20.0",
    "fill-voids": "2.1.0",
    "pandas": "2.3.0",
    "tqdm": "4.67.0",
    "deepbet": "1.0.2",
}
"""What a run needs."""
FOR_DICOM = {"pydicom": "3.0.1", "highdicom": "0.28.2"}


def makeWheel(folder: Path, name: str, version: str) -> None:
    """A wheel whose package holds one empty file; deepbet asks for its toolkit of windows."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    asks = "Requires-Dist: customtkinter\n" if name == "deepbet" else ""
    files = {
        f"{module}/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{asks}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def pip(python: Path, command: str, *words: str) -> None:
    """Run the real pip on the environment of ``python`` and no other, without any settings."""
    ours = ("PIP_", "PYTHON")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    environment |= {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # Were an index asked all the same, nobody would answer.
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), command, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, done.args, output=done.stdout)


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with a wheel for everything, in a path as people have them."""
    folder = tmp_path / "Räder für Slicer"
    folder.mkdir()
    for name, version in (EVERYTHING | FOR_DICOM).items():
        makeWheel(folder, name, version)
    return folder


@pytest.fixture
def slicersPython(
    host: Any, loadModule: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty environment of its own, on which Slicer's pip works: nothing reaches ours."""
    import slicer

    loadModule("PETSynth")
    from PETSynthPanel import Dependencies

    home = tmp_path / "python"
    venv.create(home, with_pip=False)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    folder = sysconfig.get_path("purelib", "venv", {"base": str(home)})

    def install(words: Any) -> None:
        pip(python, "install", *(words if isinstance(words, list) else words.split()))

    monkeypatch.setattr(slicer.util, "pip_install", install)
    monkeypatch.setattr(slicer.util, "pip_uninstall", lambda n: pip(python, "uninstall", "-y", n))
    monkeypatch.setattr(Dependencies, "siteFolder", lambda: folder)
    return python


@pytest.fixture
def site(slicersPython: Path) -> Path:
    """Where that environment keeps its packages."""
    from PETSynthPanel import Dependencies

    return Path(Dependencies.siteFolder())


def installed(site: Path) -> dict[str, str]:
    """Name -> version of what lies in ``site``."""
    found = importlib.metadata.distributions(path=[str(site)])
    return {re.sub(r"[_.]", "-", d.metadata["Name"]).lower(): d.version for d in found}


def test_everything_comes_from_the_wheel_folder(site: Path, wheels: Path) -> None:
    from PETSynthPanel import Dependencies

    Dependencies.install(str(REQUIREMENTS), True, str(wheels))
    assert installed(site) == EVERYTHING, "deepbet came without its toolkit of windows"


def test_a_model_without_networks_gets_no_pytorch(site: Path, wheels: Path) -> None:
    from PETSynthPanel import Dependencies

    Dependencies.install(str(REQUIREMENTS), False, str(wheels))
    assert set(EVERYTHING) - set(installed(site)) == {"torch", "deepbet"}


def test_too_old_a_pytorch_is_not_taken(site: Path, wheels: Path) -> None:
    from PETSynthPanel import Dependencies

    (wheels / "torch-2.9.0-py3-none-any.whl").unlink()
    makeWheel(wheels, "torch", "2.5.1")
    with pytest.raises(Dependencies.InstallError, match=r"torch>=2\.6"):
        Dependencies.install(str(REQUIREMENTS), True, str(wheels))
    assert installed(site) == {}


def test_a_missing_wheel_is_named_in_pips_words(site: Path, wheels: Path) -> None:
    from PETSynthPanel import Dependencies

    (wheels / "picsl_greedy-1.3.0-py3-none-any.whl").unlink()
    with pytest.raises(Dependencies.InstallError, match=r"No matching distribution.*picsl-greedy"):
        Dependencies.install(str(REQUIREMENTS), False, str(wheels))
    assert installed(site) == {}, "all of them or none"


def test_the_commands_for_another_computer_fill_a_folder_that_installs(
    slicersPython: Path, site: Path, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PETSynthPanel import Dependencies

    monkeypatch.chdir(tmp_path)
    for command in Dependencies.downloadCommands(REQUIREMENTS):
        program, verb, *words = shlex.split(command)
        assert (program, verb) == ("pip", "download")
        pip(slicersPython, verb, "--no-index", "--find-links", str(wheels), *words)
    assert len(list((tmp_path / "wheels").iterdir())) == len(EVERYTHING | FOR_DICOM)
    Dependencies.install(str(REQUIREMENTS), True, str(tmp_path / "wheels"))
    assert installed(site) == EVERYTHING
    Dependencies.installDicom(str(tmp_path / "wheels"))
    assert installed(site) == EVERYTHING | FOR_DICOM


class TestRepair:
    @pytest.fixture
    def broken(
        self, slicersPython: Path, site: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Path:
        """A whole PyTorch, and nothing else on the path."""
        pip(slicersPython, "install", "--no-index", "--find-links", str(wheels), "torch")
        monkeypatch.setattr(sys, "path", [str(site)])
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        importlib.invalidate_caches()
        from PETSynthPanel import Dependencies

        assert not Dependencies.torchIsBroken()
        return site

    @pytest.mark.parametrize(
        "lost", ["torch/__init__.py", "torch-2.9.0.dist-info/RECORD", "torch-2.9.0.dist-info"]
    )
    def test_whatever_is_lost_all_of_it_goes(self, broken: Path, lost: str) -> None:
        import shutil

        from PETSynthPanel import Dependencies

        path = broken / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        importlib.invalidate_caches()
        assert Dependencies.torchIsBroken()
        Dependencies.repair()
        assert list(broken.glob("torch*")) == []
        assert not Dependencies.torchIsBroken()

    def test_what_lies_elsewhere_is_left_alone_and_told(
        self, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from PETSynthPanel import Dependencies

        (tmp_path / "elsewhere" / "torch").mkdir(parents=True)
        monkeypatch.setattr(sys, "path", [str(tmp_path / "elsewhere")])
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        importlib.invalidate_caches()
        with pytest.raises(Dependencies.InstallError, match="remove it by hand"):
            Dependencies.repair()
        assert (tmp_path / "elsewhere" / "torch").is_dir()
