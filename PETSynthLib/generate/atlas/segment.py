"""Grey matter, white matter and CSF of a T1, by a mixture of Gaussians with atlas priors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...preprocess.atlas_grid import atlas_on
from ...volume import Volume
from .forward import Tissues

ITERATIONS = 25
PRIOR_SIGMA_MM = 3.0
PRIOR_FLOOR = 0.03


def tissue_priors(brain: Volume) -> NDArray[np.float64]:
    """Probability (3, N) of grey, white and CSF in the N voxels of ``brain``.

    The template's tissue maps, blurred so that an affine alignment is enough.
    """
    grey = atlas_on("template_gm", brain.grid).data
    white = atlas_on("template_wm", brain.grid).data
    inside = atlas_on("template_brain", brain.grid).data
    csf = np.clip(inside - grey - white, 0, 1) + 0.5 * (inside < 0.5)
    sigma = [PRIOR_SIGMA_MM / spacing for spacing in brain.grid.spacing]
    maps = [ndimage.gaussian_filter(m, sigma) for m in (grey, white, csf)]
    stack = np.stack([m[brain.mask] for m in maps]).astype(np.float64) + PRIOR_FLOOR
    return np.asarray(stack / stack.sum(0))


def segment(t1: Volume, brain: Volume) -> Tissues:
    """Posterior tissue fractions of a brain-only T1 on the template grid.

    Expectation-maximisation of ``p(v, c) = prior_c(x) N(v; m_c, s_c^2)`` over the voxels of
    ``brain`` (Ashburner and Friston 2005, without the bias field, which N4 has removed).

    Parameters
    ----------
    t1
        Intensities with the 97th percentile at 1.
    brain
        Mask on the same grid.
    """
    values = t1.data[brain.mask].astype(np.float64)
    prior = tissue_priors(brain)
    posterior = prior
    for _ in range(ITERATIONS):
        weight = posterior.sum(1)
        mean = posterior @ values / weight
        variance = (posterior * (values - mean[:, None]) ** 2).sum(1) / weight + 1e-4
        log_joint = (
            np.log(prior)
            - 0.5 * np.log(variance)[:, None]
            - 0.5 * (values - mean[:, None]) ** 2 / variance[:, None]
        )
        joint = np.exp(log_joint - log_joint.max(0))
        posterior = joint / joint.sum(0)
    maps = np.zeros((3, *t1.shape), np.float32)
    maps[:, brain.mask] = posterior
    return Tissues(grey=maps[0], white=maps[1], csf=maps[2])
