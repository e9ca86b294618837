"""What is usual of the people a model learnt from: their MRI's intensities, their PETs' ratios.

A bundle carries these few numbers, so that a scan that is unlike them, or a picture that is, can be
told where the training data are not at hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...preprocess.input_features import input_features, input_statistics
from ...quantify.plausibility import tissue_ratios, usual_ranges
from ..methods.interface import Material

MOST = 500
"""People looked at, spread over all: each one's images are read once more at the end of a run."""


def usual_of(material: Material) -> dict[str, Any]:
    """``input_statistics`` and ``output_ranges`` of ``config.json``; absent with too few people."""
    chosen = np.unique(np.linspace(0, len(material.train) - 1, MOST).astype(int))
    people = [material.train[i] for i in chosen]
    store, volume = material.store, material.volume
    features = []
    ratios: dict[str, list[dict[str, float]]] = {key: [] for key in store.tracers}
    for subject in people:
        brain = volume(store.brain(subject.row))
        features.append(input_features(volume(store.t1(subject.row)), brain))
        for key in subject.tracers:
            ratios[key].append(tissue_ratios(volume(material.pet(subject, key)), brain))
    statistics = input_statistics(np.array(features))
    ranges = {key: found for key, rows in ratios.items() if (found := usual_ranges(rows))}
    return {
        **({} if statistics is None else {"input_statistics": statistics.as_dict()}),
        **({"output_ranges": ranges} if ranges else {}),
    }
