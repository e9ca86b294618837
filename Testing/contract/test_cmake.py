"""Slicer installs what CMake lists and nothing else; the Extensions Index reads what we declare."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cmake_lists import cmake_lists, files_below

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SCHEMA = re.compile(r"https://\S+/slicer-extension-catalog-entry-schema-v1\.0\.\d\.json#")
SCHEMA_KEYS = {
    "$schema", "category", "scm_url", "scm_revision", "scm_type", "build_dependencies",
    "build_subdirectory", "enabled", "tier",
}  # fmt: skip
ACCEPTED_CATEGORIES = {"Nuclear Medicine", "Image Synthesis", "Neuroimaging"}


def install(source: Path, destination: Path) -> dict[str, str]:
    """Install the extension in ``source`` with CMake; the ``EXTENSION_...`` facts it declares."""
    search = f"{Path(sys.executable).parent}"
    cmake = shutil.which("cmake", path=search) or shutil.which("cmake")
    assert cmake, "cmake is part of the extra [test]"
    script = HERE / "install_like_slicer.cmake"
    command = [cmake, f"-DSOURCE={source}", f"-DDESTINATION={destination}", "-P", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr)
    return dict(re.findall(r"^-- (EXTENSION_\w+)=(.*)$", done.stdout, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of the installed extension, and what it declares."""
    destination = tmp_path_factory.mktemp("extension")
    facts = install(ROOT, destination)
    return destination / "qt-scripted-modules", facts


class TestLists:
    def test_every_file_of_the_library_is_installed(
        self, installed: tuple[Path, dict[str, str]]
    ) -> None:
        missing = files_below(ROOT / "PETSynthLib") - files_below(installed[0] / "PETSynthLib")
        assert not missing, "run `make cmake-lists`"

    def test_nothing_else_is_installed(self, installed: tuple[Path, dict[str, str]]) -> None:
        assert files_below(installed[0] / "PETSynthLib") <= files_below(ROOT / "PETSynthLib")

    def test_every_file_of_the_module_is_installed(
        self, installed: tuple[Path, dict[str, str]]
    ) -> None:
        beside = {n for n in files_below(installed[0]) if not n.startswith("PETSynthLib/")}
        assert beside == files_below(ROOT / "PETSynth")

    def test_installed_files_have_the_same_bytes(
        self, installed: tuple[Path, dict[str, str]]
    ) -> None:
        folder = installed[0] / "PETSynthLib"
        for name in files_below(folder):
            assert (folder / name).read_bytes() == (ROOT / "PETSynthLib" / name).read_bytes()

    def test_names_contain_nothing_that_cmake_splits(self) -> None:
        odd = [n for n in files_below(ROOT / "PETSynthLib") if re.search(r"[;|\s\"$#()]", n)]
        assert odd == []

    @pytest.fixture
    def extension(self, tmp_path: Path) -> Path:
        """A small extension of the same build."""
        shutil.copy(ROOT / "CMakeLists.txt", tmp_path / "CMakeLists.txt")
        module = tmp_path / "PETSynth"
        module.mkdir()
        (module / "PETSynth.py").touch()
        (module / "CMakeLists.txt").write_text(cmake_lists(module, "module"), encoding="utf-8")
        library = tmp_path / "PETSynthLib"
        (library / "assets").mkdir(parents=True)
        (library / "__init__.py").touch()
        (library / "assets" / "atlas.csv").touch()
        (library / "CMakeLists.txt").write_text(cmake_lists(library), encoding="utf-8")
        return tmp_path

    def test_a_file_that_is_not_listed_is_not_installed(
        self, extension: Path, tmp_path: Path
    ) -> None:
        (extension / "PETSynthLib" / "forgotten.py").touch()
        install(extension, tmp_path / "installed")
        folder = tmp_path / "installed" / "qt-scripted-modules" / "PETSynthLib"
        assert files_below(folder) == {"__init__.py", "assets/atlas.csv"}

    def test_a_listed_file_that_is_not_there_stops_the_build(
        self, extension: Path, tmp_path: Path
    ) -> None:
        (extension / "PETSynthLib" / "__init__.py").unlink()
        with pytest.raises(ValueError, match="not there"):
            install(extension, tmp_path / "installed")


@pytest.fixture(scope="module")
def entry() -> dict[str, object]:
    """The extension's entry for the index."""
    path = ROOT / "Resources" / "PETSynth.json"
    body: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return body


class TestExtensionsIndex:
    def test_the_entry_has_the_fields_of_the_schema(self, entry: dict[str, object]) -> None:
        assert {"$schema", "category", "scm_url"} <= set(entry) <= SCHEMA_KEYS
        assert SCHEMA.fullmatch(str(entry["$schema"]))
        assert entry["category"] in ACCEPTED_CATEGORIES
        assert isinstance(entry["tier"], int)
        assert 1 <= entry["tier"] <= 5

    def test_repository_and_extension_have_the_expected_names(
        self, entry: dict[str, object], installed: tuple[Path, dict[str, str]]
    ) -> None:
        name = installed[1]["EXTENSION_NAME"]
        assert name == Path(ROOT / "Resources" / "PETSynth.json").stem
        assert urlsplit(str(entry["scm_url"])).path.endswith(f"/Slicer{name}.git")

    def test_dependencies_agree_with_cmake(
        self, entry: dict[str, object], installed: tuple[Path, dict[str, str]]
    ) -> None:
        assert entry["build_dependencies"] == installed[1]["EXTENSION_DEPENDS"].split(";")

    def test_metadata_is_complete(self, installed: tuple[Path, dict[str, str]]) -> None:
        for key in ("HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS"):
            assert installed[1][f"EXTENSION_{key}"]

    @pytest.mark.parametrize("key", ["EXTENSION_ICONURL", "EXTENSION_SCREENSHOTURLS"])
    def test_pictures_are_single_quoted_strings_that_name_files_of_this_repository(
        self, installed: tuple[Path, dict[str, str]], key: str
    ) -> None:
        text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
        assert re.search(rf'^set\({key} "[^"\s]+"\)$', text, flags=re.MULTILINE)
        picture = urlsplit(installed[1][key]).path.split("/main/", 1)[1]
        assert (ROOT / picture).is_file()

    def test_the_licence_file_is_there(self) -> None:
        assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
