"""The run's record: a tidy table, TensorBoard, and preview pictures."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event

from .disk import writing

COLUMNS = ("stage", "step", "minutes", "name", "value")
TABLE = "metrics.csv"


RECORD = "The record of the training"


class RunLog:
    """Appends to ``metrics.csv`` and to TensorBoard's event files in the run's folder.

    Parameters
    ----------
    run
        Folder of the run.
    stage, step
        Where the run (re)starts: later rows, written before the process was killed, are dropped.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the disk refuses, here and in every method.
    """

    def __init__(self, run: Path, stages: list[str], stage: int, step: int) -> None:
        path = run / TABLE
        kept = [
            row
            for row in read_table(path)
            if stages.index(row["stage"]) < stage
            or (stages.index(row["stage"]) == stage and int(row["step"]) <= step)
        ]
        with writing(RECORD):
            part = path.with_suffix(".part")
            with part.open("w", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                table.writeheader()
                table.writerows(kept)
            part.replace(path)
            self._file = path.open("a", newline="", encoding="utf-8")
            self._table = csv.writer(self._file, lineterminator="\n")
            self._previews = run / "previews"
            self._previews.mkdir(exist_ok=True)
            board = run / "tensorboard"
            board.mkdir(exist_ok=True)
            # Not through SummaryWriter: its thread dies of a full disk, and the training then waits
            # for it without end.
            self._board = EventsWriter(str(board / "events"))

    def numbers(self, stage: str, step: int, minutes: float, values: dict[str, float]) -> None:
        """One row a value; seven digits tell two runs apart."""
        with writing(RECORD):
            for name, value in values.items():
                self._table.writerow((stage, step, f"{minutes:.3f}", name, f"{value:.7g}"))
                self._show(step, summary.scalar(f"{stage}/{name}", value))
            self._file.flush()
            self._board.flush()

    def picture(self, stage: str, step: int, image: NDArray[np.float32]) -> None:
        """A preview (rows, columns), 0..1: a PNG, and in TensorBoard."""
        grey = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
        with writing(RECORD):
            Image.fromarray(grey).save(self._previews / f"{stage}-{step:07d}.png")
            self._show(step, summary.image(f"{stage}/preview", grey[None]))

    def _show(self, step: int, content: Any) -> None:
        self._board.write_event(Event(wall_time=time.time(), step=step, summary=content))

    def close(self) -> None:
        """Write what is left."""
        with writing(RECORD):
            try:
                self._file.close()
            finally:
                self._board.close()


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a ``metrics.csv``; empty when there is none. A row cut off by a kill is dropped."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]
