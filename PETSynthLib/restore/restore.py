"""Back through the same transform: SUVR volumes on the scan's own grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ..assets import reference_mask
from ..checks import Finding
from ..errors import ErrorCode, PETSynthError
from ..volume import PetVolume, Volume
from .reference import measure_reference, reference_findings, share_inside

if TYPE_CHECKING:
    from ..generate.interface import Generated
    from ..preprocess import Prepared

MARGIN_MM = 2.0
"""PET blur carries cortical counts this far past the MRI's edge of the brain."""
EDGE_SIGMA_MM = 1.5
_VANISHED = 0.01


@dataclass(frozen=True, eq=False)
class Restored:
    """A synthesis in the scan's own space, on its canonical grid, in SUVR.

    Attributes
    ----------
    mean, sd, samples
        Expected PET, standard deviation and plausible PETs. One factor was applied to all.
    reference_factor
        What the generator's numbers were multiplied by, so that the mean's reference is 1.
    findings
        What was found about the reference region.
    """

    mean: PetVolume
    sd: PetVolume
    samples: tuple[PetVolume, ...]
    reference_factor: float
    findings: list[Finding]


def soft_brain(native_brain: Volume) -> Volume:
    """Weights 0..1 that keep the brain and let the PET fade out just beyond it.

    1 inside the mask and up to `MARGIN_MM` outside, then half a Gaussian of `EDGE_SIGMA_MM`,
    exactly 0 beyond that: no haze, no orbital remnants. Distances are millimetres whatever the
    voxel size. An empty mask gives zeros.
    """
    mask = native_brain.mask
    weights = np.zeros(mask.shape, np.float32)
    if not mask.any():
        return native_brain.with_data(weights)
    spacing = np.asarray(native_brain.grid.spacing)
    reach = MARGIN_MM + EDGE_SIGMA_MM * np.sqrt(-2.0 * np.log(_VANISHED))
    # Distances are costly: only the brain's box and the reach of the edge around it are looked at.
    pad = np.ceil(reach / spacing).astype(int)
    found = np.argwhere(mask)
    start = np.maximum(found.min(0) - pad, 0)
    stop = np.minimum(found.max(0) + pad + 1, mask.shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    distance = ndimage.distance_transform_edt(~mask[box], sampling=spacing)
    beyond = np.clip(distance - MARGIN_MM, 0.0, None)
    weights[box] = np.where(distance <= reach, np.exp(-0.5 * (beyond / EDGE_SIGMA_MM) ** 2), 0.0)
    return native_brain.with_data(weights)


def restore(generated: Generated, prepared: Prepared) -> Restored:
    """Bring a synthesis from the template to the scan.

    Everything is scaled by one factor so that the mean's reference region is 1 SUVR, sampled
    linearly (a cubic would overshoot at the edge of the brain) through the inverse of the one
    transform, and multiplied by `soft_brain`.

    Parameters
    ----------
    generated
        SUVR volumes on a template grid.
    prepared
        Holds the transform and the brain mask on the scan's canonical grid.

    Raises
    ------
    PETSynthError
        ``ALIGNMENT`` without uptake in the reference region; ``INTERNAL`` when the generator
        returned values that are no numbers.
    """
    volumes = (generated.mean, generated.sd, *generated.samples)
    if not all(np.isfinite(volume.data).all() for volume in volumes):
        raise PETSynthError(
            ErrorCode.INTERNAL,
            "The model returned values that are no numbers.",
            "Run it again with --device cpu, and report the problem if it stays.",
        )
    reference = measure_reference(generated.mean)
    factor = 1.0 / reference.mean
    weights = soft_brain(prepared.native_brain)

    def back(volume: PetVolume) -> PetVolume:
        native: PetVolume = prepared.transform.to_native(volume, weights.grid, order=1)
        return native.with_data(np.clip(native.data, 0.0, None) * weights.data * factor)

    mask = reference_mask(generated.mean.reference_region)
    share = share_inside(mask, prepared.transform.matrix, weights.grid)
    return Restored(
        mean=back(generated.mean),
        sd=back(generated.sd),
        samples=tuple(back(sample) for sample in generated.samples),
        reference_factor=factor,
        findings=reference_findings(reference, share),
    )
