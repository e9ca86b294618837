"""Benchmark v1 from an empty folder: simulate, prepare, train, calibrate, evaluate.

``python Testing/benchmark/v1.py WORK`` (``make benchmark``) follows ``v1.yaml``; every step is a
``petsynth`` command and is printed before it runs. Finished steps are kept: run it again to go on.
``--methods`` are labels of ``entries.yaml``, where each method's track, inputs and tuning stand.
``--rows DIR`` keeps each method's numbers, subject by subject (`rows`); with the reports of the
cohorts null, a and strong there follows the gain against link strength (`link_strength`).
The protocol in words: ``Resources/docs/protocol.md``.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import link_strength
import yaml
from rows import write_method_rows

PROTOCOL = Path(__file__).with_name("v1.yaml")
ENTRIES = Path(__file__).with_name("entries.yaml")
OF_STRENGTH = {"null": "null", "default": "a", "strong": "strong"}
"""Configuration -> cohort whose report stands for it."""


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


def train(
    work: Path, store: Path, label: str, entry: dict[str, Any], seed: int, minutes: float
) -> Path:
    """Train and calibrate one seed of an entry; its bundle."""
    run = work / "runs" / f"{label}-{store.name}-{minutes:g}min-seed{seed}"
    calibrated = run / "calibrated"
    if not calibrated.is_dir():
        resume = ["--resume"] if (run / "config.yaml").is_file() else []
        words = [word for setting in entry.get("set", ()) for word in ("--set", setting)]
        petsynth(
            "train", "--data", store, "--method", entry["method"], "-o", run,
            "--set", f"train.seed={seed}", *words, "--max-minutes", minutes, *resume,
        )  # fmt: skip
        petsynth("calibrate", "--data", store, "--model", run / "bundle", "-o", calibrated)
    return calibrated


def draw_link_strength(work: Path) -> None:
    """Gain against link strength, as soon as the three reports are there."""
    reports = {s: work / f"report-{cohort}" for s, cohort in OF_STRENGTH.items()}
    if all((report / "summary.json").is_file() for report in reports.values()):
        for path in link_strength.write(work / "link-strength", reports):
            print(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    protocol = yaml.safe_load(PROTOCOL.read_text(encoding="utf-8"))
    entries = yaml.safe_load(ENTRIES.read_text(encoding="utf-8"))
    parser.add_argument("work", type=Path, help="folder for data, runs and reports")
    parser.add_argument("--cohorts", nargs="+", default=["a"], choices=list(protocol["cohorts"]))
    parser.add_argument("--methods", nargs="+", default=list(entries), choices=list(entries))
    parser.add_argument("--seeds", nargs="+", type=int, default=protocol["training"]["seeds"])
    parser.add_argument("--minutes", type=float, default=protocol["training"]["minutes"])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rows", type=Path, metavar="DIR", help="folder of the methods' rows")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    for name in chosen.cohorts:
        store = make_data(chosen.work, name, protocol, chosen.jobs)
        # A cohort of test subjects alone is judged with the models of cohort a.
        taught = (
            store if "train" in protocol["cohorts"][name]["split"] else store.with_name("store-a")
        )
        models = [
            f"{label}={train(chosen.work, taught, label, entries[label], seed, chosen.minutes)}"
            for label in chosen.methods
            for seed in chosen.seeds
        ]
        labelled = [word for model in models for word in ("--model", model)]
        report = chosen.work / f"report-{name}"
        petsynth(
            "evaluate", "--data", store, "--train-data", taught, *labelled, "--protocol", PROTOCOL,
            "--entries", ENTRIES, "--cohort", chosen.work / f"bids-{name}", "-o", report,
        )  # fmt: skip
        if chosen.rows is not None:
            for path in write_method_rows(report, chosen.rows, name):
                print(path)
    draw_link_strength(chosen.work)


if __name__ == "__main__":
    main()
