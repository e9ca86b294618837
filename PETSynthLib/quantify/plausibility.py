"""Whether a synthetic PET looks like a PET of its tracer, and where its model is not sure.

Two ratios are looked at, grey over white matter and pons over cerebellum, and the spread of every
region. They catch a broken model or a brain it cannot cope with; a wrong picture may pass them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..assets import REFERENCE_BITS, read_json, region_names
from ..checks import NOTHING_TO_COMPARE, Finding, Verdict, grade
from ..generate.atlas.forward import (
    Tissues,
    activity,
    atlas_labels,
    grid_key_of,
    population_uptake,
    scanner_blur,
)
from ..preprocess.atlas_grid import atlas_on
from ..tracers import tracer as tracer_named
from ..volume import Grid, PetVolume, Volume
from .region_means import region_keys, regional_means
from .regions import SIDE_WORDS, title_of

if TYPE_CHECKING:
    from ..generate.interface import Generated

RATIOS = {
    "grey_over_white": "Grey over white matter",
    "pons_over_cerebellum": "Pons over cerebellum",
}
PURE, MOSTLY = 0.9, 0.6
"""Template probabilities above which a voxel counts as white, as grey matter."""
SHARES = (1.0, 99.0)
"""Percentiles of the training's PETs between which a ratio is usual (specification 4.6)."""
FEWEST = 50
"""Own decision: people of whom a first and last percentile is worth writing down."""
FACTOR = 2.0
"""Own decision: how far a ratio may be from the population's where the model states no range. Of
100 simulated people of every stage the ratios are 0.77 to 1.06 of it for FDG, 0.88 to 1.32 for
flortaucipir; amyloid may nearly double the first."""
PSF_MM = 6.5
"""Blur of the population's picture, as in the atlas bundle."""
SPREAD = 0.30
"""Own decision: standard deviation over mean of a region above which it is not reliable. FDG of the
shipped model on the sample case is at 0.17 at most."""
NAMED = 4
"""Regions that a sentence names."""


def tissue_ratios(pet: Volume, brain: Volume) -> dict[str, float]:
    """`RATIOS` of a PET on a template grid; NaN where a part shows no uptake.

    Parameters
    ----------
    pet
        Any unit.
    brain
        Mask on the same grid; grey and white matter are the template's inside it.
    """
    grid = pet.grid
    grey = brain.mask & (atlas_on("template_gm", grid).data > MOSTLY)
    white = brain.mask & (atlas_on("template_wm", grid).data > PURE)
    parts = (grey, white, _reference("pons", grid), _reference("cerebellum_whole", grid))
    means = [float(pet.data[part].mean()) if part.any() else 0.0 for part in parts]
    pairs = ((means[0], means[1]), (means[2], means[3]))
    found = [over / below if min(over, below) > 0.0 else float("nan") for over, below in pairs]
    return dict(zip(RATIOS, found, strict=True))


def usual_ranges(ratios: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Ratio -> percentiles `SHARES` over people; empty with fewer than `FEWEST`."""
    ranges = {}
    for name in RATIOS:
        values = [one[name] for one in ratios if np.isfinite(one[name])]
        if len(values) >= FEWEST:
            ranges[name] = [round(float(v), 4) for v in np.percentile(values, SHARES)]
    return ranges


def output_findings(
    generated: Generated, brain: Volume, ranges: Mapping[str, Sequence[float]]
) -> list[Finding]:
    """Findings on a synthetic PET before it leaves the template.

    Parameters
    ----------
    generated
        Mean and standard deviation on the grid of ``brain``.
    brain
        Mask the generator was given.
    ranges
        ``output_ranges`` of the bundle's configuration for this tracer; where empty, the
        population's ratio (``assets/uptake.json``) within `FACTOR` holds instead.
    """
    key = generated.mean.tracer
    found = tissue_ratios(generated.mean, brain)
    population = {} if set(RATIOS) <= set(ranges) else _population(key, brain.grid)
    findings = [_ratio(name, value, ranges, population, key) for name, value in found.items()]
    return [*findings, _spread(generated.mean, generated.sd)]


def _ratio(
    name: str,
    value: float,
    ranges: Mapping[str, Sequence[float]],
    population: Mapping[str, float],
    tracer: str,
) -> Finding:
    label = tracer_named(tracer).label
    if name in ranges:
        (low, high), source = ranges[name], "is usual in the PETs the model learnt from"
    elif name in population:
        low, high = population[name] / FACTOR, population[name] * FACTOR
        source = "is half to twice what healthy people show"
    else:
        sentence = f"{RATIOS[name]}: {value:.2f}; what is usual of {label} is not known."
        return Finding(name, _number(value), NOTHING_TO_COMPARE, Verdict.GREEN, sentence)
    usual = low <= value <= high  # never of NaN
    sentence = f"{RATIOS[name]} is {value:.2f}; {low:.2f} to {high:.2f} {source}"
    return Finding(
        name,
        _number(value),
        f"{low:.2f} to {high:.2f}",
        Verdict.GREEN if usual else Verdict.AMBER,
        f"{sentence}." if usual else f"{sentence}: this picture may not be a {label} PET's.",
    )


def _number(value: float) -> float | str:
    return round(value, 3) if np.isfinite(value) else "no uptake"


def _spread(mean: PetVolume, sd: PetVolume) -> Finding:
    """Regions in which the standard deviation exceeds `SPREAD` of the mean."""
    labels = atlas_on("regions", mean.grid).data.astype(np.int64)
    over = regional_means(labels, sd.data)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = over / regional_means(labels, mean.data)
    atlas = {name if s == "B" else f"{name}.{s}" for name, s in region_names().values()}
    worst = sorted(
        (
            (share, key)
            for key, share in zip(region_keys(), relative.tolist(), strict=True)
            if key in atlas and np.isfinite(share)
        ),
        reverse=True,
    )
    unsure = [key for share, key in worst if share > SPREAD]
    highest = worst[0][0] if worst else 0.0
    if unsure:
        some = ", ".join(_words(key) for key in unsure[:NAMED])
        more = f" and {len(unsure) - NAMED} more" if len(unsure) > NAMED else ""
        sentence = f"Not reliable here, the model's spread is too wide: {some}{more}."
    else:
        sentence = f"The model's spread is at most {100 * highest:.0f} % of a region's value."
    return Finding(
        "model_spread",
        round(highest, 3),
        f"at most {SPREAD:g} of a region's value",
        grade(highest, SPREAD, float("inf")),
        sentence,
    )


def _words(key: str) -> str:
    name, _, side = key.partition(".")
    return f"{title_of(name).lower()} {SIDE_WORDS.get(side, '')}".strip()


def _reference(name: str, grid: Grid) -> NDArray[np.bool_]:
    bits = atlas_on("references", grid).data.astype(np.uint8)
    return np.asarray((bits & REFERENCE_BITS[name]) > 0)


def _population(tracer: str, grid: Grid) -> dict[str, float]:
    """Ratios of the template's brain with population uptake; empty for an unknown tracer."""
    if tracer not in read_json("uptake.json"):
        return {}
    return dict(_drawn(tracer, grid.shape, grid.affine.tobytes(), grid.name))


@lru_cache(maxsize=8)
def _drawn(
    tracer: str, shape: tuple[int, int, int], affine: bytes, space: str
) -> tuple[tuple[str, float], ...]:
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), space)
    brain = atlas_on("template_brain", grid)
    grey, white = (
        atlas_on(name, grid).data * brain.mask for name in ("template_gm", "template_wm")
    )
    csf = np.clip(brain.mask - grey - white, 0.0, 1.0).astype(np.float32)
    territories, deep = atlas_labels(grid_key_of(grid))
    uptake = activity(Tissues(grey, white, csf), territories, deep, population_uptake(tracer))
    pet = brain.with_data(scanner_blur(uptake, PSF_MM, grid))
    return tuple(tissue_ratios(pet, brain).items())
