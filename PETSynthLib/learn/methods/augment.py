"""Changes of an example that leave its meaning: shape (affine, elastic) and noise of the MRI.

Moon et al. 2026 augment by elastic and affine deformation, flips and noise; flips and contrast are
settings of the methods themselves. Everything is off by default.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..settings import setting

NODES = 6
"""Nodes of the elastic deformation along each axis."""
Volumes = NDArray[np.float32]


@dataclass(frozen=True)
class AugmentConfig:
    """How far an example may be changed; 0 leaves it."""

    turn: float = setting(0.0, "largest rotation about each axis, degrees", low=0, high=45)
    stretch: float = setting(0.0, "largest change of each axis' scale, share", low=0, high=0.5)
    shift: float = setting(0.0, "largest shift along each axis, voxels", low=0)
    elastic: float = setting(0.0, "sd of the elastic deformation's nodes, voxels", low=0)
    noise: float = setting(0.0, "sd of noise in T1 and FLAIR inside the brain", low=0)

    @property
    def deforms(self) -> bool:
        """Whether the shape changes."""
        return any((self.turn, self.stretch, self.shift, self.elastic))


def augmented(
    images: Volumes, target: Volumes, config: AugmentConfig, rng: np.random.Generator
) -> tuple[Volumes, Volumes]:
    """The same change of images (C, I, J, K; the last is the brain mask) and target (T, I, J, K).

    Intensities are interpolated linearly, the mask takes the nearest voxel; beyond the edge is 0.
    """
    if config.deforms:
        places = deformation(images.shape[1:], config, rng)

        def moved(volume: Volumes, order: int) -> Volumes:
            out: Volumes = ndimage.map_coordinates(volume, places, order=order, prefilter=False)
            return out

        last = len(images) - 1
        images = np.stack([moved(v, int(c < last)) for c, v in enumerate(images)])
        target = np.stack([moved(v, 1) if v.any() else v for v in target])
    if config.noise:
        grain = rng.standard_normal(images[:-1].shape, dtype=np.float32)
        there = (images[:-1] != 0) * images[-1:]
        images = np.concatenate(
            [images[:-1] + np.float32(config.noise) * grain * there, images[-1:]]
        )
    return images, target


def deformation(
    shape: tuple[int, ...], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Where each voxel's value comes from, (3, I, J, K) in voxels."""
    turns = np.deg2rad(rng.uniform(-config.turn, config.turn, 3))
    matrix = np.eye(3)
    for axis, angle in enumerate(turns):
        a, b = (k for k in range(3) if k != axis)
        turn = np.eye(3)
        turn[[a, b], [a, b]] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    matrix = matrix * rng.uniform(1 - config.stretch, 1 + config.stretch, 3)
    shift = rng.uniform(-config.shift, config.shift, 3)
    centre = (np.array(shape) - 1) / 2
    whole = np.indices(shape, dtype=np.float32)
    away = whole - centre.reshape(3, 1, 1, 1).astype(np.float32)
    places = np.einsum("ab,bijk->aijk", matrix.astype(np.float32), away)
    places += (centre + shift).reshape(3, 1, 1, 1).astype(np.float32)
    if config.elastic:
        nodes = rng.normal(0, config.elastic, (3, NODES, NODES, NODES)).astype(np.float32)
        scale = [n / NODES for n in shape]
        places += np.stack([ndimage.zoom(v, scale, order=3, mode="nearest") for v in nodes])
    return np.asarray(places, dtype=np.float32)
