"""The committed rows of Benchmark v1: what each method did, subject by subject, in small files.

``python Testing/benchmark/rows.py REPORT DIR COHORT`` takes a folder of `petsynth evaluate` and
writes, a folder a method (`v1.py --rows` does so after each evaluation):

``DIR/<method>/<cohort>-subjects.csv``  target region of each tracer, training seed and subject:
    true SUVR, the oracle's error, and value, error and excess over the oracle of the picture, of
    the mean of the samples and of a single one
``DIR/<method>/<cohort>-summary.json``  track, tuning, deviations, claims, scores, image metrics
``DIR/controls/<cohort>-subjects.csv``  errors of every control and of the oracle

Errors are absolute, in SUVR, of the richest information a method was given. All subjects are
simulated.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from PETSynthLib.learn.evaluate.controls import INFORMATION_OF
from PETSynthLib.learn.evaluate.forms import MEAN_OF_SAMPLES, ONE_SAMPLE
from PETSynthLib.learn.evaluate.results import ORACLE
from PETSynthLib.learn.tidy import INFORMATION, Row, read_rows

CONTROLS = "controls"
LARGEST_BYTES = 300_000
"""Of all files of a method and cohort together."""
FORMS = ("picture", "mean_of_samples", "single_sample")
HEAD = (
    *("tracer", "seed", "subject", "information", "true_suvr", "oracle_error"),
    *(f"{form}_{what}" for form in FORMS for what in ("suvr", "error", "excess")),
)
IMAGE_METRICS = ("mae_suvr", "psnr_db", "ssim_brain")
IMAGE_FORMS = ("", "_mean_of_samples", "_one_sample")

Values = dict[tuple[str, int, str, str, str, str], float]
"""(label, seed, tracer, information, subject, metric) -> number."""


def write_method_rows(report: Path, out: Path, cohort: str) -> list[Path]:
    """Write the rows of every method of a report, and of the controls.

    Returns
    -------
    The files written.
    """
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    rows = read_rows(report / "metrics.csv")
    values: Values = {
        (r.model, r.seed, r.tracer, r.information, r.subject, r.metric): r.value for r in rows
    }
    written = [_write_csv(out / CONTROLS / f"{cohort}-subjects.csv", control_rows(values))]
    for label in dict.fromkeys(model["label"] for model in summary["models"]):
        folder = out / label
        written.append(_write_csv(folder / f"{cohort}-subjects.csv", method_rows(values, label)))
        path = folder / f"{cohort}-summary.json"
        body = json.dumps(method_summary(summary, rows, label, cohort), indent=1)
        path.write_text(body + "\n", encoding="utf-8")
        written.append(path)
    for folder in {path.parent for path in written}:
        size = sum(path.stat().st_size for path in written if path.parent == folder)
        if size > LARGEST_BYTES:
            raise SystemExit(
                f"The rows in {folder} take {size} bytes; {LARGEST_BYTES} are allowed."
            )
    return written


def method_rows(values: Values, label: str) -> Iterable[tuple[str, ...]]:
    """Header and one line a tracer, seed and subject."""
    yield HEAD
    labels = form_labels(values, label)
    for seed, tracer, subject in sorted({k[1:3] + k[4:5] for k in values if k[0] == label}):
        information = richest(values, label, tracer)
        true = values.get(("true", 0, tracer, "", subject, "suvr"))
        oracle = values.get((ORACLE, 0, tracer, "both", subject, "absolute_error"))
        cells = [tracer, str(seed), subject, information, _cell(true), _cell(oracle)]
        for form in FORMS:
            key = (labels[form], seed, tracer, information, subject)
            error = values.get((*key, "absolute_error"))
            excess = None if error is None or oracle is None else error - oracle
            cells += [_cell(values.get((*key, "suvr"))), _cell(error), _cell(excess)]
        if true is not None:
            yield tuple(cells)


def control_rows(values: Values) -> Iterable[tuple[str, ...]]:
    """Header and one line a tracer and subject: the absolute error of every control."""
    known = {label: (label, info) for label, info in INFORMATION_OF.items()}
    known |= {f"{ORACLE} ({info})": (ORACLE, info) for info in INFORMATION[1:]}
    yield ("tracer", "subject", "true_suvr", *known)
    for tracer, subject in sorted((k[2], k[4]) for k in values if k[0] == "true"):
        errors = (
            values.get((label, 0, tracer, info, subject, "absolute_error"))
            for label, info in known.values()
        )
        true = values["true", 0, tracer, "", subject, "suvr"]
        yield (tracer, subject, _cell(true), *map(_cell, errors))


def form_labels(values: Values, label: str) -> dict[str, str]:
    """Form -> label; a method without samples is its one picture in every form."""
    labels = {key[0] for key in values}
    shape = re.escape(MEAN_OF_SAMPLES.format(label, 0)).replace("of\\ 0", "of\\ \\d+")
    mean = next((name for name in sorted(labels) if re.fullmatch(shape, name)), label)
    single = ONE_SAMPLE.format(label)
    return dict(zip(FORMS, (label, mean, single if single in labels else label), strict=True))


def method_summary(
    summary: dict[str, Any], rows: list[Row], label: str, cohort: str
) -> dict[str, Any]:
    """What a reader of one method wants of ``summary.json``, and its image metrics."""
    protocol = summary.get("protocol") or {"deviations": [], "entries": {}}
    under = "Run under the protocol: "
    starts = (
        *(f"{label}, ", f"{label} as a single sample, "),
        *(f"{under}{label}: ", f"{under}{label}, "),  # of "flow", never of "flow-paper"
    )
    return {
        "note": "Simulated subjects: nothing here says how well the method works on people.",
        "method": label,
        "cohort": cohort,
        **protocol["entries"].get(label, {}),
        "protocol": {k: protocol.get(k) for k in ("name", "sha256", "cohort")},
        "deviations": [d for d in protocol["deviations"] if d["model"] in ("", label)],
        "models": [m for m in summary["models"] if m["label"] == label],
        "subjects": summary["subjects"],
        "anatomies": summary["anatomies"],
        "claims": [c for c in summary["claim"] if c["words"].startswith(starts)],
        "comparisons": [c for c in summary["comparisons"] if c["model"] == label],
        "scores": [s for s in summary["scores"] if _belongs(s["label"], label)],
        "images": image_means(rows, label),
    }


def _belongs(name: str, label: str) -> bool:
    return name == label or name.startswith(f"{label} (")


def image_means(rows: list[Row], label: str) -> dict[str, dict[str, float]]:
    """``tracer, information`` -> mean over subjects and seeds of each image metric."""
    wanted = {f"{metric}{form}" for metric in IMAGE_METRICS for form in IMAGE_FORMS} | {"seconds"}
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        if row.model == label and row.metric in wanted and np.isfinite(row.value):
            place = found.setdefault(f"{row.tracer}, {row.information}", {})
            place.setdefault(row.metric, []).append(row.value)
    return {
        key: {metric: round(float(np.mean(v)), 4) for metric, v in sorted(metrics.items())}
        for key, metrics in found.items()
    }


def richest(values: Values, label: str, tracer: str) -> str:
    """The richest information set an estimator was run with."""
    there = {key[3] for key in values if (key[0], key[2]) == (label, tracer)}
    return max(there, key=INFORMATION.index)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


def _write_csv(path: Path, lines: Iterable[tuple[str, ...]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="folder of petsynth evaluate")
    parser.add_argument("out", type=Path, help="folder of the rows")
    parser.add_argument("cohort", help="name of the cohort in v1.yaml")
    chosen = parser.parse_args()
    for path in write_method_rows(chosen.report, chosen.out, chosen.cohort):
        print(path)


if __name__ == "__main__":
    main()
