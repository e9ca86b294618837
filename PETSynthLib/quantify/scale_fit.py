"""Calibrating a pipeline: its SUVR of the public GAAIN images against the published values.

Centiloid, PiB (level 1): the two group means are the anchors, and the published values must be met.
Centiloid, other tracers (level 2): the SUVR is regressed on the published Centiloids of the same
people. CenTauRz: Deming regression of the standard pipeline's SUVR on ours.
Klunk et al., Alzheimers Dement 2015;11:1-15; Villemagne et al., Alzheimers Dement (DADM) 2023;15.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ErrorCode, PETSynthError
from ..read.bids import read_rows
from .scales import OURS, UNITS, Equation, standard, through

YOUNG, PATIENTS = "young", "ad"
FEWEST_IN_GROUP = 10
FEWEST = 25
"""Level 2 asks for at least this many people (Klunk 2015)."""
SLOPE = (0.98, 1.02)
INTERCEPT_CL = 2.0
R2_LEVEL_1 = 0.98
R2_LEVEL_2 = 0.70
R2_CENTAURZ = 0.90

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """What a fit gave.

    Attributes
    ----------
    equation
        Of our pipeline.
    n
        People used.
    r2
        Share of variance explained.
    slope, intercept
        Our value against the published one, as a line: 1 and 0 when they agree.
    complaints
        Why it must not be used; empty when it may.
    """

    equation: Equation
    n: int
    r2: float
    slope: float
    intercept: float
    complaints: tuple[str, ...]

    @property
    def evidence(self) -> dict[str, object]:
        """JSON-ready numbers that speak for the equation."""
        return {"n": self.n, "r2": self.r2, "slope": self.slope, "intercept": self.intercept}


def read_pairs(table: Path) -> tuple[Numbers, Numbers, tuple[str, ...]]:
    """Columns ``suvr``, ``standard`` and ``group`` (may be missing) of a CSV file.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when a column is missing or a cell is no number.
    """
    rows = read_rows(table, ",", ("subject", "suvr", "standard"))
    try:
        pairs = np.array([[float(row["suvr"]), float(row["standard"])] for row in rows])
    except ValueError as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The table {table.name} holds a cell that is no number ({problem}).",
            "Fill in every suvr and standard, with a point as decimal sign.",
        ) from problem
    pairs = pairs.reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1], tuple(row.get("group", "").lower() for row in rows)


def fit_scale(
    scale: str,
    tracer: str,
    region: str,
    reference: str,
    suvr: Numbers,
    published: Numbers,
    groups: tuple[str, ...],
    source: str,
) -> Fit:
    """Fit our pipeline to a scale.

    Parameters
    ----------
    suvr
        (N,) our SUVR of ``region`` over ``reference``.
    published
        (N,) published Centiloids; for CenTauRz the standard pipeline's SUVR.
    groups
        (N,) ``"young"``, ``"ad"`` or anything else; used for PiB only.
    source
        Name of the table, kept with the equation.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when there are too few people, or ours is not a scale of this tracer.
    """
    if scale == "centaurz":
        return _centaurz(tracer, region, reference, suvr, published, source)
    if scale != "centiloid":
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"{UNITS.get(scale, scale)} cannot be fitted here.",
            "Choose centiloid or centaurz.",
        )
    if tracer == "pib":
        chosen = [np.array([g == name for g in groups]) for name in (YOUNG, PATIENTS)]
        _enough(min(int(c.sum()) for c in chosen), FEWEST_IN_GROUP, "in each of young and ad")
        slope, intercept = through(*(float(suvr[c].mean()) for c in chosen))
        wanted = R2_LEVEL_1
    else:
        _enough(len(suvr), FEWEST, "with both a SUVR and a published Centiloid")
        # The published scale is the one without error: SUVR = m CL + b, solved for CL.
        m, b = np.polyfit(published, suvr, 1)
        slope, intercept = float(1.0 / m), float(-b / m)
        wanted = R2_LEVEL_2
    line, r2 = _line(published, slope * suvr + intercept)
    complaints = _r2_complaint(r2, wanted)
    if tracer == "pib":
        if not SLOPE[0] <= line[0] <= SLOPE[1]:
            complaints.append(f"slope {line[0]:.3f}, wanted {SLOPE[0]} to {SLOPE[1]}")
        if abs(line[1]) >= INTERCEPT_CL:
            complaints.append(f"intercept {line[1]:.1f} CL, wanted within {INTERCEPT_CL:g}")
    equation = Equation(scale, tracer, OURS, region, reference, slope, intercept, False, source)
    return Fit(equation, len(suvr), r2, *line, tuple(complaints))


def deming(x: Numbers, y: Numbers) -> tuple[float, float]:
    """Slope and intercept of the line through points with equal errors in x and y."""
    sxx, syy = float(np.var(x)), float(np.var(y))
    sxy = float(np.mean((x - x.mean()) * (y - y.mean())))
    slope = (syy - sxx + np.sqrt((syy - sxx) ** 2 + 4.0 * sxy**2)) / (2.0 * sxy)
    return float(slope), float(y.mean() - slope * x.mean())


def _centaurz(
    tracer: str, region: str, reference: str, suvr: Numbers, spm: Numbers, source: str
) -> Fit:
    defines = standard("centaurz", tracer, region, reference)
    if defines is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"CenTauRz is not defined for {tracer} in {region} over {reference}.",
            "Use a tau tracer, tau_temporal_metaroi and cerebellum_grey_inferior.",
        )
    _enough(len(suvr), FEWEST, "with both SUVR")
    slope, intercept = deming(suvr, spm)
    equation = Equation(
        "centaurz",
        tracer,
        OURS,
        region,
        reference,
        defines.slope * slope,
        defines.slope * intercept + defines.intercept,
        False,
        source,
    )
    line, r2 = _line(spm, slope * suvr + intercept)
    return Fit(equation, len(suvr), r2, *line, tuple(_r2_complaint(r2, R2_CENTAURZ)))


def _line(x: Numbers, y: Numbers) -> tuple[tuple[float, float], float]:
    slope, intercept = np.polyfit(x, y, 1)
    return (float(slope), float(intercept)), float(np.corrcoef(x, y)[0, 1] ** 2)


def _r2_complaint(r2: float, wanted: float) -> list[str]:
    return [] if r2 > wanted else [f"R2 {r2:.3f}, wanted above {wanted}"]


def _enough(found: int, wanted: int, what: str) -> None:
    if found < wanted:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"There are only {found} people {what}; {wanted} are needed.",
            "Use the whole public GAAIN set.",
        )
