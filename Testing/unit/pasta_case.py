"""The published tiny network of PASTA with its vectors, and the table of the paper-sized one."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from PETSynthLib.generate.pasta.network import ArmShape, DualArm

SHARED = Path(__file__).resolve().parents[3] / "shared"
VECTORS = SHARED / "data" / "parity" / "pasta_tiny.npz"
KEYS = SHARED / "specs" / "checkpoints" / "pasta_keys.tsv"


def vectors() -> dict[str, torch.Tensor]:
    """Inputs and outputs of the tiny network, by name."""
    with np.load(VECTORS) as body:
        names = [n for n in body.files if not n.startswith("state/") and n != "config"]
        return {name: torch.from_numpy(body[name]) for name in names}


def tiny_state() -> dict[str, torch.Tensor]:
    """Its weights under their published names, float32."""
    with np.load(VECTORS) as body:
        names = [n for n in body.files if n.startswith("state/")]
        return {
            n.removeprefix("state/"): torch.from_numpy(body[n].astype(np.float32)) for n in names
        }


def tiny_shape() -> ArmShape:
    """Its architecture."""
    with np.load(VECTORS) as body:
        facts: dict[str, Any] = json.loads(str(body["config"]))
    facts["attention"] = facts.pop("attention_at_downsampling")
    return ArmShape.from_facts(facts)


def tiny_network() -> DualArm:
    """The tiny network with its weights."""
    network = DualArm(tiny_shape()).eval()
    network.load_state_dict(tiny_state())
    return network


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Name -> shape of every weight of the published checkpoint."""
    rows = (line.split("\t") for line in KEYS.read_text(encoding="utf-8").splitlines())
    return {name: ast.literal_eval(shape) for name, shape in rows}
