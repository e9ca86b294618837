"""What few steps, latents and rivals cost in `rela`: ``make bench``.

Seconds of one network evaluation take turns between the voxel and the latent variant in one
process; a sample's time is that of its evaluations and one decoding. Peak memory is that of a
process of its own. With ``--model BUNDLE --data STORE`` also what few steps cost in quality beside
every step of the schedule. Never a test.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from rela_arms import of_draws
from run import verdict
from store_case import make_store
from training import GRID_3MM, prepared

from PETSynthLib.generate import Effort, load_generator
from PETSynthLib.generate.device import keep_big_buffers
from PETSynthLib.learn.evaluate.metrics import image_metrics
from PETSynthLib.learn.methods.interface import Material, material_of
from PETSynthLib.learn.methods.rela import RelaMethod
from PETSynthLib.learn.methods.rela_config import RelaConfig
from PETSynthLib.learn.settings import build, read_yaml
from PETSynthLib.learn.store import Store, open_store
from PETSynthLib.learn.train.run import settings_file
from PETSynthLib.progress import Silent
from PETSynthLib.run.memory import peak_memory_mb

TRACERS = ("flortaucipir", "pib", "pbr28")
FEW, ALL = 8, 1000
LARGEST_TRAINING_MB, LARGEST_INFERENCE_MB = 6000.0, 2000.0


def method_of(store: Store, latent: bool) -> RelaMethod:
    """An untrained method: weights decide no speed."""
    body = read_yaml(settings_file("rela", "latent"))["method"] if latent else {}
    method = RelaMethod(build(RelaConfig, body), material_of(store, "auto"), 0)
    method.use(method.prepare(lambda words, done, total: None))
    return method


def seconds(folder: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Median seconds of one evaluation and of one decoding, voxel and latent taking turns."""
    keep_big_buffers()
    store = open_store(folder)
    subject = store.split("test")[0]
    rivals = {"voxel": method_of(store, latent=False), "latent": method_of(store, latent=True)}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        known = {name: m.known(subject, TRACERS[0]) for name, m in rivals.items()}
        for _ in range(repeats + 1):
            for name, method in rivals.items():
                beside = known[name]
                shape = (1, method.space.channels, *beside.mri.shape[2:])
                x = torch.cat([torch.zeros(shape), beside.mri], 1)
                started = time.perf_counter()
                method.network(x, torch.tensor([500]), beside.tracer, beside.told)
                between = time.perf_counter()
                method.space.decode(torch.zeros(shape))
                taken[name].append((between - started, time.perf_counter() - between))
    middle = {name: np.median(np.array(rows[1:]), axis=0) for name, rows in taken.items()}
    return {n: {"evaluation": float(e), "decoding": float(d)} for n, (e, d) in middle.items()}


def training_memory(folder: Path) -> dict[str, float]:
    """Peak of a step of generator and discriminator, and its median seconds."""
    training = prepared(RelaMethod, open_store(folder), "bf16", torch.get_num_threads())
    training.stage_index = 1
    training.sit_down()
    training.method.begin(training.stage)
    taken = []
    for _ in range(4):
        started = time.perf_counter()
        training.one_step(0.5)
        training.step += 1
        taken.append(time.perf_counter() - started)
    return {"peak_mb": peak_memory_mb(), "step_seconds": float(np.median(taken[1:]))}


def inference_memory(folder: Path) -> dict[str, float]:
    """Peak of one sample."""
    keep_big_buffers()
    store = open_store(folder)
    method = method_of(store, latent=False)
    with torch.autocast("cpu", torch.bfloat16):
        method.sample(store.split("test")[0], TRACERS[0], method.sample_steps(2))
    return {"peak_mb": peak_memory_mb()}


def quality(model: str, data: Path, people: int) -> dict[str, dict[str, float]]:
    """SSIM and error in the brain of single samples: few steps of the solver, all of DDPM."""
    generator: Any = load_generator(model, "cpu").generator
    store = open_store(data)
    material = Material(store, material_of(store, "auto").target, (), ())
    result: dict[str, dict[str, float]] = {}
    for sampler, steps in (("solver", FEW), ("ddpm", ALL)):
        own = replace(of_draws(generator, 1), sampler=sampler)
        rows = []
        for subject in store.split("test")[:people]:
            tracer = next(t for t in subject.tracers if t in generator.bundle.tracers)
            inputs = material.inputs(subject, tracer)
            started = time.perf_counter()
            made = own.generate(inputs, Effort(samples=1, steps=steps), Silent())
            spent = time.perf_counter() - started
            true, brain = material.pet(subject, tracer), store.brain(subject.row)
            metrics = image_metrics(true, made.mean.data, brain)
            rows.append((metrics["ssim_brain"], metrics["mae_suvr"], spent))
        ssim, mae, spent = np.mean(rows, axis=0)
        result[f"{sampler}_{steps}"] = {"ssim": ssim, "mae": mae, "seconds": spent}
    return result


def apart(work: Any, *arguments: Any) -> Any:
    """``work`` in a process of its own, so that its peak is nobody else's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output"))
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--model", help="a trained rela bundle, for the quality cost")
    parser.add_argument("--data", type=Path, help="a store with test people, for the same")
    parser.add_argument("--people", type=int, default=2)
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        make_store(store, n=6, shape=GRID_3MM, tracers=TRACERS)
        timed = apart(seconds, store, chosen.repeats)
        training, inference = apart(training_memory, store), apart(inference_memory, store)
    voxel, latent = timed["voxel"], timed["latent"]
    few, everything = (n * voxel["evaluation"] + voxel["decoding"] for n in (FEW, ALL))
    latent_few = FEW * latent["evaluation"] + latent["decoding"]
    lines = [
        f"stated {FEW} steps {few:.2f} s, {ALL} steps {everything:.0f} s: {everything / few:.0f} x",
        f"stated latent {latent_few:.2f} s a sample of {FEW} steps: {few / latent_few:.1f} x",
        f"stated a step of generator and discriminator: {training['step_seconds']:.2f} s",
        verdict(
            training["peak_mb"] < LARGEST_TRAINING_MB,
            f"rela training: peak memory {training['peak_mb']:.0f} MB",
        ),
        verdict(
            inference["peak_mb"] < LARGEST_INFERENCE_MB,
            f"rela inference: peak memory {inference['peak_mb']:.0f} MB",
        ),
    ]
    body: dict[str, Any] = {"seconds": timed, "training": training, "inference": inference}
    if chosen.model and chosen.data:
        body["quality"] = found = quality(chosen.model, chosen.data, chosen.people)
        shown = "; ".join(
            f"{name} SSIM {row['ssim']:.4f}, MAE {row['mae']:.4f}, {row['seconds']:.1f} s"
            for name, row in found.items()
        )
        lines.append(f"stated {shown}")
    print("\n".join(lines))
    text = json.dumps({**body, "verdicts": lines}, indent=1) + "\n"
    (chosen.output / "rela.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
