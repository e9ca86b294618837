"""Side differences: a method that draws both hemispheres alike misses what a reader looks for."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...quantify import COMPOSITES
from ..regions import region_keys
from .results import Floats


@cache
def paired_regions() -> tuple[tuple[str, int, int], ...]:
    """Name, position of the left and of the right of every paired region."""
    keys = region_keys()
    names = [key.removesuffix(".L") for key in keys if key.endswith(".L")]
    return tuple((name, keys.index(f"{name}.L"), keys.index(f"{name}.R")) for name in names)


def asymmetry(values: Floats) -> Floats:
    """Asymmetry index 100 (L - R) / ((L + R) / 2) in percent.

    Parameters
    ----------
    values
        (N, R).

    Returns
    -------
    (N, P) in the order of `paired_regions`.
    """
    left = values[:, [pair[1] for pair in paired_regions()]]
    right = values[:, [pair[2] for pair in paired_regions()]]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(200.0 * (left - right) / (left + right))


def target_asymmetry(values: Floats, target: str) -> Floats:
    """(N,): mean asymmetry index over the regions of a composite ``target``, percent."""
    members = COMPOSITES.get(target, (target,))
    columns: NDArray[np.intp] = np.array(
        [n for n, (name, *_) in enumerate(paired_regions()) if name in members], dtype=np.intp
    )
    return np.asarray(asymmetry(values)[:, columns].mean(1))
