"""Trainings small enough for tests: every method on a store of 16 x 16 x 16 voxels."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from store_case import make_store

from PETSynthLib.learn.store import open_store
from PETSynthLib.learn.train.log import read_table
from PETSynthLib.learn.train.run import Order, train_method

SMALL = {
    "unet": ("method.base=8", "method.multipliers=[1]"),
    "pasta": (
        "method.slices=3",
        "method.multipliers=[1]",
        "method.attention=[]",
        "method.stride=2",
    ),
    "rela": (
        "method.channels=[8, 16]",
        "method.head=16",
        "method.rival.base=4",
        "method.draws=2",
        "method.steps=2",
        "train.batch=1",
    ),
    "unetr": ("method.feature_size=4", "method.width=12", "method.hidden=12", "method.heads=3"),
    "swinunetr": ("method.feature_size=4", "method.heads=2", "method.window=3"),
    "pix2pix": ("method.base=8", "method.multipliers=[1]", "method.rival.base=4"),
    "cyclegan": (
        "method.base=8",
        "method.multipliers=[1]",
        "method.rival.base=4",
        "method.rival.layers=2",
        "method.pool=2",
    ),
    "bbdm": ("method.base=8", "method.multipliers=[1]"),
    "ddpm": ("method.base=8", "method.multipliers=[1]"),
    "flow": ("method.base=8", "method.multipliers=[1, 2]", "method.residual_base=8"),
}
QUICK = (
    "train.steps=8",
    "train.warm_up=2",
    "train.log_every=1",
    "train.checkpoint_every=2",
    "train.validate_every=4",
    "train.validation_subjects=1",
    "train.precision=fp32",
)


class Watching:
    """A watcher that counts, and may stop the process or the run at a step."""

    def __init__(self, *, kill_at: int = 0, break_at: int = 0) -> None:
        self.kill_at, self.break_at = kill_at, break_at
        self.steps: list[tuple[str, int, float]] = []
        self.scores: list[tuple[str, int, float, bool]] = []

    def preparing(self, words: str, done: int, total: int) -> None:
        """Ignore."""

    def stepped(self, stage: str, step: int, share: float, loss: float) -> None:
        """Note the step; be killed or interrupted when it is time."""
        self.steps.append((stage, step, share))
        if step == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if step == self.break_at:
            os.kill(os.getpid(), signal.SIGINT)

    def validated(self, stage: str, step: int, score: float, best: bool) -> None:
        """Note the score."""
        self.scores.append((stage, step, score, best))


def order(method: str, run: Path, *sets: str, **rest: object) -> Order:
    """A quick order for a small network."""
    return Order(method, run, sets=(*SMALL[method], *QUICK, *sets), **rest)  # type: ignore[arg-type]


def losses(run: Path) -> list[tuple[str, str, str, str]]:
    """The loss curve with everything that decides it, as it stands in the table."""
    rows = read_table(run / "metrics.csv")
    return [(r["stage"], r["step"], r["name"], r["value"]) for r in rows]


def main() -> None:
    """``train_case.py STORE RUN KILL_AT SETS...``: train `unet` in a process of its own."""
    store, run, kill_at, *sets = sys.argv[1:]
    train_method(
        order("unet", Path(run), *sets), open_store(Path(store)), Watching(kill_at=int(kill_at))
    )


__all__ = ["Watching", "losses", "make_store", "order"]

if __name__ == "__main__":
    main()
