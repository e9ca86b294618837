"""Speed and memory of simulating, preparing and evaluating: called by ``training.py``.

Every stage is a ``petsynth`` command in a process of its own; its memory is that of the process and
of all that it starts, looked at ten times a second. Few people, so that it is over in minutes: the
start of Python and the controls' fits are paid for by few, and a longer run is faster.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from run import verdict
from store_case import make_store

from PETSynthLib.learn.store import open_store

SUBJECTS, JOBS, TRACERS = 4, 2, ("fdg", "florbetapir")
JUDGED = 60
"""Subjects of the store that is evaluated; every sixth is a test subject."""
SUBJECTS_A_MINUTE = 6.0
"""What simulating promises for two processes."""
SECONDS_AN_IMAGE = 6.0
"""Evaluation beyond inference: 20 subjects x 5 tracers in ten minutes."""
LARGEST_MB = 6000.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds and peak memory of a command."""

    seconds: float
    peak_mb: float


def cost_of(*words: object) -> Cost:
    """Run a ``petsynth`` command to its end; a failure ends the measurement."""
    started, peak = time.perf_counter(), 0.0
    command = [sys.executable, "-m", "PETSynthLib", *map(str, words), "--quiet"]
    with subprocess.Popen(command) as process:
        whole = psutil.Process(process.pid)
        while process.poll() is None:
            # Processes come and go while they are counted.
            with suppress(psutil.Error):
                family = [whole, *whole.children(recursive=True)]
                peak = max(peak, sum(p.memory_info().rss for p in family) / 1e6)
            time.sleep(LOOK_S)
    if process.returncode:
        raise SystemExit(process.returncode)
    return Cost(time.perf_counter() - started, peak)


def seconds_in_models(report: Path) -> float:
    """What the report says of the time that was spent inside the models."""
    found = re.search(r"Seconds inside the models\D*?>(\d+)<", report.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("The report does not say how long the models took.")
    return float(found[1])


def measure_stages(work: Path) -> dict[str, dict[str, Any]]:
    """Speed and peak memory of each stage, in the empty folder ``work``."""
    names = ",".join(TRACERS)
    bids, store, out = work / "bids", work / "store", work / "report"
    made = cost_of(
        "simulate", bids, "--subjects", SUBJECTS, "--seed", 1, "--tracers", names, "--jobs", JOBS
    )
    laid = cost_of("prepare", bids, store, "--tracers", names, "--jobs", JOBS)
    rows = len(open_store(store).subjects)
    judged = make_store(work / "judged", n=JUDGED, shape=(56, 64, 56), tracers=TRACERS)
    tested = sum(len(s.tracers) for s in judged.split("test"))
    paid = cost_of(
        "evaluate", "--data", judged.folder, "--model", "atlas", "-o", out,
        "--checks", "clusters,downstream,fairness",
    )  # fmt: skip
    beyond = paid.seconds - seconds_in_models(out / "report.html")
    return {
        "simulate": {"subjects_a_minute": 60 * SUBJECTS / made.seconds, "peak_mb": made.peak_mb},
        "prepare": {"subjects_a_minute": 60 * rows / laid.seconds, "peak_mb": laid.peak_mb},
        "evaluate": {"seconds_an_image": beyond / tested, "peak_mb": paid.peak_mb},
    }


def stage_verdicts(stages: dict[str, dict[str, Any]]) -> list[str]:
    """Each promise with what was measured; preparing promises no speed."""
    made, laid, judged = (stages[name] for name in ("simulate", "prepare", "evaluate"))
    speed, image = made["subjects_a_minute"], judged["seconds_an_image"]
    lines = [
        verdict(
            speed >= SUBJECTS_A_MINUTE,
            f"simulate: {speed:.1f} subjects a minute with {JOBS} processes "
            f"(at least {SUBJECTS_A_MINUTE:g})",
        ),
        f"stated prepare: {laid['subjects_a_minute']:.1f} subjects a minute with {JOBS} processes",
        verdict(
            image <= SECONDS_AN_IMAGE,
            f"evaluate: {image:.2f} s a subject and tracer beyond inference "
            f"(at most {SECONDS_AN_IMAGE:g})",
        ),
    ]
    peaks = ((name, stage["peak_mb"]) for name, stage in stages.items())
    return [*lines, *(verdict(mb < LARGEST_MB, f"{n}: peak memory {mb:.0f} MB") for n, mb in peaks)]
