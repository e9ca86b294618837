"""Scales that make tracers comparable: Centiloid, CenTauR, CenTauRz.

An equation belongs to one tracer, one pipeline, one region and one reference region. PETSynth's
own pipeline has none until a user fits it on the public GAAIN images (`scale_fit`); until then its
values are called "-like (uncalibrated)".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import __version__
from ..assets import read_json
from ..errors import ErrorCode, PETSynthError
from ..home import petsynth_home
from .native_regions import BENT

OURS = f"PETSynth {__version__}"
"""Name of this library's pipeline; another version is another pipeline."""

UNITS = {"centiloid": "CL", "centaur": "CenTauR", "centaurz": "CenTauRz"}

CAUTION = {
    "centiloid": "",
    "centaur": "",
    "centaurz": "CenTauRz tells tau-positive from tau-negative; it does not compare amounts "
    "across tracers.",
}
"""What must stand beside a value of the scale."""

GAAIN_REGION = {"amyloid_composite": "voi_ctx", "tau_temporal_metaroi": "meta_temporal"}
"""Our composites, and the region of the standard that each is nearest to."""


@dataclass(frozen=True)
class Equation:
    """``value = slope * SUVR + intercept``.

    Attributes
    ----------
    scale
        Key of `UNITS`.
    tracer
        Key of the tracer registry.
    pipeline, region, reference
        What the SUVR must have been measured with and in.
    slope, intercept
        In the scale's unit per SUVR, and in its unit.
    standard
        Whether it defines the scale for this tracer and region.
    source
        Where it was read, or what it was fitted on.
    """

    scale: str
    tracer: str
    pipeline: str
    region: str
    reference: str
    slope: float
    intercept: float
    standard: bool
    source: str

    def __call__(self, suvr: float) -> float:
        """The value of ``suvr`` on the scale."""
        return self.slope * suvr + self.intercept


@dataclass(frozen=True)
class ScaleValue:
    """An SUVR on a scale.

    Attributes
    ----------
    value
        Number in ``unit``.
    unit
        ``"CL"``; ``"CL-like (uncalibrated)"`` where the pipeline was never calibrated.
    equation
        What it was computed with.
    caution
        Sentence to print beside it, or empty.
    """

    value: float
    unit: str
    calibrated: bool
    equation: Equation
    caution: str


def pipeline_of(regions_source: str) -> str:
    """Name of what measured: this library, and its regions where they are not the bent atlas's.

    Other regions are another pipeline: nothing was calibrated on them, and no cut-off holds.

    Parameters
    ----------
    regions_source
        `NativeRegions.source`.
    """
    return OURS if regions_source == BENT else f"{OURS}, {regions_source}"


def through(zero: float, hundred: float) -> tuple[float, float]:
    """Slope and intercept of the line on which two SUVR are 0 and 100."""
    slope = 100.0 / (hundred - zero)
    return slope, -slope * zero


def read_equation(body: Mapping[str, Any]) -> Equation:
    """An equation from JSON, with ``slope`` and ``intercept`` or with ``anchors``."""
    facts = dict(body)
    if "anchors" in facts:
        facts["slope"], facts["intercept"] = through(*facts.pop("anchors"))
    return Equation(**facts)


@cache
def published() -> tuple[Equation, ...]:
    """The shipped equations."""
    return tuple(read_equation(body) for body in read_json("scales.json")["equations"])


def own_folder() -> Path:
    """Where a user's fits are kept."""
    return petsynth_home() / "scales"


def fitted() -> tuple[Equation, ...]:
    """The equations that were fitted on this computer.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when one of the files is damaged.
    """
    found = []
    for path in sorted(own_folder().glob("*.json")):
        try:
            found.append(read_equation(json.loads(path.read_text(encoding="utf-8"))["equation"]))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"The scale {path.name} cannot be read ({problem}).",
                f"Remove it from {own_folder()} and fit it again.",
            ) from problem
    return tuple(found)


def write_fitted(equation: Equation, evidence: Mapping[str, object]) -> Path:
    """Keep a fitted equation with the numbers that speak for it; returns its file."""
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    name = "_".join([equation.scale, equation.tracer, equation.region, equation.reference])
    path = folder / f"{name}.json"
    partial = path.with_name(f".{path.name}.part")
    body = {"equation": asdict(equation), "evidence": dict(evidence)}
    partial.write_text(json.dumps(body, indent=1), encoding="utf-8")
    partial.replace(path)
    return path


def scale_value(
    scale: str,
    suvr: float,
    *,
    tracer: str,
    region: str,
    reference: str,
    pipeline: str = OURS,
    own: Iterable[Equation] | None = None,
) -> ScaleValue | None:
    """``suvr`` on ``scale``, or None where no equation may be used.

    Parameters
    ----------
    scale
        Key of `UNITS`.
    suvr
        Mean of ``region`` over mean of ``reference``, acquired PET.
    pipeline
        Who measured it.
    own
        Fitted equations; default those of this computer.
    """
    known = (*published(), *(fitted() if own is None else own))
    place = (scale, tracer, pipeline, region, reference)
    for one in known:
        if (one.scale, one.tracer, one.pipeline, one.region, one.reference) == place:
            return ScaleValue(one(suvr), UNITS[scale], True, one, CAUTION[scale])
    if pipeline != OURS:
        return None
    one_like = standard(scale, tracer, region, reference)
    if one_like is None:
        return None
    unit = f"{UNITS[scale]}-like (uncalibrated)"
    return ScaleValue(one_like(suvr), unit, False, one_like, CAUTION[scale])


def standard(scale: str, tracer: str, region: str, reference: str) -> Equation | None:
    """The equation that defines ``scale`` for the region nearest to our ``region``."""
    nearest = GAAIN_REGION.get(region, region)
    for one in published():
        if one.standard and (one.scale, one.tracer, one.region, one.reference) == (
            scale,
            tracer,
            nearest,
            reference,
        ):
            return one
    return None
