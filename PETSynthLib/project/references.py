"""The four reference regions of a surface projection, and when one of them must not be used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..assets import atlas_volume, reference_mask
from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..preprocess.transform import NativeToTemplate
from ..quantify.regions import labels_of
from ..volume import Volume, on_grid
from .sampling import SurfaceSamples
from .surface import surfaces

REFERENCES = {"GLB": "global", "THL": "thalamus", "CBL": "cerebellum", "PNS": "pons"}
"""Short names as read on a page, in the order of its rows, and their words.

GLB is the mean of all surface samples off the medial wall; THL and CBL (whole cerebellum) are atlas
regions, PNS the pons mask. A pattern seen with THL, CBL and PNS but not with GLB is a loss of the
whole cortex; GLB brings out what is focal or one-sided.
"""

DIASCHISIS_PERCENT = 10.0
"""Side difference of the cerebellum beyond which it is no reference (crossed diaschisis)."""


def reference_values(volume: Volume, samples: Mapping[str, SurfaceSamples]) -> dict[str, float]:
    """Uptake of the four references, in the unit of ``volume``.

    Parameters
    ----------
    volume
        Template space, any grid.
    samples
        Both hemispheres' samples by side (`sampling.sample_both`).

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when a reference shows no uptake: nothing can be divided by it.
    """
    surface = np.concatenate(
        [samples[side].values[~surfaces()[side].medial_wall] for side in samples]
    )
    found = {"GLB": float(surface.mean())}
    for key, mask in (
        ("THL", _label_mask("thalamusproper", "both")),
        ("CBL", reference_mask("cerebellum_whole")),
        ("PNS", reference_mask("pons")),
    ):
        found[key] = _mean_in(volume, mask)
    for key, value in found.items():
        if not np.isfinite(value) or value <= 0.0:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"The reference region {REFERENCES[key]} shows no uptake.",
                "Check that the PET shows the whole brain and is aligned with the template.",
            )
    return found


def cerebellum_finding(volume: Volume) -> Finding:
    """Whether the two halves of the cerebellum agree well enough to serve as a reference."""
    core = reference_mask("cerebellum_whole")
    left, right = (
        _mean_in(volume, on_grid(core.mask & _label_mask("cerebellum", side).mask, core.grid))
        for side in ("L", "R")
    )
    middle = (left + right) / 2.0
    percent = 100.0 * abs(left - right) / middle if middle > 0 else float("inf")
    lower = "left" if left < right else "right"
    if percent > DIASCHISIS_PERCENT:
        verdict = Verdict.AMBER
        sentence = (
            f"The cerebellum is lower on the {lower} by {percent:.0f} %: do not read the maps "
            "that are divided by it (crossed cerebellar diaschisis?)."
        )
    else:
        verdict = Verdict.GREEN
        sentence = f"The two halves of the cerebellum agree within {percent:.0f} %."
    return Finding(
        "cerebellum_sides",
        round(percent, 1),
        f"at most {DIASCHISIS_PERCENT:g} %",
        verdict,
        sentence,
    )


def _label_mask(region: str, side: str) -> Volume:
    territories = atlas_volume("territories" if region == "cerebellum" else "regions")
    return on_grid(np.isin(territories.data, labels_of(region, side)), territories.grid)


def _mean_in(volume: Volume, mask: Volume) -> float:
    """Mean of ``volume`` over the voxels of its own grid that lie in ``mask`` and show uptake."""
    chosen = NativeToTemplate(np.eye(4)).labels_to_native(mask, volume.grid).mask
    values: NDArray[np.float32] = volume.data[chosen & (volume.data > 0)]
    return float(values.mean(dtype=np.float64)) if values.size else float("nan")
