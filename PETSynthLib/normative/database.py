"""The database: a folder with ``meta.json`` and ``arrays.npz``, no pickles, no persons."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assets import asset
from ..errors import ErrorCode, PETSynthError
from ..project.surface import SIDES
from ..quantify.region_means import region_keys
from .calibration import Calibration
from .flags import Flags
from .measure import SETS
from .regression import Regression

FORMAT = "petsynth-ndb"
VERSION = 1
META, ARRAYS = "meta.json", "arrays.npz"
KINDS = ("acquired", "synthetic")
FACTS = ("inclusion", "scanners", "ethnicity", "window_min", "licence", "doi")
"""What else may be told of the normals; unknown ones are absent."""


@dataclass(frozen=True)
class Meta:
    """What a database says of itself.

    Attributes
    ----------
    name
        Name of the folder, ``ndb-<tracer>_kind-<kind>_v<version>``.
    tracer, reference_region
        Key of the registry; region whose mean is 1 SUVR.
    kind
        ``"acquired"``, or ``"synthetic"``: made by one model from the normals' MRI.
    bundle_sha256
        That model; empty for acquired PET.
    n
        People.
    age
        Youngest, mean, oldest, years.
    men_percent
        Share of men.
    terms
        Terms of the regression (`regression.TERMS`).
    fwhm_mm
        Median smoothness (`smoothness.residual_fwhm`).
    template
        Name of the space.
    surfaces_sha256
        The surfaces whose vertices it speaks of.
    regions
        Keys of the regional columns.
    software
        Version of PETSynth that built it.
    demo
        True for databases of simulated people: for the sample case and simulated subjects only.
    calibration
        Set of numbers -> z of each normal against the others.
    flags
        The threshold for flags, or None with too few people.
    facts
        `FACTS`, as far as known.
    """

    name: str
    tracer: str
    reference_region: str
    kind: str
    bundle_sha256: str
    n: int
    age: tuple[float, float, float]
    men_percent: float
    terms: tuple[str, ...]
    fwhm_mm: float
    template: str
    surfaces_sha256: str
    regions: tuple[str, ...]
    software: str
    demo: bool
    calibration: Mapping[str, Calibration]
    flags: Flags | None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Words for the subtitle of a page: who the normals are."""
        demo = "DEMO (simulated people), " if self.demo else ""
        kind = "synthetic PET" if self.kind == "synthetic" else "acquired PET"
        youngest, _, oldest = self.age
        return f"{demo}{self.n} normals, {youngest:.0f} to {oldest:.0f} years, {kind}"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        body = {
            **asdict(self),
            "calibration": {key: one.as_dict() for key, one in self.calibration.items()},
            "flags": None if self.flags is None else self.flags.as_dict(),
        }
        return {"format": FORMAT, "version": VERSION, **body}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Meta:
        """The reverse of `as_dict`; `KeyError`, `TypeError` or `ValueError` when it is none."""
        facts = dict(body)
        if (facts.pop("format"), facts.pop("version")) != (FORMAT, VERSION):
            msg = f"not {FORMAT} version {VERSION}"
            raise ValueError(msg)
        facts.pop("arrays_sha256", None)
        low, middle, high = facts["age"]
        flags = facts["flags"]
        found = cls(
            **{
                **facts,
                "age": (low, middle, high),
                "terms": tuple(facts["terms"]),
                "regions": tuple(facts["regions"]),
                "calibration": {
                    key: Calibration.from_dict(one) for key, one in facts["calibration"].items()
                },
                "flags": None if flags is None else Flags.from_dict(flags),
            }
        )
        if found.kind not in KINDS or (found.kind == "synthetic") != bool(found.bundle_sha256):
            msg = f"kind {found.kind!r} with bundle {found.bundle_sha256!r}"
            raise ValueError(msg)
        return found


@dataclass(frozen=True, eq=False)
class Database:
    """A normative database in memory.

    Attributes
    ----------
    inverse
        (K, K) (X'X)^-1, one for all places.
    roi
        Set (`measure.SETS`) -> regression of the regions.
    surface
        Reference -> side -> regression of the vertices.
    volume
        Regression of the voxels of `measure.brain_index`, tracer's own reference.
    """

    meta: Meta
    inverse: NDArray[np.float64]
    roi: Mapping[str, Regression]
    surface: Mapping[str, Mapping[str, Regression]]
    volume: Regression


def surfaces_sha256() -> str:
    """Which surfaces this PETSynth has."""
    return hashlib.sha256(asset("ssp/surfaces.npz").read_bytes()).hexdigest()


def write_database(database: Database, folder: Path) -> None:
    """Write a database; nothing appears before everything is written.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the folder exists or cannot be written.
    """
    if folder.exists():
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT, f"{folder.name} is already there.", "Give a new folder."
        )
    buffer = io.BytesIO()
    # mypy takes the arrays for numpy's own flag.
    np.savez_compressed(buffer, **_arrays(database))  # type: ignore[arg-type]
    content = buffer.getvalue()
    body = {**database.meta.as_dict(), "arrays_sha256": hashlib.sha256(content).hexdigest()}
    partial = folder.with_name(f".{folder.name}.part")
    try:
        partial.mkdir(parents=True)
        (partial / ARRAYS).write_bytes(content)
        (partial / META).write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
        partial.rename(folder)
    except OSError as problem:
        shutil.rmtree(partial, ignore_errors=True)
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The database {folder} cannot be written ({problem.strerror}).",
            "Choose another folder.",
        ) from problem


def read_database(folder: Path) -> Database:
    """Read a database and check that it is whole.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when files are missing, damaged, of another version or for other surfaces.
    """
    try:
        body = json.loads((folder / META).read_text(encoding="utf-8"))
        content = (folder / ARRAYS).read_bytes()
        meta = Meta.from_dict(body)
        if hashlib.sha256(content).hexdigest() != body["arrays_sha256"]:
            msg = f"{ARRAYS} is not the file it was"
            raise ValueError(msg)
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        database = _database(meta, arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The normative database {folder.name} is missing or damaged ({problem}).",
            "Build it again with petsynth normative build, or copy it again.",
        ) from problem
    if meta.surfaces_sha256 != surfaces_sha256() or meta.regions != region_keys():
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The normative database {folder.name} was built for other surfaces or regions.",
            "Build it again with this version of PETSynth.",
        )
    return database


def _arrays(database: Database) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {"inverse": database.inverse}
    for name, one, kind in _named(database):
        # Half precision changes a map's z by less than 0.01 and halves the file.
        arrays[f"{name}/beta"] = one.beta.astype(kind)
        arrays[f"{name}/sd"] = one.sd.astype(kind)
    return arrays


def _named(database: Database) -> list[tuple[str, Regression, type[np.floating]]]:
    rows: list[tuple[str, Regression, type[np.floating]]] = [
        (f"roi/{key}", one, np.float64) for key, one in database.roi.items()
    ]
    for key, sides in database.surface.items():
        rows += [(f"surface/{side}/{key}", one, np.float16) for side, one in sides.items()]
    return [*rows, ("volume", database.volume, np.float16)]


def _database(meta: Meta, arrays: Mapping[str, NDArray[np.generic]]) -> Database:
    terms = len(meta.terms)

    def one(name: str) -> Regression:
        beta = np.asarray(arrays[f"{name}/beta"], dtype=np.float64)
        sd = np.asarray(arrays[f"{name}/sd"], dtype=np.float64)
        if beta.shape != (terms, *sd.shape) or not np.isfinite(beta).all() or not (sd >= 0).all():
            msg = f"{name} holds no regression"
            raise ValueError(msg)
        return Regression(beta, sd)

    return Database(
        meta,
        np.asarray(arrays["inverse"], dtype=np.float64),
        {key: one(f"roi/{key}") for key in SETS},
        {key: {side: one(f"surface/{side}/{key}") for side in SIDES} for key in SETS[1:]},
        one("volume"),
    )
