"""Tables and figure of the head-to-head: ``make results`` (into ``build/results``).

The full run is analysed anew from its committed numbers, subject by subject (``rows/v1``): error
of each tracer's target region by method, as the mean of the samples and as a single one, with a
bootstrap interval over anatomies and training seeds; what `flow` was to reach, held or not;
controls and oracle beside it. Then `results_live` runs every shipped model on twelve people who are
simulated for the purpose. All subjects are SIMULATED.

``results.md``    the tables
``results.png``   the figure
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from claims import MARKS, Claim
from matplotlib.figure import Figure
from numpy.typing import NDArray
from results_live import live_table
from rows import CONTROLS

from PETSynthLib.learn.evaluate.controls import AGE_SEX, CLINIC, POPULATION, VOLUMES_CLINIC
from PETSynthLib.learn.evaluate.figures import CONTROL_COLOUR, GRID, MODEL_COLOURS, png
from PETSynthLib.learn.evaluate.statistics import by_anatomy, two_level_bootstrap
from PETSynthLib.quantify.regions import title_of
from PETSynthLib.tracers import all_tracers
from PETSynthLib.tracers import tracer as tracer_of

ROWS = Path(__file__).with_name("rows") / "v1"
OURS = "flow"
PRIMARY = ("fdg", "flortaucipir")
NOT_WORSE = 0.01
"""SUVR by which `flow` may be worse than the best rival of a tracer."""
ORACLE = "oracle (both)"
SHOWN = (POPULATION, AGE_SEX, CLINIC, VOLUMES_CLINIC, ORACLE)
FORMS = {"mean of samples": "mean_of_samples_error", "single sample": "single_sample_error"}
NOTE = """\
`dev.`: deviations from the protocol (one seed instead of two, say), told in the rows.
Equal to the oracle is a finding: nobody can know more. Its mean is the best in squared error: where
people are of two kinds, whoever draws the likelier kind may have a lower absolute error."""
COLUMNS = (
    *("error (95 %)", "single sample", "CRPS", "90 % covers", "sd / oracle"),
    *("s", "seeds", "dev."),
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """How one estimator did on one tracer.

    Attributes
    ----------
    label, tracer
        Who, on what.
    errors
        Subject -> absolute error in SUVR by training seed.
    single
        Mean error of a single sample.
    score
        The scores of ``<cohort>-summary.json``; empty for controls.
    seconds
        To make a picture; NaN for controls.
    deviations
        How many from the protocol.
    """

    label: str
    tracer: str
    errors: dict[str, tuple[float, ...]]
    single: float
    score: dict[str, Any]
    seconds: float
    deviations: int

    @property
    def table(self) -> Array:
        """(N, seeds)."""
        return np.array(list(self.errors.values()))

    @property
    def error(self) -> float:
        """Mean absolute error, SUVR."""
        return float(self.table.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return two_level_bootstrap(by_anatomy(self.table, list(self.errors)))

    def minus(self, other: Line) -> tuple[float, float, float]:
        """Difference of the errors on the same people, with its 95 % interval."""
        people = [s for s in self.errors if s in other.errors]
        table = np.array([np.array(self.errors[s]) - np.mean(other.errors[s]) for s in people])
        low, high = two_level_bootstrap(by_anatomy(table, people))
        return float(table.mean()), low, high


def lines_of(rows: Path, cohort: str) -> list[Line]:
    """Every method, control and oracle of a cohort, by tracer."""
    found = []
    for folder in sorted(p for p in rows.iterdir() if p.is_dir() and p.name != CONTROLS):
        if (folder / f"{cohort}-subjects.csv").is_file():
            found += _method(folder, cohort)
    found += _controls(rows / CONTROLS / f"{cohort}-subjects.csv")
    order = list(all_tracers())
    return sorted(found, key=lambda line: order.index(line.tracer))


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _method(folder: Path, cohort: str) -> Iterable[Line]:
    summary = json.loads((folder / f"{cohort}-summary.json").read_text(encoding="utf-8"))
    rows = _read(folder / f"{cohort}-subjects.csv")
    for tracer in dict.fromkeys(row["tracer"] for row in rows):
        mine = [row for row in rows if row["tracer"] == tracer]
        errors: dict[str, tuple[float, ...]] = {}
        for row in mine:
            error = float(row[FORMS["mean of samples"]])
            errors[row["subject"]] = (*errors.get(row["subject"], ()), error)
        knows = mine[0]["information"]  # the rows hold the richest alone
        scores = [
            s
            for s in summary["scores"]
            if (s["label"], s["tracer"], s["information"]) == (folder.name, tracer, knows)
        ]
        yield Line(
            folder.name,
            tracer,
            errors,
            float(np.mean([float(row[FORMS["single sample"]]) for row in mine])),
            scores[0] if scores else {},
            summary["images"].get(f"{tracer}, {knows}", {}).get("seconds", math.nan),
            len(summary["deviations"]),
        )


def _controls(path: Path) -> Iterable[Line]:
    rows = _read(path)
    for tracer in dict.fromkeys(row["tracer"] for row in rows):
        mine = [row for row in rows if row["tracer"] == tracer]
        for label in SHOWN:
            errors = {row["subject"]: (float(row[label]),) for row in mine if row[label]}
            if errors:
                yield Line(
                    label, tracer, errors, float(np.mean(list(errors.values()))), {}, math.nan, 0
                )


def goals(lines: Sequence[Line]) -> list[Claim]:
    """What `flow` was to reach, tracer by tracer, as it is."""
    claims: list[Claim] = []
    for tracer in dict.fromkeys(line.tracer for line in lines):
        of = {line.label: line for line in lines if line.tracer == tracer}
        ours, name = of.get(OURS), tracer_of(tracer).label
        rivals = [line for line in of.values() if line.score and line.label != OURS]
        if ours is None or not rivals:
            continue
        best = min(rivals, key=lambda line: line.error)
        claims.append(
            _claim(
                f"{name}: not worse than the best rival ({best.label}) by more than "
                f"{NOT_WORSE} SUVR",
                ours.minus(best),
                NOT_WORSE,
            )
        )
        if tracer in PRIMARY:
            sharpest = min(rivals, key=lambda line: float(line.score["crps"]))
            own, theirs = (float(line.score["crps"]) for line in (ours, sharpest))
            words = f"{name}: better CRPS than every rival (best: {sharpest.label})"
            claims.append(Claim(words, own < theirs, f"{own:.4f} against {theirs:.4f}"))
        oracle, simple = of.get(ORACLE), of.get(VOLUMES_CLINIC)
        if oracle and simple and oracle.minus(simple)[2] < 0:
            words = f"{name}: below the {VOLUMES_CLINIC}, as the oracle is"
            claims.append(_claim(words, ours.minus(simple), 0.0))
    return claims


def _claim(words: str, difference: tuple[float, float, float], most: float) -> Claim:
    mean, low, high = difference
    return Claim(words, bool(mean <= most), f"{mean:+.3f} SUVR ({low:+.3f} to {high:+.3f})")


def tables(lines: Sequence[Line]) -> str:
    """One table a tracer, best error first; controls and oracle in their place among them."""
    parts = []
    for tracer in dict.fromkeys(line.tracer for line in lines):
        mine = sorted((x for x in lines if x.tracer == tracer), key=lambda line: line.error)
        people = max(len(line.errors) for line in mine)
        parts += [
            "",
            f"### {tracer_of(tracer).label}",
            "",
            f"{title_of(tracer_of(tracer).target_region)}: absolute error, SUVR (n = {people}).",
            "",
            f"| | {' | '.join(COLUMNS)} |",
            f"|---|{'---|' * len(COLUMNS)}",
            *map(_row, mine),
        ]
    return "\n".join(parts) + "\n"


def _row(line: Line) -> str:
    low, high = line.interval
    cells = [f"{line.error:.3f} ({low:.3f} to {high:.3f})"]
    if line.score:
        cells += [
            f"{line.single:.3f}",
            f"{line.score['crps']:.4f}",
            f"{100 * line.score['coverage']:.0f} %",
            f"{line.score['sd_ratio']:.2f}",
            f"{line.seconds:.2f}",
            str(line.table.shape[1]),
            str(line.deviations or ""),
        ]
    else:
        cells += [""] * 7
    return f"| {f'**{line.label}**' if line.label == OURS else line.label} | {' | '.join(cells)} |"


def draw(lines: Sequence[Line]) -> bytes:
    """Errors with their intervals, a panel a tracer; a line marks the oracle."""
    tracers = list(dict.fromkeys(line.tracer for line in lines))
    height = 1.2 + 0.24 * max(sum(x.tracer == t for x in lines) for t in tracers)
    figure = Figure(figsize=(3.4 * len(tracers), height), layout="constrained")
    figure.suptitle("SIMULATED subjects: error of the tracer's target region, SUVR", fontsize=10)
    for n, tracer in enumerate(tracers, start=1):
        axis = figure.add_subplot(1, len(tracers), n)
        mine = sorted((x for x in lines if x.tracer == tracer), key=lambda line: -line.error)
        for y, line in enumerate(mine):
            colour = MODEL_COLOURS[0] if line.label == OURS else MODEL_COLOURS[1]
            colour = colour if line.score else CONTROL_COLOUR
            ends = np.abs(np.array(line.interval) - line.error)[:, None]
            axis.errorbar(line.error, y, xerr=ends, fmt="o", color=colour, markersize=4)
        oracle = [line.error for line in mine if line.label == ORACLE]
        if oracle:
            axis.axvline(oracle[0], color=CONTROL_COLOUR, linestyle=":", linewidth=1)
        axis.set_yticks(range(len(mine)), [line.label for line in mine], fontsize=7)
        axis.set_title(tracer_of(tracer).label, fontsize=9)
        axis.tick_params(axis="x", labelsize=7)
        axis.grid(True, axis="x", color=GRID, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
    return png(figure)


def page(lines: Sequence[Line], live: str) -> str:
    """``results.md``."""
    claims = goals(lines)
    held = [f"| {MARKS[c.held]} | {c.words} | {c.numbers} |" for c in claims]
    return "\n".join(
        [
            "# Results (SIMULATED people: nothing here says how well a method works on patients)",
            "",
            "## What flow was to reach",
            "",
            "| verdict | goal | flow minus the other |",
            "|---|---|---|",
            *(held or ["| not asked | flow and a rival have to be judged first | |"]),
            "",
            "## Benchmark v1, cohort a",
            "",
            NOTE,
            tables(lines),
            live,
        ]
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of tables and figure")
    parser.add_argument("--rows", type=Path, default=ROWS, help="committed rows")
    parser.add_argument("--cohort", default="a")
    parser.add_argument("--live", type=int, default=12, help="people to run live; 0: nobody")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    lines = lines_of(chosen.rows, chosen.cohort)
    live = live_table(chosen.out / "live", chosen.live, chosen.jobs) if chosen.live else ""
    (chosen.out / "results.png").write_bytes(draw(lines))
    text = page(lines, live)
    (chosen.out / "results.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
