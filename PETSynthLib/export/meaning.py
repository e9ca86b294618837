"""What a PET file is: which tracer, how it was made, what may be shown of it."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..assets import read_json
from ..clinical import COGNITION
from ..errors import ErrorCode, PETSynthError
from ..read import Scan
from ..tracers import Tracer
from ..tracers import tracer as tracer_named
from . import marks
from .policy import Release, release

SAMPLE = "sample/colin27_T1w.nii.gz"
_NRRD_HEADER = 65536
_NRRD_MARKS = (marks.NRRD_KEY.encode(), marks.NIFTI_DESCRIPTION.encode())


@dataclass(frozen=True)
class Meaning:
    """What a PET file holds.

    Attributes
    ----------
    tracer
        Its tracer.
    release
        What may be shown of it.
    sd, table
        Files of its standard deviation and of its regions, as its synthesis wrote them, or None.
    model
        Facts of the model that made it; empty for an acquired PET.
    simulated
        Whether nobody was scanned: the JSON file of an acquired PET says so, or a synthetic one
        was drawn on the sample MRI.
    source_t1_sha256
        T1 from which a synthetic PET was made; empty for an acquired one.
    """

    tracer: Tracer
    release: Release
    sd: Path | None = None
    table: Path | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False
    source_t1_sha256: str = ""

    @property
    def bundle_sha256(self) -> str:
        """Digest of that model; empty for an acquired PET."""
        return str(self.model.get("bundle_sha256", ""))


def pet_of_folder(folder: Path) -> Path:
    """The one synthetic PET in the folder of a synthesis."""
    found = sorted(folder.glob(marks.file_name("*", "suvr", ".nii.gz")))
    if len(found) != 1:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The folder {folder} holds {len(found)} {marks.ADJECTIVE} PETs.",
            f"Name the folder of one {marks.SYNTHESIS}, or the PET file itself.",
        )
    return found[0]


def meaning_of(path: Path, scan: Scan, tracer: str) -> Meaning:
    """What a PET file holds, by the JSON file beside it or by the named tracer.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when the tracer is not known or another, or the file is another volume of a
        synthesis; ``BAD_DATA`` when a synthetic PET or a file beside it is not the one its JSON
        file describes, or that is missing or damaged.
    """
    sidecar = sidecar_of(path)
    if sidecar is None:
        if marks.FILE_PART in path.name or says_synthetic(path):
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"This PET is {marks.ADJECTIVE}, but the JSON file that says how it was made is "
                "missing.",
                f"Keep the files of a {marks.SYNTHESIS} together.",
            )
        if not tracer:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "It is not known which tracer this PET shows.",
                "Name it with --tracer, for example --tracer fdg.",
            )
        facts = tracer_named(tracer)
        policy = release("acquired", facts.exploratory)
        return Meaning(facts, policy, simulated=says_simulated(path))
    try:
        return _of_synthesis(path, scan, sidecar, tracer)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "The JSON file beside this PET is damaged or was edited: it does not say how the PET "
            "was made.",
            f"Run the {marks.SYNTHESIS} again.",
        ) from problem


def _of_synthesis(path: Path, scan: Scan, sidecar: Mapping[str, Any], tracer: str) -> Meaning:
    """What a synthetic PET holds by its sidecar; a damaged one fails in any way it likes."""
    facts = tracer_named(sidecar["Tracer"])
    if tracer and tracer_named(tracer) != facts:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"This PET shows {facts.label}, not {tracer_named(tracer).label}.",
            "Leave --tracer out.",
        )
    mean = marks.file_name(facts.key, "suvr", ".nii.gz")
    if path.name != mean:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The file {path.name} is of a {marks.SYNTHESIS}, but not its PET.",
            f"Name {mean}, or the folder.",
        )
    outputs = sidecar["Outputs"]
    if outputs[mean] != scan.sha256:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "This PET is not the one its JSON file describes: it was changed or replaced.",
            f"Run the {marks.SYNTHESIS} again.",
        )
    used = sidecar["ConditioningVariables"]["Used"]
    cognition = tuple(name for name in COGNITION if name in used)
    policy = release(sidecar["Evidence"], facts.exploratory, cognition)
    model = dict(sidecar["Model"])
    if not (policy.synthetic and model["bundle_sha256"]):
        msg = f"a {marks.ADJECTIVE} PET rests on a model"
        raise ValueError(msg)
    t1 = next((one["sha256"] for one in sidecar.get("Sources", []) if one["Role"] == "T1"), "")
    return Meaning(
        facts,
        policy,
        _beside(path, outputs, marks.file_name(facts.key, "sd", ".nii.gz")),
        _beside(path, outputs, marks.file_name(facts.key, "regions", ".tsv")),
        model,
        simulated=t1 == sample_sha256(),
        source_t1_sha256=t1,
    )


def _beside(path: Path, outputs: Mapping[str, str], name: str) -> Path | None:
    """Another file of a synthesis; None when it is not there.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when it was changed: what the policy withheld must not come back by an edit.
    """
    file = path.with_name(name)
    if not file.is_file():
        return None
    if outputs.get(name) != hashlib.sha256(file.read_bytes()).hexdigest():
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The file {name} beside this PET is not the one its JSON file describes: it was "
            "changed or replaced.",
            f"Run the {marks.SYNTHESIS} again.",
        )
    return file


def sample_sha256() -> str:
    """Digest of the shipped sample MRI."""
    return str(read_json("manifest.json")["files"][SAMPLE])


def sidecar_of(path: Path) -> dict[str, Any] | None:
    """The JSON file in the same folder that names this file among its outputs."""
    for candidate in sorted(path.parent.glob("*.json")):
        try:
            body = json.loads(candidate.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not isinstance(body, dict) or not body.get(marks.SIDECAR_KEY):
            continue
        outputs = body.get("Outputs")
        if isinstance(outputs, dict) and path.name in outputs:
            return body
    return None


def says_simulated(path: Path) -> bool:
    """Whether the BIDS sidecar of an image carries the simulator's mark."""
    return json_beside(path).get("Simulated") is True


def says_synthetic(path: Path) -> bool:
    """Whether a file carries our mark: in its header, or in the JSON file of the same name.

    The description of a NIfTI, and any field of an NRRD's header (3D Slicer keeps a node's
    attributes there).
    """
    if json_beside(path).get(marks.SIDECAR_KEY) is True:
        return True
    name = path.name.lower()
    if not name.endswith((".nii", ".nii.gz", ".nrrd", ".nhdr")):
        return False
    with gzip.open(path) if name.endswith(".gz") else path.open("rb") as file:
        if name.endswith((".nii", ".nii.gz")):
            return marks.NIFTI_DESCRIPTION.encode() in file.read(348)[148:228]
        header = file.read(_NRRD_HEADER).split(b"\n\n", 1)[0]
    return any(mark in header for mark in _NRRD_MARKS)


def json_beside(path: Path) -> dict[str, Any]:
    """The JSON file of the same name as an image; empty when there is none."""
    name = path.name
    for ending in (".gz", ".nii", ".nrrd", ".nhdr"):
        name = name.removesuffix(ending)
    try:
        body = json.loads(path.with_name(f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
