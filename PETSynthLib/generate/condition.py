"""What a network knows beside the picture: clinical and acquisition vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clinical import FIELDS
from .interface import GeneratorInput


def clinical_vector(
    numbers: dict[str, float | None], scaling: dict[str, list[float]]
) -> NDArray[np.float32]:
    """Standardised values then presence flags, each in the order of `FIELDS`.

    Parameters
    ----------
    numbers
        Field -> value or None when missing (a missing value becomes 0 with flag 0).
    scaling
        Field -> [mean, sd] of the training cohort.
    """
    values, flags = [], []
    for name in FIELDS:
        value = numbers[name]
        mean, sd = scaling[name]
        values.append(0.0 if value is None else (value - mean) / sd)
        flags.append(float(value is not None))
    return np.array(values + flags, np.float32)


SITE_SCANNER = "site_scanner"
"""Key in ``method_config``: how much of each known scanner is in that of a site (`petsynth adapt`);
what is meant when no scanner is named."""


def scanner_vector(scanner: str | None, facts: dict[str, Any]) -> NDArray[np.float32]:
    """One-hot over the bundle's scanners; without one all zero, or the site's own mixture."""
    own: dict[str, float] = facts.get(SITE_SCANNER, {})
    return np.array(
        [
            own.get(name, 0.0) if scanner is None else float(scanner == name)
            for name in facts["scanners"]
        ],
        np.float32,
    )


def images_and_facts(
    inputs: GeneratorInput, facts: dict[str, Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What `unet` and its kin are shown and told of a request.

    Returns
    -------
    T1, FLAIR (0 where there is none) and brain mask (3, I, J, K); and a vector: clinical values and
    flags, scanner, whether a FLAIR is shown. What the numbers of a manufacturer have taken out
    (``standardisation`` in ``facts``) is put in again by them alone: the scanner is not told then.
    """
    flair = np.zeros(inputs.t1.shape) if inputs.flair is None else inputs.flair.data
    images = np.stack([inputs.t1.data, flair, inputs.brain.mask]).astype(np.float32)
    parts = [
        clinical_vector(inputs.clinical.numbers(), facts["clinical_scaling"]),
        scanner_vector(None if "standardisation" in facts else inputs.pet_scanner, facts),
        np.array([inputs.flair is not None], np.float32),
    ]
    return images, np.concatenate(parts)
