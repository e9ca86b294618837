"""A store: pairs of MRI and PET on one grid, memory-mapped, ready for training.

``store.json``          facts: version, grid, tracers, simulated or real, how it was made
``subjects.tsv``        one row a subject, in the order of the arrays (`Subject`)
``t1.npy flair.npy``    float16 (N, I, J, K): brain only, 97th percentile of the brain at 1
``brain.npy``           uint8 (N, I, J, K): brain mask
``regions.npy``         uint8 (N, I, J, K): region labels (0: none)
``pet_<tracer>.npy``    float16 (N, I, J, K): acquired SUVR, 0 where a subject has no such PET
``truth_<tracer>.npy``  float16, simulated only: the PET of the same scanner without noise, SUVR
``volumes.npy``         float32 (N, R): grey matter of each region in mL, found from the T1
``done.npy``            bool (N,): which rows are complete
``oracle/<subject>.npz``  simulated only: what could be known of the subject's regions at best
``qc/<subject>.png``    a picture to look at
``failures.tsv``        subjects that could not be prepared, and why

Arrays are opened read-only as maps of the files: memory does not grow with their number.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from ..clinical import FIELDS, ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from ..volume import Grid
from .regions import region_keys

STORE_VERSION = 1
SPLITS = ("train", "validation", "calibration", "test")
KINDS = ("simulated", "real")
_TEXT = ("subject", "anatomy", "site", "scanner", "split", "diagnosis", "group")
_COLUMNS = (*_TEXT, *FIELDS, "brain_ml", "flair", "tracers")
_MISSING = "n/a"

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """One row of a store.

    Attributes
    ----------
    row
        Position in the arrays.
    subject
        Name, e.g. ``sub-0001`` or ``sub-0001_ses-02``.
    anatomy
        Whose brain it is: the unit of splitting and of statistics.
    site, scanner
        Where it was measured; manufacturer of the PET scanner (key of ``request.SCANNERS``).
        Empty when unknown.
    split
        One of `SPLITS`.
    diagnosis, group
        Empty when unknown; ``group`` marks subjects for checks of fairness.
    clinical
        What is known of the person.
    brain_ml
        Volume of the brain mask in mL.
    flair
        Whether there is a FLAIR.
    tracers
        Keys of the tracers with a PET.
    """

    row: int
    subject: str
    anatomy: str
    site: str
    scanner: str
    split: str
    diagnosis: str
    group: str
    clinical: ClinicalRecord
    brain_ml: float
    flair: bool
    tracers: tuple[str, ...]


def _bad(folder: Path, what: str, hint: str) -> PETSynthError:
    return PETSynthError(ErrorCode.BAD_DATA, f"The store {folder.name} {what}.", hint)


@dataclass(frozen=True, eq=False)
class Store:
    """An opened store (see the module's docstring).

    Attributes
    ----------
    folder
        Where it lies.
    facts
        Content of ``store.json``.
    subjects
        Complete subjects, in the order of the arrays' rows.
    """

    folder: Path
    facts: dict[str, Any]
    subjects: tuple[Subject, ...]

    @cached_property
    def grid(self) -> Grid:
        """The lattice of every array."""
        i, j, k = self.facts["grid"]["shape"]
        affine = np.array(self.facts["grid"]["affine"], dtype=np.float64)
        return Grid((i, j, k), affine, self.facts["grid"]["space"])

    @property
    def tracers(self) -> tuple[str, ...]:
        """Keys of the tracers of which at least one subject has a PET."""
        return tuple(self.facts["tracers"])

    @property
    def simulated(self) -> bool:
        """Whether the subjects were simulated."""
        return bool(self.facts["kind"] == "simulated")

    def split(self, name: str) -> tuple[Subject, ...]:
        """Subjects of one split.

        Raises
        ------
        PETSynthError
            ``BAD_DATA`` when the split is empty.
        """
        chosen = tuple(s for s in self.subjects if s.split == name)
        if not chosen:
            there = sorted({s.split for s in self.subjects})
            raise _bad(
                self.folder,
                f"has no subject in the split {name!r}",
                f"It has {', '.join(there)}; prepare more subjects or choose another split.",
            )
        return chosen

    def only(self, tracers: Sequence[str]) -> Store:
        """The same store as if it held no other PETs (none named: all); who has none is left out.

        Raises
        ------
        PETSynthError
            ``BAD_REQUEST`` when the store has no PET of one of them.
        """
        if not tracers:
            return self
        if unknown := [t for t in tracers if t not in self.tracers]:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The store {self.folder.name} has no PET of {unknown[0]}.",
                f"It has {', '.join(self.tracers)}.",
            )
        kept = [t for t in self.tracers if t in tracers]
        left = (replace(s, tracers=tuple(t for t in s.tracers if t in kept)) for s in self.subjects)
        facts = {**self.facts, "tracers": kept}
        return Store(self.folder, facts, tuple(s for s in left if s.tracers))

    def _map(self, name: str) -> NDArray[Any]:
        maps = self.__dict__.setdefault("_maps", {})
        if name not in maps:
            maps[name] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        array: NDArray[Any] = maps[name]
        return array

    def __getstate__(self) -> dict[str, Any]:
        # Worker processes open the files anew instead of receiving a copy of them.
        return {k: self.__dict__[k] for k in ("folder", "facts", "subjects")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def t1(self, row: int) -> Array:
        """T1 (I, J, K)."""
        return np.asarray(self._map("t1")[row], dtype=np.float32)

    def flair(self, row: int) -> Array:
        """FLAIR (I, J, K); zero when there is none."""
        return np.asarray(self._map("flair")[row], dtype=np.float32)

    def brain(self, row: int) -> NDArray[np.bool_]:
        """Brain mask (I, J, K)."""
        return np.asarray(self._map("brain")[row] > 0)

    def regions(self, row: int) -> NDArray[np.uint8]:
        """Region labels (I, J, K)."""
        return np.asarray(self._map("regions")[row])

    def pet(self, row: int, tracer: str) -> Array:
        """Acquired PET (I, J, K), SUVR."""
        return np.asarray(self._map(f"pet_{tracer}")[row], dtype=np.float32)

    def slices(self, name: str, row: int, ks: NDArray[np.intp]) -> Array:
        """Axial slices ``ks`` (I, J, len(ks)) of an image array; only they are read."""
        return np.asarray(self._map(name)[row][:, :, ks], dtype=np.float32)

    def has_truth(self, tracer: str) -> bool:
        """Whether the PET without noise is known (simulated subjects only)."""
        return (self.folder / f"truth_{tracer}.npy").is_file()

    def truth(self, row: int, tracer: str) -> Array:
        """Simulated PET of the same scanner without noise (I, J, K), SUVR."""
        return np.asarray(self._map(f"truth_{tracer}")[row], dtype=np.float32)

    @cached_property
    def volumes(self) -> NDArray[np.float32]:
        """Grey matter (N, R) of each region in mL, in the order of `region_keys`."""
        return np.load(self.folder / "volumes.npy")  # type: ignore[no-any-return]

    def oracle(self, subject: Subject) -> Path | None:
        """File with the oracle of a simulated subject, or None."""
        path = self.folder / "oracle" / f"{subject.subject}.npz"
        return path if path.is_file() else None


def open_store(folder: Path) -> Store:
    """Open a store that `petsynth prepare` has made.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the folder is no store, has another version, lacks a file or holds no
        complete subject.
    """
    try:
        facts = json.loads((folder / "store.json").read_text(encoding="utf-8"))
        version = facts["store_version"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise _bad(
            folder,
            "is not a store (it lacks a readable store.json)",
            "Give a folder that petsynth prepare has made.",
        ) from problem
    if version != STORE_VERSION:
        raise _bad(
            folder,
            f"has version {version!r}, this release reads {STORE_VERSION}",
            "Prepare the data again with this release.",
        )
    try:
        done = np.load(folder / "done.npy")
        subjects = tuple(s for s in _read_subjects(folder / "subjects.tsv") if done[s.row])
        if len(subjects) != np.count_nonzero(done):
            raise ValueError("subjects.tsv lacks subjects")
        for name, (kind, shape) in array_layout(facts, len(done)).items():
            _check_array(folder / f"{name}.npy", kind, shape)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as problem:
        raise _bad(
            folder, f"is damaged ({problem})", "Copy it again, or prepare into a new folder."
        ) from problem
    if not subjects:
        raise _bad(folder, "holds no complete subject", "Run petsynth prepare again.")
    return Store(folder, facts, subjects)


def _check_array(path: Path, kind: type, shape: tuple[int, ...]) -> None:
    """Refuse a file that does not hold what the index says (a copy may have been cut off)."""
    array = np.load(path, mmap_mode="r")  # raises ValueError when the file is shorter
    if array.dtype != kind or array.shape != shape:
        raise ValueError(f"{path.name} is {array.dtype} {array.shape}, not {kind} {shape}")


def array_layout(facts: dict[str, Any], n: int) -> dict[str, tuple[type, tuple[int, ...]]]:
    """Type and shape of every array of a store with ``n`` rows."""
    shape = (n, *facts["grid"]["shape"])
    layout: dict[str, tuple[type, tuple[int, ...]]] = {
        "t1": (np.float16, shape),
        "flair": (np.float16, shape),
        "brain": (np.uint8, shape),
        "regions": (np.uint8, shape),
        "volumes": (np.float32, (n, len(region_keys()))),
    }
    kinds = ("pet", "truth") if facts["kind"] == "simulated" else ("pet",)
    for kind in kinds:
        layout |= {f"{kind}_{tracer}": (np.float16, shape) for tracer in facts["tracers"]}
    return layout


class StoreWriter:
    """Fills a store row by row; finished rows survive an interruption.

    Parameters
    ----------
    folder
        The store; made when missing. An existing one must have the same facts and rows.
    facts
        ``kind``, ``grid`` (shape, affine, space), ``tracers`` and whatever tells how it was made.
    n
        Number of rows.
    """

    def __init__(self, folder: Path, facts: dict[str, Any], n: int) -> None:
        self.folder = folder
        self.layout = array_layout(facts, n)
        body = {"store_version": STORE_VERSION, **facts}
        path = folder / "store.json"
        if path.is_file():
            if json.loads(path.read_text(encoding="utf-8")) != json.loads(json.dumps(body)):
                raise _bad(
                    folder,
                    "was made with other settings or from other data",
                    "Give an empty folder, or the settings it was made with.",
                )
        else:
            folder.mkdir(parents=True, exist_ok=True)
            for name, (kind, shape) in self.layout.items():
                open_memmap(folder / f"{name}.npy", "w+", dtype=kind, shape=shape).flush()
            np.save(folder / "done.npy", np.zeros(n, bool))
            # Last and at once, so that a store without store.json is begun anew.
            part = folder / "store.json.part"
            part.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
            part.replace(path)
        (folder / "qc").mkdir(exist_ok=True)
        (folder / "oracle").mkdir(exist_ok=True)

    def done(self) -> NDArray[np.bool_]:
        """Which rows are complete."""
        return np.asarray(np.load(self.folder / "done.npy"))

    def write(self, row: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Write all arrays of a row (missing PETs are left out of ``arrays``)."""
        for name, values in arrays.items():
            kind, shape = self.layout[name]
            if values.shape != shape[1:]:
                msg = f"{name} has shape {values.shape}, the store {shape[1:]}"
                raise ValueError(msg)
            # Written as a file, not through the map: a full disk then raises instead of killing
            # the process, and a missing PET takes no space.
            content = values.astype(kind).tobytes()
            offset = np.load(self.folder / f"{name}.npy", mmap_mode="r").offset
            with (self.folder / f"{name}.npy").open("r+b") as file:
                file.seek(offset + row * len(content))
                file.write(content)

    def finish(self, row: int) -> None:
        """Mark a row as complete."""
        done = open_memmap(self.folder / "done.npy", "r+")
        done[row] = True
        done.flush()

    def write_subjects(self, subjects: Iterable[Subject]) -> None:
        """Write ``subjects.tsv`` (also those whose rows are not complete)."""
        part = self.folder / "subjects.tsv.part"
        with part.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow(("row", *_COLUMNS))
            for s in subjects:
                text = [getattr(s, name) or _MISSING for name in _TEXT]
                numbers = [_cell(v) for v in s.clinical.numbers().values()]
                rest = [f"{s.brain_ml:.1f}", int(s.flair), ";".join(s.tracers) or _MISSING]
                table.writerow((s.row, *text, *numbers, *rest))
        part.replace(self.folder / "subjects.tsv")


def _cell(value: float | None) -> str:
    return _MISSING if value is None else f"{value:g}"


def _read_subjects(path: Path) -> list[Subject]:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        raise ValueError("subjects.tsv is cut off")
    return [_subject(row) for row in csv.DictReader(StringIO(text), delimiter="\t")]


def _subject(row: dict[str, str]) -> Subject:
    if None in row.values():
        raise ValueError(f"row {row['row']} of subjects.tsv is cut off")
    text = {name: "" if row[name] == _MISSING else row[name] for name in _TEXT}
    numbers = {name: None if row[name] == _MISSING else float(row[name]) for name in FIELDS}
    sex, apoe4 = numbers.pop("sex"), numbers.pop("apoe4")
    return Subject(
        row=int(row["row"]),
        **text,
        clinical=ClinicalRecord(
            **numbers,
            sex=None if sex is None else ("M" if sex else "F"),
            apoe4=None if apoe4 is None else int(apoe4),
        ),
        brain_ml=float(row["brain_ml"]),
        flair=row["flair"] == "1",
        tracers=() if row["tracers"] == _MISSING else tuple(row["tracers"].split(";")),
    )
