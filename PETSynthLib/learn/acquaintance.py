"""Whom has a model seen, as far as its bundle says, and are judged people among them?

The one place that reads ``training.fingerprints``, ``training.init`` and
``calibration.fingerprints`` of a bundle: the evaluation's claims, the audit's light, the protocol's
deviations and ``train --init`` all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from ..volume import Grid
from .fingerprint import fingerprint
from .store import Store, Subject

CALIBRATION = "calibration_fingerprints"
"""Key in ``training.init``: whom the model it names was calibrated on."""
PEOPLE_KNOWN = "people_known"
"""Key in ``training.init``: whether the model it names says whom it has seen, on this grid."""


class Doubt(StrEnum):
    """Why nobody can tell; a clause that follows the model's name."""

    UNSAID = "does not say whom it was trained on"
    ORIGIN = "began as a model that does not say, or not on this grid, whom it was trained on"
    GRID = "lies on another grid than the store: its people cannot be told apart from these"


class HasPeople(Protocol):
    """What is asked of a bundle."""

    @property
    def config(self) -> Mapping[str, Any]:
        """``config.json``."""

    @property
    def grid(self) -> Grid:
        """Where its people were prepared."""


@dataclass(frozen=True)
class Seen:
    """Whom a model has seen.

    Attributes
    ----------
    trained, calibrated
        Fingerprints, the people of the model it began as among them.
    doubt
        Why there may be others; None: there are none.
    """

    trained: frozenset[str]
    calibrated: frozenset[str]
    doubt: Doubt | None

    @property
    def everybody(self) -> frozenset[str]:
        """Trained or calibrated on."""
        return self.trained | self.calibrated


@dataclass(frozen=True)
class Meeting:
    """Whether a model has met people.

    Attributes
    ----------
    met
        Names of those that it has, in their order.
    stated
        How many it says it has seen.
    doubt
        Why the others may have been seen too; None: they were not.
    """

    met: tuple[str, ...]
    stated: int
    doubt: Doubt | None


def seen_by(config: Mapping[str, Any]) -> Seen:
    """Whom the model of a bundle's ``config.json`` has seen."""
    training = config.get("training", {})
    origin = training.get("init")
    calibrated = {*config.get("calibration", {}).get("fingerprints", ())}
    doubt = None if "fingerprints" in training else Doubt.UNSAID
    if origin is not None:
        calibrated |= {*origin.get(CALIBRATION, ())}
        # A bundle from before the key was kept may lack people.
        if doubt is None and not origin.get(PEOPLE_KNOWN, False):
            doubt = Doubt.ORIGIN
    return Seen(frozenset(training.get("fingerprints", ())), frozenset(calibrated), doubt)


def faces(store: Store, people: Iterable[Subject]) -> dict[str, str]:
    """Name -> fingerprint of the T1."""
    return {person.subject: fingerprint(store.t1(person.row)) for person in people}


def meeting(faces: Mapping[str, str], grid: Grid, bundle: HasPeople) -> Meeting:
    """Whether a model was trained or calibrated on people, as far as it says.

    Parameters
    ----------
    faces
        The people (`faces`).
    grid
        Where their T1s lie: the same brain on another grid has another fingerprint.
    bundle
        The model.
    """
    seen = seen_by(bundle.config)
    met = tuple(name for name, face in faces.items() if face in seen.everybody)
    doubt = seen.doubt
    if doubt is None and not bundle.grid.same_as(grid):
        doubt = Doubt.GRID
    return Meeting(met, len(seen.everybody), doubt)
