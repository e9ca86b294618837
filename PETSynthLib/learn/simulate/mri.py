"""T1 and FLAIR of a simulated brain, with contrast, bias, resolution and stripping drawn anew.

Domain randomisation is what lets a network trained here work on a real scan. Contrasts span more
than any one scanner: gamma, grey/white ratio, bias field, thick slices, rims and erosions of an
imperfect brain mask, Rician noise.
"""

from __future__ import annotations

import numpy as np
import torch

from .anatomy import Brain, Template
from .fields import blur, smooth_field


def normalise(image: torch.Tensor) -> torch.Tensor:
    """97th percentile of the brain at 1, clipped to 0..1.6 (as in preprocessing)."""
    inside = image[image > 0.05 * image.max()]
    return (image / torch.quantile(inside[::7], 0.97)).clamp(0, 1.6)


def render_t1(template: Template, brain: Brain, rng: np.random.Generator) -> torch.Tensor:
    """A T1 (I, J, K) of ``brain``, brain only, normalised."""
    grey_mean = rng.uniform(0.55, 0.85)
    csf_mean = rng.uniform(0.08, 0.45) * grey_mean / 0.7
    if rng.random() < 0.1:  # poor contrast
        grey_mean, csf_mean = rng.uniform(0.8, 0.95), rng.uniform(0.3, 0.8)
    by_region = torch.as_tensor(1 + rng.normal(0, 0.03, 86), dtype=torch.float32)
    towards_white = rng.uniform(0, 0.6) * (brain.deep & (brain.labels != 83))
    grey = (grey_mean + towards_white * (1 - grey_mean)) * by_region[brain.labels]
    white = 1 - brain.lesions * rng.uniform(0.1, 0.45)
    return _render(template, brain, (grey, white, csf_mean), rng)


def render_flair(template: Template, brain: Brain, rng: np.random.Generator) -> torch.Tensor:
    """A T2-FLAIR (I, J, K) of ``brain``: grey brighter than white, CSF dark, lesions bright."""
    grey_mean, white_mean = rng.uniform(0.75, 1.0), rng.uniform(0.55, 0.75)
    by_region = torch.as_tensor(1 + rng.normal(0, 0.03, 86), dtype=torch.float32)
    grey = grey_mean * by_region[brain.labels]
    white = white_mean + brain.lesions * rng.uniform(0.4, 0.9)
    return _render(template, brain, (grey, white, rng.uniform(0.05, 0.25)), rng)


def _render(
    template: Template,
    brain: Brain,
    means: tuple[torch.Tensor, torch.Tensor, float],
    rng: np.random.Generator,
) -> torch.Tensor:
    shape = template.shape
    grey, white, csf = means
    grey = grey * (1 + 0.04 * smooth_field(rng, (10, 12, 10), shape)[0])
    white = white * (1 + 0.03 * smooth_field(rng, (10, 12, 10), shape)[0])
    image = brain.tissues[0] * grey + brain.tissues[1] * white + brain.tissues[2] * csf
    image = _strip_badly(image, brain, rng)
    image = image * torch.exp(rng.uniform(0.02, 0.14) * smooth_field(rng, (4, 4, 4), shape)[0])
    image = blur(image[None], _resolution(rng))[0]
    noise = rng.uniform(0.005, 0.045)
    real, imaginary = (
        torch.as_tensor(noise * rng.standard_normal(shape, dtype=np.float32)) for _ in range(2)
    )
    rician = torch.sqrt((image + real) ** 2 + imaginary**2) * (image > 0.02)
    return normalise(rician)


def _resolution(rng: np.random.Generator) -> tuple[float, float, float]:
    """Blur in voxels: isotropic, or one thick axis in a third of the scans."""
    sigma = [float(rng.uniform(0, 0.7))] * 3
    if rng.random() < 0.35:
        sigma[int(rng.integers(3))] = float(rng.uniform(0.6, 1.3))
    return sigma[0], sigma[1], sigma[2]


def _strip_badly(image: torch.Tensor, brain: Brain, rng: np.random.Generator) -> torch.Tensor:
    """Leave a rim of meninges, or erode the brain's edge, as masks of real scans do."""
    inside = brain.tissues.sum(0)
    soft = blur(inside[None], (1.2, 1.2, 1.2))[0]
    if rng.random() < 0.4:
        rim = (soft > rng.uniform(0.1, 0.45)) * (1 - inside).clamp(0, 1)
        patches = smooth_field(rng, (14, 16, 14), tuple(image.shape))[0] > 0  # type: ignore[arg-type]
        image = image + rim * rng.uniform(0.1, 0.9) * patches
    if rng.random() < 0.3:
        image = image * torch.sigmoid((soft - rng.uniform(0.45, 0.62)) * 30)
    return image
