"""Reports by hand, as `petsynth evaluate` leaves them: for tests of the benchmark's scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PETSynthLib.learn.evaluate.controls import AGE_SEX
from PETSynthLib.learn.evaluate.forms import MEAN_OF_SAMPLES, ONE_SAMPLE
from PETSynthLib.learn.evaluate.results import ORACLE
from PETSynthLib.learn.tidy import Row, write_rows

SCRIPTS = Path(__file__).resolve().parents[1] / "benchmark"
if str(SCRIPTS) not in sys.path:
    sys.path.insert(0, str(SCRIPTS))

PEOPLE = ("sub-1", "sub-2", "sub-3", "sub-4")
TRUE = 1.2
CONTROL_ERROR, ORACLE_ERROR = 0.10, 0.02


def make_report(
    folder: Path, configuration: str = "default", gain: float = 0.03, samples: int = 2
) -> Path:
    """A report of one model ``flow`` with two training seeds, one tracer and four people.

    The mean of its samples errs by ``CONTROL_ERROR - gain``, give or take 0.01 by seed; its
    picture by 0.5, a single sample by 0.2 more than their mean.
    """
    rows = []

    def add(label: str, seed: int, info: str, person: str, error: float) -> None:
        for metric, value in (("suvr", TRUE + error), ("absolute_error", error)):
            place = (person, f"anatomy of {person}", "clinic", "fdg_ad_metaroi", metric)
            rows.append(Row(label, seed, "fdg", info, *place, value))

    for person in PEOPLE:
        place = (person, f"anatomy of {person}", "clinic", "fdg_ad_metaroi", "suvr")
        rows.append(Row("true", 0, "fdg", "", *place, TRUE))
        add(AGE_SEX, 0, "base", person, CONTROL_ERROR)
        add(ORACLE, 0, "both", person, ORACLE_ERROR)
        add("flow", 0, "mri", person, 0.9)
        for seed, off in enumerate((-0.01, 0.01)):
            mean = CONTROL_ERROR - gain + off
            add("flow", seed, "both", person, 0.5)
            if samples:
                add(MEAN_OF_SAMPLES.format("flow", samples), seed, "both", person, mean)
                add(ONE_SAMPLE.format("flow"), seed, "both", person, mean + 0.2)
    for person, mae in zip(PEOPLE, (0.1, 0.2, 0.3, 0.4), strict=True):
        place = (person, f"anatomy of {person}", "clinic", "brain", "mae_suvr")
        rows.append(Row("flow", 0, "fdg", "both", *place, mae))
    folder.mkdir(parents=True)
    write_rows(folder / "metrics.csv", rows)
    models = [{"label": "flow", "seed": seed, "sha256": f"{seed}" * 64} for seed in (0, 1)]
    deviations = [
        {"what": "grid", "fixed": "3mm", "run": "2 mm", "model": ""},
        {"what": "flow: seeds", "fixed": "1, 2", "run": "1", "model": "flow"},
        {"what": "unet: seeds", "fixed": "1, 2", "run": "1", "model": "unet"},
    ]
    entry = {"track": "equal_inputs", "inputs": "all", "tuning": "none"}
    summary: dict[str, Any] = {
        "configuration": configuration,
        "subjects": 4,
        "anatomies": 4,
        "models": models,
        "protocol": {
            "name": "v1.yaml, version 1",
            "sha256": "f" * 64,
            "cohort": "a",
            "deviations": deviations,
            "entries": {"flow": entry},
        },
        "claim": [
            {"words": "flow, FDG: lower error than the control x", "held": True, "evidence": ""},
            {"words": "flower, FDG: lower error than x", "held": True, "evidence": ""},
            *(
                {"words": f"Run under the protocol: {what}", "held": False, "evidence": ""}
                for what in ("flow: seeds", "flow, seed 1: weights", "flow-paper: seeds")
            ),
        ],
        "comparisons": [{"model": "flow", "other": "x"}, {"model": "unet", "other": "x"}],
        "scores": [{"label": name} for name in ("flow", "flow (one sample)", "flower", ORACLE)],
    }
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder
