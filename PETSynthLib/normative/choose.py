"""Which of the databases on this computer a PET may be held against, by their records alone."""

from __future__ import annotations

import json
from pathlib import Path

from .database import META, Meta
from .find import list_databases
from .score import mismatch


def read_meta(folder: Path) -> Meta | None:
    """What a database says of itself, its arrays unread; None when it is none of this version."""
    try:
        return Meta.from_dict(json.loads((folder / META).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def databases_for(
    tracer_key: str, reference_region: str, bundle_sha256: str = "", simulated: bool = False
) -> list[tuple[Path, Meta]]:
    """The shipped and installed databases that belong to a PET; parameters as `score.require`."""
    found = [(folder, read_meta(folder)) for folder in list_databases()]
    return [
        (folder, meta)
        for folder, meta in found
        if meta is not None
        and not mismatch(meta, tracer_key, reference_region, bundle_sha256, simulated)
    ]
