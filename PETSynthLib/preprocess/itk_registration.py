"""Registration by mutual information with SimpleITK: rigid or affine, from several starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..progress import Progress
from ..volume import Affine, Volume
from .itk import affine_transform, image_of, mask_image_of, matrix_of

BINS = 32
ITERATIONS = 150


@dataclass(frozen=True, eq=False)
class Registered:
    """A registration that ran.

    Attributes
    ----------
    matrix
        4x4, RAS mm of the fixed image to RAS mm of the moving one.
    information
        Mattes mutual information inside the fixed mask (larger is better).
    """

    matrix: Affine
    information: float


def register(
    fixed: Volume,
    fixed_mask: Volume,
    moving: Volume,
    starts: list[Affine],
    progress: Progress,
    *,
    rigid: bool,
    shrink: tuple[int, ...] = (4, 2),
    smoothing_mm: tuple[float, ...] = (4.0, 2.0),
) -> Registered | None:
    """The best of the registrations from ``starts``; None when none of them ran.

    All starts are run at the coarsest level, the best goes on to the finer ones. One thread:
    ITK's sums over threads depend on which thread comes first, and the same scan must give the
    same result.

    Parameters
    ----------
    fixed, moving
        Images; only the part of ``fixed`` inside ``fixed_mask`` is compared.
    starts
        4x4 matrices, fixed RAS mm to moving RAS mm (rotations and shifts only when ``rigid``).
    progress
        Asked between the runs whether to stop.
    rigid
        Six parameters instead of twelve.
    shrink, smoothing_mm
        Pyramid, coarse to fine.
    """
    inside = np.argwhere(fixed_mask.mask)
    centre = inside.mean(0) @ fixed.affine[:3, :3].T + fixed.affine[:3, 3]
    images = (image_of(fixed), mask_image_of(fixed_mask), image_of(moving))
    coarse = []
    for start in starts:
        progress.check()
        transform = _rigid(start, centre) if rigid else affine_transform(start, centre)
        found = _run(images, transform, shrink[:1], smoothing_mm[:1])
        if found is not None:
            coarse.append(found)
    if not coarse:
        return None
    best, _ = max(coarse, key=lambda item: item[1])
    progress.check()
    final = _run(images, best, shrink[1:], smoothing_mm[1:])
    return None if final is None else Registered(matrix_of(final[0]), final[1])


def _run(
    images: tuple[Any, Any, Any],
    start: Any,
    shrink: tuple[int, ...],
    smoothing_mm: tuple[float, ...],
) -> tuple[Any, float] | None:
    """One optimisation; the transform and its mutual information, None when ITK gives up."""
    fixed, fixed_mask, moving = images
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricFixedMask(fixed_mask)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0,
        minStep=1e-3,
        numberOfIterations=ITERATIONS,
        gradientMagnitudeTolerance=1e-6,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(list(shrink))
    method.SetSmoothingSigmasPerLevel(list(smoothing_mm))
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    transform = sitk.Transform(start)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError:
        # ITK's way of saying that the images no longer overlap.
        return None
    return transform, -float(method.GetMetricValue())


def _rigid(matrix: Affine, centre: NDArray[np.float64]) -> Any:
    """A SimpleITK rigid transform of a rotation-and-shift ``matrix`` about ``centre``."""
    affine = affine_transform(matrix, centre)
    transform = sitk.Euler3DTransform()
    transform.SetCenter(affine.GetCenter())
    transform.SetMatrix(affine.GetMatrix(), 1e-6)
    transform.SetTranslation(affine.GetTranslation())
    return transform


def turned_starts(
    fixed_centre: NDArray[np.float64],
    moving_centre: NDArray[np.float64],
    pitches_deg: tuple[float, ...],
    scale: float = 1.0,
) -> list[Affine]:
    """Starts that put one centre on the other, with the head nodding by several angles.

    Parameters
    ----------
    fixed_centre, moving_centre
        (3,) RAS mm.
    pitches_deg
        Rotations about the left-right axis.
    scale
        Size of the moving image relative to the fixed one.
    """
    starts = []
    for pitch in np.radians(pitches_deg):
        matrix = np.eye(4)
        c, s = np.cos(pitch), np.sin(pitch)
        matrix[:3, :3] = scale * np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        matrix[:3, 3] = moving_centre - matrix[:3, :3] @ fixed_centre
        starts.append(matrix)
    return starts
