"""The page of all pictures, worst pairs first, for a person to look through."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...preprocess.pet import LIKENESS

INDEX = "index.html"
_MAD_TO_SD = 1.4826
OUTLYING = -3.5
"""Robust z below which a match is unusual for its tracer in this data set (Iglewicz 1993)."""


@dataclass(frozen=True)
class Judged:
    """A subject with its worst pair.

    Attributes
    ----------
    name
        Of the session.
    z
        Smallest robust z of a match within its tracer.
    words
        What to look at, empty when nothing stands out.
    """

    name: str
    z: float
    words: str


def judge(measures: list[dict[str, Any]]) -> list[Judged]:
    """Every subject by how unusual its worst match is, worst first.

    Parameters
    ----------
    measures
        Contents of ``qc/<subject>.json``: ``subject``, ``match`` by tracer, ``findings``.
    """
    by_tracer: dict[str, list[float]] = {}
    for body in measures:
        for tracer, match in body["match"].items():
            by_tracer.setdefault(tracer, []).append(match)
    centre = {t: float(np.median(v)) for t, v in by_tracer.items()}
    spread = {
        # At least a hundredth: in a handful of subjects a spread may come out as nothing.
        t: max(_MAD_TO_SD * float(np.median(np.abs(np.array(v) - centre[t]))), 0.01)
        for t, v in by_tracer.items()
    }
    found = []
    for body in measures:
        z = {t: (m - centre[t]) / spread[t] for t, m in body["match"].items()}
        notes = [
            f"{t} matches with {body['match'][t]:.3f}, usual is {centre[t]:.3f}"
            for t, value in z.items()
            if value < OUTLYING or body["match"][t] < LIKENESS[1]
        ]
        notes += [
            f["sentence"]
            for f in body["findings"]
            if f["verdict"] != "green" and f["name"] != "pet_match"
        ]
        found.append(Judged(body["subject"], min(z.values(), default=0.0), "; ".join(notes)))
    return sorted(found, key=lambda judged: (judged.z, judged.name))


def write_index(folder: Path) -> None:
    """Write ``index.html`` beside the pictures in ``folder``."""
    measures = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))
    ]
    sections = [_section(judged) for judged in judge(measures)]
    page = _PAGE.format(count=len(sections), sections="\n".join(sections))
    (folder / INDEX).write_text(page, encoding="utf-8")


def _section(judged: Judged) -> str:
    name, words = html.escape(judged.name), html.escape(judged.words)
    style = "note" if words else ""
    return (
        f'<section><h2>{name}</h2><p class="{style}">{words}</p>'
        f'<img loading="lazy" src="{name}.png" alt="{name}"></section>'
    )


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Prepared pairs</title>
<style>
body {{ background: #111; color: #ddd; font: 15px sans-serif; margin: 1.5em; }}
h2 {{ font-size: 1em; margin: 1.4em 0 0; }} p {{ margin: .2em 0; }} .note {{ color: #ff9a30; }}
img {{ max-width: 100%; }}
</style>
<h1>{count} prepared subjects, the least usual match first</h1>
<p>A PET lies right when the green line (edge of the T1's brain) runs along the edge of the uptake
in every plane, and the white line (white matter) inside the cortex. To leave a subject out, delete
its line from subjects.tsv or its row from the data set and prepare again.</p>
{sections}
</html>
"""
