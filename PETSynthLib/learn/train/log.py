"""The run's record: a tidy table, TensorBoard, and preview pictures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tensorboardX import SummaryWriter

COLUMNS = ("stage", "step", "minutes", "name", "value")
TABLE = "metrics.csv"


class RunLog:
    """Appends to ``metrics.csv`` and to TensorBoard's event files in the run's folder.

    Parameters
    ----------
    run
        Folder of the run.
    stage, step
        Where the run (re)starts: later rows, written before the process was killed, are dropped.
    """

    def __init__(self, run: Path, stages: list[str], stage: int, step: int) -> None:
        self._path = run / TABLE
        kept = [
            row
            for row in read_table(self._path)
            if stages.index(row["stage"]) < stage
            or (stages.index(row["stage"]) == stage and int(row["step"]) <= step)
        ]
        part = self._path.with_suffix(".part")
        with part.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(kept)
        part.replace(self._path)
        self._file = self._path.open("a", newline="", encoding="utf-8")
        self._table = csv.writer(self._file, lineterminator="\n")
        self._previews = run / "previews"
        self._previews.mkdir(exist_ok=True)
        self._board = SummaryWriter(str(run / "tensorboard"))

    def numbers(self, stage: str, step: int, minutes: float, values: dict[str, float]) -> None:
        """One row a value; seven digits tell two runs apart."""
        for name, value in values.items():
            self._table.writerow((stage, step, f"{minutes:.3f}", name, f"{value:.7g}"))
            self._board.add_scalar(f"{stage}/{name}", value, step)
        self._file.flush()

    def picture(self, stage: str, step: int, image: NDArray[np.float32]) -> None:
        """A preview (rows, columns), 0..1: a PNG, and in TensorBoard."""
        grey = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
        Image.fromarray(grey).save(self._previews / f"{stage}-{step:07d}.png")
        self._board.add_image(f"{stage}/preview", grey[None], step)

    def text(self, name: str, words: object) -> None:
        """A note for TensorBoard."""
        self._board.add_text(name, f"```\n{json.dumps(words, indent=1)}\n```")

    def close(self) -> None:
        """Write what is left."""
        self._file.close()
        self._board.close()


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a ``metrics.csv``; empty when there is none. A row cut off by a kill is dropped."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]
