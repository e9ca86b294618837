"""How long the stages take: expected from earlier runs, measured in this one."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..request import ExportRequest, ProjectRequest, QuantifyRequest, SynthesisRequest

DEFAULT_SECONDS: dict[str, float] = {
    "read": 3.0,
    "preprocess": 35.0,
    "generate": 6.0,
    "restore": 4.0,
    "warp": 20.0,
    "quantify": 3.0,
    "export": 8.0,
}
"""Seconds per stage on two slow CPU cores, used until this computer has measured its own."""

QUANTIFY_SECONDS: dict[str, float] = {
    "read": 2.0,
    "preprocess": 30.0,
    "align": 2.0,
    "warp": 20.0,
    "quantify": 3.0,
    "export": 3.0,
}
"""The same for measuring a PET."""

PROJECT_SECONDS: dict[str, float] = {"read": 1.0, "project": 2.0, "export": 4.0}
"""The same for laying a PET on the surface."""

EXPORT_SECONDS: dict[str, float] = {
    "read": 2.0,
    "nifti": 1.0,
    "nrrd": 6.0,
    "bids": 4.0,
    "labelmap": 1.0,
    "csv": 0.1,
    "report": 3.0,
    "dicom": 8.0,
}
"""The same for an export."""

_PACE_LIMITS = (0.2, 5.0)


class StageClock:
    """Measures the stages of one run and foretells the rest.

    The forecast is the expected time of what is left, scaled by how this run compares with the
    expectation so far; within a stage the share of finished steps counts as soon as there is one.

    Parameters
    ----------
    expected
        Seconds per stage, in the order of the stages.
    now
        Monotonic clock in seconds.
    """

    def __init__(
        self, expected: Mapping[str, float], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._expected = dict(expected)
        self._now = now
        self._started = now()
        self._stage: str | None = None
        self._stage_started = self._started
        self.seconds: dict[str, float] = {}

    @property
    def total(self) -> float:
        """Seconds since the run began."""
        return self._now() - self._started

    def begin(self, stage: str) -> None:
        """A stage begins, the one before it is over."""
        self.finish()
        self._stage, self._stage_started = stage, self._now()

    def finish(self) -> None:
        """The current stage is over."""
        if self._stage is not None:
            spent = self._now() - self._stage_started
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + spent
            self._stage = None

    def eta(self, fraction: float) -> float:
        """Seconds left of the run when ``fraction`` (0..1) of the current stage is done."""
        pace = self._pace()
        left = sum(pace * self._expected[key] for key in self._later())
        if self._stage is None:
            return left
        spent = self._now() - self._stage_started
        guess = max(pace * self._expected[self._stage] - spent, 0.0)
        if fraction > 0.0:
            measured = spent * (1.0 - fraction) / fraction
            # Early steps say little about the later ones: trust them as far as they reach.
            guess += fraction * (measured - guess)
        return left + guess

    def _later(self) -> list[str]:
        keys = list(self._expected)
        first = keys.index(self._stage) + 1 if self._stage in keys else 0
        return [key for key in keys[first:] if key not in self.seconds]

    def _pace(self) -> float:
        expected = sum(self._expected[key] for key in self.seconds)
        if expected <= 0.0:
            return 1.0
        low, high = _PACE_LIMITS
        return min(max(sum(self.seconds.values()) / expected, low), high)


def timing_key(request: SynthesisRequest) -> str:
    """What decides the duration of a run: model, preset, device, number of samples, regions."""
    model, preset, regions = Path(request.model).name, request.preset.value, request.regions.value
    return "|".join(str(p) for p in (model, preset, request.device, request.samples, regions))


def quantify_timing_key(request: QuantifyRequest) -> str:
    """What decides the duration of a measurement."""
    known, corrected = request.space is not None, request.gtm_fwhm_mm is not None
    parts = ("quantify", known, corrected, request.regions.value)
    return "|".join(str(part) for part in parts)


def project_timing_key(request: ProjectRequest) -> str:
    """What decides the duration of a surface projection."""
    return f"project|{request.database is not None}"


def export_timing_key(request: ExportRequest) -> str:
    """What decides the duration of an export."""
    return "|".join(("export", *request.formats, *request.objects))


def expected_seconds(
    file: Path, key: str, otherwise: Mapping[str, float] = DEFAULT_SECONDS
) -> dict[str, float]:
    """Seconds per stage measured by the last run of this kind, or ``otherwise``."""
    measured = _read(file).get(key, {})
    return {stage: measured.get(stage, default) for stage, default in otherwise.items()}


def remember_seconds(file: Path, key: str, seconds: Mapping[str, float]) -> None:
    """Keep the measured seconds for the next run's forecast. A failure to do so is no failure."""
    table = _read(file)
    table[key] = {stage: round(value, 2) for stage, value in seconds.items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_text(json.dumps(table, indent=1), encoding="utf-8")
        fresh.replace(file)
    except OSError:
        return


def _read(file: Path) -> dict[str, dict[str, float]]:
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        return {
            str(key): {
                str(stage): float(value)
                for stage, value in row.items()
                if math.isfinite(value) and value >= 0
            }
            for key, row in table.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
