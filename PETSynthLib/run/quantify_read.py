"""What a measurement of a PET begins with: the images, what the PET is, what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ErrorCode, PETSynthError
from ..export.meaning import Meaning, meaning_of, pet_of_folder, sample_sha256, says_simulated
from ..export.policy import Grounds, Release, judged, require_pattern
from ..export.record import Source
from ..normative.database import Database, read_database
from ..normative.find import find_database
from ..normative.pattern import Pattern, read_pattern
from ..normative.regression import Person, known_person
from ..preprocess.space import read_space
from ..read import Scan, read_scan
from ..request import QuantifyRequest


@dataclass(frozen=True, eq=False)
class Given:
    """What was read.

    Attributes
    ----------
    file
        Of the PET.
    pet, t1, mask, parcellation
        The images; the last two may be None.
    meaning, reference
        What the PET is, and the region it is divided by.
    grounds, release, withheld
        On what it is judged, what may be shown of it, and judgement -> why not.
    person
        At whose age and sex normals are taken, or None.
    pattern
        With which z is compared, or None.
    sources
        Input files.
    """

    file: Path
    pet: Scan
    t1: Scan
    mask: Scan | None
    parcellation: Scan | None
    meaning: Meaning
    reference: str
    grounds: Grounds
    release: Release
    withheld: Mapping[str, str]
    person: Person | None
    pattern: Pattern | None
    sources: tuple[Source, ...]


def read_given(request: QuantifyRequest) -> Given:
    """Read every image, and find out what the PET is and what may be said of it.

    Raises
    ------
    PETSynthError
        When an image cannot be read, or what is asked for may not be shown of this PET.
    """
    path = Path(request.pet)
    file = pet_of_folder(path) if path.is_dir() else path
    pet, t1 = read_scan(file, "PET"), read_scan(Path(request.t1), "T1")
    mask = read_scan(Path(request.mask), "mask") if request.mask else None
    parcellation = None
    if request.parcellation:
        parcellation = read_scan(Path(request.parcellation), "parcellation")
    if pet.sha256 == t1.sha256:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST, "PET and T1 are the same image.", "Give the PET of this T1."
        )
    meaning = meaning_of(file, pet, request.tracer)
    reference = request.reference or meaning.tracer.reference_region
    if meaning.release.synthetic:
        _refuse_for_synthetic(request, meaning, t1, reference)
    simulated = meaning.simulated or (
        meaning.release.synthetic
        and (t1.sha256 == sample_sha256() or says_simulated(Path(request.t1)))
    )
    database: Database | None = None
    person = None
    if request.database:
        database = read_database(find_database(Path(request.database)))
        person = known_person(request.clinical.age, request.clinical.sex)
    grounds = Grounds(meaning.tracer.key, reference, meaning.bundle_sha256, simulated, database)
    release, withheld = judged(meaning.release, grounds)
    pattern = None
    if request.pattern:
        require_pattern(release)
        pattern = read_pattern(Path(request.pattern))
    images = (("PET", file, pet), ("T1", request.t1, t1), ("mask", request.mask, mask))
    rest = ("parcellation", request.parcellation, parcellation)
    return Given(
        file,
        pet,
        t1,
        mask,
        parcellation,
        meaning,
        reference,
        grounds,
        release,
        withheld,
        person,
        pattern,
        tuple(Source(r, Path(p).name, s.sha256) for r, p, s in (*images, rest) if p and s),
    )


def _refuse_for_synthetic(
    request: QuantifyRequest, meaning: Meaning, t1: Scan, reference: str
) -> None:
    if meaning.source_t1_sha256 != t1.sha256:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            "This synthetic PET was made from another MRI than the T1 given.",
            "Give the T1 it was made from.",
        )
    if reference != meaning.tracer.reference_region:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A synthetic PET keeps the reference region of its synthesis "
            f"({meaning.tracer.reference_region}): its uncertainty is known for no other.",
            "Leave --reference out.",
        )
    if request.gtm_fwhm_mm is not None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "Partial-volume correction is for acquired PET: a synthetic one was blurred by no "
            "scanner.",
            "Leave --gtm out.",
        )


def spaces_of(request: QuantifyRequest, given: Given, previous: Path | None) -> list[Path]:
    """Folders ``space/`` that belong to this T1 (and mask), best first.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when the one that the request names does not.
    """
    sources = {
        "t1_sha256": given.t1.sha256,
        "flair_sha256": None,
        "mask_sha256": None if given.mask is None else given.mask.sha256,
    }
    wanted = None if request.space is None else Path(request.space)
    if wanted is not None and read_space(wanted, given.t1, sources) is None:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The folder {wanted} holds no brain mask and transform of this T1.",
            "Name the space folder of an earlier result on the same T1 (and mask), or leave it "
            "out.",
        )
    candidates = (wanted, previous, given.file.parent / "space")
    return [
        folder
        for folder in candidates
        if folder is not None and read_space(folder, given.t1, sources) is not None
    ]
