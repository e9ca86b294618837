"""Make the shipped `flow` bundle from nothing: simulate, train, calibrate, write.

``python -m PETSynthLib.learn.flow.make WORK --out BUNDLE`` (``make train-flow``); interrupted runs
continue where they stopped. Needs no data but the shipped atlas.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import torch

from ...generate.device import place
from ..simulate.store import create, open_cohort
from .calibrate import calibrate
from .examples import Examples
from .facts import FACTS, split
from .train_mean import train_mean
from .train_residual import ResidualExamples, coarse_anatomy, train_residual
from .write_bundle import write_bundle

SUBJECTS = 232
PROCESSES = 2


def simulate(folder: Path, subjects: int) -> None:
    """Simulate the cohort in `PROCESSES` processes (finished anatomies are kept)."""
    module = "PETSynthLib.learn.simulate.store"
    command = [sys.executable, "-m", module, str(folder), "--subjects", str(subjects)]
    create(folder, subjects)
    parts = [
        subprocess.Popen([*command, "--part", str(p), "--parts", str(PROCESSES)])
        for p in range(PROCESSES)
    ]
    if any(p.wait() for p in parts):
        raise SystemExit("The simulation stopped; run the command again to continue.")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for the cohort and the checkpoints")
    parser.add_argument("--out", type=Path, help="bundle folder; nothing is written without it")
    parser.add_argument("--subjects", type=int, default=SUBJECTS)
    parser.add_argument("--mean-steps", type=int, default=5000)
    parser.add_argument("--residual-steps", type=int, default=1000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the training")
    chosen = parser.parse_args()
    # Small convolutions gain nothing from a second thread and lose much to a busy neighbour.
    torch.set_num_threads(chosen.threads)
    started = time.perf_counter()
    simulate(chosen.work / "cohort", chosen.subjects)
    cohort = open_cohort(chosen.work / "cohort")
    parts, placement = split(cohort.size), place(chosen.device)

    examples = Examples(cohort, FACTS, parts["mean"], seed=0)
    mean = train_mean(examples, FACTS, chosen.work, chosen.mean_steps, placement)
    held_out = Examples(cohort, FACTS, parts["residual"], seed=1)
    coarse = {i: coarse_anatomy(mean, held_out, i, placement) for i in parts["residual"]}
    source = ResidualExamples(held_out, mean, coarse)
    residual = train_residual(source, FACTS, chosen.work, chosen.residual_steps, placement)
    test = Examples(cohort, FACTS, parts["test"], seed=2)
    calibration = calibrate(mean, held_out, test, placement)
    print(json.dumps(calibration.metrics, indent=1))
    if chosen.out is not None:
        training = {
            "anatomies": {name: len(ids) for name, ids in parts.items()},
            "mean_steps": chosen.mean_steps,
            "residual_steps": chosen.residual_steps,
            "minutes_in_this_run": round((time.perf_counter() - started) / 60, 1),
            "command": "make train-flow",
        }
        write_bundle(chosen.out, mean, residual, calibration, training)


if __name__ == "__main__":
    main()
