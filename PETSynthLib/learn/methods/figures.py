"""Scores and pictures that methods share: a predicted brain against its target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...tracers import all_tracers
from ..regions import region_index, regional_means
from ..store import Subject
from .interface import Material


def scores_of(material: Material, subject: Subject, drawn: NDArray[np.float32]) -> dict[str, float]:
    """Mean absolute error in the brain, and of the tracers' target regions, SUVR.

    Parameters
    ----------
    drawn
        Predicted PETs (T, I, J, K), SUVR, in the store's order of tracers.
    """
    store = material.store
    brain, labels = store.brain(subject.row), store.regions(subject.row)
    voxel, target = [], []
    for t, tracer in enumerate(store.tracers):
        if tracer not in subject.tracers:
            continue
        true = material.pet(subject, tracer)
        voxel.append(float(np.abs(drawn[t] - true)[brain].mean()))
        off = np.abs(regional_means(labels, drawn[t]) - regional_means(labels, true))
        region = off[region_index(all_tracers()[tracer].target_region)]
        # A coarse grid may lack the target region.
        target.append(float(np.nanmean(off) if np.isnan(region) else region))
    errors = {"brain_error": float(np.mean(voxel)), "target_error": float(np.mean(target))}
    return {"score": sum(errors.values()), **errors}


def picture_of(
    material: Material, subject: Subject, drawn: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Middle axial slice of every tracer, target above prediction, nose up, right side right."""
    k = material.store.grid.shape[2] // 2
    columns = []
    for t, tracer in enumerate(material.store.tracers):
        top = all_tracers()[tracer].window[1]
        pair = (material.pet(subject, tracer)[:, :, k], drawn[t][:, :, k])
        columns.append(np.concatenate([p.T[::-1] / top for p in pair], 0))
    return np.concatenate(columns, 1).astype(np.float32)
