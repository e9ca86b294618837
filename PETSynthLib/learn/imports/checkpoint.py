"""Our own checkpoints: a bundle from a run that never came to its end.

Of each stage the best validated state is taken; of one that was stopped before its first
validation, the average of its weights so far. A stage that was never reached keeps the weights
that the run began with, and the card names it. A run that has not trained at all is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ...errors import ErrorCode, PETSynthError
from ..methods.interface import material_of
from ..store import open_store
from ..train import checkpoint
from ..train.engine import best_name
from ..train.origin import origin_of
from ..train.prepared import read_prepared
from ..train.run import CONFIG, Order, new_method, run_facts, settings_of, start_again
from ..train.write_bundle import bundle_parts
from .interface import Foreign


class CheckpointFormat:
    """``last.pt`` of a run's folder."""

    name = "run"
    words = "last.pt of a training that was stopped; its best states so far are taken"
    options: dict[str, str] = {"store": "the folder of the store it was trained on"}  # noqa: RUF012
    optional: dict[str, str] = {}  # noqa: RUF012

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
        if not state["steps_done"] + state["step"] and origin_of(run) is None:
            raise PETSynthError(
                ErrorCode.TRAINING,
                f"The run {run.name} was stopped before its first step: its weights are random.",
                "Continue it with petsynth train --resume.",
            )
        store = open_store(Path(options["store"])).only(settings.train.tracers)
        material = material_of(store, settings.train.target)
        method = new_method(order.method, settings, material)
        method.use(read_prepared(run))
        start_again(method, run)
        untrained = []
        for number, stage in enumerate(method.stages):
            method.begin(stage)
            kept = _weights(run / best_name(stage), state if number == state["stage"] else None)
            if not kept:
                untrained.append(stage.name)
            for player in stage.players if kept else ():
                player.network.load_state_dict(kept[player.name])
        facts = run_facts(order, settings, material, state) | {"untrained": untrained}
        config, card = bundle_parts(method, material, facts)
        if untrained:
            stages = ", ".join(untrained)
            card += f"\n**Stages not trained in this run**, which was stopped before: {stages}.\n"
        return Foreign(config, method.tensors(), card)


def _weights(best: Path, last: dict[str, Any] | None) -> dict[str, dict[str, torch.Tensor]]:
    """Player -> the best weights of a stage, else the average in ``last`` if it was trained."""
    if best.is_file():
        body: dict[str, dict[str, torch.Tensor]] = checkpoint.load(best)["players"]
        return body
    if last is None or not last["step"]:
        return {}
    return {name: player["average"] for name, player in last["players"].items()}
