"""Image metrics in SUVR, inside the brain mask, with fixed conventions.

The conventions are printed in every report (`CONVENTIONS`): a PSNR or SSIM without its data range
and mask means nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.floating]
Mask = NDArray[np.bool_]

DATA_RANGE = 3.0
"""L of PSNR and SSIM, SUVR, the same for every image and tracer."""
SSIM_SIGMA = 1.5
SSIM_RADIUS = 5
K1, K2 = 0.01, 0.03
LOWEST_FOR_BIAS = 0.3
"""SUVR above which a voxel's relative bias is counted."""
WHITE_PERCENTILE = 99.5

CONVENTIONS = (
    "Images are compared in SUVR on the store's template grid. x is the true, y the synthetic PET.",
    (
        "MAE, MSE, RMSE, NRMSE, relative bias, r and PSNR are taken inside the brain mask (not "
        "dilated)."
    ),
    f"PSNR = 10 log10(L^2 / MSE) with L fixed at {DATA_RANGE:g} SUVR, never taken from an image.",
    (
        f"SSIM is three-dimensional: Gaussian window 11 x 11 x 11 voxels, sigma {SSIM_SIGMA:g} "
        f"voxels, K1 {K1:g}, K2 {K2:g}, L {DATA_RANGE:g} SUVR; averaged over the brain mask, and "
        "once more over the whole grid (the background inflates that one)."
    ),
    (
        f"NRMSE = RMSE over the {WHITE_PERCENTILE:g}th percentile of x in the brain; relative "
        f"bias is the mean of 100 (y - x) / x over voxels with x above {LOWEST_FOR_BIAS:g}."
    ),
)


def ssim_map(x: Image, y: Image, data_range: float = DATA_RANGE) -> NDArray[np.float64]:
    """Structural similarity (Wang 2004) of two volumes (I, J, K), voxel by voxel."""
    a, b = x.astype(np.float64), y.astype(np.float64)

    def blur(v: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = ndimage.gaussian_filter(v, SSIM_SIGMA, radius=SSIM_RADIUS)
        return out

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return np.asarray(top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)))


def image_metrics(true: Image, synthetic: Image, brain: Mask) -> dict[str, float]:
    """Every image metric of one subject.

    Parameters
    ----------
    true, synthetic
        (I, J, K), SUVR.
    brain
        Brain mask.

    Returns
    -------
    ``mae_suvr``, ``mse_suvr2``, ``rmse_suvr``, ``nrmse``, ``relative_bias_percent``,
    ``pearson_r``, ``psnr_db``, ``ssim_brain``, ``ssim_grid``.
    """
    x, y = true[brain].astype(np.float64), synthetic[brain].astype(np.float64)
    error = y - x
    mse = float((error**2).mean())
    bright = x > LOWEST_FOR_BIAS
    similarity = ssim_map(true, synthetic)
    with np.errstate(divide="ignore", invalid="ignore"):
        psnr = 10.0 * float(np.log10(DATA_RANGE**2 / mse)) if mse > 0 else float("inf")
        r = float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) > 0 and np.ptp(y) > 0 else float("nan")
    relative = error[bright] / x[bright]
    return {
        "mae_suvr": float(np.abs(error).mean()),
        "mse_suvr2": mse,
        "rmse_suvr": mse**0.5,
        "nrmse": mse**0.5 / float(np.percentile(x, WHITE_PERCENTILE)),
        "relative_bias_percent": 100.0 * float(relative.mean()) if bright.any() else float("nan"),
        "pearson_r": r,
        "psnr_db": psnr,
        "ssim_brain": float(similarity[brain].mean()),
        "ssim_grid": float(similarity.mean()),
    }
