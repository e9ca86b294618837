"""Training steps in bfloat16 and in float32, loading, and the stages around it: ``make bench``.

Both precisions take turns step by step in one process, on a small simulated store of the 3 mm grid;
the median step counts, so that a busy neighbour hurts both alike. Then simulating, preparing and
evaluating (`engine`), and the perceptual loss (`perceptual`). Never a test.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from engine import LARGEST_MB, measure_stages, stage_verdicts
from perceptual import measure_perceptual, perceptual_verdicts
from run import verdict
from store_case import make_store

from PETSynthLib.generate.device import cpu_has_fast_bfloat16
from PETSynthLib.learn.methods import METHODS
from PETSynthLib.learn.methods.interface import TrainingMethod, material_of
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train.engine import Training
from PETSynthLib.learn.train.processes import launch
from PETSynthLib.learn.train.run import settings_type
from PETSynthLib.run.memory import peak_memory_mb

GRID_3MM = (56, 64, 56)
PRECISIONS = ("bf16", "fp32")
FASTER_WITH_AMX, LARGEST_SHARE = 1.5, 0.10
WARM_UP = 3
PERCEPTUAL_ROUNDS = 5


class Nobody:
    """A watcher that looks away."""

    def preparing(self, words: str, done: int, total: int) -> None:
        """Ignore."""

    def stepped(self, stage: str, step: int, share: float, loss: float) -> None:
        """Ignore."""

    def validated(self, stage: str, step: int, score: float, best: bool) -> None:
        """Ignore."""


def has_amx() -> bool:
    """Whether this CPU multiplies bfloat16 in tiles."""
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(probe and probe())


def prepared(kind: type[TrainingMethod], store: Store, precision: str, threads: int) -> Training:
    """A training of ``kind`` at its default settings, ready for its first step."""
    train = {
        **kind.train_defaults,
        "precision": precision,
        "threads": threads,
        "accelerator": "cpu",
    }
    settings = settings_type(kind)
    defaults = settings()
    config = type(defaults.train)(**{**vars(defaults.train), **train})
    method = kind(kind.config_type(), material_of(store, "auto"), seed=0)
    method.use(method.prepare(lambda words, done, total: None))
    stop = threading.Event()
    training = Training(method, config, launch(config), Path(), {}, Nobody(), stop)
    training.sit_down()
    return training


def measure(kind: type[TrainingMethod], store: Store, steps: int, threads: int) -> dict[str, Any]:
    """Median milliseconds of a step and of its loading, by precision."""
    rivals = {p: prepared(kind, store, p, threads) for p in PRECISIONS}
    times: dict[str, list[tuple[float, float]]] = {p: [] for p in PRECISIONS}
    for _ in range(steps + WARM_UP):
        for precision, training in rivals.items():
            loading, started = training.stream.seconds, time.perf_counter()
            training.one_step(0.5)
            training.step += 1
            seconds = time.perf_counter() - started
            times[precision].append((seconds, training.stream.seconds - loading))
    result: dict[str, Any] = {}
    for precision, rows in times.items():
        step, load = np.median(np.array(rows[WARM_UP:]), axis=0)
        result[precision] = {"step_ms": round(1e3 * step, 1), "loading_ms": round(1e3 * load, 1)}
    fast, exact = (result[p]["step_ms"] for p in PRECISIONS)
    result["speed_up"] = round(exact / fast, 2)
    result["loading_share"] = round(result["bf16"]["loading_ms"] / fast, 3)
    return result


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output"))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(
            Path(folder) / "store", n=12, shape=GRID_3MM, tracers=("fdg", "pib", "pbr28")
        )
        found = {m.name: measure(m, store, chosen.steps, chosen.threads) for m in METHODS}
    lines = []
    for name, figures in found.items():
        print(name, json.dumps(figures))
        share, gain = figures["loading_share"], figures["speed_up"]
        lines.append(verdict(share < LARGEST_SHARE, f"{name}: loading takes {share:.1%} of a step"))
        words = f"{name}: bf16 is {gain:.2f} times as fast as fp32"
        if has_amx():
            lines.append(verdict(gain >= FASTER_WITH_AMX, f"{words} (at least {FASTER_WITH_AMX})"))
        else:
            other = "with" if cpu_has_fast_bfloat16() else "without"
            lines.append(f"stated {words} (no AMX here; {other} other bfloat16 instructions)")
    peak = peak_memory_mb()
    lines.append(verdict(peak < LARGEST_MB, f"training: peak memory {peak:.0f} MB"))
    with tempfile.TemporaryDirectory() as folder:
        stages = measure_stages(Path(folder))
    lines += stage_verdicts(stages)
    perceptual = measure_perceptual(PERCEPTUAL_ROUNDS)
    lines += perceptual_verdicts(perceptual)
    print("\n".join(["", *lines]))
    body = {
        "threads": chosen.threads,
        "amx": has_amx(),
        "methods": found,
        "stages": stages,
        "perceptual": perceptual,
        "verdicts": lines,
    }
    (chosen.output / "training.json").write_text(
        json.dumps(body, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
