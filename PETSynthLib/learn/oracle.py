"""The oracle of a simulated subject: what could be known of its regions at best.

For each information set it holds the exact posterior of every regional SUVR (by importance
sampling in `cohort.posterior`): what a perfect method would say that knows the simulator.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ErrorCode, PETSynthError
from ..tracers import all_tracers
from .regions import region_index, region_keys

INFORMATION = ("base", "clinic", "mri", "both")
"""Age and sex; + education, MMSE, ADAS-Cog-13, APOE4 where known; + what the MRI shows; all.
Every set knows the scanner and the shape of the brain, which tell nothing of the disease."""
QUANTILES = (0.05, 0.5, 0.95)
ONLY_DIAGNOSIS = "only_diagnosis"
"""Key of a subject's latents: the diagnosis that everybody was chosen by. The oracle's prior is the
law of all people, so of such a cohort it expects the wrong mix of diseases."""

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Belief:
    """What one information set knows of T tracers and R regions, SUVR.

    Attributes
    ----------
    mean, sd, q05, q50, q95
        Arrays (T, R).
    draws
        Array (D, T, R).
    ess
        Effective number of prior draws behind it.
    """

    mean: Array
    sd: Array
    q05: Array
    q50: Array
    q95: Array
    draws: Array
    ess: float


@dataclass(frozen=True, eq=False)
class Oracle:
    """Truth and best possible knowledge of one simulated subject.

    Attributes
    ----------
    tracers, regions
        Names of the axes T and R (`region_keys`).
    truth
        Array (T, R): SUVR that the uptake gives through the subject's own transfer K.
    measured
        Array (T, R): the same measured on the noise-free image, texture included.
    transfer, reference
        K (R, classes), and the rows of every registered tracer's reference region.
    beliefs
        By information set (`INFORMATION`).
    """

    tracers: tuple[str, ...]
    regions: tuple[str, ...]
    truth: Array
    measured: Array
    transfer: Array
    reference: Array
    beliefs: dict[str, Belief]


def write_oracle(path: Path, oracle: Oracle) -> None:
    """Write ``oracle`` as ``.npz`` (equal oracles give equal bytes)."""
    arrays: dict[str, Any] = {
        "tracers": np.array(oracle.tracers),
        "regions": np.array(oracle.regions),
        "truth": oracle.truth,
        "measured": oracle.measured,
        "K": oracle.transfer,
        "K_reference": oracle.reference,
    }
    for name, belief in oracle.beliefs.items():
        for key in ("mean", "sd", "q05", "q50", "q95", "draws"):
            arrays[f"{key}_{name}"] = getattr(belief, key).astype(np.float32)
        arrays[f"ess_{name}"] = np.array(belief.ess, np.float32)
    np.savez_compressed(path, **arrays)  # numpy dates its members 1980


def read_oracle(path: Path) -> Oracle:
    """Read what `write_oracle` wrote.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the file is missing, damaged or of other regions.
    """
    try:
        with np.load(path) as file:
            body = {name: file[name] for name in file.files}
        regions = tuple(str(k) for k in body["regions"])
        if regions != region_keys():
            msg = "it was made for other regions"
            raise ValueError(msg)
        return Oracle(
            tracers=tuple(str(t) for t in body["tracers"]),
            regions=regions,
            truth=body["truth"],
            measured=body["measured"],
            transfer=body["K"],
            reference=body["K_reference"],
            beliefs={
                name: Belief(
                    **{k: body[f"{k}_{name}"] for k in ("mean", "sd", "q05", "q50", "q95")},
                    draws=body[f"draws_{name}"],
                    ess=float(body[f"ess_{name}"]),
                )
                for name in INFORMATION
            },
        )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The oracle {path.name} cannot be read ({problem}).",
            "Simulate the subject again.",
        ) from problem


@dataclass(frozen=True)
class Check:
    """How good and how well calibrated the oracle is, over many subjects.

    Attributes
    ----------
    tracer, information
        What it is about; the tracer's target region.
    expected
        Share of the variance left by age and sex that the set explains, from the posteriors:
        1 - mean(sd^2) / mean(sd_base^2).
    observed
        The same from the errors: 1 - mean(error^2) / mean(error_base^2).
    coverage
        Share of true values inside the 5-95 % interval.
    z_sd
        Standard deviation of (truth - mean) / sd.
    smallest_ess
        Smallest effective sample size.
    """

    tracer: str
    information: str
    expected: float
    observed: float
    coverage: float
    z_sd: float
    smallest_ess: float


def check_oracles(oracles: list[Oracle]) -> list[Check]:
    """Explained variance and calibration at each tracer's target (`Check`)."""
    rows = []
    for order, tracer in enumerate(oracles[0].tracers):
        region = region_index(all_tracers()[tracer].target_region)
        truth = np.array([o.truth[order, region] for o in oracles], dtype=np.float64)

        def column(name: str, key: str) -> NDArray[np.float64]:
            values = [getattr(o.beliefs[name], key)[order, region] for o in oracles]  # noqa: B023
            return np.array(values, dtype=np.float64)

        base_error = np.mean((truth - column("base", "mean")) ** 2)
        base_variance = np.mean(column("base", "sd") ** 2)
        for name in INFORMATION:
            error, sd = truth - column(name, "mean"), column(name, "sd")
            inside = (column(name, "q05") <= truth) & (truth <= column(name, "q95"))
            rows.append(
                Check(
                    tracer,
                    name,
                    expected=float(1 - np.mean(sd**2) / base_variance),
                    observed=float(1 - np.mean(error**2) / base_error),
                    coverage=float(inside.mean()),
                    z_sd=float(np.sqrt(np.mean((error / sd) ** 2))),
                    smallest_ess=min(o.beliefs[name].ess for o in oracles),
                )
            )
    return rows


def explained_variance(oracles: list[Oracle]) -> dict[str, dict[str, float]]:
    """Share of variance beyond age and sex, by tracer and information set (`Check.expected`)."""
    out: dict[str, dict[str, float]] = {}
    for row in check_oracles(oracles):
        out.setdefault(row.tracer, {})[row.information] = row.expected
    return out


def image_error(oracles: list[Oracle]) -> tuple[float, float]:
    """Standard deviation and largest size of measured / true - 1 over all regional values.

    Texture leaks over the borders of its class, so the noise-free image measures the truth only
    up to this.
    """
    off = np.concatenate([(o.measured / o.truth - 1).ravel() for o in oracles])
    return float(np.nanstd(off)), float(np.nanmax(np.abs(off)))
