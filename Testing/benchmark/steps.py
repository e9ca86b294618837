"""Error of a trained model at several numbers of steps: ``steps.py STORE --model BUNDLE``.

The mean of its draws on validation people, never on test people: number of steps is a setting, and
settings are chosen there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from PETSynthLib.learn.evaluate.predictor import Predictor, load_predictors
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import Store, open_store
from PETSynthLib.request import Preset
from PETSynthLib.tracers import tracer as tracer_of

PRIMARY = ("fdg", "flortaucipir")


def errors(store: Store, predictor: Predictor, people: int) -> dict[str, float]:
    """Mean absolute error in brain and target region, sd (SUVR), seconds a picture.

    Raises
    ------
    SystemExit
        When no validation person has a PET of a primary tracer.
    """
    rows = []
    for subject in store.split("validation")[:people]:
        brain, labels = store.brain(subject.row), store.regions(subject.row)
        for tracer in PRIMARY:
            if tracer not in subject.tracers or tracer not in predictor.bundle.config["tracers"]:
                continue
            known = store.has_truth(tracer)
            true = store.truth(subject.row, tracer) if known else store.pet(subject.row, tracer)
            started = time.perf_counter()
            images = predictor.images(store, subject, tracer, subject.clinical)
            seconds = time.perf_counter() - started
            region = region_index(tracer_of(tracer).target_region)
            off = regional_means(labels, images.mean) - regional_means(labels, true)
            error = float(np.abs(images.mean - true)[brain].mean())
            rows.append((error, abs(float(off[region])), float(images.sd[brain].mean()), seconds))
    if not rows:
        raise SystemExit("No validation person of this store has one of the model's tracers.")
    means = np.mean(rows, axis=0).tolist()
    return dict(zip(("brain", "target", "sd", "seconds"), means, strict=True))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--model", required=True, metavar="BUNDLE")
    parser.add_argument("--steps", nargs="+", type=int, default=[2, 4, 8, 20])
    parser.add_argument("--people", type=int, default=8)
    chosen = parser.parse_args()
    store = open_store(chosen.store)
    (predictor,) = load_predictors([f"model={chosen.model}"], "cpu")
    for steps in chosen.steps:
        predictor.bundle.config["presets"][Preset.BEST.value]["steps"] = steps
        found = errors(store, predictor, chosen.people)
        print(f"{steps} steps: " + ", ".join(f"{k} {v:.4f}" for k, v in found.items()), flush=True)


if __name__ == "__main__":
    main()
