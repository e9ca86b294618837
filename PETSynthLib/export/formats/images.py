"""Which images of a result leave, and what is said of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ErrorCode, PETSynthError
from .. import marks
from ..finished import QUANTITIES, TOGETHER, Finished
from ..policy import require_images

_OF_THE_RESULT = ("Outputs", "HeadlineValues", "Sources", "Description")
"""Fields of the record that are said anew, or belong to the folder as a whole."""
_WORDS = {
    "suvr": "mean of the ensemble",
    "sd": "standard deviation of the ensemble",
    "low10": "low picture, 10 %",
    "high90": "high picture, 90 %",
    "expected": "what the model draws for an average brain of the same age and sex",
}


def images_of(finished: Finished) -> Mapping[str, str]:
    """Part -> file name of every image that leaves, low and high with the middle.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` where none may leave or there is none; ``BAD_DATA`` where low or high of an
        exploratory tracer is missing.
    """
    require_images(finished.release, bool(finished.images))
    if finished.release.triptych and set(TOGETHER) - set(finished.images):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"A {marks.title(finished.tracer)} leaves only as low, middle and high, and one of "
            "them is missing.",
            "Run it again, with this release.",
        )
    return finished.images


def words_of(finished: Finished, part: str) -> str:
    """What an image holds, in words: ``SYNTHETIC FDG PET, mean of the ensemble``."""
    number = part.rpartition("-")[2]
    what = _WORDS[part] if part in QUANTITIES else f"random sample {number} of the ensemble"
    return f"{marks.title(finished.tracer)}, {what}"


def facts_of(finished: Finished, part: str) -> dict[str, Any]:
    """JSON-ready account of one image: the result's record, and what this image is."""
    kept = {key: value for key, value in finished.record.items() if key not in _OF_THE_RESULT}
    return {
        **kept,
        "Image": words_of(finished, part),
        "Description": f"{words_of(finished, part)}. {marks.NIFTI_COMMENT}",
        "ShownOnlyTogether": [p for p in TOGETHER if finished.release.triptych],
        "SourceFiles": [
            {key: value for key, value in one.items() if value}
            for one in finished.record["Sources"]
        ],
        "ResultSha256": finished.digest,
    }


def write_facts(path: Path, body: Mapping[str, Any]) -> Path:
    """Write JSON (UTF-8, indented, no NaN)."""
    text = json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
