"""PASTA's published claims, re-tested on simulated people: a claim that fails is printed so.

``python Testing/benchmark/claims_pasta.py WORK --data STORE`` trains, calibrates and evaluates the
arms of ``claims_pasta.yaml`` with `petsynth` and writes ``claims.md``. Finished steps are kept: run
it again to go on. ``--report DIR`` reads a finished evaluation instead. All subjects are simulated,
every arm had the same few minutes: nothing here may stand beside published numbers.

How comparisons are judged: `claims`. Classification and sensitivity are those of `petsynth
evaluate`; of two evidences without a paired interval the numbers decide, and the line says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from claims import MOST_ARMS, Claim, compared, write_claims
from rows import Values, richest
from v1 import petsynth, train

from PETSynthLib.learn.tidy import ALL, Row, read_rows

CLAIMS = Path(__file__).with_name("claims_pasta.yaml")
FULL = "pasta"
SLOPE = (0.8, 1.2)
"""Sensitivity: a model's change over the oracle's that counts as right."""


def against(rows: Sequence[Row], metric: str, other: str, tracer: str, *, lower: bool) -> Claim:
    """``pasta`` against another label in one metric, paired by anatomy."""
    words = f"{metric} ({tracer}): {FULL} {'below' if lower else 'above'} {other}"
    values: Values = {}
    anatomy: dict[str, str] = {}
    for row in rows:
        if row.metric == metric and row.tracer == tracer and row.subject != ALL:
            place = (row.model, row.seed, row.tracer, row.information, row.subject, row.metric)
            values[place] = row.value
            anatomy[row.subject] = row.anatomy
    labels = {key[0] for key in values}
    if missing := {FULL, other} - labels:
        return Claim(words, None, f"{', '.join(sorted(missing))} was not run")
    first, second = (
        {
            key[4]: value
            for key, value in values.items()
            if key[0] == label and key[1] == 0 and key[3] == richest(values, label, tracer)
        }
        for label in (FULL, other)
    )
    return compared(words, first, second, more=not lower, anatomy=anatomy)


def summary(rows: Sequence[Row], metric: str, model: str, information: str = "") -> float | None:
    """A number over all subjects, or None."""
    for row in rows:
        if (row.metric, row.model, row.information) == (metric, model, information):
            return row.value
    return None


def classified(rows: Sequence[Row]) -> list[Claim]:
    """Cause of the disease from MRI, clinic and PET; a synthetic PET never tells more than real."""
    name = "aetiology_auc"
    synthetic = summary(rows, f"{name}.synthetic", FULL, "both")
    low = summary(rows, f"{name}_over_clinic.synthetic.low", FULL, "both")
    if synthetic is None:
        return [Claim("True cause from PASTA's PET", None, "too few people for a class")]
    claims = []
    for arm, words in (
        ("mri", "the MRI"),
        ("mri_clinic", "MRI + clinic"),
        ("acquired", "the acquired PET"),
    ):
        rival = summary(rows, f"{name}.{arm}", arm)
        if rival is None:
            continue
        above = arm != "acquired"
        text = "tells more than" if above else "tells no more than (else it saw the answer)"
        held = synthetic > rival if above else synthetic <= rival
        numbers = f"AUC {synthetic:.3f} and {rival:.3f}; no paired interval"
        claims.append(Claim(f"True cause: PASTA's PET {text} {words}", held, numbers))
    if low is not None:
        words = "True cause: PASTA's PET tells more than the clinic alone"
        claims.append(Claim(words, low > 0, f"lower end of the gain in AUC {low:+.3f}"))
    return claims


def sensitive(rows: Sequence[Row], tracers: Sequence[str]) -> list[Claim]:
    """Effect of the clinical facts beside the oracle's, and whether MMSE and ADAS lead."""
    claims = []
    for tracer in tracers:
        mine = [r for r in rows if r.model == FULL and r.tracer == tracer]
        slopes = [r.value for r in mine if r.metric == "clinical_effect_slope"]
        words = f"{tracer}: a changed score moves the target as the oracle says"
        if slopes:
            held = SLOPE[0] <= slopes[0] <= SLOPE[1]
            claims.append(Claim(words, held, f"slope {slopes[0]:.2f}, right: 0.8 to 1.2"))
        else:
            claims.append(Claim(words, None, "no oracle"))
        shares: dict[str, list[float]] = {}
        for row in mine:
            kind, _, field = row.metric.partition(".")
            if kind == "occlusion_suvr":
                shares.setdefault(field, []).append(abs(row.value))
        order = sorted(shares, key=lambda field: -float(np.mean(shares[field])))
        numbers = ", ".join(f"{f} {float(np.mean(shares[f])):.4f}" for f in order) or "not asked"
        words = f"{tracer}: MMSE and ADAS-Cog-13 matter most"
        held_order = set(order[:2]) == {"mmse", "adas13"} if len(order) > 1 else None
        claims.append(Claim(words, held_order, f"SUVR by hiding one fact: {numbers}"))
    return claims


def judge(rows: Sequence[Row], plan: dict[str, Any]) -> list[Claim]:
    """Every claim of the plan on the rows of an evaluation."""
    tracers = plan["tracers"]
    claims = [
        against(rows, metric, other, tracer, lower=direction == "lower")
        for tracer in tracers
        for direction in ("lower", "higher")
        for metric, others in plan["claims"][direction].items()
        for other in others
    ]
    return [*claims, *classified(rows), *sensitive(rows, tracers)]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for runs and the report")
    parser.add_argument("--plan", type=Path, default=CLAIMS, metavar="YAML")
    parser.add_argument("--data", type=Path, metavar="STORE", help="simulated, with all splits")
    parser.add_argument("--cohort", type=Path, metavar="BIDS", help="for the oracle's effects")
    parser.add_argument("--report", type=Path, metavar="DIR", help="a finished evaluation")
    parser.add_argument("--minutes", type=float, help="of each arm, instead of the plan's")
    chosen = parser.parse_args()
    plan = yaml.safe_load(chosen.plan.read_text(encoding="utf-8"))
    plan["minutes"] = chosen.minutes or plan["minutes"]
    if len(plan["arms"]) > MOST_ARMS:
        raise SystemExit(f"A plan has at most {MOST_ARMS} arms, this one {len(plan['arms'])}.")
    folder = chosen.report or chosen.work / "report"
    if chosen.report is None:
        if chosen.data is None:
            raise SystemExit("Give --data STORE to train the arms, or --report DIR to judge them.")
        models = [
            (label, train(chosen.work, chosen.data, label, arm, plan["seed"], plan["minutes"]))
            for label, arm in plan["arms"].items()
        ]
        cohort = ["--cohort", chosen.cohort] if chosen.cohort else []
        petsynth(
            "evaluate", "--data", chosen.data, "-o", folder, "--samples", plan["samples"],
            "--tracers", ",".join(plan["tracers"]), *cohort,
            "--sensitivity-subjects", plan["sensitivity_subjects"],
            *(word for label, model in models for word in ("--model", f"{label}={model}")),
        )  # fmt: skip
    budget = f"{plan['minutes']:g} minutes an arm, seed {plan['seed']}"
    notes = ["Fairness and z-maps: report.html of the evaluation (checks of the tool)."]
    claims = judge(read_rows(folder / "metrics.csv"), plan)
    write_claims(chosen.work, "PASTA", budget, claims, notes)


if __name__ == "__main__":
    main()
