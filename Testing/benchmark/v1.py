"""A benchmark from an empty folder: simulate, prepare, train, calibrate, evaluate.

``python Testing/benchmark/v1.py WORK`` (``make benchmark``) follows ``v1.yaml``, or another file of
its form with ``--protocol`` (``make proof``: ``proof.yaml``); every step is a ``petsynth`` command
and is printed before it runs. Finished steps are kept: run it again to go on.
A training belongs to the method and settings of its entry, a report to the models, rows and
protocol that it judged: what was made with others is made anew.
``--methods`` are labels of ``entries.yaml``, where each method's track, inputs and tuning stand.
``--rows DIR`` keeps each method's numbers, subject by subject (`rows`); with the reports of the
cohorts null, a and strong there follows the gain against link strength (`link_strength`).
The protocol in words: ``Resources/docs/protocol.md``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import link_strength
import yaml
from rows import write_method_rows

from PETSynthLib import __version__

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


def run_name(label: str, entry: dict[str, Any], store: Path, minutes: float, seed: int) -> str:
    """Name of a training's folder: another one for other settings under the same label."""
    settings = list(entry.get("set", ()))
    own = [] if (entry["method"], settings) == (label, []) else [entry["method"], *settings]
    mark = f"-{hashlib.sha256(json.dumps(own).encode()).hexdigest()[:8]}" if own else ""
    return f"{label}{mark}-{store.name}-{minutes:g}min-seed{seed}"


def train(
    work: Path, store: Path, label: str, entry: dict[str, Any], seed: int, minutes: float
) -> Path:
    """Train and calibrate one seed of an entry; its bundle."""
    run = work / "runs" / run_name(label, entry, store, minutes, seed)
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


def evaluate(
    report: Path, words: list[object], models: list[Path], rows: dict[str, Any], protocol: Path
) -> None:
    """Evaluate, unless the report of the same command, models, rows and protocol is there."""
    sums = [model / "SHA256SUMS" for model in models]
    asked = {
        "petsynth": __version__,
        "command": [str(word) for word in words],
        "models": [_digest(path) if path.is_file() else None for path in sums],
        "protocol": _digest(protocol),
        "entries": rows,
    }
    note = report.with_name(f"{report.name}.json")
    text = json.dumps(asked, indent=1, sort_keys=True) + "\n"
    if (
        (report / "summary.json").is_file()
        and note.is_file()
        and note.read_text(encoding="utf-8") == text
    ):
        print(f"{report.name} is finished; delete it to judge again.", flush=True)
        return
    note.unlink(missing_ok=True)
    petsynth("evaluate", *words, "-o", report)
    note.write_text(text, encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def draw_link_strength(work: Path) -> None:
    """Gain against link strength, as soon as the three reports are there."""
    reports = {s: work / f"report-{cohort}" for s, cohort in OF_STRENGTH.items()}
    if all((report / "summary.json").is_file() for report in reports.values()):
        for path in link_strength.write(work / "link-strength", reports):
            print(path)


def main() -> None:
    """Command line."""
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--protocol", type=Path, default=PROTOCOL, metavar="FILE")
    followed = first.parse_known_args()[0].protocol
    parser = argparse.ArgumentParser(description=__doc__, parents=[first])
    protocol = yaml.safe_load(followed.read_text(encoding="utf-8"))
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
        # A cohort of test subjects alone is judged with the models of cohort a; one without any is
        # for training.
        taught = (
            store if "train" in protocol["cohorts"][name]["split"] else store.with_name("store-a")
        )
        models = [
            (label, train(chosen.work, taught, label, entries[label], seed, chosen.minutes))
            for label in chosen.methods
            for seed in chosen.seeds
        ]
        if "test" not in protocol["cohorts"][name]["split"]:
            continue
        labelled = [word for label, model in models for word in ("--model", f"{label}={model}")]
        report = chosen.work / f"report-{name}"
        words = [
            "--data", store, "--train-data", taught, *labelled, "--protocol", chosen.protocol,
            "--entries", ENTRIES, "--cohort", chosen.work / f"bids-{name}",
        ]  # fmt: skip
        rows = {label: entries[label] for label in chosen.methods}
        evaluate(report, words, [model for _, model in models], rows, chosen.protocol)
        if chosen.rows is not None:
            for path in write_method_rows(report, chosen.rows, name):
                print(path)
    draw_link_strength(chosen.work)


if __name__ == "__main__":
    main()
