"""Which calibration a bundle carries for a tracer and an information set."""

from __future__ import annotations

from ...generate.bundle import Bundle


def calibrated_factors(
    bundle: Bundle, tracer: str, information: str
) -> tuple[dict[str, float] | None, int | None]:
    """Factors from mean voxel sd to regional sd, and how many people they were fitted on.

    Parameters
    ----------
    information
        What the model really was given (`Images.given`), not what the evaluation meant to give.

    Returns
    -------
    None for the factors when the bundle has none for this set: those that come with each picture
    (``regional_sd_factor``) are used then. None for the number when nobody states it.
    """
    sets = bundle.config.get("calibration", {}).get("sets", {})
    found = sets.get(information, {}).get(tracer)
    if found is None:
        return None, None
    return {name: float(f) for name, f in found["factor"].items()}, int(found["people"])
