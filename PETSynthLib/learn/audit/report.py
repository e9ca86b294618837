"""The audit for people (HTML, text) and for programs (JSON)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ... import __version__
from ...checks import Finding, Verdict
from ...run.staging import output_error
from ..evaluate.report import Report, html
from ..tidy import Claim, Section
from .audit import Audit

NAME = "audit"
PARTS = {
    "leakage": Section(
        "Leakage: was somebody seen before?",
        ("A person in two splits, or under two names, makes every number of a model too good.",),
    ),
    "circularity": Section(
        "Circularity: would the clinic alone do as well?",
        ("A model that is told test scores can paint them. It has to beat a regression on them.",),
    ),
    "coverage": Section(
        "Coverage: do the intervals hold what they promise?",
        ("What the 90 % interval of the target region holds, and what chance allows for.",),
    ),
    "flags": Section(
        "Flags: how many healthy people would be called abnormal?",
        ("One threshold on the largest z of all regions flags 5 % of healthy training people.",),
    ),
}
"""First word of a finding's name -> its section, still without findings."""
_HELD = {Verdict.GREEN: True, Verdict.AMBER: None, Verdict.RED: False}
_LIGHTS = {Verdict.GREEN: "green", Verdict.AMBER: "AMBER", Verdict.RED: "RED  "}
_SUMMARY = {
    Verdict.GREEN: "Nothing speaks against the model here.",
    Verdict.AMBER: "Nothing is proven wrong, but something could not be shown.",
    Verdict.RED: "Something is wrong: do not trust results on these data before it is explained.",
}


def write_report(folder: Path, audit: Audit) -> Path:
    """Write ``audit.html`` and ``audit.json``, and return the path of the first.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the folder cannot be written.
    """
    page = folder / f"{NAME}.html"
    texts = {
        folder / f"{NAME}.json": json.dumps(as_dict(audit), indent=1) + "\n",
        page: html(report(audit)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text_ in texts.items():
            part = path.with_name(f"{path.name}.part")
            part.write_text(text_, encoding="utf-8")
            part.replace(path)
    except OSError as problem:
        raise output_error(folder, problem) from problem
    return page


def report(audit: Audit) -> Report:
    """The audit in the form of an evaluation's report: a light is a claim that holds or fails."""
    return Report(
        title=f"Audit of {audit.model} on {audit.store}",
        banner=_banner(audit),
        lead=_lead(audit),
        sections=(
            *(_section(key, audit.findings) for key in PARTS),
            *audit.sections,
        ),
    )


def _banner(audit: Audit) -> tuple[str, ...]:
    kind = "SIMULATED subjects. " if audit.simulated else ""
    return (f"{kind}{_SUMMARY[audit.verdict]}", "Research only. Not for diagnosis.")


def _lead(audit: Audit) -> str:
    return (
        f"{audit.people} people of the split {audit.split!r}, {audit.anatomies} anatomies. Model "
        f"SHA-256 {audit.sha256}, PETSynth {__version__}."
    )


def _section(key: str, findings: Iterable[Finding]) -> Section:
    claims = tuple(Claim(f.sentence, _HELD[f.verdict], f.limit) for f in _of(key, findings))
    return replace(PARTS[key], claims=claims)


def _of(key: str, findings: Iterable[Finding]) -> list[Finding]:
    return [f for f in findings if f.name.partition(".")[0] == key]


def text(audit: Audit) -> str:
    """The audit for a terminal: one line a finding, the verdict last."""
    lines = [f"Audit of {audit.model} on {audit.store}: {_lead(audit)}", ""]
    for key, part in PARTS.items():
        lines.append(part.title)
        lines += [f"  {_LIGHTS[f.verdict]}  {f.sentence}" for f in _of(key, audit.findings)]
    return "\n".join([*lines, "", _SUMMARY[audit.verdict]])


def as_dict(audit: Audit) -> dict[str, Any]:
    """The audit as JSON: facts, verdict, findings."""
    return {
        "model": audit.model,
        "model_sha256": audit.sha256,
        "store": audit.store,
        "kind": "simulated" if audit.simulated else "real",
        "split": audit.split,
        "people": audit.people,
        "anatomies": audit.anatomies,
        "petsynth": __version__,
        "verdict": audit.verdict.value,
        "exit_status": audit.exit_status,
        "findings": [_finite(f.as_dict()) for f in audit.findings],
    }


def _finite(body: dict[str, object]) -> dict[str, object]:
    """JSON knows no NaN."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in body.items()
    }
