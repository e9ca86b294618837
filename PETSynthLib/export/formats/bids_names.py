"""Whose scan it is in the words of BIDS, and where its own data set lies."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..bids_dataset import DESCRIPTION
from ..finished import Finished

RAW = "raw"
"""Name of the T1's data set in BIDS URIs."""
_T1 = re.compile(r"sub-([A-Za-z0-9]+)(?:_ses-([A-Za-z0-9]+))?_(?:[a-z]+-[A-Za-z0-9]+_)*T1w\.nii")
_DIGITS = 12


@dataclass(frozen=True)
class Person:
    """Whose scan it is.

    Attributes
    ----------
    subject, session
        Labels; the session may be empty.
    source
        BIDS URI of the T1, empty where it lies in no BIDS data set.
    links
        `RAW` -> where that data set is, seen from the derivative; empty likewise.
    """

    subject: str
    session: str
    source: str
    links: dict[str, str]

    @property
    def folder(self) -> Path:
        """Below the data set."""
        parts = [f"sub-{self.subject}", *([f"ses-{self.session}"] if self.session else [])]
        return Path(*parts)

    @property
    def entities(self) -> str:
        """First part of every file name."""
        return "_".join(self.folder.parts)


def person_of(finished: Finished, final: Path, subject: str, deidentified: bool) -> Person:
    """Labels of the person.

    A T1 in BIDS has them in its file name. Any other is named by its digest: names of files tell
    who a person is.

    Parameters
    ----------
    final
        Where the derivative will lie.
    subject
        Label that the user gave, or empty.
    deidentified
        Whether neither the T1's labels nor its place may be told.
    """
    t1 = Path(str(finished.request["t1"]))
    found = None if deidentified else _T1.match(t1.name)
    session = (found.group(2) or "") if found else ""
    label = subject or (found.group(1) if found else f"t1x{finished.t1.sha256[:_DIGITS]}")
    root = None if found is None else _data_set(t1)
    if root is None:
        return Person(label, session, "", {})
    source = f"bids:{RAW}:{t1.relative_to(root).as_posix()}"
    return Person(label, session, source, {RAW: _from(final, root)})


def _data_set(t1: Path) -> Path | None:
    """The data set a file lies in: the nearest folder above it that describes itself as one."""
    return next((one for one in t1.parents if (one / DESCRIPTION).is_file()), None)


def _from(place: Path, root: Path) -> str:
    try:
        return Path(os.path.relpath(root, place)).as_posix()
    except ValueError:  # another drive
        return root.as_uri()
