"""One affine between a scan and the template: made once, read everywhere.

This is the only place that resamples. Everything on its way to the template goes through
`NativeToTemplate.to_template`, everything on its way back through `to_native`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import ErrorCode, PETSynthError
from ..volume import CANONICAL, Affine, FloatArray, Grid, V, Volume

FWHM_TO_SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""RAS to LPS millimetres and back (ITK files are LPS, everything here is RAS)."""


def resample(
    volume: Volume,
    to_source: Affine,
    grid: Grid,
    order: int = 1,
    fill: float | None = 0.0,
    antialias: bool = False,
) -> FloatArray:
    """Sample ``volume`` on ``grid``.

    Parameters
    ----------
    volume
        The source (I, J, K).
    to_source
        4x4, RAS mm of ``grid`` to RAS mm of ``volume``.
    grid
        Where to sample.
    order
        0 nearest, 1 linear, 3 cubic B-spline.
    fill
        Value outside the source; None continues the values at its edge.
    antialias
        Smooth the source first along the axes that ``grid`` samples more coarsely.

    Returns
    -------
    float32 array of ``grid.shape``.
    """
    step = to_source @ grid.affine
    data = volume.data
    to_voxel = np.linalg.inv(volume.affine) @ step
    if data.shape == grid.shape and np.array_equal(to_voxel, np.eye(4)):
        return data.astype(np.float32)  # every voxel is where it is wanted
    if antialias:
        # Gaussian whose width makes up for the difference of the two voxel widths.
        target = float(np.linalg.norm(step[:3, :3], axis=0).mean())
        source = np.asarray(volume.grid.spacing)
        fwhm = np.sqrt(np.clip(target**2 - source**2, 0.0, None))
        data = ndimage.gaussian_filter(data, FWHM_TO_SIGMA * fwhm / source, mode="nearest")
    sampled: NDArray[np.float32] = ndimage.affine_transform(
        data,
        to_voxel[:3, :3],
        to_voxel[:3, 3],
        output_shape=grid.shape,
        output=np.float32,
        order=order,
        mode="nearest" if fill is None else "constant",
        cval=fill or 0.0,
    )
    return sampled


@dataclass(frozen=True, eq=False)
class NativeToTemplate:
    """Affine from a scan's own space to the template.

    Attributes
    ----------
    matrix
        4x4 float64: native RAS mm (column vectors) to template RAS mm.
    """

    matrix: Affine

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (4, 4) or abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            msg = "a native-to-template transform is an invertible 4x4 matrix"
            raise ValueError(msg)
        object.__setattr__(self, "matrix", matrix)

    @property
    def inverse(self) -> Affine:
        """4x4 float64: template RAS mm to native RAS mm."""
        return np.asarray(np.linalg.inv(self.matrix))

    def to_template(self, volume: V, grid: Grid = CANONICAL, order: int = 1) -> V:
        """``volume`` (native space) sampled on a template ``grid``; zero outside the scan.

        Its meaning is kept. The scan is smoothed first along the axes that the template samples
        more coarsely.
        """
        data = resample(volume, self.inverse, grid, order, antialias=order > 0)
        return replace(volume, data=data, affine=grid.affine, space=grid.name)

    def to_native(self, volume: V, grid: Grid, order: int = 1, fill: float = 0.0) -> V:
        """``volume`` (template space) sampled on a native ``grid``; its meaning is kept.

        Parameters
        ----------
        volume
            A volume or PET on the template.
        grid
            A grid of the scan, e.g. its canonical one.
        order
            0 nearest, 1 linear (cubic overshoots at the edge of the brain).
        fill
            Value outside the template's field of view.
        """
        data = resample(volume, self.matrix, grid, order, fill)
        return replace(volume, data=data, affine=grid.affine, space=grid.name)

    def labels_to_native(self, labels: Volume, grid: Grid) -> Volume:
        """A label map (template space) on a native ``grid``, nearest neighbour."""
        return self.to_native(labels, grid, order=0)

    def write(self, path: Path) -> None:
        """Write an ITK transform file (``.tfm``, text, LPS).

        ITK transforms point from the output of a resampling to its input, so the file holds
        template to native. Loaded in 3D Slicer and applied to the scan, it moves the scan onto
        the template.
        """
        path.write_text(_itk_text(LPS @ self.inverse @ LPS), encoding="ascii")

    @classmethod
    def read(cls, path: Path) -> NativeToTemplate:
        """Read what `write` wrote.

        Raises
        ------
        PETSynthError
            ``BAD_IMAGE`` when the file is missing or holds no single affine.
        """
        try:
            matrix = _itk_matrix(path.read_text(encoding="ascii"))
            return cls(np.asarray(np.linalg.inv(LPS @ matrix @ LPS)))
        except (OSError, ValueError, IndexError, np.linalg.LinAlgError) as problem:
            raise PETSynthError(
                ErrorCode.BAD_IMAGE,
                f"The transform {path.name} cannot be read.",
                "Delete the folder it lies in, it will be made again.",
            ) from problem


# ITK's text form is written by hand: ITK's own writer cannot open every path on Windows.
_HEADER = "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"


def _itk_text(matrix: Affine) -> str:
    """ITK text form of a 4x4 LPS matrix; numbers come back bit for bit."""
    numbers = [*matrix[:3, :3].ravel(), *matrix[:3, 3]]
    parameters = " ".join(repr(float(number)) for number in numbers)
    return f"{_HEADER}Parameters: {parameters}\nFixedParameters: 0 0 0\n"


def _itk_matrix(text: str) -> Affine:
    """4x4 LPS matrix of an ITK text form whose centre of rotation is the origin."""
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    centre = [float(word) for word in fields.get("FixedParameters", "").split()]
    parameters = [float(word) for word in fields.get("Parameters", "").split()]
    if centre != [0.0, 0.0, 0.0] or len(parameters) != 12:
        msg = "not one affine about the origin"
        raise ValueError(msg)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(parameters[:9], (3, 3))
    matrix[:3, 3] = parameters[9:]
    return matrix
