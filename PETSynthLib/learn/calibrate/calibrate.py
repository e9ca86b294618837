"""Split-conformal calibration: how far regional means really are from what a model predicts.

The score of a person and region is ``|true - predicted| / mean voxel sd``. The conformal quantile
of the scores over 1.645 is the factor that turns the mean voxel sd into a regional sd, so that
``predicted +- 1.645 factor sd`` covers the next person of the same kind with at least the nominal
probability (Lei et al. 2018, split conformal with a normalised residual). People are exchangeable,
scans of one person are not: every person has one vote, shared among that person's scans (Lee,
Barber and Willett 2023, hierarchical conformal prediction), and persons are counted, not scans.
Calibration people must be strangers to the model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

from ...clinical import ClinicalRecord
from ...errors import ErrorCode, PETSynthError
from ...export.policy import require_suvr
from ...generate import LoadedGenerator, load_generator
from ...generate.bundle import Bundle
from ...generate.interface import INFORMATION
from ...progress import Silent
from ...quantify.suvr import Z_90
from ..acquaintance import seen_by
from ..fingerprint import fingerprints
from ..methods.interface import Material, target_of
from ..regions import region_keys, regional_means
from ..store import Store, Subject
from ..train.write_bundle import write_folder

NOMINAL = 0.90
FEWEST = 20
"""Fewer people than this carry no 90 % interval worth the name."""
ENOUGH = 500
"""With fewer, the coverage of a single calibration scatters by several percent."""
DEFAULT_SET = "mri"
SPLIT = "calibration"

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """What `calibrate` wrote.

    Attributes
    ----------
    folder
        The new bundle.
    people
        Tracer -> number of calibration people (anatomies; two scans of one are one).
    warning
        Sentences when there were few, or some that the model cannot do; else empty.
    """

    folder: Path
    people: dict[str, int]
    warning: str


def conformal_quantile(scores: Scores, people: Sequence[str]) -> float:
    """The score that a scan of the next person stays below with a probability of ``NOMINAL``.

    Parameters
    ----------
    scores
        (n, s): n scans with s exchangeable scores each (the two sides of a region).
    people
        Whose scan each of the n is. Each person's scores share one vote.

    Returns
    -------
    The smallest score with at least ceil((N + 1) NOMINAL) of N votes at or below it: with one scan
    and one side, the score of that rank. The largest score when that is more than N.
    """
    _, person, scans = np.unique(people, return_inverse=True, return_counts=True)
    votes = np.repeat(1 / (scans[person] * scores.shape[1]), scores.shape[1])
    order = np.argsort(scores.ravel())
    needed = min(math.ceil((len(scans) + 1) * NOMINAL), len(scans))
    # Votes are fractions, whose sum may miss a whole number by the last digits.
    index = np.searchsorted(np.cumsum(votes[order]), needed - 1e-9)
    return float(scores.ravel()[order][index])


def region_columns() -> dict[str, list[int]]:
    """Region or composite -> its columns in `region_keys`: both sides, or the only one."""
    columns: dict[str, list[int]] = {}
    for column, key in enumerate(region_keys()):
        columns.setdefault(key.partition(".")[0], []).append(column)
    return columns


def factors(scores: Scores, people: Sequence[str]) -> dict[str, float]:
    """Region -> factor from scores (n, R) in the order of `region_keys`; NaN: not seen.

    A paired region's factor holds for either side (and is on the safe side for both together).

    Parameters
    ----------
    people
        Whose scan each of the n is; a region seen in fewer than `FEWEST` people gets no factor.
    """
    table, names = {}, np.array(people)
    for name, columns in region_columns().items():
        seen = np.isfinite(scores[:, columns]).all(1)
        if len(set(names[seen])) >= FEWEST:
            quantile = conformal_quantile(scores[seen][:, columns], list(names[seen]))
            table[name] = round(quantile / Z_90, 4)
    return table


def calibrate(
    store: Store,
    model: str,
    out: Path,
    *,
    device: str = "auto",
    splits: Sequence[str] = (SPLIT,),
    wider: Mapping[str, float] | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Calibrated:
    """Fit regional factors on a split of a store and write a new bundle that holds them.

    Parameters
    ----------
    model
        Name or folder of the bundle.
    out
        Folder of the new bundle; must not exist.
    splits
        Whose people are taken.
    wider
        Tracer -> factor on the scores, of a model that has been fitted to these people a little.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for a model without SUVR; ``BAD_DATA`` when no tracer has `FEWEST` people or
        the grids differ; ``BAD_OUTPUT``.
    """
    loaded = load_generator(model, device)
    bundle = loaded.bundle
    require_suvr(bundle.suvr_known, bundle.name)
    require_free(out)
    if not store.grid.same_as(bundle.grid):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The store {store.folder.name} and the model {bundle.name} lie on different grids.",
            "Prepare the calibration subjects on the model's grid.",
        )
    aims_at_truth = "without its noise" in bundle.config.get("target", "")
    target = target_of(store, "auto" if aims_at_truth else "acquired")
    # A store of calibration people need hold nobody else.
    material = Material(store, target, train=(), validation=())
    everybody = tuple(s for split in splits for s in store.split(split))
    subjects = tuple(s for s in everybody if bundle.suits(flair=s.flair))
    left_out = len(everybody) - len(subjects)
    require_strangers(bundle, store, subjects)
    people = {
        t: len({s.anatomy for s in subjects if t in s.tracers})
        for t in bundle.tracers
        if t in store.tracers
    }
    if not people or max(people.values()) < FEWEST:
        most = max(people.values(), default=0)
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"Only {most} calibration people have a PET that {bundle.name} can generate.",
            f"At least {FEWEST} are needed, {ENOUGH} are wanted: prepare more"
            f"{', with a FLAIR' if left_out else ''}.",
        )
    judged = [t for t in people if people[t] >= FEWEST]
    scores = _scores(loaded, material, subjects, judged, tell)
    sets = {
        name: {
            t: {
                "people": people[t],
                "factor": factors(table * (wider or {}).get(t, 1.0), _whose(subjects, t)),
            }
            for (t, which), table in scores.items()
            if which == name
        }
        for name in _sets(bundle)
    }
    config = {
        **bundle.config,
        "regional_sd_factor": {
            t: sets[DEFAULT_SET].get(t, {}).get("factor", {}) for t in bundle.tracers
        },
        "calibration": {
            "of_bundle": bundle.sha256,
            "nominal": NOMINAL,
            "target": material.words,
            "split": ", ".join(splits),
            "sets": sets,
            "fingerprints": fingerprints(store, subjects),
        },
    }
    weights = load_file(bundle.weights) if bundle.weights.is_file() else {}
    write_folder(out, json.loads(json.dumps(config)), _card(bundle, people, material), weights)
    few = min(n for n in people.values() if n >= FEWEST)
    warnings = []
    if left_out:
        warnings.append(
            f"{left_out} of {len(everybody)} subjects were left out: they have no FLAIR, and "
            f"{bundle.name} cannot do without one."
        )
    if few < ENOUGH:
        warnings.append(
            f"Calibrated on {few} people: coverage is right on average, but scatters; use {ENOUGH}."
        )
    return Calibrated(out, people, " ".join(warnings))


def require_free(out: Path) -> None:
    """Refuse a folder that is there: no bundle is overwritten."""
    if out.exists():
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT, f"{out.name} is already there.", "Give a new folder."
        )


def require_strangers(bundle: Bundle, store: Store, subjects: Sequence[Subject]) -> None:
    """Refuse people whom the model was trained on: their errors are too small."""
    met = len(seen_by(bundle.config).trained & set(fingerprints(store, subjects)))
    if met:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"{met} of the calibration subjects are people that {bundle.name} was trained on.",
            "Calibrate on people it never saw: another split or another store.",
        )


def _sets(bundle: Bundle) -> tuple[str, ...]:
    """The information sets that a model can be given."""
    return tuple(i for i in INFORMATION if i != "no_flair" or bundle.suits(flair=False))


def _whose(subjects: Sequence[Subject], tracer: str) -> list[str]:
    """Whose scans the rows of `_scores` are."""
    return [s.anatomy for s in subjects if tracer in s.tracers]


def _scores(
    loaded: LoadedGenerator,
    material: Material,
    subjects: tuple[Subject, ...],
    tracers: list[str],
    tell: Callable[[int, int], None],
) -> dict[tuple[str, str], Scores]:
    """(tracer, information set) -> scores (n, R) of the subjects that have the PET."""
    sets = _sets(loaded.bundle)
    rows: dict[tuple[str, str], list[Scores]] = {(t, i): [] for t in tracers for i in sets}
    effort = loaded.bundle.judged_effort()
    for number, subject in enumerate(subjects):
        tell(number, len(subjects))
        labels = material.store.regions(subject.row)
        for information in sets:
            for name in tracers:
                if name not in subject.tracers:
                    continue
                known = _told(subject.clinical, information)
                shown = information != "no_flair"
                given = material.inputs(subject, name, known, flair=shown)
                made = loaded.generator.generate(given, effort, Silent())
                off = np.abs(
                    regional_means(labels, material.pet(subject, name))
                    - regional_means(labels, made.mean.data)
                )
                sd = regional_means(labels, made.sd.data)
                with np.errstate(invalid="ignore", divide="ignore"):
                    rows[name, information].append(np.where(sd > 0, off / sd, np.nan))
    return {key: np.stack(values) for key, values in rows.items()}


def _told(clinical: ClinicalRecord, information: str) -> ClinicalRecord:
    """The facts of an information set: cognition belongs to ``both`` alone."""
    if information == "both":
        return clinical
    return ClinicalRecord(age=clinical.age, sex=clinical.sex)


def _card(bundle: Bundle, people: dict[str, int], material: Material) -> str:
    """The model's card with a word on its intervals."""
    lines = (bundle.folder / "README.md").read_text(encoding="utf-8").rstrip().split("\n")
    kept = [line for line in lines if not line.startswith("- **Intervals**")]
    counted = ", ".join(f"{t} {n}" for t, n in people.items())
    kind = "simulated" if material.store.simulated else "real"
    words = (
        "",
        "## Intervals",
        "",
        f"90 % intervals of regional means, split-conformal on {kind} people that no training saw",
        f"({counted}), for each information set: {', '.join(_sets(bundle))}.",
        f"Truth: {material.words}.",
    )
    return "\n".join([*kept, *words]) + "\n"
