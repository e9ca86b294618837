"""Published claims re-tested on simulation: what `claims_cyclic` and `claims_pasta` share.

A comparison is paired by anatomy. It holds when the whole 95 % interval of the difference lies on
the claimed side of 0; what does not hold is printed so, and what could not be asked as well. Small
budgets, simulated people: what is found here is never set beside published numbers.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from v1 import petsynth

from PETSynthLib.learn.evaluate.statistics import by_anatomy, two_level_bootstrap

MOST_ARMS = 10
MARKS = {True: "holds", False: "DOES NOT HOLD", None: "not asked"}


@dataclass(frozen=True)
class Claim:
    """A sentence, whether it held (None: it could not be asked), and its numbers."""

    words: str
    held: bool | None
    numbers: str

    def line(self) -> str:
        """A line for the screen."""
        return f"{MARKS[self.held]:<14}{self.words}: {self.numbers}"


def compared(
    words: str,
    first: Mapping[str, float],
    second: Mapping[str, float],
    *,
    more: bool,
    anatomy: Mapping[str, str] | None = None,
) -> Claim:
    """``first`` is above ``second`` (``more``), or below it.

    Parameters
    ----------
    first, second
        Subject -> number; whoever is not in both is left out.
    anatomy
        Subject -> whose brain it is; None: everybody's own.
    """
    people = sorted(set(first) & set(second))
    table = np.array([[first[p] - second[p]] for p in people]).reshape(-1, 1)
    differences = by_anatomy(table, [anatomy[p] if anatomy else p for p in people])
    if len(differences) < 2:
        return Claim(words, None, f"{len(differences)} people are too few")
    low, high = two_level_bootstrap(differences)
    held = low > 0 if more else high < 0
    mean, n = float(differences.mean()), len(differences)
    return Claim(words, bool(held), f"{mean:+.4f} ({low:+.4f} to {high:+.4f}), n = {n}")


def train_arm(run: Path, store: Path, method: str, minutes: float, *words: object) -> Path:
    """Train an arm with more ``words`` of the command line, unless it is there; its bundle."""
    if not (run / "bundle").is_dir():
        resume = ["--resume"] if (run / "config.yaml").is_file() else []
        petsynth(
            "train", "--data", store, "--method", method, "-o", run, "--max-minutes", minutes,
            *words, *resume,
        )  # fmt: skip
    return run / "bundle"


def steps_taken(run: Path) -> int:
    """Steps of a training: equal minutes are not equal steps."""
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return max(int(row["step"]) for row in csv.DictReader(file))


def markdown(title: str, budget: str, claims: Sequence[Claim], notes: Sequence[str] = ()) -> str:
    """The claims as a page."""
    held = [sum(c.held is answer for c in claims) for answer in (True, False, None)]
    lines = [
        f"# {title}: claims re-tested on simulation",
        "",
        f"SIMULATED people, {budget}: budget-limited. Not to be set beside published numbers.",
        "{} hold, {} do not, {} could not be asked.".format(*held),
        "",
        *(f"- {note}" for note in notes),
        "",
        "| verdict | claim | numbers |",
        "|---|---|---|",
        *(f"| {MARKS[c.held]} | {c.words} | {c.numbers} |" for c in claims),
    ]
    return "\n".join(lines) + "\n"


def write_claims(
    folder: Path,
    title: str,
    budget: str,
    claims: Sequence[Claim],
    notes: Sequence[str] = (),
    **more: Any,
) -> None:
    """Print the claims; write ``claims.md`` and, with ``more``, ``claims.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(title, budget, claims, notes)
    (folder / "claims.md").write_text(text, encoding="utf-8")
    body = {"budget": budget, "claims": [asdict(c) for c in claims], "notes": list(notes), **more}
    text = json.dumps(body, indent=1) + "\n"
    (folder / "claims.json").write_text(text, encoding="utf-8")
    print("\n".join([f"{title}, {budget}.", *notes, *(c.line() for c in claims)]))
