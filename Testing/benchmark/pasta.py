"""PASTA at the paper's size: our algorithm beside the release's on the same CPU, and its quality.

Both run the same network of 89.1 M random weights, three stacks each, taking turns in one process.
The release's algorithm: float32, one stack at a time, 96 stacks a volume, 100 steps. Ours: bfloat16
where the CPU has it, channels-last, batches, a stack every few slices, at as many steps (equal, one
draw like the release) and as the preset fast of imported weights does it (few steps, with all the
draws that its mean and spread are made of). Seconds a volume are *scaled* from the stacks measured,
not run. Most of the ratio at few steps is fewer steps, and most of that at equal steps is fewer
stacks: both are printed apart.

With ``--model BUNDLE --data STORE`` the quality cost of each is measured on that trained model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from run import verdict

from PETSynthLib.generate import Effort, load_generator
from PETSynthLib.generate.device import Placement, keep_big_buffers, place
from PETSynthLib.generate.pasta.generator import PastaGenerator
from PETSynthLib.generate.pasta.network import ArmShape, DualArm
from PETSynthLib.generate.pasta.sampling import BATCH_VALUES
from PETSynthLib.generate.pasta.stacks import stack_centres
from PETSynthLib.learn.imports.pasta import DRAWS, PRESET_STEPS, STRIDE
from PETSynthLib.learn.methods.interface import material_of
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import open_store
from PETSynthLib.progress import Silent
from PETSynthLib.run.memory import peak_memory_mb
from PETSynthLib.tracers import tracer as tracer_of

PAPER, TINY = ArmShape(), ArmShape(width=32, multipliers=(1, 1), res_blocks=1, attention=())
EXTENT, SLICES, STEPS = (96, 112), 96, 100
FEW_STEPS = PRESET_STEPS[0]
STACKS = 3
EQUAL_STEPS_AT_LEAST, FEW_STEPS_AT_LEAST = 4.0, 40.0
LARGEST_MB = 2000.0
METAROI_PERCENT, VOXEL_R = 1.0, 0.99


@dataclass(frozen=True, eq=False)
class Rival:
    """A way to run the network: how many stacks at once, in what arithmetic and layout."""

    placement: Placement
    layout: torch.memory_format
    batch: int

    def stack(self, network: DualArm) -> tuple[float, float]:
        """Seconds of the conditioner and of one denoising step, each for one stack."""
        shape = network.shape
        x, mri = (
            torch.randn(self.batch, shape.slices, *EXTENT).contiguous(memory_format=self.layout)
            for _ in range(2)
        )
        t, clinical = torch.full((self.batch,), 500), torch.zeros(self.batch, shape.clinical)
        with torch.inference_mode(), self.placement.autocast():
            conditioning, given = _timed(lambda: network.read_mri(mri, clinical)[0])
            step, _ = _timed(lambda: network.model.denoise(x, t, given))
        return conditioning / self.batch, step / self.batch


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def seconds_a_volume(costs: tuple[float, float], stacks: int, steps: int, draws: int = 1) -> float:
    """Scaled from one stack: each is conditioned once and denoised at every step of every draw."""
    conditioning, step = costs
    return stacks * (conditioning + draws * steps * step)


def speed(shape: ArmShape) -> dict[str, float]:
    """Seconds a volume of either algorithm, and how many times ours is as fast."""
    keep_big_buffers()
    here = place("cpu")
    size = max(1, BATCH_VALUES // (EXTENT[0] * EXTENT[1] * shape.width))
    rivals = {
        "release": Rival(replace(here, dtype=torch.float32), torch.contiguous_format, 1),
        "ours": Rival(here, torch.channels_last, size),
    }
    torch.manual_seed(0)
    networks = {}
    for name, rival in rivals.items():
        networks[name] = DualArm(shape).eval().to(memory_format=rival.layout)  # type: ignore[call-overload]
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    for turn in range(STACKS + 1):
        for name, rival in rivals.items():
            costs = rival.stack(networks[name])
            if turn:  # the first turn pays for what is made once
                seen[name].append(costs)
    cost = {name: (*np.median(np.array(rows), axis=0).tolist(),) for name, rows in seen.items()}
    stacks = len(stack_centres(SLICES, STRIDE))
    release = seconds_a_volume(cost["release"], SLICES, STEPS)
    equal = seconds_a_volume(cost["ours"], stacks, STEPS)
    few = seconds_a_volume(cost["ours"], stacks, FEW_STEPS, DRAWS)
    return {
        "release_seconds": release,
        "equal_steps_seconds": equal,
        "few_steps_seconds": few,
        "equal_steps_ratio": release / equal,
        "few_steps_ratio": release / few,
        "a_stack_and_step_ratio": cost["release"][1] / cost["ours"][1],
        "fewer_stacks_ratio": SLICES / stacks,
        "fewer_steps_ratio": STEPS / (DRAWS * FEW_STEPS),
    }


def peak_mb(shape: ArmShape) -> float:
    """Peak memory of one batch in a process of its own, network included."""
    words = ["--memory-of", "tiny" if shape is TINY else "paper"]
    done = subprocess.run(
        [sys.executable, __file__, *words], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def quality(model: str, data: Path, people: int) -> dict[str, dict[str, float]]:
    """What stride and few steps cost a trained model, beside stride 1 at the most steps."""
    loaded, material = load_generator(model, "auto"), material_of(open_store(data), "auto")
    generator, store = loaded.generator, material.store
    if not isinstance(generator, PastaGenerator):
        raise SystemExit(f"{model} is no pasta bundle.")
    stride = int(generator.bundle.facts["generate"]["stride"])
    most = int(loaded.bundle.config["presets"]["best"]["steps"])
    few = int(loaded.bundle.config["presets"]["fast"]["steps"])
    ways = {"reference": (1, most), "stride": (stride, most), "few_steps": (stride, few)}
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for subject in store.split("test")[:people]:
        brain, labels = store.brain(subject.row), store.regions(subject.row)
        for key in sorted(set(subject.tracers) & set(loaded.bundle.tracers)):
            target = region_index(tracer_of(key).target_region)
            given, true = material.inputs(subject, key), material.pet(subject, key)
            reference: np.ndarray | None = None
            for name, (apart, steps) in ways.items():
                config = loaded.bundle.config
                facts = generator.bundle.facts
                facts = {**facts, "generate": {**facts["generate"], "stride": apart}}
                bundle = replace(loaded.bundle, config={**config, "method_config": facts})
                made = replace(generator, bundle=bundle).generate(
                    given, Effort(0, steps, 0), Silent()
                )
                image = made.mean.data
                reference = image if reference is None else reference
                levels = [float(regional_means(labels, i)[target]) for i in (image, reference)]
                rows[name].append(
                    (
                        100 * abs(levels[0] / levels[1] - 1),
                        float(np.corrcoef(image[brain], reference[brain])[0, 1]),
                        float(np.abs(image - true)[brain].mean()),
                    )
                )
    names = ("metaroi_percent", "voxel_r", "mae_suvr")
    return {
        way: dict(zip(names, np.mean(np.array(found), axis=0).tolist(), strict=True))
        for way, found in rows.items()
    }


def verdicts(
    speeds: dict[str, float], memory: float, found: dict[str, dict[str, float]]
) -> list[str]:
    """Each promise with what was measured."""
    equal, few = speeds["equal_steps_ratio"], speeds["few_steps_ratio"]
    lines = [
        verdict(
            equal >= EQUAL_STEPS_AT_LEAST,
            f"pasta: {STEPS} steps, {equal:.1f} times as fast as the release's algorithm, scaled "
            f"(at least {EQUAL_STEPS_AT_LEAST:g}; {speeds['a_stack_and_step_ratio']:.1f} by stack "
            f"and step, {speeds['fewer_stacks_ratio']:.1f} by fewer stacks)",
        ),
        verdict(
            few >= FEW_STEPS_AT_LEAST,
            f"pasta: {DRAWS} draws of {FEW_STEPS} steps, {few:.0f} times as fast, scaled "
            f"(at least {FEW_STEPS_AT_LEAST:g}; {speeds['fewer_steps_ratio']:g} by fewer "
            "evaluations)",
        ),
        verdict(memory < LARGEST_MB, f"pasta: peak memory of inference {memory:.0f} MB"),
    ]
    if not found:
        return [*lines, "skipped pasta: quality cost (give --model BUNDLE --data STORE)"]
    stride, fast = found["stride"], found["few_steps"]
    kept = stride["metaroi_percent"] <= METAROI_PERCENT and stride["voxel_r"] >= VOXEL_R
    lines.append(
        verdict(
            kept,
            f"pasta: the stride moves the MetaROI by {stride['metaroi_percent']:.2f} %, "
            f"r {stride['voxel_r']:.4f} (at most 1 %, at least 0.99)",
        )
    )
    errors = ", ".join(f"{way} {numbers['mae_suvr']:.4f}" for way, numbers in found.items())
    moved = fast["metaroi_percent"]
    return [
        *lines,
        f"stated pasta: MAE in SUVR {errors}; few steps move the MetaROI by {moved:.2f} %",
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output"))
    parser.add_argument("--model", help="a trained pasta bundle, for the quality cost")
    parser.add_argument("--data", type=Path, metavar="STORE")
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--tiny", action="store_true", help="a small network, to try the script")
    parser.add_argument("--memory-of", choices=["paper", "tiny"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    shape = TINY if chosen.tiny or chosen.memory_of == "tiny" else PAPER
    if chosen.memory_of:
        keep_big_buffers()
        size = max(1, BATCH_VALUES // (EXTENT[0] * EXTENT[1] * shape.width))
        network = DualArm(shape).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        Rival(place("cpu"), torch.channels_last, size).stack(network)
        print(peak_memory_mb())
        return
    speeds, memory = speed(shape), peak_mb(shape)
    trained = chosen.model is not None and chosen.data is not None
    found = quality(chosen.model, chosen.data, chosen.people) if trained else {}
    lines = verdicts(speeds, memory, found)
    print("\n".join(lines))
    chosen.output.mkdir(parents=True, exist_ok=True)
    body = {"speed": speeds, "peak_mb": memory, "quality": found, "verdicts": lines}
    (chosen.output / "pasta.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
