"""What whole-brain anatomy and clinic say of each region's uptake: `flow`'s linear path.

Few numbers are read off the MRI (how much grey matter and CSF each atlas region holds, how bright
the FLAIR is in white matter); together with the clinical facts and the scanner they are the
*variables*. Variables and regional uptake are taken as jointly Gaussian, so that the expected
uptake given whatever happens to be known is one linear solve,
``E[y | z_S] = m + (z_S - m_S) (C_SS + ridge)^-1 C_Sy``: a ridge regression for each information
set, all from one covariance. Training and inference compute the variables with the same function.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...assets import region_names
from ...clinical import FIELDS
from ...preprocess.atlas_grid import atlas_on
from ...volume import Grid, Volume
from ..atlas.forward import atlas_labels, grid_key_of, scanner_blur
from ..atlas.segment import segment

REGIONS = tuple(sorted(region_names()))
"""Atlas labels 1..85 in the order of every regional array here."""
FLAIR_NUMBERS = ("flair_spread", "flair_load")
BRIGHT = 1.35
"""FLAIR over its white-matter median beyond which a voxel counts as hyperintense."""
PAINT_FWHM_MM = 6.0
SOFTEST = 0.05
"""Keeps `paint_levels` from answering a small region with a huge value."""
LARGEST_Z = 4.0
"""Variables are held within this many standard deviations: beyond them a line is a guess."""

Array = NDArray[np.float64]


def variable_names(scanners: list[str]) -> tuple[str, ...]:
    """Names of the D variables, in their order."""
    return (
        *(f"grey_{r}" for r in REGIONS),
        *(f"csf_{r}" for r in REGIONS),
        *FLAIR_NUMBERS,
        *FIELDS,
        *(f"scanner_{s}" for s in scanners),
    )


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read off an MRI.

    Attributes
    ----------
    numbers
        Array (2 R + 2,): grey share and CSF share of each region's territory, then spread and load
        of the FLAIR in white matter (NaN without a FLAIR).
    grey
        Grey matter fraction (I, J, K).
    """

    numbers: Array
    grey: NDArray[np.float32]


def read_mri(t1: Volume, brain: Volume, flair: Volume | None) -> Reading:
    """The variables that come from the MRI, and its grey matter.

    Parameters
    ----------
    t1, brain, flair
        As in `GeneratorInput`, on one template grid.
    """
    tissues = segment(t1, brain)
    territories, _ = atlas_labels(grid_key_of(t1.grid))
    labels = territories.ravel()
    size = np.bincount(labels, minlength=REGIONS[-1] + 1)[list(REGIONS)]

    def share(tissue: NDArray[np.float32]) -> Array:
        total = np.bincount(labels, tissue.ravel(), minlength=REGIONS[-1] + 1)[list(REGIONS)]
        return np.asarray(total / np.maximum(size, 1))

    bright = np.full(2, np.nan)
    if flair is not None:
        # Hyperintensities lie deep in the hemispheres and may count as grey in a T1.
        deep = brain.mask & (tissues.csf < 0.5) & (territories < 84)
        white = flair.data[deep & (tissues.white > 0.8)]
        if white.size > 100 and (middle := float(np.median(white))) > 0:
            spread = float(np.percentile(flair.data[deep], 98)) / middle
            load = float((flair.data[deep] > BRIGHT * middle).mean())
            bright[:] = np.log(spread), np.sqrt(load)
    return Reading(np.concatenate([share(tissues.grey), share(tissues.csf), bright]), tissues.grey)


def variables(
    mri: Array, clinical: dict[str, float | None], scanner: str | None, scanners: list[str]
) -> Array:
    """All D variables of one person; what is not known is NaN.

    Parameters
    ----------
    mri
        ``numbers`` of `read_mri`.
    clinical
        Field -> number or None.
    scanner, scanners
        Manufacturer of the PET scanner (None: an average one) and all that the model knows.
    """
    facts = [np.nan if (v := clinical[name]) is None else v for name in FIELDS]
    which = [np.nan if scanner is None else float(scanner == s) for s in scanners]
    return np.concatenate([mri, facts, which])


@dataclass(frozen=True, eq=False)
class RegionalModel:
    """Joint Gaussian of D variables and the uptake of R regions for T tracers.

    Attributes
    ----------
    mean, sd
        (D,): centre and scale of the variables.
    covariance
        (D, D): of the scaled variables.
    cross
        (T, D, R): covariance of the scaled variables with the regional uptake, SUVR.
    expected
        (T, R): mean regional uptake, SUVR.
    ridge
        (T, D): added to the diagonal of `covariance`, by tracer.
    """

    mean: Array
    sd: Array
    covariance: Array
    cross: Array
    expected: Array
    ridge: Array

    @cached_property
    def _solved(self) -> _Solved:
        return _Solved.of(self)

    def deviation(self, known: Array) -> Array:
        """Expected uptake minus `expected` given ``known`` (D,): (T, R) SUVR.

        The regions' grey and CSF shares must be known; whatever else is NaN is left out.
        """
        z = np.clip((known - self.mean) / self.sd, -LARGEST_Z, LARGEST_Z)
        return self._solved.deviation(z)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Every attribute as float32, for a bundle."""
        return {f.name: getattr(self, f.name).astype(np.float32) for f in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> RegionalModel:
        """The inverse of `arrays`."""
        return cls(**{name: value.astype(np.float64) for name, value in arrays.items()})


@dataclass(frozen=True, eq=False)
class _Solved:
    """The linear solves of all tracers with the always known shares (M) eliminated in advance.

    What remains for an information set S of the other variables (F) is a solve of their size.
    """

    to_facts: Array
    """(T, M, F): what the shares say of the other variables."""
    to_regions: Array
    """(T, M, R): what the shares say of the regions."""
    inner: Array
    """(T, F, F): covariance that is left, with its ridge."""
    cross: Array
    """(T, F, R): covariance with the regions that is left."""

    @classmethod
    def of(cls, model: RegionalModel) -> _Solved:
        """Eliminate the shares of ``model``."""
        m = 2 * len(REGIONS)
        dims = len(model.mean)
        whole = model.covariance + model.ridge[:, None] * np.eye(dims)
        right = np.concatenate([whole[:, :m, m:], model.cross[:, :m]], 2)
        to_facts, to_regions = np.split(np.linalg.solve(whole[:, :m, :m], right), [dims - m], 2)
        left = whole[:, m:, :m]
        inner, cross = whole[:, m:, m:] - left @ to_facts, model.cross[:, m:] - left @ to_regions
        return cls(to_facts, to_regions, inner, cross)

    def deviation(self, z: Array) -> Array:
        """(T, R) from scaled variables (D,) with NaN for unknown."""
        shares, facts = np.split(z, [self.to_facts.shape[1]])
        there = np.flatnonzero(np.isfinite(facts))
        result = shares @ self.to_regions
        if there.size:
            news = facts[there] - (shares @ self.to_facts)[:, there]
            inner = self.inner[:, there[:, None], there]
            weights = np.linalg.solve(inner, self.cross[:, there])
            result = result + (news[:, None] @ weights)[:, 0]
        return np.asarray(result)


@dataclass(frozen=True, eq=False)
class Anchor:
    """How far a network may move a region's level away from what the regional model expects.

    A network learns from few people where uptake is, and is easily carried away over how much
    there is. The level of region r is ``d + trust (a - d)``: d the regional model's deviation, a
    the network's own. An image that is too smooth also loses level in thin cortex; that much is
    given back. All numbers are fitted on people whom the network had not seen.

    Attributes
    ----------
    centre
        (T, R): the network's mean over a region's grey matter in an average person, SUVR.
    trust
        (T,): 1 leaves the network alone, 0 follows the regional model.
    offset
        (T, R): what the network's regions lack on average, SUVR.
    """

    centre: Array
    trust: Array
    offset: Array

    def correction(self, level: Array, deviation: Array, tracer: int) -> Array:
        """What is to be added to each region (R,), SUVR.

        Parameters
        ----------
        level
            `levels` of the network's image, (R,).
        deviation
            Of the regional model, (R,).
        """
        away = level - self.centre[tracer] - deviation
        added = (self.trust[tracer] - 1.0) * np.nan_to_num(away)
        return np.asarray(added + self.offset[tracer])


def levels(image: NDArray[np.floating], grey: NDArray[np.float32], grid: Grid) -> Array:
    """Mean of an image (I, J, K) over the grey matter of each territory: (R,), NaN without any."""
    labels, size = _territories(grid).ravel(), REGIONS[-1] + 1
    weight = np.bincount(labels, grey.ravel(), minlength=size)[list(REGIONS)]
    total = np.bincount(labels, (grey * image).ravel(), minlength=size)[list(REGIONS)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weight > 0, total / weight, np.nan))


def paint(values: Array, grid: Grid) -> NDArray[np.float32]:
    """Regional values (R,) on a grid (I, J, K): every territory its value, borders softened."""
    return np.asarray(scanner_blur(_table(values)[_territories(grid)], PAINT_FWHM_MM, grid))


@cache
def _brush(
    grid_key: tuple[tuple[int, int, int], bytes],
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    shape, affine = grid_key
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), "")
    shares = np.stack([paint(row, grid) for row in np.eye(len(REGIONS))])
    slices = []
    for k in range(shape[2]):
        there = np.flatnonzero(shares[..., k].max((1, 2)) > 0)
        slices.append((there, shares[there, :, :, k].reshape(len(there), shape[0] * shape[1])))
    return slices


def paint_slices(
    values: NDArray[np.float32], ks: NDArray[np.intp], grid: Grid
) -> NDArray[np.float32]:
    """Axial slices ``ks`` of `paint` for several sets of values at once.

    Parameters
    ----------
    values
        (T, R).

    Returns
    -------
    Array (len(ks), T, I, J).
    """
    brush = _brush(grid_key_of(grid))
    drawn = [values[:, brush[k][0]] @ brush[k][1] for k in ks]
    return np.stack(drawn).reshape(len(ks), len(values), *grid.shape[:2])


def paint_levels(values: Array, grid: Grid) -> NDArray[np.float32]:
    """An image whose mean over each atlas region is nearly ``values`` (R,).

    Softened borders and neighbours take some of a painted value away; it is put on in advance.
    """
    seen = _seen_by_regions(grid_key_of(grid))
    inner = seen.T @ seen + SOFTEST * np.eye(len(seen))
    return paint(np.asarray(np.linalg.solve(inner, seen.T @ values), dtype=np.float64), grid)


@cache
def _seen_by_regions(grid_key: tuple[tuple[int, int, int], bytes]) -> Array:
    """(R, R): mean over each atlas region of each territory's brush; 0 for an empty region."""
    shape, affine = grid_key
    grid = Grid(shape, np.frombuffer(affine).reshape(4, 4), "")
    regions, territories = atlas_on("regions", grid).data, _territories(grid)
    labels = np.where(regions > 0, regions, np.where(territories >= 84, territories, 0))
    total = np.zeros((REGIONS[-1] + 1, len(REGIONS)))
    for k, (there, weights) in enumerate(_brush(grid_key)):
        of = labels[:, :, k].ravel().astype(np.intp)
        for s, row in zip(there, weights, strict=True):
            total[:, s] += np.bincount(of, row, minlength=len(total))
    size = np.bincount(labels.ravel().astype(np.intp), minlength=len(total))
    return np.asarray((total / np.maximum(size, 1)[:, None])[list(REGIONS)])


def _table(values: Array) -> NDArray[np.float32]:
    table = np.zeros(REGIONS[-1] + 1, np.float32)
    table[list(REGIONS)] = values
    return table


def _territories(grid: Grid) -> NDArray[np.uint8]:
    territories, _ = atlas_labels(grid_key_of(grid))
    return territories
