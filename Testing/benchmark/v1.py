"""Benchmark v1 from an empty folder: simulate, prepare, train, calibrate, evaluate.

``python Testing/benchmark/v1.py WORK`` (``make benchmark``) follows ``v1.yaml``; every step is a
``petsynth`` command and is printed before it runs. Finished steps are kept: run it again to go on.
The protocol in words: ``Resources/docs/protocol.md``.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

PROTOCOL = Path(__file__).with_name("v1.yaml")


def petsynth(*words: object) -> None:
    """Run a ``petsynth`` command; a failure ends the benchmark."""
    command = [str(word) for word in words]
    print(f"$ petsynth {shlex.join(command)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "PETSynthLib", *command], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def write_split(path: Path, split: dict[str, int]) -> None:
    """Deal the splits in the order of the subjects' numbers: every subject is a new draw."""
    names = [name for name, count in split.items() for _ in range(count)]
    rows = [f"sub-{number:04d}\t{name}\n" for number, name in enumerate(names, start=1)]
    path.write_text("subject\tsplit\n" + "".join(rows), encoding="utf-8")


def make_data(work: Path, name: str, protocol: dict[str, Any], jobs: int) -> Path:
    """Simulate and prepare one cohort; its store."""
    cohort, facts = work / f"bids-{name}", protocol["cohorts"][name]
    if sum(facts["split"].values()) != facts["subjects"]:
        raise SystemExit(f"The splits of cohort {name} do not add up to its subjects.")
    tracers = ",".join(protocol["tracers"])
    petsynth(
        "simulate", cohort, "--subjects", facts["subjects"], "--seed", facts["seed"],
        "--config", facts["config"], "--site", facts.get("site", "clinic"),
        "--tracers", tracers, "--jobs", jobs,
    )  # fmt: skip
    split = work / f"split-{name}.tsv"
    write_split(split, facts["split"])
    store = work / f"store-{name}"
    petsynth(
        "prepare", cohort, store, "--grid", protocol["grid"], "--split-file", split,
        "--tracers", tracers, "--jobs", jobs,
    )  # fmt: skip
    return store


def train(work: Path, store: Path, method: str, seed: int, minutes: float) -> Path:
    """Train and calibrate one seed; its bundle."""
    run = work / "runs" / f"{method}-{store.name}-{minutes:g}min-seed{seed}"
    calibrated = run / "calibrated"
    if not calibrated.is_dir():
        resume = ["--resume"] if (run / "config.yaml").is_file() else []
        petsynth(
            "train", "--data", store, "--method", method, "-o", run,
            "--set", f"train.seed={seed}", "--max-minutes", minutes, *resume,
        )  # fmt: skip
        petsynth("calibrate", "--data", store, "--model", run / "bundle", "-o", calibrated)
    return calibrated


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    protocol = yaml.safe_load(PROTOCOL.read_text(encoding="utf-8"))
    parser.add_argument("work", type=Path, help="folder for data, runs and reports")
    parser.add_argument("--cohorts", nargs="+", default=["a"], choices=list(protocol["cohorts"]))
    parser.add_argument("--methods", nargs="+", default=["flow", "unet"])
    parser.add_argument("--seeds", nargs="+", type=int, default=protocol["training"]["seeds"])
    parser.add_argument("--minutes", type=float, default=protocol["training"]["minutes"])
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    for name in chosen.cohorts:
        store = make_data(chosen.work, name, protocol, chosen.jobs)
        # A cohort of test subjects alone is judged with the models of cohort a.
        taught = (
            store if "train" in protocol["cohorts"][name]["split"] else store.with_name("store-a")
        )
        models = [
            f"{method}={train(chosen.work, taught, method, seed, chosen.minutes)}"
            for method in chosen.methods
            for seed in chosen.seeds
        ]
        labelled = [word for model in models for word in ("--model", model)]
        petsynth(
            "evaluate", "--data", store, "--train-data", taught, *labelled, "--protocol", PROTOCOL,
            "--cohort", chosen.work / f"bids-{name}", "-o", chosen.work / f"report-{name}",
        )  # fmt: skip


if __name__ == "__main__":
    main()
