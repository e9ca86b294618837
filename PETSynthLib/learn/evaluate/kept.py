"""Finished parts of an evaluation on disk: what stopped half-way goes on where it was.

A part lies in a file of its own until the report is written. Its name is a digest of everything it
depends on, so that a part of another model, of other people or of another plan, or one that other
code has measured, is never taken for it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ...errors import PETSynthError
from ...run.staging import output_error
from ..store import Store, Subject
from ..tidy import Row
from .gathered import Part, Plan
from .results import Regional

KEPT = ".kept"
"""Folder of the parts inside the output folder."""
LIBRARY = Path(__file__).resolve().parents[2]
"""Folder of `PETSynthLib`: models, resampling and regions decide a part as well as this package."""
ARRAYS = ("mean", "median", "sd", "low", "high", "draws")


def facts_of(
    store: Store, subjects: Sequence[Subject], training: Store, plan: Plan
) -> dict[str, Any]:
    """What every part of an evaluation depends on beside its model."""
    return {
        "code": code_digest(LIBRARY),
        "stores": [
            (
                str(s.folder.resolve()),
                s.facts,
                [astuple(person) for person in s.subjects],
                [(p.name, p.stat().st_mtime_ns) for p in sorted(s.folder.glob("*.npy"))],
            )
            for s in (store, training)
        ],
        "subjects": [subject.subject for subject in subjects],
        "plan": (plan.samples, plan.seed, plan.primary),
    }


@cache
def code_digest(folder: Path) -> str:
    """Digest of every Python file below a folder: the version does not change with each of them."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


class Kept:
    """The parts in a folder.

    Parameters
    ----------
    folder
        Where they lie; made when the first is kept.
    facts
        `facts_of`.
    """

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self._facts = json.dumps(facts, sort_keys=True, default=str)

    def _path(self, name: tuple[object, ...]) -> Path:
        digest = hashlib.sha256(f"{self._facts}{json.dumps(name)}".encode()).hexdigest()
        return self.folder / f"{digest[:32]}.npz"

    def get(self, *name: object) -> Part | None:
        """The part of that name; None when there is none, or none that can be read."""
        try:
            with np.load(self._path(name), allow_pickle=False) as file:
                return _part({key: file[key] for key in file.files})
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile):
            return None

    def put(self, part: Part, *name: object) -> None:
        """Keep a part.

        Raises
        ------
        PETSynthError
            ``BAD_OUTPUT`` when the disk refuses; the parts before it stay.
        """
        path = self._path(name)
        half = path.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with half.open("wb") as file:
                np.savez(file, **_arrays(part))
            half.replace(path)
        except OSError as problem:
            half.unlink(missing_ok=True)
            told = output_error(self.folder.parent, problem)
            hint = f"{told.hint} What is finished is kept: the same command then goes on there."
            raise PETSynthError(told.code, told.text, hint) from problem


def forget(folder: Path) -> None:
    """Remove the parts: their report is written."""
    shutil.rmtree(folder, ignore_errors=True)


def _arrays(part: Part) -> dict[str, Any]:
    values = part.regional
    words = {
        "place": (values.model, values.seed, values.tracer, values.information),
        "rows": [astuple(row) for row in part.rows],
        "cluster_rows": [astuple(row) for row in part.cluster_rows],
        "people": part.people,
        "seconds": part.seconds,
    }
    arrays = {name: getattr(values, name) for name in ARRAYS}
    return {
        "words": np.array(json.dumps(words)),
        **{name: array for name, array in arrays.items() if array is not None},
        **{f"slice_{n}": image for n, image in part.slices.items()},
    }


def _part(arrays: dict[str, Any]) -> Part:
    words = json.loads(str(arrays["words"]))
    values = {name: arrays[name] for name in ARRAYS if name in arrays}
    slices = {
        int(name.removeprefix("slice_")): image
        for name, image in arrays.items()
        if name.startswith("slice_")
    }
    rows, clusters = ([Row(*row) for row in words[kind]] for kind in ("rows", "cluster_rows"))
    regional = Regional(*words["place"], **values)
    return Part(regional, rows, clusters, slices, words["people"], words["seconds"])
