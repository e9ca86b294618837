"""What is usual for each manufacturer's PET: plain, or with the people's differences left in.

``manufacturer`` (Moon et al. 2026): mean and sd of the SUVR over the training brains' voxels, for
each manufacturer. Where the manufacturers' people differ, their disease goes with the scanner.

``combat``: a location-scale model with covariates, ComBat's (Johnson et al. 2007; Fortin et al.
2018) for two numbers of a whole brain, its mean and its sd: each is regressed on the clinical
fields and on the manufacturer; what is standardised is the manufacturer's part alone. ComBat's
empirical Bayes step shares strength between many features, and there are two: it is left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS
from ...errors import ErrorCode, PETSynthError
from ...generate.standardisation import POOLED
from ...request import SCANNERS
from ..store import Subject
from .interface import Material, scanner_of

KINDS = ("none", "manufacturer", "combat")
FEWEST = 2
"""Scans of a manufacturer that its own numbers need."""
LEAST_SD = 1e-3
RIDGE = 1e-3
Table = dict[str, dict[str, list[float]]]


def fit_standardisation(material: Material, kind: str) -> Table:
    """Tracer -> manufacturer or ``pooled`` -> [mean, sd], SUVR, over the training subjects.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the manufacturers are unknown, or there is only one.
    """
    _require_manufacturers(material.train)
    return {tracer: _of_tracer(material, tracer, kind) for tracer in material.store.tracers}


def _require_manufacturers(subjects: tuple[Subject, ...]) -> None:
    known = sorted({name for s in subjects if (name := scanner_of(s)) is not None})
    if not known:
        found = sorted({s.scanner for s in subjects if s.scanner}) or ["none"]
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"No training subject has a known manufacturer (found: {', '.join(found)}).",
            f"Write one of {', '.join(SCANNERS)} into participants.tsv, or use "
            "--set method.standardise=none.",
        )
    if len(known) == 1:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"All training subjects with a known manufacturer come from {known[0]}: there is "
            "nothing to standardise between.",
            "Use --set method.standardise=none.",
        )


def _of_tracer(material: Material, tracer: str, kind: str) -> dict[str, list[float]]:
    subjects = [s for s in material.train if tracer in s.tracers]
    if not subjects:
        return {POOLED: [0.0, 1.0]}
    moments = np.array([_moments(material, s, tracer) for s in subjects])
    names = [scanner_of(s) or "" for s in subjects]
    table = {POOLED: _together(moments)}
    often = [n for n in SCANNERS if names.count(n) >= FEWEST]
    if kind == "combat":
        table |= _adjusted(subjects, moments, names, often, table[POOLED])
    else:
        rows = np.array(names)
        table |= {name: _together(moments[rows == name]) for name in often}
    return {
        k: [round(float(v[0]), 5), round(max(float(v[1]), LEAST_SD), 5)] for k, v in table.items()
    }


def _moments(material: Material, subject: Subject, tracer: str) -> tuple[float, float, float]:
    """Number, mean and mean square of the brain's voxels."""
    values = material.pet(subject, tracer)[material.store.brain(subject.row)].astype(np.float64)
    return len(values), float(values.mean()), float((values**2).mean())


def _together(moments: NDArray[np.float64]) -> list[float]:
    """Mean and sd of all voxels of several brains."""
    weight = moments[:, 0] / moments[:, 0].sum()
    mean, square = weight @ moments[:, 1], weight @ moments[:, 2]
    return [float(mean), float(np.sqrt(max(square - mean**2, 0.0)))]


def _adjusted(
    subjects: list[Subject],
    moments: NDArray[np.float64],
    names: list[str],
    often: list[str],
    pooled: list[float],
) -> dict[str, list[float]]:
    """Location and scale of each manufacturer at the people's common mean of the covariates."""
    sd = np.sqrt(np.maximum(moments[:, 2] - moments[:, 1] ** 2, LEAST_SD**2))
    numbers = np.stack([moments[:, 1], np.log(sd)], 1)
    people = covariates(subjects)
    groups = np.array([[float(n == name) for name in often] for n in names])
    design = np.hstack([np.ones((len(names), 1)), people, groups])
    # Manufacturers are deviations from the whole, which the small ridge pins down.
    penalty = np.diag([0.0] + [RIDGE * len(names)] * (design.shape[1] - 1))
    beta = np.linalg.solve(design.T @ design + penalty, design.T @ numbers)
    effects = beta[-len(often) :]
    effects = effects - groups.mean(0) @ effects
    return {
        name: [pooled[0] + location, pooled[1] * float(np.exp(scale))]
        for name, (location, scale) in zip(often, effects, strict=True)
    }


def covariates(subjects: list[Subject]) -> NDArray[np.float64]:
    """(N, fields): clinical numbers with mean 0 and sd 1; a missing one is 0."""
    rows = [[s.clinical.numbers()[f] for f in FIELDS] for s in subjects]
    table = np.array([[np.nan if v is None else v for v in row] for row in rows])
    columns = []
    for values in table.T:
        known = values[np.isfinite(values)]
        sd = float(known.std()) if len(known) else 0.0
        centred = (values - known.mean()) / sd if sd > 0 else np.zeros_like(values)
        columns.append(np.where(np.isfinite(centred), centred, 0.0))
    return np.stack(columns, 1)
