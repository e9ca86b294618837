"""Every shipped model on people who are simulated for the purpose: the live part of `results`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from v1 import petsynth, write_split

from PETSynthLib.export.policy import require_suvr
from PETSynthLib.generate.bundle import list_bundles, verify_bundle
from PETSynthLib.learn.evaluate.oracle_values import oracle_values
from PETSynthLib.learn.evaluate.predictor import Predictor, load_predictors
from PETSynthLib.learn.evaluate.results import Floats
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import Store, open_store
from PETSynthLib.tracers import tracer as tracer_of

SEED, SPLIT = 6301, "test"
GRID = "2mm"


def prepared(work: Path, people: int, jobs: int) -> Store:
    """The store of the people; finished steps are kept."""
    cohort, store, split = work / "bids", work / "store", work / "split.tsv"
    petsynth("simulate", cohort, "--subjects", people, "--seed", SEED, "--jobs", jobs)
    write_split(split, {SPLIT: people})
    petsynth("prepare", cohort, store, "--grid", GRID, "--split-file", split, "--jobs", jobs)
    return open_store(store)


def errors(store: Store, predictor: Predictor, tracer: str) -> tuple[Floats, float]:
    """Absolute error of the target region (N,), SUVR, and median seconds a picture."""
    target, found, seconds = region_index(tracer_of(tracer).target_region), [], []
    for subject in store.split(SPLIT):
        labels = store.regions(subject.row)
        made = predictor.images(store, subject, tracer, subject.clinical)
        true = regional_means(labels, store.truth(subject.row, tracer))[target]
        found.append(abs(regional_means(labels, made.mean)[target] - true))
        seconds.append(made.seconds)
    return np.array(found), float(np.median(seconds))


def oracle_error(store: Store, tracer: str) -> float:
    """Mean absolute error of the oracle that knows MRI and clinic."""
    people, target = store.split(SPLIT), region_index(tracer_of(tracer).target_region)
    true = np.stack(
        [regional_means(store.regions(s.row), store.truth(s.row, tracer)) for s in people]
    )
    best = oracle_values(store, people, tracer, true)["both"]
    return float(np.abs(best.mean[:, target] - true[:, target]).mean())


def table_of(store: Store, models: list[str]) -> str:
    """Error of each model and tracer beside the oracle's."""
    predictors = load_predictors(models, "cpu")
    tracers = [t for t in store.tracers if any(t in p.tracers for p in predictors)]
    lines = [
        f"## Shipped models, live, on {len(store.split(SPLIT))} simulated people",
        "",
        "Mean absolute error of the target region, SUVR (standard error), and seconds a picture.",
        "",
        f"| | {' | '.join(tracer_of(t).label for t in tracers)} |",
        f"|---|{'---|' * len(tracers)}",
    ]
    for predictor in predictors:
        cells = []
        for tracer in tracers:
            if tracer not in predictor.tracers:
                cells.append("")
                continue
            off, seconds = errors(store, predictor, tracer)
            spread = off.std(ddof=1) / np.sqrt(len(off)) if len(off) > 1 else float("nan")
            cells.append(f"{off.mean():.3f} ({spread:.3f}), {seconds:.2f} s")
        lines.append(f"| {predictor.label} | {' | '.join(cells)} |")
    best = [f"{oracle_error(store, tracer):.3f}" for tracer in tracers]
    return "\n".join([*lines, f"| oracle | {' | '.join(best)} |", ""])


def live_table(work: Path, people: int, jobs: int) -> str:
    """`table_of` of every bundle whose numbers are SUVR."""
    names = []
    for folder in list_bundles():
        bundle = verify_bundle(folder)
        require_suvr(bundle.suvr_known, bundle.name)
        names.append(f"{bundle.name}={folder}")
    work.mkdir(parents=True, exist_ok=True)
    return table_of(prepared(work, people, jobs), names)
