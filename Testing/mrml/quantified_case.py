"""A head that is the template itself, its PETs as nodes, and their measurement by the library.

The head needs neither preparation nor registration, so that a measurement takes seconds; all that
reads, measures, judges and writes is the library's own.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

UNIT = Path(__file__).resolve().parents[1] / "unit"
if str(UNIT) not in sys.path:
    sys.path.append(str(UNIT))

import normative_case
from quantify_case import native_grid, pet_volume, prepared, uptake, with_lesion, write

from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.export import marks
from PETSynthLib.normative.database import write_database
from PETSynthLib.preprocess.pet_alignment import PetAlignment
from PETSynthLib.preprocess.warp import only_affine
from PETSynthLib.request import QuantifyRequest
from PETSynthLib.run import quantify_job, quantify_walk
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.quantify_walk import measure_pet

AFFINE = native_grid().affine
OF_SEVENTY = ClinicalRecord(age=70.0, sex="F")
_FINE = Finding("stub", 0.0, "", Verdict.GREEN, "Fine.")


def lesion() -> np.ndarray:
    """FDG-like uptake with the left precuneus at 70 %, voxels (I, J, K) of the head."""
    return np.asarray(pet_volume(with_lesion("precuneus.L")).data)


def t1() -> np.ndarray:
    """The head's T1, voxels (I, J, K)."""
    return np.asarray(pet_volume(uptake()).data * 100.0)


def volume(scene: Any, name: str, data: np.ndarray) -> Any:
    """Voxels (I, J, K) of the head as volume node."""
    from PETSynthScene.Volumes import setArray, vtkMatrix

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    setArray(node, np.transpose(data.astype(np.float32)))
    node.SetIJKToRASMatrix(vtkMatrix(AFFINE))
    node.CreateDefaultDisplayNodes()
    return node


@contextmanager
def quickly() -> Iterator[None]:
    """Neither preparation nor registration."""

    def in_place(*_: object, **__: object) -> tuple[PetAlignment, list[Finding]]:
        return PetAlignment(np.eye(4), False, 0.0, 1.0, "In its place."), [_FINE]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantify_walk, "place_pet", in_place)
        patch.setattr(
            quantify_walk, "fit_warp", lambda p, *_: (only_affine(p.transform), {}, _FINE)
        )
        patch.setattr(quantify_job, "measure_pet", partial(measure_pet, prepare=prepared))
        yield


def measure(request: QuantifyRequest, **changes: Any) -> Path:
    """Run a request as the worker does; returns the folder of the results."""
    with quickly():
        made = replace(request, **changes)
        quantify_job.run_quantification(made, lambda _: None, Cancellation())
    return Path(made.output)


_measured: dict[str, Path] = {}
"""Digest of images and question -> folder of the answer."""


def measureOnce(request: QuantifyRequest, keep: Path) -> Path:
    """`measure`; the same question about the same images is answered from ``keep``.

    Measuring takes seconds and is the library's; what the panel does with it is not.
    """
    question = hashlib.sha256(
        repr(replace(request, pet="", t1="", output="", space=None, parcellation=None)).encode()
    )
    for name in (request.pet, request.t1, request.parcellation):
        path = None if name is None else Path(name)
        for file in sorted(path.glob("*synth_suvr*")) if path and path.is_dir() else [path]:
            question.update(b"" if file is None else file.read_bytes())
    key = question.hexdigest()
    if key not in _measured:
        _measured[key] = Path(shutil.copytree(measure(request), keep / key))
    return Path(shutil.copytree(_measured[key], request.output, dirs_exist_ok=True))


def normals(folder: Path, demo: bool = False) -> Path:
    """A database of drawn normals for FDG, pons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normative_case, "SD", 0.08)
        write_database(normative_case.database.__wrapped__(demo=demo), folder)
    return folder


def acquired(folder: Path, database: Path | None = None) -> Path:
    """The measured folder of an acquired PET with a lesion."""
    folder.mkdir(parents=True, exist_ok=True)
    pet = write(folder / "pet.nii.gz", 5000.0 * lesion(), AFFINE)
    mri = write(folder / "t1.nii.gz", t1(), AFFINE)
    request = QuantifyRequest(str(pet), str(mri), str(folder / "out"), "fdg")
    more = {} if database is None else {"database": str(database), "clinical": OF_SEVENTY}
    return measure(request, **more)


def synthesis(folder: Path, t1File: Path, **sidecar: Any) -> Path:
    """The folder that a synthesis of the head leaves, as far as a measurement reads it."""
    from quantify_case import regions

    from PETSynthLib.export.policy import release
    from PETSynthLib.quantify import quantify as quantified

    folder.mkdir(parents=True, exist_ok=True)
    images = {"suvr": lesion(), "sd": 0.1 * lesion()}
    for part, data in images.items():
        write(folder / marks.file_name("fdg", part, ".nii.gz"), data, AFFINE)
    table = quantified(pet_volume(uptake()), None, regions().labels, {})
    rows = {(row.region, row.side): "1.5\t1.3\t1.7\tn/a" for row in table.headline}
    rows |= {(row.region, row.side): "1.5\t1.3\t1.7\tn/a" for row in table.regions}
    rows["cuneus", "L"] = "n/a\tn/a\tn/a\tnot informative"
    name = marks.file_name("fdg", "regions", ".tsv")
    lines = ["synthetic\tregion\tside\tsuvr\tinterval90_low\tinterval90_high\tnote"]
    lines += [f"TRUE\t{region}\t{side}\t{rest}" for (region, side), rest in rows.items()]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    from PETSynthLib.tracers import tracer

    body = {
        "Tracer": "fdg",
        "Evidence": "simulation",
        "Banner": release("simulation", False).banner,
        "ReferenceRegion": "pons",
        "Regions": {"source": "atlas"},
        "ConditioningVariables": {"Used": ["age"]},
        "Model": {"name": "tiny", "version": "1.0", "bundle_sha256": "ab" * 32},
        "Seeds": [7],
        "RequestSha256": "d" * 64,
        "Sources": [{"Role": "T1", "Name": t1File.name, "sha256": _sha256(t1File)}],
        **marks.sidecar_fields(tracer("fdg")),
        **sidecar,
        "Outputs": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
    }
    (folder / marks.file_name("fdg", "", ".json")).write_text(json.dumps(body), encoding="utf-8")
    request = {"version": 1, "kind": "synthesize", "t1": str(t1File), "tracer": "fdg"}
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    result = {
        "version": 1,
        "kind": "synthesize",
        "Synthetic": True,
        "tracer": "fdg",
        "folder": str(folder),
        "headline_text": ["AD-like meta-ROI: 1.50 (1.30 to 1.70)"],
        "notices": [marks.DEMONSTRATION],
        "total_seconds": 24.0,
        "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


def tableOf(folder: Path) -> list[dict[str, str]]:
    """Rows of the table in a measured folder, as text."""
    (path,) = folder.glob("*_regions.tsv")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
