"""``petsynth audit``: can a model be believed on these pairs of MRI and PET?"""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Json, Output, Quiet, Verbose
from .told import Told


def audit(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Made by petsynth prepare.")],
    model: Annotated[str, typer.Option(metavar="NAME_OR_PATH", help="The model to judge.")],
    output: Output,
    split: Annotated[
        str, typer.Option(help="Whom to judge: test, calibration, validation or train.")
    ] = "test",
    tracers: Annotated[str | None, typer.Option(metavar="A,B", help="Only these tracers.")] = None,
    seed: Annotated[int, typer.Option(help="Of folds and resampling.")] = 0,
    device: Device = "auto",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Look for leakage, circularity, false intervals and false flags on pairs of MRI and PET.

    Exit status 0: no red light; 1: at least one.
    """
    from ..learn.audit.audit import audit as judge
    from ..learn.audit.report import as_dict, text, write_report
    from ..learn.evaluate.predictor import load_predictors
    from ..learn.evaluate.write import require_room
    from ..learn.store import open_store

    opened = open_store(Path(store))
    (predictor,) = load_predictors([model], device)
    wanted = None if tracers is None else [t.strip() for t in tracers.split(",") if t.strip()]
    require_room(Path(output))
    with Told(silent=quiet) as told:
        found = judge(opened, predictor, split=split, tracers=wanted, tell=told, seed=seed)
    path = write_report(Path(output), found)
    if json:
        print(dumps(as_dict(found), indent=1))
    elif not quiet:
        print(text(found))
        print(f"\nReport: {path}")
    return found.exit_status
