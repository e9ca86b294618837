"""What every training can be told, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..settings import setting


@dataclass(frozen=True)
class TrainConfig:
    """Settings of the engine (group ``train``); a method adds its own (group ``method``)."""

    seed: int = setting(0, "decides weights, examples and their order", low=0, high=2**31 - 1)
    steps: int = setting(20_000, "steps of all stages together", low=1)
    max_minutes: float | None = setting(
        None, "end after so many minutes of training; the schedule shrinks to fit", low=0.0
    )
    batch: int = setting(4, "subjects a step and process", low=1)
    accumulate: int = setting(1, "batches whose gradients are averaged before a step", low=1)
    learning_rate: float = setting(2e-3, "peak learning rate", low=0.0)
    warm_up: int = setting(100, "steps until the learning rate has risen to its peak", low=0)
    final_rate: float = setting(0.02, "share of the peak at the end of the cosine", low=0, high=1)
    weight_decay: float = setting(1e-2, "decoupled weight decay of AdamW", low=0.0)
    clip: float = setting(1.0, "largest norm of the gradient", low=0.0)
    spike: float = setting(
        3.0, "largest norm of the gradient as a multiple of the usual one", low=1.0
    )
    average: float = setting(0.999, "decay of the moving average of the weights", low=0, high=1)
    validate_every: int = setting(500, "steps between two validations", low=1)
    validation_subjects: int = setting(8, "subjects a validation looks at", low=1)
    patience: int | None = setting(
        None, "validations without a better score after which a stage ends; none: never", low=1
    )
    checkpoint_every: int = setting(250, "steps between two checkpoints", low=1)
    log_every: int = setting(10, "steps that one line of the log averages", low=1)
    tracers: tuple[str, ...] = setting((), "tracers to learn, by key; none named: all of the store")
    target: Literal["auto", "truth", "acquired"] = setting(
        "auto", "learn the PET without noise (simulated data) or the acquired one; auto: the former"
    )
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "auto", "arithmetic of the networks; auto: bf16 where the device is fast at it"
    )
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = setting("auto", "where to compute")
    devices: int = setting(1, "devices (CPU: processes) on each computer", low=1)
    nodes: int = setting(1, "computers (torchrun or SLURM starts them)", low=1)
    threads: int = setting(1, "CPU threads of each process; 0: all cores", low=0)
