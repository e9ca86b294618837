"""Lightning Fabric: devices, precision and processes. Nobody else knows how many there are."""

from __future__ import annotations

import logging
import os
import warnings

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from ...errors import ErrorCode, PETSynthError
from ...generate.device import cpu_has_fast_bfloat16, keep_big_buffers
from .config import TrainConfig


def is_first_process() -> bool:
    """Whether this process leads, known before any communication (torchrun, SLURM, Fabric)."""
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        if name in os.environ:
            return os.environ[name] == "0"
    return True


def require_launcher(config: TrainConfig) -> None:
    """Refuse several computers that nobody has started: each would wait for the others.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST``.
    """
    if config.nodes > 1 and not _under_torchrun() and not _under_slurm():
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"Nothing has started this training on {config.nodes} computers (train.nodes).",
            "Start it with torchrun or srun, which reach them all; for one, set train.nodes=1.",
        )


def _under_torchrun() -> bool:
    return "TORCHELASTIC_RUN_ID" in os.environ


def _under_slurm() -> bool:
    return "SLURM_NTASKS" in os.environ and "SLURM_NNODES" in os.environ


def launch(config: TrainConfig) -> Fabric:
    """Join or start the processes of this training.

    Under torchrun or SLURM the launcher decides how many there are; else Fabric starts
    ``config.devices`` of them itself, on this computer.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning_fabric")
    keep_big_buffers()
    if config.threads:
        # Small convolutions gain nothing from more threads and lose much to a busy neighbour.
        torch.set_num_threads(config.threads)
    devices, nodes = config.devices, config.nodes
    if _under_torchrun():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["GROUP_WORLD_SIZE"])
    elif _under_slurm():
        nodes = int(os.environ["SLURM_NNODES"])
        devices = int(os.environ["SLURM_NTASKS"]) // nodes
    accelerator = config.accelerator
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    many = devices * nodes > 1
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        num_nodes=nodes,
        # Stages and rivals leave some weights without a gradient in some steps.
        strategy=DDPStrategy(find_unused_parameters=True) if many else "auto",
        precision="bf16-mixed" if _wants_bfloat16(config, accelerator) else "32-true",
    )
    fabric.launch()
    return fabric


def _wants_bfloat16(config: TrainConfig, accelerator: str) -> bool:
    if config.precision != "auto":
        return config.precision == "bf16"
    if accelerator == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return accelerator == "cpu" and cpu_has_fast_bfloat16()
