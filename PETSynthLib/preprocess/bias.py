"""The slow brightness gradient of a scanner's coils: found coarsely, removed finely."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..assets import atlas_volume
from ..errors import ErrorCode, PETSynthError
from ..volume import Volume
from .itk import image_of, mask_image_of
from .lattice import grid_around
from .steps import Steps
from .transform import NativeToTemplate, resample

COARSE_MM = 4.0
ITERATIONS = (40, 40, 30)
DIMMEST = 0.05
LARGEST_GAIN = 4.0
"""The field is held within 1/4 to 4: outside the brain it is extrapolated."""
STEP = 1e-4
"""Resolution of the field's logarithm: a hundredth of a percent."""


def bias_field(
    scan: Volume,
    brain: Volume,
    transform: NativeToTemplate,
    steps: Steps,
    name: str = "bias field",
) -> Volume:
    """The bias field of a scan (N4, Tustison 2010).

    The field is smooth, so it is estimated on voxels of 4 mm. The voxels are the template's: N4
    spreads its spline over the whole image it is given, so neither the scan's field of view nor the
    way the head was turned may decide where its knots lie (they did: 3 % in regional means).

    Parameters
    ----------
    scan
        Native image (I, J, K), any unit.
    brain
        Brain mask on the template (any grid).
    transform
        Scan to template.
    steps
        Where the step is recorded.
    name
        Name of the step.

    Returns
    -------
    Logarithm of the field on the template at 4 mm, mean 0 in the brain, in whole `STEP`: a file
    that keeps it says the same.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE`` when there is no signal where the brain should be.
    """
    parameters = {"coarse_mm": COARSE_MM, "iterations": list(ITERATIONS)}
    with steps.step(name, "SimpleITK", parameters) as outcome:
        coarse = grid_around(atlas_volume("template_brain"), COARSE_MM)
        image = transform.to_template(scan, coarse)
        inside = resample(brain, np.eye(4), coarse, antialias=True) > 0.5
        if inside.any():
            # N4 takes logarithms: voxels without signal would dominate.
            inside &= image.data > DIMMEST * float(np.percentile(image.data[inside], 90))
        if not inside.any():
            raise PETSynthError(
                ErrorCode.BAD_IMAGE,
                "The image is dark where the brain should be.",
                "Check that this is a T1-weighted MRI of a whole head.",
            )
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(list(ITERATIONS))
        itk_image = image_of(image)
        n4.Execute(itk_image, mask_image_of(image.with_data(inside)))
        field = np.asarray(sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(itk_image)).T)
        field -= float(field[inside].mean())
        low, high = (float(v) for v in np.exp(np.percentile(field[inside], (2.0, 98.0))))
        outcome["field_2_to_98_percent"] = [round(low, 3), round(high, 3)]
        limit = float(np.log(LARGEST_GAIN))
        held = np.rint(np.clip(field, -limit, limit) / STEP)
        return image.with_data(held.astype(np.float32) * np.float32(STEP))


def without_bias(scan: Volume, field: Volume, transform: NativeToTemplate) -> Volume:
    """``scan`` divided by its `bias_field`, of which the logarithm is interpolated."""
    fine = resample(field, transform.matrix, scan.grid, fill=None)
    return scan.with_data(scan.data / np.exp(fine))
