"""The release policy: what may be shown depends on the evidence behind it.

One table. Figure, report, tables and sidecar ask `release` and decide nothing themselves; which
regional values are good enough to be printed is in `shown`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from ..errors import ErrorCode, PETSynthError
from ..normative.database import Database
from ..normative.regression import FEWEST
from ..normative.score import require
from ..tracers import Tracer
from . import marks

NORMATIVE = ("z-score", "percentile", "Centiloid", "CenTauR", "Braak stage", "cut-off marker")
"""Judgements that only acquired PET (or, later, a matching normative database) can carry."""

NORMS = ("z-score", "percentile")
"""Judgements that rest on a normative database; flags and fill states are made of z."""
BRAAK = "its thresholds were made for partial-volume corrected FreeSurfer regions"
NO_DATABASE = "no normative database was given"
ACQUIRED_ONLY = "only acquired PET carries it"


@dataclass(frozen=True)
class Release:
    """What an output must say and may show.

    Attributes
    ----------
    evidence
        What the picture rests on (a key of the table).
    synthetic
        Whether every mark of `marks` is set.
    banner
        First line of figure, report and sidecar; empty for an acquired PET.
    withheld
        Judgements that this evidence does not carry; never shown.
    opening
        Sentence the report begins with when cognition shaped the picture, or empty.
    cognition
        For corners and tables: the cognitive fields that shaped the picture, or empty.
    triptych
        Whether the PET appears only as low | middle | high in one window.
    """

    evidence: str
    synthetic: bool
    banner: str
    withheld: tuple[str, ...]
    opening: str = ""
    cognition: str = ""
    triptych: bool = False


_BY_EVIDENCE: dict[str, Release] = {
    "simulation": Release("simulation", True, marks.DEMONSTRATION, NORMATIVE),
    "population atlas": Release("population atlas", True, marks.POPULATION, NORMATIVE),
    "real pairs": Release("real pairs", True, marks.COMPUTED, NORMATIVE),
    "acquired": Release("acquired", False, "", ()),
}
DEMONSTRATIONS = ("simulation", "population atlas")
"""Evidence on which nobody who exists is judged."""


def release(evidence: str, exploratory: bool, cognition: tuple[str, ...] = ()) -> Release:
    """The policy for one output.

    Parameters
    ----------
    evidence
        ``"simulation"``, ``"population atlas"``, ``"real pairs"`` (what the bundle was made
        from) or ``"acquired"``.
    exploratory
        Whether MRI leaves the tracer's uptake open (`Tracer.exploratory`).
    cognition
        Cognitive fields that shaped the picture.

    Raises
    ------
    KeyError
        For evidence the table does not know: nothing is shown on unknown grounds.
    """
    row = _BY_EVIDENCE[evidence]
    if not row.synthetic:
        return row
    return Release(
        row.evidence,
        row.synthetic,
        row.banner,
        row.withheld,
        opening=marks.COGNITION if cognition else "",
        cognition=marks.cognition_used(cognition),
        triptych=exploratory,
    )


def require_suvr(suvr_known: bool, model: str) -> None:
    """Refuse a model whose numbers are no SUVR: nothing that is made of them may be shown.

    Every picture, interval, z and score of PETSynth is SUVR. Dividing by the reference region would
    make numbers that look like it of any picture.

    Parameters
    ----------
    suvr_known
        `Bundle.suvr_known`.
    model
        Its name.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST``.
    """
    if not suvr_known:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The numbers of the model {model} are no SUVR: it learnt from scans that were each "
            "scaled by their own range, which nobody has told.",
            "Import its checkpoint again with the SUVR of that range: --option scale=LOW:HIGH for "
            "pasta, --option scale=TRACER:HIGH,... for rela.",
        )


def first_lines(policy: Release, simulated: bool) -> tuple[str, ...]:
    """What stands above everything that is shown of a PET.

    Parameters
    ----------
    simulated
        Whether nobody was scanned; a PET that a model made says what it is by its banner.
    """
    drawn = marks.SIMULATED if simulated and not policy.synthetic else ""
    return tuple(filter(None, (policy.opening, policy.banner, drawn)))


@dataclass(frozen=True, eq=False)
class Grounds:
    """What a judgement on a measured PET would rest on.

    Attributes
    ----------
    tracer, reference_region
        Of the PET.
    bundle_sha256
        The model that made it; empty for an acquired PET.
    simulated
        Whether nobody is judged: the person is simulated, or the sample case.
    database
        The normals, or None.
    """

    tracer: str
    reference_region: str
    bundle_sha256: str = ""
    simulated: bool = False
    database: Database | None = None


def judged(policy: Release, grounds: Grounds) -> tuple[Release, dict[str, str]]:
    """The policy for a PET that was measured, and why each judgement is withheld.

    Parameters
    ----------
    policy
        `release` of the PET.

    Returns
    -------
    The policy with what remains withheld, and judgement -> reason for each of these.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for normals that this PET may not be held against: who asks for them is
        told, instead of getting a table without z.
    """
    reasons: dict[str, str] = {}
    database = grounds.database
    if database is None:
        reasons |= dict.fromkeys(NORMS, NO_DATABASE)
    else:
        require(
            database,
            grounds.tracer,
            grounds.reference_region,
            grounds.bundle_sha256,
            grounds.simulated,
        )
        if not has_normals(policy.evidence, grounds.simulated):
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "This PET comes from a demonstration model: it says nothing about a person, so it "
                "is not held against normals.",
                "Leave the normative database out.",
            )
        if database.meta.n < FEWEST:
            few = f"the database has {database.meta.n} people, z needs {FEWEST}"
            reasons |= dict.fromkeys(NORMS, few)
    if policy.synthetic:
        scales = ("Centiloid", "CenTauR", "Braak stage", "cut-off marker")
        reasons |= dict.fromkeys(scales, ACQUIRED_ONLY)
    else:
        reasons["Braak stage"] = BRAAK
    return replace(policy, withheld=tuple(n for n in NORMATIVE if n in reasons)), reasons


def has_normals(evidence: str, simulated: bool) -> bool:
    """Whether a PET of this evidence may be held against normals at all; else none are offered."""
    return simulated or evidence not in DEMONSTRATIONS


def require_pattern(policy: Release) -> None:
    """Refuse to compare a PET with a pattern where the policy withholds that.

    Parameters
    ----------
    policy
        `judged` of the PET.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for every synthetic PET, and for an acquired one without z.
    """
    if policy.synthetic:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A {marks.WORD.lower()} PET is compared with no pattern of a disease: its regions "
            "were drawn from an MRI, not measured.",
            "Leave --pattern out.",
        )
    if "z-score" in policy.withheld:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "A pattern is compared with z, and there is none without enough normals.",
            f"Give a normative database of at least {FEWEST} people, or leave --pattern out.",
        )


def has_surface_z(tracer: Tracer, synthetic: bool, people: int) -> bool:
    """Whether z of a PET is shown on the brain surface, against a database of so many people.

    z of the middle of low, middle and high alone would show it without the other two.
    """
    return people >= FEWEST and not (synthetic and tracer.exploratory)


def require_images(policy: Release, there: bool) -> None:
    """Refuse to hand out images that are not ours, or that a result does not hold.

    Parameters
    ----------
    there
        Whether the result holds any.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for an acquired PET, and for a result without images.
    """
    if not policy.synthetic:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "Images of an acquired PET are not exported: the scanner's own are there.",
            "Export its labelmap, csv or report.",
        )
    if not there:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "The result of a measurement holds no images of the PET.",
            f"Name the folder of the {marks.SYNTHESIS} that drew it.",
        )


DICOM_OBJECTS = ("pm", "seg", "sr", "sc", "pt")
"""Parametric Map, Segmentation, Structured Report, Secondary Capture, PT image, in the order in
which they are written: each refers to none behind it."""
_DICOM_IMAGES = frozenset({"pm", "sc", "pt"})


def dicom_objects(policy: Release, wanted: Collection[str], own_study: bool) -> tuple[str, ...]:
    """Which DICOM objects are written.

    Parameters
    ----------
    policy
        Of the PET.
    wanted
        Keys of `DICOM_OBJECTS`. A structured report brings the segmentation it refers to.
    own_study
        Whether they go into the patient's own study.

    Returns
    -------
    Keys in the order of `DICOM_OBJECTS`.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for an object that is not known or that this PET may not become.
    """
    if unknown := sorted(set(wanted) - set(DICOM_OBJECTS)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The DICOM object {unknown[0]!r} is not known.",
            f"Choose from {', '.join(DICOM_OBJECTS)}.",
        )
    if not policy.synthetic and _DICOM_IMAGES & set(wanted):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "Images of an acquired PET are not exported to DICOM: the scanner's own are there.",
            "Choose seg and sr, its regions and their values.",
        )
    if policy.evidence in DEMONSTRATIONS and "pt" in wanted:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "A picture of a demonstration model is not exported as DICOM PT: programs that know "
            "only PET scanners would show it as a scan.",
            "Leave pt out; the Parametric Map (pm) carries the same numbers.",
        )
    if policy.evidence in DEMONSTRATIONS and "sr" in wanted and own_study:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "Values of a demonstration model are not written into the patient's own study: they "
            "say nothing about the patient.",
            "Leave sr out, or leave --source-dicom out, which begins a new study.",
        )
    chosen = {*wanted, "seg"} if "sr" in wanted else set(wanted)
    return tuple(name for name in DICOM_OBJECTS if name in chosen)
