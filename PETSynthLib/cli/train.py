"""``petsynth train``: any method on any store, on one core or on many computers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..errors import ErrorCode, PETSynthError
from .options import Quiet, Verbose

TOTAL = ("method.loss.mse=1", "method.loss.ssim=1")
"""The other terms of the published loss."""


def train(
    data: Annotated[Path | None, typer.Option(help="Folder of the store.", metavar="STORE")] = None,
    method: Annotated[
        str,
        typer.Option(
            help="flow, pasta, rela, unet, unetr, swinunetr, pix2pix, cyclegan, bbdm or ddpm."
        ),
    ] = "flow",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="RUN", help="Folder of the run.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="YAML file with settings, or a shipped one's name: paper."
        ),
    ] = None,
    perceptual: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Loss of Cyclic 2.5D, MSE + SSIM3D + 0.5 x perceptual: cyclic, static, 2d, 3d "
            "or none of the last.",
        ),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="One setting, e.g. train.steps=1000."),
    ] = None,
    init: Annotated[
        str | None, typer.Option(metavar="BUNDLE", help="A model to start from.")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="End after so many minutes with a usable model.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the settings as a JSON schema.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a method on a store; the run's folder ends with a model bundle."""
    from ..learn.train.processes import is_first_process
    from ..learn.train.run import Order, settings_file, settings_schema, train_method

    if schema:
        print(json.dumps(settings_schema(method), indent=1))
        return
    if data is None or output is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST, "A training needs --data and -o.", "See: petsynth train --help"
        )
    from ..learn.store import open_store

    chosen = [] if perceptual is None else [f"method.loss.perceptual={perceptual}", *TOTAL]
    words = (*chosen, *(sets or ()))
    file = None if config is None else settings_file(method, config)
    order = Order(method, output, file, words, init, max_minutes, resume)
    with TrainingBar(silent=quiet or not is_first_process()) as bar:
        folder = train_method(order, open_store(data), bar)
    if is_first_process() and not quiet:
        print(f"Model: {folder}\nIts regional intervals come with: petsynth calibrate")


class TrainingBar:
    """Shows a training on stderr (a `Watcher` of the engine)."""

    def __init__(self, *, silent: bool) -> None:
        self._console = Console(stderr=True, quiet=silent, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=silent or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("Starting", total=1.0)

    def __enter__(self) -> TrainingBar:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()

    def preparing(self, words: str, done: int, total: int) -> None:
        """See `Watcher`."""
        self._bar.update(self._task, description=words, completed=done / total)

    def stepped(self, stage: str, step: int, share: float, loss: float) -> None:
        """See `Watcher`."""
        words = f"Stage {stage}, step {step}, loss {loss:.4f}"
        self._bar.update(self._task, description=words, completed=share)

    def validated(self, stage: str, step: int, score: float, best: bool) -> None:
        """See `Watcher`."""
        mark = ", the best so far" if best else ""
        self._console.print(f"Stage {stage}, step {step}: validation {score:.4f}{mark}")
