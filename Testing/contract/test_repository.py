"""What a clone of the repository must and must not contain."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from test_assets import repository_files

import PETSynthLib

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".py", ".md", ".toml", ".txt", ".json", ".cmake", ".csv", ".html", ".yml", ""}
LARGEST_FILE = 8 * 2**20
LARGEST_BUNDLE = 8 * 2**20
LARGEST_REPOSITORY = 80 * 10**6
"""Bytes; the Extensions Index refuses a repository of 100 MB."""

MADE_LATER = {
    "demo-output/", "bench-output/", "space/", "fdg_synth.png", "fdg_synth.json", "config.json",
    "fdg_synth_ssp.png",
}  # fmt: skip
"""Names in the documents that a run makes, or that stand in every bundle."""

# Written in pieces, or this file would be its own first finding.
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}/-])/(?:" + "|".join(("work", "farm", "root", "tmp")) + r")/\w"
    r"|(?<![\w.])/(?:home|Users)/[a-z]\w*/"
    r"|[A-Z]:\\{1,2}Users\\{1,2}\w"
)  # fmt: skip


def unsafe_loads(source: str) -> Iterator[str]:
    """Calls in ``source`` that could run code hidden in a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = {module} if module else {alias.name for alias in node.names}
            if names & {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}:
                yield f"line {node.lineno}: import of {', '.join(sorted(names))}"
        if isinstance(node, ast.Call):
            keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
            name = ast.unparse(node.func)
            if name == "torch.load" and keywords.get("weights_only") != "True":
                yield f"line {node.lineno}: torch.load without weights_only=True"
            if name in ("np.load", "numpy.load") and keywords.get("allow_pickle") == "True":
                yield f"line {node.lineno}: {name} with allow_pickle"


HEAVY = frozenset(
    {
        "torch", "safetensors", "deepbet", "monai", "lightning_fabric", "sklearn", "skimage",
        "matplotlib", "nilearn", "yaml", "tensorboardX", "dask", "distributed",
    }
)  # fmt: skip
"""Packages that the light environment of the tests lacks."""


def module_imports(source: str, package: str = "") -> Iterator[tuple[int, str]]:
    """Line and dotted name of what ``source`` imports when it is loaded, not later in functions.

    ``from a import b`` gives both ``a`` and ``a.b``; relative names start from ``package``.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = [*(base if node.level else []), *([node.module] if node.module else [])]
            name = ".".join(parts)
            yield node.lineno, name
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


@cache
def direct_imports(module: str) -> frozenset[str]:
    """Dotted names that one module of the library imports when it is loaded."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():
        return frozenset()
    package = module if path.is_dir() else module.rpartition(".")[0]
    return frozenset(name for _, name in module_imports(file.read_text("utf-8"), package))


@cache
def heavy_needs(name: str) -> frozenset[str]:
    """`HEAVY` packages that importing ``name`` brings in, at any depth."""
    waiting, seen = [name], set()
    while waiting:
        parts = waiting.pop().split(".")
        # Importing a.b.c loads a and a.b, too.
        for module in {".".join(parts[: n + 1]) for n in range(len(parts))} - seen:
            seen.add(module)
            if parts[0] == "PETSynthLib":
                waiting += direct_imports(module)
    return frozenset(seen & HEAVY)


def needs_by_line(source: str) -> dict[int, set[str]]:
    """Lines of a test file whose import needs more than the light environment has."""
    found: dict[int, set[str]] = {}
    for line, name in module_imports(source):
        if needs := heavy_needs(name):
            found[line] = found.get(line, set()) | needs
    return found


def text_files() -> list[Path]:
    """Files of the repository that people read."""
    return [path for path in repository_files() if path.suffix in TEXT]


def python_files() -> list[Path]:
    """Python files of the repository."""
    return [path for path in repository_files() if path.suffix == ".py"]


class TestUnsafeLoading:
    def test_no_file_is_unpickled(self) -> None:
        found = {
            str(path.relative_to(ROOT)): hits
            for path in python_files()
            if (hits := list(unsafe_loads(path.read_text(encoding="utf-8"))))
        }
        assert found == {}

    @pytest.mark.parametrize(
        "source",
        [
            "import pickle",
            "from joblib import load",
            "torch.load(path)",
            "torch.load(path, weights_only=False)",
            "np.load(path, allow_pickle=True)",
        ],
    )
    def test_an_unsafe_load_is_seen(self, source: str) -> None:
        assert len(list(unsafe_loads(source))) == 1

    def test_no_weights_in_a_container_that_can_hold_code(self) -> None:
        suffixes = {".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".keras"}
        assert [p.name for p in repository_files() if p.suffix in suffixes] == []


class TestText:
    def test_no_path_of_one_machine(self) -> None:
        found = [
            f"{path.relative_to(ROOT)}: {hit.group()}"
            for path in text_files()
            for hit in MACHINE_PATH.finditer(path.read_text(encoding="utf-8"))
        ]
        assert found == []

    @pytest.mark.parametrize(
        "text",
        ["see /" + "work/main/x", '"/' + 'tmp/x"', "/" + "home/ann/data", "C:" + r"\Users\ann"],
    )
    def test_a_machine_path_is_seen(self, text: str) -> None:
        assert MACHINE_PATH.search(text)

    @pytest.mark.parametrize("text", ["demo/tmp/x", "https://a.org/home/x", "~/x"])
    def test_an_ordinary_path_is_not(self, text: str) -> None:
        assert not MACHINE_PATH.search(text)

    def test_documents_name_only_targets_that_make_knows(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        known = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
        documents = [*ROOT.glob("*.md"), ROOT / ".ci" / "run"]
        text = "\n".join(path.read_text(encoding="utf-8") for path in documents)
        named = set(re.findall(r"(?:`|^\s*)make ([a-z][a-z-]*)", text, flags=re.MULTILINE))
        assert {"demo", "test", "system-packages"} <= named, "the pattern has gone blind"
        assert named <= known

    @pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
    def test_documents_name_only_files_that_exist(self, name: str) -> None:
        text = (ROOT / name).read_text(encoding="utf-8")
        places = (ROOT, ROOT / "PETSynthLib", ROOT / "PETSynthLib" / "assets")
        suffix = r"/|\.(?:py|md|json|txt|toml|csv|png)"
        named = re.findall(rf"`([\w.][\w./-]*(?:{suffix}))`|\]\(([\w./-]+)\)", text)
        names = {a or b for a, b in named} - MADE_LATER
        assert len(names) > 3, "the pattern has gone blind"
        outside = {n for n in names if n.startswith("../shared/")}
        lost = {n for n in names - outside if not any((place / n).exists() for place in places)}
        assert lost == set()

    def test_the_version_has_an_entry_in_the_changelog(self) -> None:
        changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        assert re.search(rf"^## {re.escape(PETSynthLib.__version__)}\b", changes, re.MULTILINE)


class TestSizes:
    def test_no_file_is_too_large(self) -> None:
        assert [p.name for p in repository_files() if p.stat().st_size > LARGEST_FILE] == []

    def test_a_bundle_stays_small(self) -> None:
        for folder in (ROOT / "PETSynthLib" / "assets" / "bundles").iterdir():
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            assert size <= LARGEST_BUNDLE, folder.name

    def test_the_repository_stays_small(self) -> None:
        assert sum(path.stat().st_size for path in repository_files()) <= LARGEST_REPOSITORY


@pytest.fixture(scope="module")
def tests() -> list[Path]:
    """All test files."""
    return sorted((ROOT / "Testing").rglob("test_*.py"))


class TestTests:
    def test_names_are_unique(self, tests: list[Path]) -> None:
        """Pytest imports test files by name alone: a second one of that name would hide."""
        names = [path.name for path in tests]
        assert sorted(names) == sorted(set(names))

    def test_every_unit_test_file_is_about_the_library(self, tests: list[Path]) -> None:
        strangers = [
            path.name
            for path in tests
            if path.parent.name == "unit"
            and not re.search(r"(?:from|import) PETSynthLib", path.read_text(encoding="utf-8"))
        ]
        assert strangers == []

    def test_every_folder_of_the_library_has_unit_tests(self, tests: list[Path]) -> None:
        text = "\n".join(p.read_text(encoding="utf-8") for p in tests if p.parent.name == "unit")
        folders = [
            path.parent.name
            for path in (ROOT / "PETSynthLib").glob("*/__init__.py")
            if len(list(path.parent.glob("*.py"))) > 1
        ]
        assert folders
        assert [name for name in folders if f"PETSynthLib.{name}" not in text] == []

    def test_files_that_need_more_than_the_light_environment_say_so(
        self, tests: list[Path]
    ) -> None:
        """The light run still imports every file: a bare import of torch would end it."""
        for path in tests:
            text = path.read_text(encoding="utf-8")
            for line, needs in sorted(needs_by_line(text).items()):
                before = "\n".join(text.splitlines()[: line - 1])
                # The light environment lacks all of them, so one guard is as good as another;
                # torch has a mark of its own besides.
                guards = {"torch"} if "torch" in needs else HEAVY
                guarded = any(f'importorskip("{name}' in before for name in guards)
                assert guarded, f"{path.name}, line {line}: {', '.join(sorted(needs))}"
                assert "torch" not in needs or "pytest.mark.torch" in text, path.name

    def test_a_need_is_seen_through_the_library(self) -> None:
        source = "from PETSynthLib.generate.flow import network\nimport json"
        assert set(needs_by_line(source)) == {1}
        assert "torch" in needs_by_line(source)[1]
        assert needs_by_line("from PETSynthLib.quantify import quantify") == {}


@pytest.fixture(scope="module")
def requirements() -> list[str]:
    """Every requirement of the package and its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    listed = project["dependencies"] + [line for extra in extras for line in extra]
    return [line for line in listed if not line.startswith("petsynth[")]


class TestPins:
    def test_the_package_states_lower_bounds_only(self, requirements: list[str]) -> None:
        assert [r for r in requirements if not re.fullmatch(r"[\w-]+>=[\d.]+", r)] == []

    def test_every_requirement_has_a_pin_within_its_bound(self, requirements: list[str]) -> None:
        lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        pins = dict(line.lower().split("==") for line in lines if "==" in line)
        for requirement in requirements:
            name, bound = requirement.lower().split(">=")
            as_numbers = [tuple(map(int, v.split("."))) for v in (pins[name], bound)]
            assert as_numbers[0] >= as_numbers[1], requirement
