"""NRRD: the images with their marks and facts in the header, where 3D Slicer finds them."""

from __future__ import annotations

from pathlib import Path

from ...progress import Progress
from ..finished import Finished
from ..nrrd import write_pet_nrrd
from .images import images_of, words_of


def write_nrrd_volumes(finished: Finished, folder: Path, progress: Progress) -> list[Path]:
    """Write every image; parameters and errors as `nifti.write_nifti`."""
    images = images_of(finished)
    written = []
    for number, (part, name) in enumerate(images.items()):
        progress.step(number, len(images))
        path = folder / f"{name.removesuffix('.nii.gz')}.nrrd"
        scan = finished.scan(part)
        pet = finished.pet_in(scan, part)
        write_pet_nrrd(path, pet, scan.stored, _fields(finished, part))
        written.append(path)
    return written


def _fields(finished: Finished, part: str) -> dict[str, str]:
    """Header fields by the names of 3D Slicer's attributes of our nodes."""
    model, record = finished.model, finished.record
    fields = {
        "PETSynth.Image": words_of(finished, part),
        "PETSynth.Tracer": finished.tracer.key,
        "PETSynth.ReferenceRegion": finished.reference_region,
        "PETSynth.Unit": finished.tracer.unit,
        "PETSynth.ModelId": f"{model['name']} {model['version']}",
        "PETSynth.ModelHash": str(model["bundle_sha256"]),
        "PETSynth.Seed": " ".join(str(seed) for seed in record["Seeds"]),
        "PETSynth.Evidence": finished.release.evidence,
        "PETSynth.Cognition": finished.release.cognition,
        "PETSynth.Banner": finished.release.banner,
        "PETSynth.ResultSha256": finished.digest,
    }
    return {key: value for key, value in fields.items() if value}
