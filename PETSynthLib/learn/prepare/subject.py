"""One subject: from the files of a session to the row of a store."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...assets import reference_mask
from ...checks import Finding
from ...errors import ErrorCode, PETSynthError
from ...export.planes import brain_box
from ...generate.atlas.forward import atlas_labels, grid_key_of
from ...generate.atlas.segment import segment
from ...preprocess import NativeToTemplate, Prepared, prepare
from ...preprocess.pet import align_pet, pet_space
from ...preprocess.rigid import AroundBrain
from ...preprocess.steps import Steps
from ...preprocess.transform import resample
from ...progress import Silent
from ...quantify.regions import template_regions
from ...read import Scan, read_scan
from ...read.dataset import Problem, Session
from ...restore.reference import measure_reference, share_inside
from ...tracers import Tracer, tracer
from ...volume import Grid, PetVolume, Volume
from ..regions import label_sums, membership
from ..store import Store, StoreWriter
from .picture import PetPicture, draw

HIGHEST_SUVR = 50.0
REFERENCE_IN_VIEW = 0.9
"""Share of the reference region that a PET must show."""

EMPTY_MARGIN_MM = 15.0
"""Kept around a stripped brain, so that the scan still covers the whole template."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Task:
    """What a worker needs to prepare one row.

    Attributes
    ----------
    row
        Of the store.
    session
        The files.
    folder, facts, rows
        As for `StoreWriter`.
    device
        Where the brain mask is found.
    """

    row: int
    session: Session
    folder: Path
    facts: dict[str, Any]
    rows: int
    device: str = "cpu"

    @property
    def grid(self) -> Grid:
        """The store's lattice."""
        return Store(self.folder, self.facts, ()).grid


@dataclass(frozen=True)
class Outcome:
    """What became of a row.

    Attributes
    ----------
    row
        Of the store.
    complete
        Whether all its arrays are written.
    brain_ml, flair, tracers
        As in `Subject`.
    problems
        What could not be used; a complete row may have some too.
    """

    row: int
    complete: bool
    brain_ml: float
    flair: bool
    tracers: tuple[str, ...]
    problems: tuple[Problem, ...]


def prepare_subject(task: Task) -> Outcome:
    """Write the row of ``task``: images, labels, volumes, picture, oracle.

    A FLAIR or a PET that cannot be used is left out and named; without a T1 or without any PET
    the row stays incomplete.

    Raises
    ------
    OSError
        When the store cannot be written (disk full).
    """
    problems: list[Problem] = []
    try:
        return _prepared_row(task, problems)
    except PETSynthError as problem:
        problems.append(Problem(task.session.name, problem.text, problem.hint))
        return Outcome(task.row, False, 0.0, False, (), tuple(problems))


def _prepared_row(task: Task, problems: list[Problem]) -> Outcome:
    session, grid = task.session, task.grid
    _ = session.clinical  # refused, if need be, before the slow part
    mri = _prepare_mri(session, grid, task.device, problems)
    arrays: Arrays = {
        "t1": mri.t1.data,
        "flair": np.zeros(grid.shape) if mri.flair is None else mri.flair.data,
        "brain": mri.brain.mask,
        "regions": _labels(session, mri, grid),
        "volumes": grey_volumes(mri),
    }
    findings = list(mri.findings)
    pictures = []
    around = pet_space(mri.native_t1, mri.native_brain)
    for key in task.facts["tracers"]:
        if key not in session.pets:
            continue
        try:
            acquired, truth, match = _pet(session, tracer(key), mri, around, grid)
        except PETSynthError as problem:
            problems.append(
                Problem(session.name, f"{tracer(key).label}: {problem.text}", problem.hint)
            )
            continue
        arrays[f"pet_{key}"] = acquired.data
        if truth is not None:
            arrays[f"truth_{key}"] = truth.data
        findings.append(match)
        pictures.append(PetPicture(tracer(key), acquired, float(match.value)))
    if not pictures:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "It has no usable PET." if session.pets else "It has no PET.",
            f"Wanted are {', '.join(tracer(k).label for k in task.facts['tracers'])}.",
        )
    writer = StoreWriter(task.folder, task.facts, task.rows)
    writer.write(task.row, arrays)
    _keep_simulation(session, task.folder)
    picture = draw(session.name, mri, tuple(pictures))
    (task.folder / "qc" / f"{session.name}.png").write_bytes(picture)
    _write_measures(task.folder, session.name, findings, pictures)
    return Outcome(
        task.row,
        True,
        float(mri.native_brain.mask.sum()) * mri.native_brain.grid.voxel_ml,
        mri.flair is not None,
        tuple(p.tracer.key for p in pictures),
        tuple(problems),
    )


def _prepare_mri(session: Session, grid: Grid, device: str, problems: list[Problem]) -> Prepared:
    """The MRI as in synthesis; a FLAIR or mask that does not fit is left out and named."""
    t1 = read_scan(session.t1, "T1")
    mask = None if session.mask is None else read_scan(session.mask, "mask")
    if mask is None:  # a mask must lie on the T1's grid
        t1 = without_margin(t1)

    def run(flair: Scan | None) -> Prepared:
        return prepare(
            t1, flair=flair, mask=mask, space=None, grid=grid, device=device, progress=Silent()
        )

    if session.flair is None:
        return run(None)
    try:
        return run(without_margin(read_scan(session.flair, "FLAIR")))
    except PETSynthError as problem:
        if "FLAIR" not in problem.text:
            raise
        problems.append(Problem(session.name, problem.text, "It goes on without the FLAIR."))
        return run(None)


def without_margin(scan: Scan) -> Scan:
    """``scan`` without the empty space far from a head that was stripped of its skull.

    Half of such a scan is zero, and every filter would work through it. A scan with noise in the
    air stays as it is.
    """
    box = brain_box(scan.volume, EMPTY_MARGIN_MM)
    affine = scan.volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [first for first, _ in box]
    i, j, k = (stop - first for first, stop in box)
    return replace(scan, volume=scan.volume.crop(Grid((i, j, k), affine)))


def _labels(session: Session, mri: Prepared, grid: Grid) -> NDArray[np.uint8]:
    """Region labels: the simulation's own, else the atlas's inside the brain."""
    if session.simulation.labels is not None:
        own = read_scan(session.simulation.labels, "mask").volume
        labels = mri.transform.to_template(own, grid, order=0).data
    else:
        labels = resample(template_regions(), np.eye(4), grid, order=0) * mri.brain.mask
    return np.asarray(labels, dtype=np.uint8)


def grey_volumes(mri: Prepared) -> NDArray[np.float32]:
    """Grey matter (R,) in mL of the scan's own space, found from the T1 alone.

    Tissue by `segment`, regions by the atlas's territories: what a real scan allows.
    """
    grid = mri.t1.grid
    tissues = segment(mri.t1, mri.brain)
    territories, deep = atlas_labels(grid_key_of(grid))
    grey = tissues.grey + np.where(deep, tissues.white, 0.0)
    native_ml = grid.voxel_ml / abs(float(np.linalg.det(mri.transform.matrix[:3, :3])))
    sums = label_sums(territories, grey)
    return np.asarray(membership() @ sums * native_ml, dtype=np.float32)


def _pet(
    session: Session, wanted: Tracer, mri: Prepared, around: AroundBrain, grid: Grid
) -> tuple[PetVolume, PetVolume | None, Finding]:
    """Acquired PET and truth on ``grid`` in SUVR, and how well the PET fits."""
    acquired = read_scan(session.pets[wanted.key], "PET").volume
    steps = Steps()
    to_pet, match = align_pet(around, acquired, wanted.label, Silent(), steps)
    whole = NativeToTemplate(mri.transform.matrix @ np.linalg.inv(to_pet))
    _check_view(wanted, whole, acquired)
    truth = None
    if wanted.key in session.simulation.truth:
        clean = read_scan(session.simulation.truth[wanted.key], "PET").volume
        # It is in SUVR already, over its own brain's reference region: an atlas that lies a little
        # off must not divide it again, for the oracle knows nothing of that.
        truth = _as_pet(whole.to_template(clean, grid), wanted, 1.0)
    return suvr(whole.to_template(acquired, grid), wanted), truth, match


def _check_view(wanted: Tracer, whole: NativeToTemplate, pet: Volume) -> None:
    share = share_inside(reference_mask(wanted.reference_region), whole.matrix, pet.grid)
    if share < REFERENCE_IN_VIEW:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"Only {100 * share:.0f} % of the reference region "
            f"({wanted.reference_region.replace('_', ' ')}) lies inside the PET, so there is no "
            "SUVR.",
            "Use a PET that shows the whole brain with brain stem and cerebellum.",
        )


def suvr(image: Volume, wanted: Tracer) -> PetVolume:
    """A PET on the template, any unit, over its mean in the tracer's reference region."""
    raw = PetVolume(
        image.data,
        image.affine,
        image.space,
        tracer=wanted.key,
        reference_region=wanted.reference_region,
        synthetic=False,
    )
    return _as_pet(image, wanted, 1.0 / measure_reference(raw).mean)


def _as_pet(image: Volume, wanted: Tracer, factor: float) -> PetVolume:
    """``image`` times ``factor`` as SUVR of a tracer."""
    return PetVolume(
        np.clip(image.data * factor, 0.0, HIGHEST_SUVR),
        image.affine,
        image.space,
        tracer=wanted.key,
        reference_region=wanted.reference_region,
        synthetic=False,
    )


def _keep_simulation(session: Session, folder: Path) -> None:
    """The oracle and the hidden state travel with the store."""
    for source in (session.simulation.oracle, session.simulation.latents):
        if source is not None:
            shutil.copyfile(source, folder / "oracle" / f"{session.name}{source.suffix}")


def _write_measures(
    folder: Path, name: str, findings: list[Finding], pictures: list[PetPicture]
) -> None:
    """What the page of pictures is sorted by."""
    body = {
        "subject": name,
        "match": {p.tracer.key: p.match for p in pictures},
        "findings": [f.as_dict() for f in findings],
    }
    text = json.dumps(body, indent=1, default=float)
    (folder / "qc" / f"{name}.json").write_text(text + "\n", encoding="utf-8")
