"""Where a training began: what is kept of the model that ``--init`` named.

It stays in the run's folder, so that an interrupted run remembers it, and goes on into the bundle:
whom the first model saw, the second one has seen, and its licence binds the second one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from ...generate.bundle import Bundle
from ...volume import Grid
from ..acquaintance import CALIBRATION, PEOPLE_KNOWN, seen_by
from . import checkpoint
from .disk import writing

ORIGIN = "origin.json"
WEIGHTS = "origin.pt"


def keep_origin(run: Path, bundle: Bundle, grid: Grid) -> None:
    """Keep which model a run starts from, whom it has seen, and its weights.

    Parameters
    ----------
    grid
        Of the new model: people whom the first one saw on another one cannot be recognised.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses.
    """
    seen = seen_by(bundle.config)
    body = {
        "name": bundle.name,
        "sha256": bundle.sha256,
        "trained_on": bundle.trained_on,
        "licence": bundle.config["licence"],
        "fingerprints": sorted(seen.trained),
        CALIBRATION: sorted(seen.calibrated),
        PEOPLE_KNOWN: seen.doubt is None and bundle.grid.same_as(grid),
    }
    with writing("Where the run began"):
        (run / ORIGIN).write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    state = {"tensors": load_file(bundle.weights), "facts": bundle.facts}
    checkpoint.save(run / WEIGHTS, state)


def origin_weights(run: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Tensors and ``method_config`` of the model the run started from, or None."""
    if not (run / WEIGHTS).is_file():
        return None
    state = checkpoint.load(run / WEIGHTS)
    return state["tensors"], state["facts"]


def origin_of(run: Path) -> dict[str, Any] | None:
    """What `keep_origin` wrote, or None when the run began with fresh weights."""
    path = run / ORIGIN
    if not path.is_file():
        return None
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return body


def origin_words(origin: dict[str, Any] | None) -> str:
    """A sentence for the model card; empty without an origin."""
    if origin is None:
        return ""
    return (
        f"\nIt began as {origin['name']} ({origin['sha256'][:12]}), whose evidence is: "
        f"{origin['trained_on']}."
    )
