"""Finished folders of one head drawn with two values of MMSE, as `read_finished` accepts them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from head import BRAIN, HOT, HOT_UPTAKE, UPTAKE, Head, filled, write_json

from PETSynthLib.export import marks
from PETSynthLib.request import SynthesisRequest

HIGHER = 0.25
"""What the other score adds to the hot spot, SUVR."""
WORDS = "MMSE 24 to 29"
ROWS = (
    # region, side, mL, SUVR now, SUVR with the other score ("" where nothing is shown)
    ("precuneus", "L", 9.5, "1.2000", "1.3260"),
    ("precuneus", "R", 9.4, "1.3000", "1.2900"),
    ("hippocampus", "L", 3.1, "1.1000", ""),
)
_HEADER = (
    *("synthetic", "tracer", "reference", "regions"),
    *("region", "side", "ml", "suvr", "note", "cognition"),
)


def finished(
    head: Head, folder: Path, *, other: bool = False, used: tuple[str, ...] = ("mmse",), **more: Any
) -> Path:
    """A finished synthesis; ``other`` is the one with the other score.

    Parameters
    ----------
    more
        Fields of the sidecar.
    """
    sidecar = {
        "ReferenceRegion": "pons",
        "Regions": {"source": "template atlas by one affine"},
        "ConditioningVariables": {"Used": ["age", *used]},
        "Sources": [{"Role": "T1", "Name": "t1.nrrd", "sha256": "b" * 64}],
        "Steps": 2,
        "EffectiveResolution": {"fwhm_mm": 4.0, "of": "grid"},
        "Banner": marks.DEMONSTRATION,
        "Cognition": marks.COGNITION if used else "",
        **more,
    }
    head.result(folder, **sidecar)
    if other:
        data = filled((BRAIN, UPTAKE), (HOT, HOT_UPTAKE + HIGHER))
        head.write(folder / marks.file_name("fdg", "suvr", ".nii.gz"), data)
    lines = ["\t".join(_HEADER)]
    for region, side, ml, now, then in ROWS:
        suvr = (then if other else now) or "n/a"
        note = "not informative" if suvr == "n/a" else "n/a"
        cells = ["TRUE", "fdg", "pons", "template atlas by one affine", region, side, f"{ml:.3f}"]
        lines.append("\t".join([*cells, suvr, note, " ".join(used) or "none"]))
    table = folder / marks.file_name("fdg", "regions", ".tsv")
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return seal(folder)


def seal(folder: Path) -> Path:
    """Write the digests of a folder's files where a finished job keeps them."""
    record = folder / marks.file_name("fdg", "", ".json")
    kept = (record.name, "result.json", "request.json")
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in kept]
    names = {path.relative_to(folder).as_posix(): _digest(path) for path in files}
    body = json.loads(record.read_text(encoding="utf-8"))
    write_json(record, {**body, "Outputs": names})
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    request = SynthesisRequest(t1="t1.nrrd", output="out", model="tiny").as_dict()
    if not (folder / "request.json").is_file():
        write_json(folder / "request.json", request)
    made = {
        "kind": "synthesize",
        "Synthetic": True,
        "total_seconds": 9.0,
        "files": {**names, record.name: _digest(record)},
    }
    write_json(folder / "result.json", {**result, **made})
    return folder


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
