"""Where a normative database lies: the shipped ones, and those in the user's home, have names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import as_file
from pathlib import Path

from ..assets import asset
from ..home import petsynth_home
from .database import META

FOLDER = "databases"

# Shipped databases may lie in a zipped wheel: extracted files live as long as the process.
_extracted = ExitStack()


def list_databases() -> list[Path]:
    """Folders of the shipped databases, then of the user's own (not checked)."""
    return list(_folders())


def find_database(name_or_folder: Path) -> Path:
    """The folder of a database: itself, or that of the shipped or installed one of this name."""
    if not name_or_folder.exists() and name_or_folder.name == str(name_or_folder):
        for folder in _folders():
            if folder.name == name_or_folder.name:
                return folder
    return name_or_folder


def _folders() -> Iterator[Path]:
    shipped = asset(FOLDER)
    roots = [petsynth_home() / FOLDER]
    if shipped.is_dir():
        roots.insert(0, _extracted.enter_context(as_file(shipped)))
    for root in roots:
        if root.is_dir():
            yield from sorted(p for p in root.iterdir() if (p / META).is_file())
