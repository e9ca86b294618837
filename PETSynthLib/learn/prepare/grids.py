"""The lattices a store may have: ours and the published ones by name, any other from a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ...errors import ErrorCode, PETSynthError
from ...volume import CANONICAL, Grid


def _upright(
    shape: tuple[int, int, int], spacing: float, origin: tuple[float, float, float]
) -> Grid:
    affine = np.diag([spacing] * 3 + [1.0])
    affine[:3, 3] = origin
    return Grid(shape, affine, CANONICAL.name)


GRIDS = {
    "2mm": _upright((80, 96, 84), 2.0, (-79.0, -111.0, -81.0)),
    "3mm": _upright((56, 64, 56), 3.0, (-82.5, -111.0, -81.0)),
}
"""Both hold every brain on the template and are mirror symmetric about x = 0."""


PUBLISHED = {
    "pasta": _upright((96, 112, 96), 1.5, (-71.25, -102.0, -54.0)),
    "rela": _upright((160, 180, 160), 1.0, (-79.5, -107.0, -61.0)),
}
"""Of the methods of that name, as far as their papers tell. ``pasta``: the centre crop of the 121 x
145 x 121 lattice of 1.5 mm on the MNI box (-90, -126, -72 mm). ``rela``: taken to be cut from the
middle of the MNI152 box of 182 x 218 x 182 mm."""


def grid_named(words: str) -> Grid:
    """A grid by its name, or the one in a JSON file (``shape``, ``affine`` in RAS mm).

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it is none of these.
    """
    known = {**GRIDS, **PUBLISHED}
    if words in known:
        return known[words]
    try:
        body = json.loads(Path(words).read_text(encoding="utf-8"))
        i, j, k = (int(n) for n in body["shape"])
        affine = np.array(body["affine"], dtype=np.float64)
        if affine.shape != (4, 4) or abs(np.linalg.det(affine[:3, :3])) < 1e-9 or min(i, j, k) < 8:
            raise ValueError(words)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The grid {words!r} is neither {' nor '.join(known)} nor a readable JSON file.",
            'Give a name, or a file with "shape": [i, j, k] and "affine": [[...] x 4].',
        ) from problem
    return Grid((i, j, k), affine, CANONICAL.name)
