"""Partial-volume correction by the geometric transfer matrix. Off unless asked for.

Every region is taken to be even; the scanner's blur mixes them by a matrix that the regions' shapes
give, and solving it gives the uptake before the blur (Rousset et al., J Nucl Med 1998;39:904-911).
The result is regional numbers, never a picture, and stands beside the plain means, not in their
place. A synthetic PET has the blur of its training data: there, nobody should use this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import ErrorCode, PETSynthError
from ..volume import Volume

FWHM_PER_SIGMA = 2.3548200450309493
OUTSIDE = 0
"""Label of everything else. It takes part: left out, its signal would be forced on the regions."""
REACH = 4.0
"""Standard deviations at which the blur is cut off."""
WORST_CONDITION = 100.0
"""Beyond this the matrix enlarges noise more than it corrects."""


@dataclass(frozen=True)
class Corrected:
    """Regional uptake before and after correction.

    Attributes
    ----------
    labels
        (R,) label numbers, `OUTSIDE` among them.
    observed, corrected
        (R,) mean uptake in the unit of the PET.
    fwhm_mm
        Blur assumed.
    condition
        Condition number of the matrix: by how much noise may grow.
    """

    labels: NDArray[np.int64]
    observed: NDArray[np.float64]
    corrected: NDArray[np.float64]
    fwhm_mm: float
    condition: float

    def value(self, label: int) -> float:
        """Corrected uptake of one region."""
        return float(self.corrected[np.flatnonzero(self.labels == label)[0]])


def with_remainder(labels: Volume, brain: Volume) -> Volume:
    """``labels`` with one more label for brain that lies in no region (mostly white matter).

    White matter and the world outside the head must not be one region: their uptake differs.
    """
    left_over = brain.mask & (labels.data == OUTSIDE)
    return labels.with_data(np.where(left_over, labels.data.max() + 1, labels.data))


def gtm(pet: Volume, labels: Volume, fwhm_mm: float) -> Corrected:
    """Correct the regional means of a PET.

    Parameters
    ----------
    pet
        Native space, any unit.
    labels
        Label map on the same grid; label 0 is everything else (see `with_remainder`).
    fwhm_mm
        Resolution of the scanner with its reconstruction, full width at half maximum.

    Raises
    ------
    ValueError
        When the volumes do not share one grid or the blur is not positive.
    PETSynthError
        ``BAD_DATA`` when the regions are too small for this blur to be undone.
    """
    if not pet.grid.same_as(labels.grid):
        msg = "PET and labels must share one grid"
        raise ValueError(msg)
    if not fwhm_mm > 0.0:
        msg = f"the blur must be positive, got {fwhm_mm} mm"
        raise ValueError(msg)
    numbers, index = np.unique(labels.data.astype(np.int64), return_inverse=True)
    index = index.reshape(labels.shape)
    sigma = fwhm_mm / FWHM_PER_SIGMA / np.array(pet.grid.spacing)
    sizes = np.bincount(index.ravel(), minlength=len(numbers)).astype(np.float64)
    matrix = transfer_matrix(index, sizes, sigma)
    observed = np.bincount(index.ravel(), pet.data.ravel().astype(np.float64)) / sizes
    condition = float(np.linalg.cond(matrix))
    if not condition < WORST_CONDITION:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The regions are too small to undo a blur of {fwhm_mm:g} mm.",
            "Give a smaller blur, or leave partial-volume correction off.",
        )
    corrected = np.linalg.solve(matrix, observed).astype(np.float64)
    return Corrected(numbers, observed, corrected, fwhm_mm, condition)


def transfer_matrix(
    index: NDArray[np.integer], sizes: NDArray[np.float64], sigma: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(R, R): share of region j's uptake that is seen in region i.

    Parameters
    ----------
    index
        (I, J, K) region of every voxel, 0 .. R-1.
    sizes
        (R,) voxels of each region.
    sigma
        (3,) blur in voxels.
    """
    count = len(sizes)
    margin = np.ceil(REACH * sigma).astype(int) + 1
    matrix = np.zeros((count, count))
    whole = int(sizes.argmax())  # its row of the blur is what the others leave over
    for number, box in enumerate(ndimage.find_objects(index + 1)):
        if box is None or number == whole:
            continue
        wide = tuple(
            slice(max(part.start - m, 0), min(part.stop + m, length))
            for part, m, length in zip(box, margin, index.shape, strict=True)
        )
        around = index[wide]
        seen = ndimage.gaussian_filter(
            (around == number).astype(np.float32), sigma, truncate=REACH, mode="nearest"
        )
        matrix[:, number] = np.bincount(around.ravel(), seen.ravel(), minlength=count) / sizes
    matrix[:, whole] = 1.0 - matrix.sum(axis=1)
    return matrix
