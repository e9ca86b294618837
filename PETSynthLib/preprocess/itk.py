"""Between `Volume` (RAS, first axis fastest in space) and SimpleITK (LPS)."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..volume import Affine, Volume
from .transform import LPS


def image_of(volume: Volume) -> Any:
    """A SimpleITK float32 image of ``volume`` (axes at right angles)."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.data.T))
    spacing = np.asarray(volume.grid.spacing)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((LPS[:3, :3] @ volume.affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin((LPS[:3, :3] @ volume.affine[:3, 3]).tolist())
    return image


def mask_image_of(volume: Volume) -> Any:
    """A SimpleITK uint8 image, 1 where ``volume`` is above one half."""
    return sitk.Cast(image_of(volume) > 0.5, sitk.sitkUInt8)


def field_of(image: Any) -> NDArray[np.float32]:
    """Displacement (3, I, J, K) in RAS mm of a SimpleITK vector image (LPS mm) on a RAS lattice."""
    lps = np.moveaxis(sitk.GetArrayFromImage(image), -1, 0).transpose(0, 3, 2, 1)
    return np.asarray(lps * np.diag(LPS)[:3, None, None, None], dtype=np.float32)


def matrix_of(transform: Any) -> Affine:
    """4x4 RAS mm matrix of a linear SimpleITK transform."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, 3] = origin
    for axis in range(3):
        unit = np.eye(3)[axis].tolist()
        matrix[:3, axis] = np.array(transform.TransformPoint(unit)) - origin
    return np.asarray(LPS @ matrix @ LPS)


def affine_transform(matrix: Affine, centre: Affine) -> Any:
    """A SimpleITK affine of a 4x4 RAS mm ``matrix``, turning about ``centre`` (3,), RAS mm."""
    lps = LPS @ matrix @ LPS
    middle = LPS[:3, :3] @ centre
    transform = sitk.AffineTransform(3)
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(lps[:3, :3].ravel().tolist())
    transform.SetTranslation((lps[:3, :3] @ middle + lps[:3, 3] - middle).tolist())
    return transform
