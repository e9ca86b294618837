"""The walls: which folder may import which, and what nobody may import.

Three views of the same walls: import-linter on our own modules, the source text for third-party
packages (also imports inside functions), and a fresh interpreter where the packages are missing.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "PETSynthLib"

NUMERIC = frozenset({"numpy", "scipy", "SimpleITK", "nibabel", "PIL"})
TORCH = frozenset({"torch", "safetensors"})
DASK = frozenset({"dask", "distributed"})
DICOM = frozenset({"pydicom", "highdicom"})
LEARNING = frozenset(
    {
        "monai", "lightning_fabric", "sklearn", "skimage", "matplotlib", "nilearn", "yaml",
        "tensorboardX",
    }
)  # fmt: skip
ALLOWED = {
    "preprocess": NUMERIC | {"picsl_greedy", "deepbet", "torch"},
    "generate": NUMERIC | TORCH,
    "export/dicom": NUMERIC | DICOM,
    "cli": NUMERIC | TORCH | {"typer", "rich", "click"},
    "learn": NUMERIC | TORCH | LEARNING,
    "batch": NUMERIC | DASK,
    # Run by hand to make the assets; the product never imports it.
    "assets/build": NUMERIC | {"picsl_greedy", "skimage"},
}
"""Third-party packages by folder; every other file takes `NUMERIC` alone."""

HOST = frozenset({"slicer", "qt", "ctk", "vtk", "slicer_core", "PySide6", "PyQt5"})
"""What belongs to 3D Slicer: the library runs without it."""

LIGHT_FOLDERS = (
    "read",
    "quantify",
    "project",
    "normative",
    "export",
    "run",
    "restore",
    "assets",
    "preprocess",
)
"""Folders of which every module loads with nothing but the `NUMERIC` packages."""
BLOCKED = HOST | TORCH | LEARNING | DASK | DICOM | {"deepbet", "picsl_greedy", "typer", "rich"}


def top_level_imports(source: str) -> set[str]:
    """Top-level names of all absolute imports in ``source``, wherever they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "import_module", "importlib.import_module", "__import__",
        ):  # fmt: skip
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and not str(name.value).startswith("."):
                found.add(str(name.value).split(".")[0])
    return found


def allowed_in(relative: str) -> frozenset[str]:
    """Third-party packages that the file ``relative`` (below the library) may import."""
    folders = [name for name in ALLOWED if relative.startswith(f"{name}/")]
    return frozenset(ALLOWED[folders[0]]) if folders else NUMERIC


def forbidden_imports(library: Path) -> Iterator[str]:
    """``file: package`` for every import beyond what the file's folder may take."""
    own = {"PETSynthLib", "__future__"} | set(sys.stdlib_module_names)
    for path in sorted(library.rglob("*.py")):
        relative = path.relative_to(library).as_posix()
        source = path.read_text(encoding="utf-8")
        for name in sorted(top_level_imports(source) - own - allowed_in(relative)):
            yield f"{relative}: {name}"


def module_name(path: Path) -> str:
    """Dotted name of a file of the library."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class TestThirdPartyPackages:
    def test_every_file_imports_only_what_its_folder_may(self) -> None:
        assert list(forbidden_imports(LIBRARY)) == []

    def test_no_folder_may_import_the_host_application(self) -> None:
        assert not HOST & NUMERIC.union(*ALLOWED.values())

    @pytest.mark.parametrize(
        ("file", "source"),
        [
            ("read/nifti.py", "import slicer"),
            ("pipeline.py", "import vtk"),
            ("export/figure.py", "def draw():\n    import matplotlib.pyplot as plt"),
            ("run/worker.py", "if True:\n    from torch import nn"),
            ("generate/flow/network.py", "import monai"),
            ("preprocess/mask.py", "from importlib import import_module\nimport_module('HD_BET')"),
            ("restore/restore.py", "import typer"),
        ],
    )
    def test_a_breach_is_seen(self, tmp_path: Path, file: str, source: str) -> None:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        assert len(list(forbidden_imports(tmp_path))) == 1


PROBE = """
import importlib, json, sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

blocked = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Missing())
problems = {}
for name in json.loads(sys.argv[2]):
    try:
        importlib.import_module(name)
    except Exception as problem:
        problems[name] = f"{type(problem).__name__}: {problem}"
print(json.dumps(problems))
"""


def import_without(blocked: frozenset[str], modules: list[str]) -> dict[str, str]:
    """Import ``modules`` in a fresh interpreter without ``blocked``; what failed, and why."""
    command = [sys.executable, "-c", PROBE, json.dumps(sorted(blocked)), json.dumps(modules)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    problems: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return problems


@pytest.fixture(scope="module")
def problems() -> dict[str, str]:
    """What does not load when only the `NUMERIC` packages are there."""
    files = [path for path in LIBRARY.glob("*.py") if path.name != "__main__.py"]
    for folder in LIGHT_FOLDERS:
        files += (LIBRARY / folder).rglob("*.py")
    modules = [module_name(path) for path in sorted(files) if "build" not in path.parts]
    return import_without(BLOCKED, modules)


class TestMissingPackages:
    @pytest.mark.parametrize("folder", LIGHT_FOLDERS)
    def test_a_folder_loads_without_torch_and_optional_packages(
        self, problems: dict[str, str], folder: str
    ) -> None:
        assert (LIBRARY / folder / "__init__.py").is_file(), "the wall guards nothing"
        prefix = f"PETSynthLib.{folder}"
        hits = {k: v for k, v in problems.items() if f"{k}.".startswith(f"{prefix}.")}
        assert hits == {}

    def test_the_vocabulary_and_the_pipeline_load_without_them_too(
        self, problems: dict[str, str]
    ) -> None:
        assert {k: v for k, v in problems.items() if k.count(".") <= 1} == {}

    def test_the_atlas_generator_loads_without_torch(self) -> None:
        files = sorted((LIBRARY / "generate" / "atlas").glob("*.py"))
        modules = ["PETSynthLib.generate.interface", "PETSynthLib.generate.bundle"]
        assert files
        assert import_without(BLOCKED, modules + [module_name(f) for f in files]) == {}

    def test_the_command_line_starts_without_torch(self) -> None:
        assert import_without(BLOCKED - {"typer", "rich"}, ["PETSynthLib.cli"]) == {}

    def test_a_module_that_needs_a_blocked_package_is_seen(self) -> None:
        problems = import_without(frozenset({"numpy"}), ["PETSynthLib.volume"])
        assert "numpy" in problems["PETSynthLib.volume"]


def test_importing_the_package_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, PETSynthLib; print({'torch', 'numpy'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


LINT = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in ``folder`` with the project's own contracts."""
    command = [sys.executable, "-c", LINT, "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


class TestRoad:
    @pytest.fixture
    def skeleton(self, tmp_path: Path) -> Path:
        """A package with an empty module for every place on the road."""
        config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
        for name in " : ".join(layers).replace("|", ":").split(":"):
            folder = tmp_path / "PETSynthLib" / name.strip()
            folder.mkdir(parents=True)
            (folder / "__init__.py").touch()
        (tmp_path / "PETSynthLib" / "__init__.py").touch()
        build = tmp_path / "PETSynthLib" / "assets" / "build"
        build.mkdir()
        (build / "__init__.py").touch()
        (build / "make.py").write_text("import PETSynthLib.generate\n", encoding="utf-8")
        return tmp_path

    def test_the_library_keeps_its_direction(self) -> None:
        done = lint_imports(ROOT)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_a_skeleton_without_breach_passes(self, skeleton: Path) -> None:
        done = lint_imports(skeleton)
        assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize(
        ("importer", "imported"),
        [
            ("read", "preprocess"),
            ("volume", "read"),
            ("generate", "restore"),
            ("export", "pipeline"),
            ("pipeline", "run"),
            ("run", "cli"),
            ("pipeline", "learn"),
            ("learn", "cli"),
            ("batch", "learn"),
            ("run", "assets.build"),
        ],
    )
    def test_a_step_backwards_is_refused(
        self, skeleton: Path, importer: str, imported: str
    ) -> None:
        module = skeleton / "PETSynthLib" / importer / "__init__.py"
        module.write_text(f"import PETSynthLib.{imported}\n", encoding="utf-8")
        done = lint_imports(skeleton)
        assert done.returncode == 1
        assert f"PETSynthLib.{importer} -> PETSynthLib.{imported}" in done.stdout

    def test_a_module_without_a_place_is_refused(self, skeleton: Path) -> None:
        (skeleton / "PETSynthLib" / "helpers.py").touch()
        done = lint_imports(skeleton)
        assert done.returncode == 1
        assert "helpers" in done.stdout
