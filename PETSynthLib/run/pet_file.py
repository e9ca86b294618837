"""From a PET file to the template: its transform, its voxels there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import ErrorCode, PETSynthError
from ..export.meaning import Meaning, meaning_of, pet_of_folder
from ..preprocess.space import TRANSFORM
from ..preprocess.transform import NativeToTemplate
from ..read import Scan, read_scan
from ..restore.reference import measure_reference
from ..volume import PetVolume


def suvr_in_template(
    path: Path, tracer: str, transform: Path | None
) -> tuple[PetVolume, Meaning, NativeToTemplate]:
    """A PET on the template's grid, as SUVR.

    Parameters
    ----------
    path
        Image, or folder of a synthesis.
    tracer
        Tracer of an acquired PET; empty for a synthetic one.
    transform
        ITK transform, scan to template; None for ``space/`` beside the PET.

    Raises
    ------
    PETSynthError
        ``BAD_IMAGE``, ``BAD_REQUEST`` or ``BAD_DATA``, as the functions below.
    """
    file = pet_of_folder(path) if path.is_dir() else path
    scan, meaning, space = read_pet(file, tracer, transform)
    return suvr_of(scan, meaning, space), meaning, space


def read_pet(
    file: Path, tracer: str, transform: Path | None
) -> tuple[Scan, Meaning, NativeToTemplate]:
    """A PET file as it is, what it holds and how it lies; parameters as `suvr_in_template`."""
    scan = read_scan(file, "PET")
    return scan, meaning_of(file, scan, tracer), transform_of(file, transform)


def suvr_of(scan: Scan, meaning: Meaning, space: NativeToTemplate) -> PetVolume:
    """A PET image as read, as SUVR on the template's grid."""
    pet = in_template(scan, meaning, space)
    if meaning.release.synthetic:
        return pet
    # An acquired PET comes in any unit.
    return pet.with_data(pet.data / measure_reference(pet).mean)


def in_template(scan: Scan, meaning: Meaning, space: NativeToTemplate) -> PetVolume:
    """A PET image as read, sampled on the template's grid."""
    volume = space.to_template(scan.volume)
    return PetVolume(
        volume.data,
        volume.affine,
        volume.space,
        tracer=meaning.tracer.key,
        reference_region=meaning.tracer.reference_region,
        synthetic=meaning.release.synthetic,
    )


def sd_in_template(meaning: Meaning, space: NativeToTemplate) -> PetVolume | None:
    """Standard deviation of a synthetic PET on the template's grid, SUVR; None without."""
    if meaning.sd is None:
        return None
    return replace(in_template(read_scan(meaning.sd, "PET"), meaning, space), quantity="sd")


def transform_of(path: Path, given: Path | None) -> NativeToTemplate:
    """The transform of a PET to the template: the given one, or the one in ``space/`` beside it."""
    file = path.parent / "space" / TRANSFORM if given is None else given
    if given is None and not file.is_file():
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "It is not known how this PET lies in the template: no space folder is beside it.",
            "Name the transform of its scan with --transform.",
        )
    return NativeToTemplate.read(file)
