"""Controls that are pictures: voxel-wise regressions fitted on the training split.

One pass over the training PETs of a tracer gathers every sum; memory does not grow with their
number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...generate.atlas.segment import segment
from ...volume import on_grid
from ..store import Store, Subject
from .results import Image, healthy_people, true_image

Floats = NDArray[np.float64]

DENSITY_FWHM_MM = 8.0
FWHM_PER_SIGMA = 2.3548
LOWEST_SD = 0.02
"""Floor of the norm's standard deviation, SUVR: a voxel nobody varies in flags nobody."""
FEWEST_FOR_NORM = 2
DENSITY_PENALTY = 1e-2
"""Keeps the slope of a voxel finite where grey density does not vary."""


def grey_density(store: Store, subject: Subject) -> Image:
    """Grey matter found in the T1 alone, blurred to the width of a PET (I, J, K), 0..1."""
    t1 = on_grid(store.t1(subject.row), store.grid)
    grey = segment(t1, on_grid(store.brain(subject.row), store.grid)).grey
    sigma = [DENSITY_FWHM_MM / FWHM_PER_SIGMA / spacing for spacing in store.grid.spacing]
    return np.asarray(ndimage.gaussian_filter(grey, sigma), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Norm:
    """Mean and standard deviation (I, J, K) over the healthy people of the training split.

    Fewer than two people make no norm: the mean is zero everywhere, so that no voxel holds any
    uptake to be abnormal about.
    """

    mean: Image
    sd: Image
    people: int

    @property
    def known(self) -> bool:
        """Whether there is a norm at all."""
        return self.people >= FEWEST_FOR_NORM


@dataclass(eq=False)
class _Moments:
    """Running sums over images (I, J, K)."""

    shape: tuple[int, int, int]
    count: int = 0
    total: Floats = field(init=False)
    squares: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.total, self.squares = np.zeros(self.shape), np.zeros(self.shape)

    def add(self, image: Image) -> None:
        self.count += 1
        self.total += image
        self.squares += image.astype(np.float64) ** 2

    def norm(self) -> Norm:
        if self.count < FEWEST_FOR_NORM:
            nothing = np.zeros(self.shape, np.float32)
            return Norm(nothing, nothing + 1, self.count)
        mean = self.total / self.count
        variance = (self.squares - self.count * mean**2) / (self.count - 1)
        sd = np.sqrt(np.maximum(variance, LOWEST_SD**2))
        return Norm(mean.astype(np.float32), sd.astype(np.float32), self.count)


@dataclass(frozen=True, eq=False)
class VoxelControls:
    """What was learnt of one tracer's pictures.

    Attributes
    ----------
    norm
        Of healthy people.
    population
        (I, J, K): mean of all training people.
    weights
        Information set -> (p + 1, V): regression of every voxel on standardised features of the
        person, intercept first.
    density_line
        (2, I, J, K): intercept and slope of every voxel on grey density.
    """

    norm: Norm
    population: Image
    weights: dict[str, NDArray[np.float32]]
    density_line: NDArray[np.float32]

    def from_person(self, information: str, features: Floats) -> Image:
        """The picture for a person's standardised features (p,)."""
        weights = self.weights[information]
        image = weights[0] + features.astype(np.float32) @ weights[1:]
        return np.asarray(np.maximum(image, 0.0).reshape(self.population.shape))

    def from_density(self, density: Image) -> Image:
        """The picture for a map of grey density."""
        return np.asarray(np.maximum(self.density_line[0] + self.density_line[1] * density, 0.0))


def fit_voxel_controls(
    store: Store,
    train: tuple[Subject, ...],
    tracer: str,
    features: Mapping[str, Floats],
    penalty: Mapping[str, float],
    densities: Mapping[int, Image],
) -> VoxelControls:
    """Fit every picture-valued control of a tracer.

    Parameters
    ----------
    store, train
        Training people who have this PET.
    tracer
        Key of the tracer.
    features
        Information set -> (n, p) standardised features of ``train``.
    penalty
        Information set -> ridge penalty.
    densities
        Row -> `grey_density`, for the people who take part in the grey-density regression.
    """
    shape = store.grid.shape
    voxels = int(np.prod(shape))
    healthy = {s.row for s in healthy_people(train)}
    everyone, normal = _Moments(shape), _Moments(shape)
    cross = {info: np.zeros((x.shape[1], voxels), np.float32) for info, x in features.items()}
    line = {name: np.zeros(shape) for name in ("g", "gg", "y", "gy")}
    for n, subject in enumerate(train):
        image = true_image(store, subject, tracer)
        everyone.add(image)
        if subject.row in healthy:
            normal.add(image)
        for info, x in features.items():
            cross[info] += np.outer(x[n].astype(np.float32), image.ravel())
        if subject.row in densities:
            density = densities[subject.row].astype(np.float64)
            line["g"] += density
            line["gg"] += density**2
            line["y"] += image
            line["gy"] += density * image
    population = everyone.total / len(train)
    weights = {}
    for info, x in features.items():
        # Standardised features sum to zero, so the intercept is the mean.
        gram = x.T @ x + penalty[info] * np.eye(x.shape[1])
        slope = np.linalg.solve(gram, cross[info].astype(np.float64))
        weights[info] = np.vstack([population.reshape(1, -1), slope]).astype(np.float32)
    used = max(sum(s.row in densities for s in train), 1)
    spread = line["gg"] - line["g"] ** 2 / used + DENSITY_PENALTY
    slope = (line["gy"] - line["g"] * line["y"] / used) / spread
    start = line["y"] / used - slope * line["g"] / used
    return VoxelControls(
        norm=normal.norm(),
        population=population.astype(np.float32),
        weights=weights,
        density_line=np.stack([start, slope]).astype(np.float32),
    )
