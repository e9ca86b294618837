"""``petsynth evaluate``: models beside controls and oracle on people they have never seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Quiet, Verbose
from .told import Told

Models = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="[LABEL=]NAME_OR_PATH",
        help="A model; repeat for more. One LABEL given several times: training seeds.",
    ),
]


def evaluate(
    data: Annotated[Path, typer.Option(metavar="STORE", help="Folder of petsynth prepare.")],
    model: Models,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="For results.")],
    train_data: Annotated[
        Path | None,
        typer.Option(
            metavar="STORE", help="Whose training split fits the controls; default: --data."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Which subjects are judged.")] = "test",
    tracers: Annotated[str, typer.Option(help="Comma-separated; default: all shared.")] = "",
    primary: Annotated[str, typer.Option(help="Tracers of the primary family; default: fdg.")] = "",
    samples: Annotated[int, typer.Option(min=0, max=64, help="Random samples a subject.")] = 16,
    subjects: Annotated[int, typer.Option(min=0, help="At most so many; 0: all.")] = 0,
    checks: Annotated[
        str, typer.Option(help="Comma-separated: clusters, downstream, sensitivity, fairness.")
    ] = "clusters,downstream,sensitivity,fairness",
    sensitivity_subjects: Annotated[
        int, typer.Option(min=1, help="Subjects of the sensitivity check.")
    ] = 8,
    cohort: Annotated[
        Path | None, typer.Option(help="Folder of the simulated cohort, for its oracle.")
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option(metavar="YAML", help="What was fixed in advance.")
    ] = None,
    entries: Annotated[
        Path | None,
        typer.Option(metavar="YAML", help="Track, inputs and tuning of each model, by label."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of samples, shuffles, resampling.")] = 0,
    device: Device = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Judge models beside every control and, on simulated data, the oracle."""
    from ..learn.evaluate.evaluate import Evaluation
    from ..learn.evaluate.evaluate import evaluate as run
    from ..learn.evaluate.predictor import load_predictors
    from ..learn.evaluate.protocol import read_entries, read_protocol
    from ..learn.evaluate.report import tally
    from ..learn.evaluate.write import FILES
    from ..learn.store import open_store

    store = open_store(data)
    training = None if train_data is None else open_store(train_data)
    predictors = load_predictors(model, device)
    plan = Evaluation(
        split=split,
        tracers=_names(tracers),
        primary=_names(primary),
        samples=samples,
        seed=seed,
        subjects=subjects,
        cohort=cohort,
        checks=_names(checks),
        sensitivity_subjects=sensitivity_subjects,
        protocol=None if protocol is None else read_protocol(protocol),
        entries={} if entries is None else read_entries(entries),
    )
    with Told(silent=quiet) as told:
        done = run(store, predictors, output, plan, told, training)
    if not quiet:
        for claim in done.report.claims:
            if claim.held is False:
                print(f"FAILS: {claim.words} ({claim.evidence})")
        print(f"{tally(done.report.claims)}.")
        for name in FILES:
            print(output / name)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
