"""Write ``PETSynthLib/CMakeLists.txt``: Slicer installs the files it lists and no others.

Run as ``make cmake-lists`` after a file of the library was added, renamed or removed.
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

# WITH_SUBDIR installs below a folder of this folder's name, so that `import PETSynthLib` finds it.
slicerMacroBuildScriptedModule(
  NAME PETSynthLib
  SCRIPTS ${{MODULE_PYTHON_SCRIPTS}}
  RESOURCES ${{MODULE_PYTHON_RESOURCES}}
  WITH_SUBDIR
  )
"""


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


def cmake_lists(folder: Path) -> str:
    """The text of the ``CMakeLists.txt`` that lists every file of ``folder``."""
    names = sorted(files_below(folder))
    return TEMPLATE.format(
        scripts="\n".join(f"  {name}" for name in names if name.endswith(".py")),
        resources="\n".join(f"  {name}" for name in names if not name.endswith(".py")),
    )


if __name__ == "__main__":
    library = ROOT / "PETSynthLib"
    (library / "CMakeLists.txt").write_text(cmake_lists(library), encoding="utf-8", newline="\n")
