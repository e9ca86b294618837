"""How much a picture should change when one clinical fact changes: the oracle's answer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..evaluate.oracle_values import geometry_ratio
from ..evaluate.results import chosen_by
from ..oracle import read_oracle

if TYPE_CHECKING:
    from ..evaluate.results import Results
    from ..store import Subject

Effect = Callable[["Subject", str, float], Mapping[str, NDArray[np.float64]]]
"""The oracle's change of the expected regional SUVR (R,) by tracer, when a fact is set so; empty
for a person without an oracle."""


def effects_of(results: Results, cohort: Path | None = None) -> Effect | None:
    """The oracle's conditional effects for the judged people.

    Parameters
    ----------
    results
        The judged people. Their store holds what the simulator wrote of them.
    cohort
        Folder of the simulated cohort, asked about people whose store does not.

    Returns
    -------
    The effects on the store's grid (`geometry_ratio`), as a model's picture is measured; None when
    nobody has an oracle, or people were chosen by their diagnosis.
    """
    if chosen_by(results.store, results.subjects):
        return None
    places = {s.subject: place for s in results.subjects if (place := _place(results, s, cohort))}
    if not places:
        return None
    row = {s.subject: n for n, s in enumerate(results.subjects)}

    @cache
    def ask(name: str, field: str, value: float) -> Mapping[str, NDArray[np.float64]]:
        from ..cohort.effect import oracle_effect

        with _folder(name, *places[name]) as folder:
            difference = oracle_effect(folder, {field: value}, information="both")
        tracers = read_oracle(places[name][0]).tracers
        return dict(zip(tracers, difference.astype(np.float64), strict=True))

    def effect(subject: Subject, field: str, value: float) -> Mapping[str, NDArray[np.float64]]:
        if subject.subject not in places:
            return {}
        n = row[subject.subject]
        return {
            tracer: change
            * geometry_ratio(results.store, (subject,), tracer, results.truth[tracer][[n]])[0]
            for tracer, change in ask(subject.subject, field, value).items()
            if tracer in results.truth
        }

    return effect


def _place(results: Results, subject: Subject, cohort: Path | None) -> tuple[Path, Path] | None:
    """Oracle and hidden state of a person: of the store, else of the cohort; None without."""
    candidates = []
    if (own := results.store.oracle(subject)) is not None:
        candidates.append((own, own.with_suffix(".json")))
    if cohort is not None:
        name = subject.subject
        folder = cohort / "derivatives" / "simulation" / name
        candidates.append((folder / f"{name}_oracle.npz", folder / f"{name}_latents.json"))
    return next((pair for pair in candidates if all(file.is_file() for file in pair)), None)


@contextmanager
def _folder(name: str, oracle: Path, latents: Path) -> Iterator[Path]:
    """Both files named and placed as the simulator does, which is what its oracle reads."""
    with tempfile.TemporaryDirectory(prefix="petsynth-") as place:
        folder = Path(place) / name
        folder.mkdir()
        shutil.copyfile(oracle, folder / f"{name}_oracle.npz")
        shutil.copyfile(latents, folder / f"{name}_latents.json")
        yield folder
