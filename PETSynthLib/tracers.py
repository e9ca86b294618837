"""The tracer registry: what each synthetic PET means and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from .assets import read_json
from .errors import ErrorCode, PETSynthError


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
    reference_region
        Region whose mean is 1 SUVR.
    target_region
        Composite region that carries the tracer's main message.
    window
        SUVR shown as the two ends of the colour map.
    colour_map
        Name of the colour map.
    exploratory
        True where MRI does not determine the tracer's uptake.
    """

    key: str
    label: str
    long_name: str
    bids: str
    radionuclide: str
    reference_region: str
    target_region: str
    window: tuple[float, float]
    colour_map: str
    exploratory: bool


@cache
def all_tracers() -> dict[str, Tracer]:
    """Every tracer by key, in the registry's order."""
    table = read_json("tracers.json")
    return {
        key: Tracer(key=key, **{**body, "window": tuple(body["window"])})
        for key, body in table.items()
    }


def tracer(key: str) -> Tracer:
    """The tracer named ``key``.

    Raises
    ------
    PETSynthError
        ``UNSUPPORTED_TRACER`` when the registry has no such tracer.
    """
    try:
        return all_tracers()[key]
    except KeyError:
        raise PETSynthError(
            ErrorCode.UNSUPPORTED_TRACER,
            f"The tracer {key!r} is not known.",
            f"Choose one of {', '.join(all_tracers())}.",
        ) from None
