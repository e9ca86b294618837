"""``petsynth simulate``: a cohort of simulated subjects with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Quiet, Verbose

if TYPE_CHECKING:
    from ..learn.oracle import Check

ENOUGH_TO_CHECK = 100
"""Subjects from which on explained variances say something."""


def simulate(
    out: Annotated[Path, typer.Argument(help="Folder of the BIDS data set.")],
    subjects: Annotated[int, typer.Option(help="Number of subjects.")],
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same bytes.")],
    config: Annotated[
        str, typer.Option(help="null: PET knows age and sex only; default; strong.")
    ] = "default",
    tracers: Annotated[str, typer.Option(help="Tracers, separated by commas; all if empty.")] = "",
    jobs: Annotated[int, typer.Option(help="Number of processes.")] = 1,
    site: Annotated[str, typer.Option(help="clinic, community or elsewhere.")] = "clinic",
    first_index: Annotated[int, typer.Option(help="Number of the first subject.")] = 1,
    spacing: Annotated[float, typer.Option(help="Brains are made at 1 mm, or 2 for trials.")] = 1.0,
    diagnosis: Annotated[str, typer.Option(help="Only people of one diagnosis, e.g. CN.")] = "",
    oracle_check: Annotated[
        bool, typer.Option(help="Print explained variance and coverage of the oracle.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Simulate MRI, PET and truth of people who do not exist, as a BIDS data set."""
    from ..learn.cohort import CohortRequest, check_cohort, simulate_cohort
    from ..tracers import simulated_tracers

    chosen = tuple(t.strip() for t in tracers.split(",") if t.strip()) or tuple(simulated_tracers())
    request = CohortRequest(
        out=out,
        subjects=subjects,
        seed=seed,
        config=config,
        tracers=chosen,
        jobs=jobs,
        site=site,
        first_index=first_index,
        spacing_mm=spacing,
        diagnosis=diagnosis,
    )
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True, quiet=quiet, highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Simulating", total=subjects)
        cohort = simulate_cohort(request, lambda done, _: bar.update(task, completed=done))
    if not quiet:
        print(f"{cohort.made} subjects simulated, {cohort.kept} were there: {out}")
    if diagnosis:
        if not quiet:
            print("The oracle is not checked: it expects people of every diagnosis, not of one.")
    elif oracle_check or cohort.made + cohort.kept >= ENOUGH_TO_CHECK:
        checks, error = check_cohort(out)
        if not quiet:
            print_checks(checks)
            print(f"Image over truth, every region: sd {error[0]:.2%}, largest {error[1]:.1%}.")


def print_checks(rows: list[Check]) -> None:
    """Print a table of `oracle.check_oracles`."""
    print("\nOracle at each tracer's target: variance explained beyond age and sex, coverage of")
    print("the 5-95 % interval, sd of z, smallest effective sample size.")
    print(f"{'tracer':14}{'knows':8}{'expected':>9}{'observed':>9}{'covers':>8}{'z':>6}{'ESS':>7}")
    for row in rows:
        print(
            f"{row.tracer:14}{row.information:8}{row.expected:9.2f}{row.observed:9.2f}"
            f"{row.coverage:8.2f}{row.z_sd:6.2f}{row.smallest_ess:7.0f}"
        )
