"""Our own checkpoints: a bundle from the best state of a run that never came to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ...errors import ErrorCode, PETSynthError
from ..methods.interface import material_of
from ..store import open_store
from ..train import checkpoint
from ..train.engine import best_name
from ..train.run import CONFIG, PREPARED, Order, new_method, run_facts, settings_of
from ..train.write_bundle import bundle_parts
from .interface import Foreign


class CheckpointFormat:
    """``last.pt`` of a run's folder."""

    name = "run"
    words = "last.pt of a training that was stopped; its best states so far are taken"
    options: dict[str, str] = {"store": "the folder of the store it was trained on"}  # noqa: RUF012

    def read(self, file: Path, options: dict[str, str]) -> Foreign:
        """See `ForeignFormat.read`."""
        run, state = file.parent, checkpoint.load(file)
        if not {"method", "players", "best"} <= set(state) or not (run / CONFIG).is_file():
            raise PETSynthError(
                ErrorCode.TRAINING,
                f"{file.name} is no checkpoint in the folder of a run.",
                "Give RUN/last.pt.",
            )
        order = Order(state["method"], run, resume=True)
        settings = settings_of(order)
        store = open_store(Path(options["store"]))
        material = material_of(store, settings.train.target)
        method = new_method(order.method, settings, material)
        method.use(checkpoint.load(run / PREPARED))
        for stage in method.stages:
            method.begin(stage)
            kept = _best(run / best_name(stage))
            for player in stage.players if kept else ():
                player.network.load_state_dict(kept[player.name])
        facts = run_facts(order, settings, material, state)
        config, card = bundle_parts(method, material, facts)
        return Foreign(config, method.tensors(), card)


def _best(path: Path) -> dict[str, dict[str, torch.Tensor]]:
    body: dict[str, Any] = checkpoint.load(path)["players"] if path.is_file() else {}
    return body
