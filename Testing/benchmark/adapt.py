"""What twenty people of a new site give a model: ``adapt.py WORK --model BUNDLE``.

Simulates people of the site ``elsewhere``, whose manufacturer no model knows, prepares them on the
model's grid, adapts the model to the first twenty and judges both on the others: error of the
regional means, of the target region, and how many of the regions lie within their 90 % interval.
Finished steps are kept. Writes ``WORK/adapt.csv``, a row a model, tracer and person.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from v1 import petsynth, write_split

from PETSynthLib.learn.evaluate.predictor import (
    Predictor,
    interval,
    load_predictors,
    regional_sd,
)
from PETSynthLib.learn.evaluate.statistics import by_anatomy, two_level_bootstrap
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import Store, open_store
from PETSynthLib.tracers import tracer as tracer_of

SITE, SEED = "elsewhere", 5201
CASES, JUDGED = 20, 20
HEAD = ("model", "tracer", "subject", "regional_error", "target_error", "covered")
METRICS = HEAD[3:]


def prepared(work: Path, grid: str, tracers: tuple[str, ...], jobs: int) -> Path:
    """The store of the site's people: `CASES` to adapt to, `JUDGED` to judge."""
    cohort, store, split = work / "bids", work / "store", work / "split.tsv"
    named = ",".join(tracers)
    petsynth(
        "simulate", cohort, "--subjects", CASES + JUDGED, "--seed", SEED, "--site", SITE,
        "--tracers", named, "--jobs", jobs,
    )  # fmt: skip
    write_split(split, {"calibration": CASES, "test": JUDGED})
    petsynth(
        "prepare", cohort, store, "--grid", grid, "--split-file", split, "--tracers", named,
        "--jobs", jobs,
    )  # fmt: skip
    return store


def rows_of(store: Store, predictor: Predictor) -> list[tuple[object, ...]]:
    """Every number of `HEAD` of a model."""
    rows: list[tuple[object, ...]] = []
    for subject in store.split("test"):
        labels = store.regions(subject.row)
        for tracer in predictor.tracers:
            if tracer not in subject.tracers:
                continue
            true = regional_means(labels, store.truth(subject.row, tracer))
            images = predictor.images(store, subject, tracer, subject.clinical)
            made = regional_means(labels, images.mean)
            low, high = interval(made, regional_sd(images, labels, None))
            inside = np.where(np.isfinite(low), (low <= true) & (true <= high), np.nan)
            target = region_index(tracer_of(tracer).target_region)
            numbers = (
                np.nanmean(np.abs(made - true)),
                abs(made[target] - true[target]),
                np.nanmean(inside),
            )
            rows.append((predictor.label, tracer, subject.subject, *map(float, numbers)))
    return rows


def lines_of(rows: list[tuple[object, ...]]) -> list[str]:
    """A line a tracer and number: before, after, and the difference with its interval."""
    table = {(r[0], r[1], r[2]): r[3:] for r in rows}
    tracers = dict.fromkeys(str(r[1]) for r in rows)
    lines = []
    for tracer in tracers:
        people = [s for m, t, s in table if (m, t) == ("before", tracer)]
        for number, metric in enumerate(METRICS):
            before, after = (
                np.array([float(str(table[m, tracer, s][number])) for s in people])
                for m in ("before", "after")
            )
            low, high = two_level_bootstrap(by_anatomy((after - before)[:, None], people))
            lines.append(
                f"{tracer} {metric.replace('_', ' ')}: {before.mean():.3f} before, "
                f"{after.mean():.3f} after ({low:+.3f} to {high:+.3f}, n = {len(people)})"
            )
    return lines


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for people, model and results")
    parser.add_argument("--model", required=True, metavar="BUNDLE")
    parser.add_argument("--grid", default="3mm", help="of the model")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    adapted = chosen.work / "adapted"
    (before,) = load_predictors([f"before={chosen.model}"], "cpu")
    store = open_store(prepared(chosen.work, chosen.grid, before.tracers, chosen.jobs))
    if not adapted.is_dir():
        petsynth("adapt", "--data", store.folder, "--init", chosen.model, "-o", adapted)
    (after,) = load_predictors([f"after={adapted}"], "cpu")
    rows = [*rows_of(store, before), *rows_of(store, after)]
    with (chosen.work / "adapt.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(HEAD)
        table.writerows(rows)
    print("SIMULATED people of a site with a manufacturer that the model does not know:")
    print("\n".join(lines_of(rows)))


if __name__ == "__main__":
    main()
