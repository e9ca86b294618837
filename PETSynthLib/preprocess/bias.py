"""The slow brightness gradient of a scanner's coils: found coarsely, removed finely."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..volume import Volume
from .itk import image_of, mask_image_of
from .lattice import grid_around
from .steps import Steps
from .transform import resample

COARSE_MM = 4.0
ITERATIONS = (40, 40, 30)
LARGEST_GAIN = 4.0
"""The field is held within 1/4 to 4: outside the brain it is extrapolated."""


def remove_bias(scan: Volume, brain: Volume, steps: Steps, name: str = "bias field") -> Volume:
    """``scan`` without its bias field (N4, Tustison 2010).

    The field is smooth, so it is estimated on upright voxels of 4 mm inside ``brain`` and its
    logarithm interpolated to full resolution. The grid hugs the brain because N4 spreads its
    spline over the whole image it is given: the scan's field of view must not decide how
    flexible the field is.

    Parameters
    ----------
    scan
        Native image (I, J, K).
    brain
        Mask on the same grid.
    steps
        Where the step is recorded.
    name
        Name of the step.
    """
    parameters = {"coarse_mm": COARSE_MM, "iterations": list(ITERATIONS)}
    with steps.step(name, "SimpleITK", parameters) as outcome:
        coarse = grid_around(brain, COARSE_MM)
        identity = np.eye(4)
        image = Volume(resample(scan, identity, coarse, antialias=True), coarse.affine)
        inside = resample(brain, identity, coarse, antialias=True) > 0.3
        # N4 takes logarithms: voxels without signal would dominate.
        inside &= image.data > 0.05 * float(np.percentile(image.data[inside], 90))
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(list(ITERATIONS))
        itk_image = image_of(image)
        n4.Execute(itk_image, mask_image_of(image.with_data(inside)))
        log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(itk_image)).T
        log_field = np.asarray(log_field, np.float32)
        log_field -= float(log_field[inside].mean())
        limit = float(np.log(LARGEST_GAIN))
        field = Volume(np.clip(log_field, -limit, limit), coarse.affine)
        fine = resample(field, identity, scan.grid, fill=None)
        in_brain = fine[brain.mask]
        low, high = (float(v) for v in np.exp(np.percentile(in_brain, (2.0, 98.0))))
        outcome["field_2_to_98_percent"] = [round(low, 3), round(high, 3)]
        return scan.with_data(scan.data / np.exp(fine))
