"""How alike a person's regional z and a pattern of the user's are: one correlation, no judgement.

PETSynth ships no pattern. The simulator's are invented, and the literature at hand gives none with
regional weights; who has one brings it as a table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ErrorCode, PETSynthError
from ..quantify.region_means import region_keys
from ..quantify.regions import COMPOSITES
from ..read.bids import read_rows
from .measure import SPARED

FEWEST = 8
"""Own decision: a correlation over fewer regions is chance."""


@dataclass(frozen=True)
class Pattern:
    """Weights of regions, positive where the pattern is abnormal.

    Attributes
    ----------
    name, sha256
        Of the file.
    weights
        Region key -> weight.
    """

    name: str
    sha256: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Similarity:
    """What a person and a pattern have in common.

    Attributes
    ----------
    name, sha256
        Of the pattern's file.
    r
        Pearson's correlation of z with the weights over the pattern's regions, -1 to 1.
    regions
        How many regions.
    """

    name: str
    sha256: str
    r: float
    regions: int

    def sentence(self) -> str:
        """One line for a header."""
        return (
            f"Pattern {self.name} (the user's): correlation {self.r:.2f} with z over "
            f"{self.regions} regions. Likeness is no diagnosis; other diseases may look alike."
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)


def read_pattern(path: Path) -> Pattern:
    """Read a table with the columns ``region`` and ``weight``.

    Regions are the atlas's: ``precuneus.L``, ``precuneus.R``, or ``precuneus`` for both sides. The
    regions that hold references, and composites, are none.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the file or a row is unusable, or there are too few regions.
    """
    weights: dict[str, float] = {}
    for row in read_rows(path, ",", ("region", "weight")):
        for key in _keys(path, row["region"]):
            if key in weights:
                raise _bad(path, f"names {key} twice")
            weights[key] = _weight(path, row)
    if len(weights) < FEWEST:
        raise _bad(path, f"has {len(weights)} regions, and {FEWEST} are needed")
    if np.ptp(list(weights.values())) == 0.0:
        raise _bad(path, "gives every region the same weight")
    return Pattern(path.stem, hashlib.sha256(path.read_bytes()).hexdigest(), weights)


def similarity(pattern: Pattern, z: Mapping[str, float]) -> Similarity:
    """Correlation of a person's ``z`` (by region key) with a pattern.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when too few of the pattern's regions have a z, or z is the same in all.
    """
    shared = [key for key in pattern.weights if np.isfinite(z.get(key, float("nan")))]
    own = np.array([z[key] for key in shared])
    weights = np.array([pattern.weights[key] for key in shared])
    if len(shared) < FEWEST or np.ptp(own) == 0.0 or np.ptp(weights) == 0.0:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"Of the regions of the pattern {pattern.name}, {len(shared)} have a z of their own; "
            f"{FEWEST} that differ are needed.",
            "Leave --pattern out, or use a database of at least 20 normals.",
        )
    r = float(np.corrcoef(own, weights)[0, 1])
    return Similarity(pattern.name, pattern.sha256, round(r, 4), len(shared))


def _keys(path: Path, region: str) -> tuple[str, ...]:
    known = [k for k in region_keys() if k not in COMPOSITES and k.partition(".")[0] not in SPARED]
    found = tuple(key for key in known if region in (key, key.partition(".")[0]))
    if not found:
        raise _bad(path, f"names {region!r}, which is no region of the atlas with a z")
    return found


def _weight(path: Path, row: Mapping[str, str]) -> float:
    try:
        weight = float(row["weight"])
    except ValueError:
        weight = float("nan")
    if not np.isfinite(weight):
        raise _bad(path, f"gives {row['region']} the weight {row['weight']!r}")
    return weight


def _bad(path: Path, what: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_DATA,
        f"The pattern {path.name} {what}.",
        "A pattern is a CSV with the columns region and weight, regions as in our tables: "
        "precuneus.L.",
    )
