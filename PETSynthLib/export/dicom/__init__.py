"""A finished result as DICOM: Parametric Map, segmentation, report, pages, and PT on demand.

`write_dicom` is the door. Every object is pressed with its marks and saved by `stamp`, which
refuses one that lacks any.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ..finished import Finished
from ..policy import dicom_objects
from .identity import without_identity
from .parametric_map import write_maps
from .pet import write_pt
from .secondary_capture import write_pages
from .segmentation import write_segmentations
from .source import own_study
from .stamp import Stamp, derivation_text
from .structured_report import write_report
from .study import Study, new_study

PACKAGES = ("pydicom", "highdicom")
_SERIAL = 16


def write_dicom(
    finished: Finished,
    folder: Path,
    objects: Collection[str],
    source_dicom: Path | None,
    deidentify: bool,
    progress: Progress,
    token: str = "",
) -> list[Path]:
    """Write DICOM objects of a result.

    Parameters
    ----------
    finished
        The result.
    folder
        Exists, and is empty.
    objects
        Keys of `policy.DICOM_OBJECTS`; none means the Parametric Map of a synthesis, the
        segmentation of a measurement.
    source_dicom
        Folder with the T1's DICOM series: the objects go into its study and frame of reference.
        None begins a new study, which a finding says.
    deidentify
        Whether name, ID, dates and UIDs are taken out; the marks stay.
    progress
        Told after each kind of object; may cancel. Gets the findings.
    token
        `ExportRequest.study`.

    Returns
    -------
    Files in the order written.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for objects that may not be written, that the result does not hold, or for a
        folder without the T1's series; ``BAD_GEOMETRY`` for a T1 whose place DICOM cannot say;
        ``DEPENDENCY`` when the packages are missing.
    """
    wanted = objects or (("pm",) if finished.images else ("seg",))
    chosen = dicom_objects(finished.release, wanted, own_study=source_dicom is not None)
    _require_held(finished, chosen)
    require_packages()
    study = _study(finished, source_dicom, progress, token)
    if deidentify:
        study = without_identity(study, token)
    stamp = Stamp(
        finished.tracer,
        finished.release,
        derivation_text(finished.record),
        str(finished.model.get("bundle_sha256", "none"))[:_SERIAL],
        deidentified=deidentify,
    )
    segmentation: list[Any] = []

    def regions() -> list[Path]:
        paths, made = write_segmentations(finished, study, stamp, folder)
        segmentation.append(made)
        return paths

    def values() -> list[Path]:
        return [write_report(finished, study, stamp, folder, segmentation[0])]

    common = (finished, study, stamp, folder)
    writers: dict[str, Callable[[], list[Path]]] = {
        "pm": partial(write_maps, *common),
        "seg": regions,
        "sr": values,
        "sc": partial(write_pages, *common),
        "pt": partial(write_pt, *common),
    }
    written: list[Path] = []
    for number, name in enumerate(chosen):
        progress.step(number, len(chosen))
        written += writers[name]()
    progress.step(len(chosen), len(chosen))
    return written


def require_packages() -> None:
    """Refuse with a sentence where pydicom or highdicom is missing."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise PETSynthError(
            ErrorCode.DEPENDENCY,
            f"DICOM cannot be written: {' and '.join(missing)} is not installed.",
            'Install it with: pip install "petsynth[dicom]".',
        )


def _require_held(finished: Finished, chosen: Collection[str]) -> None:
    """Refuse objects whose content lies in another folder: a measurement has no pictures."""
    held = {"pm": finished.images, "pt": finished.images, "sc": finished.pages}
    if absent := [name for name in chosen if name in held and not held[name]]:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"This is the folder of a measurement: it holds nothing for {' and '.join(absent)}.",
            "Choose seg and sr, or name the folder that holds the PET itself.",
        )


def _study(finished: Finished, source_dicom: Path | None, progress: Progress, token: str) -> Study:
    """The T1's own study or a new one; a finding says which."""
    one = finished.scan("suvr") if finished.images else finished.regions
    if source_dicom is None:
        study, finding = new_study(one.stored, finished.t1.sha256, token)
    else:
        t1 = finished.t1_scan
        study, finding = own_study(
            source_dicom, one.stored, None if t1 is None else t1.volume, progress
        )
    progress.finding(finding)
    return study
