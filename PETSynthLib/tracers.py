"""The tracer registry: what the PET of each tracer means and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from .assets import REFERENCE_BITS, composites, read_json
from .colour_maps import COLOUR_MAPS
from .errors import ErrorCode, PETSynthError

UNITS = ("SUVR", "relative SUVR")
SCALES = ("centiloid", "centaur", "centaurz")
SOURCED = ("reference_region", "target_region", "window", "colour_map")
"""Fields that must name their source; ``cutoffs`` too, when there are any."""


@dataclass(frozen=True)
class Cutoff:
    """A cut-off of the literature: a marker beside a value, never a diagnosis.

    Attributes
    ----------
    value
        Where the marker stands.
    quantity
        ``"SUVR"`` or ``"Centiloid"``.
    region, reference, pipeline
        What the cut-off was made for; it holds for nothing else.
    words
        What it is called.
    source
        Where the number was read.
    """

    value: float
    quantity: str
    region: str
    reference: str
    pipeline: str
    words: str
    source: str


@dataclass(frozen=True)
class Tracer:
    """One tracer.

    Attributes
    ----------
    key
        Name on the command line, in requests and in bundles.
    label, long_name
        Words for people.
    bids
        Value of the BIDS ``trc-`` entity.
    radionuclide
        Isotope of the acquired tracer (a synthetic PET contains none).
    measures
        What its uptake stands for, e.g. ``"amyloid"``.
    abnormal
        ``"decrease"`` or ``"increase"``: the direction of disease, in which z is positive.
    exploratory
        True where MRI does not determine the tracer's uptake.
    unit
        What its numbers are; ``"relative SUVR"`` where no region is free of the target.
    reference_region
        Region whose mean is 1 SUVR.
    alternatives
        Other reference regions in use.
    target_region
        Composite region that carries the tracer's main message.
    window
        SUVR shown as the two ends of the colour map.
    colour_map
        Name of the colour map.
    scales
        Keys of `SCALES` that exist for the tracer.
    cutoffs
        Markers of the literature.
    sources
        Field -> where its value comes from.
    """

    key: str
    label: str
    long_name: str
    bids: str
    radionuclide: str
    measures: str
    abnormal: str
    exploratory: bool
    unit: str
    reference_region: str
    alternatives: tuple[str, ...]
    target_region: str
    window: tuple[float, float]
    colour_map: str
    scales: tuple[str, ...]
    cutoffs: tuple[Cutoff, ...]
    sources: Mapping[str, str] = field(hash=False)


@cache
def all_tracers() -> dict[str, Tracer]:
    """Every tracer by key, in the registry's order."""
    return {key: read_tracer(key, body) for key, body in read_json("tracers.json").items()}


def read_tracer(key: str, body: Mapping[str, Any]) -> Tracer:
    """One entry of the registry, held against the schema.

    Raises
    ------
    ValueError
        When a field is missing, unknown or of the wrong kind, names a region or colour map that
        does not exist, or lacks its source.
    """
    wanted = {f.name for f in fields(Tracer)} - {"key"}
    if wrong := wanted ^ set(body):
        msg = f"tracer {key}: fields missing or unknown: {sorted(wrong)}"
        raise ValueError(msg)
    entry = Tracer(
        key=key,
        **{
            **body,
            "alternatives": tuple(body["alternatives"]),
            "window": tuple(float(end) for end in body["window"]),
            "scales": tuple(body["scales"]),
            "cutoffs": tuple(Cutoff(**cutoff) for cutoff in body["cutoffs"]),
        },
    )
    complaints = [what for what, holds in _rules(entry).items() if not holds]
    if complaints:
        msg = f"tracer {key}: {'; '.join(complaints)}"
        raise ValueError(msg)
    return entry


def _rules(entry: Tracer) -> dict[str, bool]:
    words = (entry.label, entry.long_name, entry.bids, entry.radionuclide, entry.measures)
    needed = (*SOURCED, "cutoffs") if entry.cutoffs else SOURCED
    return {
        "texts must be filled in": all(isinstance(word, str) and word for word in words),
        "exploratory must be true or false": isinstance(entry.exploratory, bool),
        "abnormal is decrease or increase": entry.abnormal in ("decrease", "increase"),
        "unknown unit": entry.unit in UNITS,
        "unknown reference region": {entry.reference_region, *entry.alternatives}
        <= set(REFERENCE_BITS),
        "unknown target region": entry.target_region in composites(),
        "the window has two ends, low and high": len(entry.window) == 2
        and entry.window[0] < entry.window[1],
        "unknown colour map": entry.colour_map in COLOUR_MAPS,
        "unknown scale": set(entry.scales) <= set(SCALES),
        "a cut-off names a region, a reference and a source": all(
            cut.region in composites()
            and cut.reference in REFERENCE_BITS
            and cut.source
            and cut.quantity in ("SUVR", "Centiloid")
            for cut in entry.cutoffs
        ),
        "every value needs its source": set(needed) <= {k for k, v in entry.sources.items() if v},
    }


@cache
def simulated_tracers() -> dict[str, Tracer]:
    """The tracers of which healthy uptake is known well enough to draw one (``uptake.json``).

    Their order is part of every simulated cohort: row n of its tables is tracer n.
    """
    drawn = read_json("uptake.json")
    return {key: entry for key, entry in all_tracers().items() if key in drawn}


def tracer(key: str) -> Tracer:
    """The tracer named ``key``.

    Raises
    ------
    PETSynthError
        ``UNSUPPORTED_TRACER`` when the registry has no such tracer; names the nearest.
    """
    try:
        return all_tracers()[key]
    except KeyError:
        near = get_close_matches(key.lower(), all_tracers(), n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise PETSynthError(
            ErrorCode.UNSUPPORTED_TRACER,
            f"The tracer {key!r} is not known.",
            f"{meant}Choose one of {', '.join(all_tracers())}.",
        ) from None
