"""A protocol: what was fixed before the judged subjects existed, and who enters under it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...errors import ErrorCode, PETSynthError
from ...tracers import all_tracers

EQUAL_INPUTS, AS_PUBLISHED = "equal_inputs", "as_published"
TRACKS = (EQUAL_INPUTS, AS_PUBLISHED)
FIRST_SITE = "clinic"
"""Site of a cohort that names none."""
_MEAN_OF = re.compile(r"mean_of_(\d+)")
_AT_MOST = re.compile(r"at most (\d+)")


@dataclass(frozen=True)
class PlannedCohort:
    """One simulated cohort as it was fixed.

    Attributes
    ----------
    name
        In the protocol's file.
    config, site, seed
        What `petsynth simulate` is given.
    split
        Split -> number of subjects.
    """

    name: str
    config: str
    site: str
    seed: int
    split: Mapping[str, int]


@dataclass(frozen=True)
class Protocol:
    """What a protocol file fixes. What a file does not name is None or empty: it was left open.

    Attributes
    ----------
    name
        File name and version.
    sha256
        Of the file: a report shows which protocol it followed.
    primary
        Tracers of the primary family.
    information
        Information set of the primary endpoint.
    cohorts
        By name.
    tracers
        Keys of all that are judged.
    grid
        Name of the lattice (`prepare.grids`).
    minutes
        Wall clock of one training.
    seeds
        Seeds of the trainings of a method.
    checkpoint_mb
        Largest size of the weights of one seed, in 10^6 bytes.
    samples
        How many samples are averaged.
    tuning
        What may be tuned, in words.
    tuning_runs
        How many tuning runs these words allow (``at most N ...``).
    """

    name: str
    sha256: str
    primary: tuple[str, ...]
    information: str = ""
    cohorts: tuple[PlannedCohort, ...] = ()
    tracers: tuple[str, ...] = ()
    grid: str = ""
    minutes: float | None = None
    seeds: tuple[int, ...] = ()
    checkpoint_mb: float | None = None
    samples: int | None = None
    tuning: str = ""
    tuning_runs: int | None = None


@dataclass(frozen=True)
class Entry:
    """A method's row: how it takes part.

    Attributes
    ----------
    track
        One of `TRACKS`.
    inputs
        What it is given, in words; a method on the track ``as_published`` has to name its paper's.
    tuning
        The tuning runs that were made, in words; empty: not recorded.
    tuning_runs
        How many those were; None: not recorded.
    """

    track: str = EQUAL_INPUTS
    inputs: str = ""
    tuning: str = ""
    tuning_runs: int | None = None


Entries = Mapping[str, Entry]
"""Label of a model -> its row."""


def _cohorts(body: dict[str, Any]) -> tuple[PlannedCohort, ...]:
    return tuple(
        PlannedCohort(
            str(name),
            str(facts["config"]),
            str(facts.get("site", FIRST_SITE)),
            int(facts["seed"]),
            {str(split): int(n) for split, n in facts["split"].items()},
        )
        for name, facts in body.get("cohorts", {}).items()
    )


def _samples(body: dict[str, Any]) -> int | None:
    found = (_MEAN_OF.fullmatch(str(words)) for words in body.get("judged_as", ()))
    return next((int(match[1]) for match in found if match), None)


def _runs(words: str) -> int | None:
    match = _AT_MOST.match(words)
    return None if match is None else int(match[1])


def _number(body: dict[str, Any], name: str) -> float | None:
    return float(body[name]) if name in body else None


def read_protocol(path: Path) -> Protocol:
    """Read a protocol such as ``Testing/benchmark/v1.yaml``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it is missing, no YAML, or names no known primary tracer.
    """
    try:
        raw = path.read_bytes()
        body: Any = yaml.safe_load(raw)
        primary = tuple(body["primary"]["tracers"])
        unknown = sorted(set(primary) - set(all_tracers()))
        if unknown or not primary:
            msg = f"unknown tracers {unknown}" if unknown else "no primary tracer"
            raise ValueError(msg)
        training = body.get("training", {})
        return Protocol(
            name=f"{path.name}, version {body['version']}",
            sha256=hashlib.sha256(raw).hexdigest(),
            primary=primary,
            information=str(body["primary"].get("information", "")),
            cohorts=_cohorts(body),
            tracers=tuple(body.get("tracers", ())),
            grid=str(body.get("grid", "")),
            minutes=_number(training, "minutes"),
            seeds=tuple(int(seed) for seed in training.get("seeds", ())),
            checkpoint_mb=_number(training, "checkpoint_mb"),
            samples=_samples(body),
            tuning=str(training.get("tuning", "")),
            tuning_runs=_runs(str(training.get("tuning", ""))),
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The protocol {path.name} cannot be read ({type(problem).__name__}).",
            "Give a file like Testing/benchmark/v1.yaml.",
        ) from problem


def read_entries(path: Path) -> dict[str, Entry]:
    """Read the methods' rows, such as ``Testing/benchmark/entries.yaml``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it is missing, no YAML, or names an unknown track.
    """
    try:
        body: Any = yaml.safe_load(path.read_bytes()) or {}
        entries = {
            str(label): Entry(
                str(facts.get("track", EQUAL_INPUTS)),
                str(facts.get("inputs") or ""),
                str(facts.get("tuning") or ""),
                int(facts["tuning_runs"]) if "tuning_runs" in facts else None,
            )
            for label, facts in body.items()
        }
        if wrong := sorted({e.track for e in entries.values()} - set(TRACKS)):
            msg = f"unknown track {wrong[0]}"
            raise ValueError(msg)
    except (OSError, yaml.YAMLError, TypeError, ValueError, AttributeError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The file of methods {path.name} cannot be read ({problem}).",
            f"Give a file like Testing/benchmark/entries.yaml; tracks are {', '.join(TRACKS)}.",
        ) from problem
    return entries
