"""What no model has learnt from: a large one-sided change in the T1, a contrast agent.

Neither is a diagnosis. The template's space is symmetric about x = 0, so that an affinely aligned
brain lies nearly on its own mirror image; softened to 8 mm the two sides of a T1 differ by little.
Measured (1 is the 97th percentile of the brain): the largest region that differs by more than 0.2
has 0.3 mL in the sample man and none in a patient with multiple sclerosis; of 160 simulated people
those without a focal lesion stay below 5.4 mL, and beyond 6 mL 7 of 7 have one. Tumours of 4 cm,
drawn into the sample man, have 17 and 27 mL; one as bright as white matter that lies on the brain
has 3 and is not seen.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..checks import Finding, Verdict, grade
from ..volume import Volume
from .transform import resample

SOFT_MM = 8.0
"""Width (FWHM) over which the sides are compared."""
APART = 0.2
"""Difference of the sides that counts, of the brain's 97th percentile."""
LARGE_ML = 6.0
INSIDE = 0.7
"""Share of brain around a voxel, on both sides, from which on it is compared."""
FWHM_PER_SIGMA = 2.3548
RIM_MM = 4.0
"""Of the brain, where a mask may hold scalp."""
BRIGHT = 1.3
"""Beyond the 97th percentile by so much lies nothing in a T1 without a contrast agent."""
BRIGHT_PERCENT = (0.05, 0.5)
"""Amber and red. Nothing in the sample man; 0.8 with vessels drawn into him as a contrast agent
shows them; arteries may be bright by inflow, and the rim of a tumour is (0.07)."""


def sides_finding(t1: Volume, brain: Volume) -> Finding:
    """How large a region of the T1 differs from its mirror image.

    Parameters
    ----------
    t1, brain
        As a generator sees them, in template space (RAS mm, symmetric about x = 0), any grid.
    """
    volume_ml, centre = largest_difference(t1, brain)
    found = volume_ml > LARGE_ML
    sentence = (
        f"A region of {volume_ml:.0f} mL {'left' if centre[0] < 0 else 'right'} of the middle "
        f"(template {centre[0]:.0f}, {centre[1]:.0f}, {centre[2]:.0f} mm) looks unlike the other "
        "side: a lesion or an artefact. The models know no such images; do not use values there."
        if found
        else "Both sides of the brain look alike."
    )
    return Finding(
        "t1_sides",
        round(volume_ml, 1),
        f"mL that differ from the other side: amber above {LARGE_ML:g}",
        Verdict.AMBER if found else Verdict.GREEN,
        sentence,
    )


def largest_difference(t1: Volume, brain: Volume) -> tuple[float, tuple[float, float, float]]:
    """Volume in mL of the largest region that differs from its mirror image, and its middle.

    Which side the change is on the difference does not tell: the side that lies farther from the
    brain's own median is taken.

    Returns
    -------
    mL, and template coordinates (RAS mm).
    """
    sigma = [SOFT_MM / FWHM_PER_SIGMA / s for s in t1.grid.spacing]
    inside = brain.data.astype(np.float32)
    weight = ndimage.gaussian_filter(inside, sigma)
    soft = ndimage.gaussian_filter(t1.data * inside, sigma) / np.maximum(weight, 1e-3)
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    other, other_weight = (
        resample(t1.with_data(image.astype(np.float32)), mirror, t1.grid)
        for image in (soft, weight)
    )
    compared = (weight > INSIDE) & (other_weight > INSIDE)
    apart = compared & (np.abs(soft - other) > APART)
    middle = float(np.median(soft[compared])) if compared.any() else 0.0
    odd = apart & (np.abs(soft - middle) >= np.abs(other - middle))
    labels, count = ndimage.label(odd)
    if not count:
        return 0.0, (0.0, 0.0, 0.0)
    sizes = np.bincount(labels.ravel())[1:]
    largest = int(np.argmax(sizes)) + 1
    ijk = np.array(ndimage.center_of_mass(labels == largest))
    x, y, z = (t1.affine @ np.append(ijk, 1.0))[:3]
    return float(sizes[largest - 1]) * t1.grid.voxel_ml, (float(x), float(y), float(z))


def enhancement_finding(t1: Volume, brain: Volume) -> Finding:
    """How much of the brain is as bright as vessels and lesions are after a contrast agent."""
    rounds = max(1, round(RIM_MM / min(t1.grid.spacing)))
    inner = ndimage.binary_erosion(brain.mask, iterations=rounds)
    percent = 100.0 * float((t1.data[inner] > BRIGHT).mean()) if inner.any() else 0.0
    amber, red = BRIGHT_PERCENT
    verdict = grade(percent, amber, red)
    spots = f"{percent:.2g} % of the brain is brighter than any tissue of a T1"
    sentence = {
        Verdict.GREEN: "Nothing is as bright as after a contrast agent.",
        Verdict.AMBER: f"{spots}: vessels by inflow, a lesion, or a contrast agent.",
        Verdict.RED: f"{spots}, as after a contrast agent; the models have not seen such images.",
    }[verdict]
    return Finding(
        "contrast_agent",
        round(percent, 3),
        f"% brighter than {BRIGHT:g} times white matter: amber above {amber:g}, red above {red:g}",
        verdict,
        sentence,
        key=f"contrast_agent.seen_{verdict.value}",
    )
