"""Write the CMake lists of library and module: Slicer installs the files they list, no others.

Run as ``make cmake-lists`` after a file of either was added, renamed or removed.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TEMPLATE = """\
# Written by `make cmake-lists`: a file that is not listed is not in the installed extension.
set(MODULE_PYTHON_SCRIPTS
{scripts}
  )

set(MODULE_PYTHON_RESOURCES
{resources}
  )

{why}
slicerMacroBuildScriptedModule(
  NAME {name}
  SCRIPTS ${{MODULE_PYTHON_SCRIPTS}}
  RESOURCES ${{MODULE_PYTHON_RESOURCES}}
  {option}
  )
"""

KINDS = {
    "library": (
        "# WITH_SUBDIR installs below a folder of this folder's name, as `import` needs it.",
        "WITH_SUBDIR",
    ),
    "module": (
        "# Without WITH_SUBDIR: the module's file, and its packages beside it.",
        "WITH_GENERIC_TESTS",
    ),
}
FOLDERS = {"PETSynthLib": "library", "PETSynth": "module"}


def files_below(folder: Path) -> set[str]:
    """Posix paths of the files in ``folder``, without caches and the list itself."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.name != "CMakeLists.txt"
        and not path.name.startswith(".")
    }


def cmake_lists(folder: Path, kind: str = "library") -> str:
    """The text of the ``CMakeLists.txt`` that lists every file of ``folder``."""
    names = sorted(files_below(folder))
    why, option = KINDS[kind]
    return TEMPLATE.format(
        scripts="\n".join(f"  {name}" for name in names if name.endswith(".py")),
        resources="\n".join(f"  {name}" for name in names if not name.endswith(".py")),
        name=folder.name,
        why=why,
        option=option,
    )


if __name__ == "__main__":
    for name, kind in FOLDERS.items():
        file = ROOT / name / "CMakeLists.txt"
        file.write_text(cmake_lists(ROOT / name, kind), encoding="utf-8", newline="\n")
