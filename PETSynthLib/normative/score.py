"""How far one person is from the normals: by region, by vertex, by voxel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..checks import Finding, Verdict
from ..errors import ErrorCode, PETSynthError
from ..project.zmaps import Normal, z_decrease
from ..quantify.region_means import region_keys
from ..tracers import tracer
from ..volume import CANONICAL, PetVolume, Volume, on_grid
from .database import Database, Meta
from .flags import flagged
from .measure import OWN, brain_index, judged
from .regression import (
    ENOUGH,
    FEWEST,
    Array,
    Person,
    as_z,
    design,
    ninety_percent,
    sd_widening,
    widening,
)
from .smoothness import ALIKE_MM, brain_fwhm, smoothness_finding, to_fwhm


@dataclass(frozen=True)
class RegionScore:
    """One region of one person beside the normals.

    Attributes
    ----------
    key
        Region key (`region_keys`).
    observed, expected
        SUVR; what is normal at this age and sex.
    percent
        Difference from the expected, percent; negative is lower.
    z
        Positive in the direction of disease; None with fewer than `FEWEST` normals.
    percentile
        Share of normals that lie lower in uptake, 0 to 100; None where z is.
    flagged
        Whether z passes the database's threshold.
    normal
        SUVR of the 5th and 95th percentile of the normals at this age and sex; None where z is.
    """

    key: str
    observed: float
    expected: float
    percent: float
    z: float | None
    percentile: float | None
    flagged: bool
    normal: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scores:
    """Every region of one person.

    Attributes
    ----------
    direction
        ``"decrease"`` or ``"increase"``: what a positive z means.
    header
        The sentence above the table.
    findings
        Number of normals, age, demonstration: each said once.
    """

    direction: str
    rows: tuple[RegionScore, ...]
    header: str
    findings: list[Finding]

    def row(self, key: str) -> RegionScore:
        """The row of a region (`KeyError` when it was not measured)."""
        for one in self.rows:
            if one.key == key:
                return one
        raise KeyError(key)


def require(
    database: Database,
    tracer_key: str,
    reference_region: str,
    bundle_sha256: str = "",
    simulated: bool = False,
) -> None:
    """Refuse a database that does not belong to a PET.

    Parameters
    ----------
    tracer_key, reference_region
        Of the PET.
    bundle_sha256
        The model that made it; empty for an acquired PET.
    simulated
        Whether the PET is of a simulated person or the sample case: only these may be held against
        a demonstration database.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` with what differs.
    """
    meta = database.meta
    pet = (tracer_key, reference_region, bundle_sha256, simulated)
    wrong = mismatch(meta, *pet)
    if wrong:
        fits_but_for_that = not mismatch(replace(meta, demo=False), *pet)
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The normative database {meta.name} {wrong}.",
            "Use a database of real normals, built for this tracer, reference and model."
            if fits_but_for_that
            else "Use the database that was built for this tracer, reference and model.",
        )


def mismatch(
    meta: Meta,
    tracer_key: str,
    reference_region: str,
    bundle_sha256: str = "",
    simulated: bool = False,
) -> str:
    """Why a database does not belong to a PET, empty when it does; parameters as `require`."""
    wrong = ""
    if meta.tracer != tracer_key:
        wrong = f"is of {tracer(meta.tracer).label}, the PET of {tracer(tracer_key).label}"
    elif meta.reference_region != reference_region:
        wrong = f"is divided by {meta.reference_region}, the PET by {reference_region}"
    elif (meta.kind == "synthetic") != bool(bundle_sha256):
        kind = "synthetic" if bundle_sha256 else "acquired"
        wrong = f"is of {meta.kind} PET, this PET is {kind}"
    elif meta.bundle_sha256 != bundle_sha256:
        wrong = "was made with another model than the PET"
    elif meta.demo and not simulated:
        wrong = "is a demonstration: its normals are simulated, and this person may be real"
    return wrong


def findings_for(database: Database, person: Person) -> list[Finding]:
    """What must be said before a z is read: number of normals, age span, demonstration."""
    meta = database.meta
    findings = [_number(meta.n), _age(meta.age, person.age)]
    if meta.demo:
        findings.append(
            Finding(
                "demo_database",
                meta.name,
                "normals who exist",
                Verdict.AMBER,
                "DEMO database: its normals are simulated. It says nothing about a real person.",
            )
        )
    return findings


def score(database: Database, person: Person, values: Mapping[str, float]) -> Scores:
    """Regions of a person beside the normals.

    Parameters
    ----------
    database
        One that `require` has let pass.
    values
        Region key -> SUVR (`measure.values_of`, or those of `region_keys`); unknown keys and NaN
        are left out.
    """
    meta = database.meta
    direction = tracer(meta.tracer).abnormal
    x = _row(database, person)
    regression = database.roi[OWN]
    expected, wide = regression.expected(x), widening(x, database.inverse)
    rows = []
    for position, key in enumerate(region_keys()):
        observed = values.get(key, float("nan"))
        sd = float(regression.sd[position])
        # Where the normals' PET shows nothing, nothing is normal.
        if not np.isfinite(observed) or sd <= 0.0 or expected[position] <= 0.0:
            continue
        rows.append(_scored(database, key, observed, float(expected[position]), sd * wide))
    if meta.flags is not None:
        limit, judged_keys = meta.flags.threshold, _judged_keys()
        rows = [
            replace(r, flagged=r.key in judged_keys and r.z is not None and r.z > limit)
            for r in rows
        ]
    return Scores(direction, tuple(rows), flags_header(meta, rows), findings_for(database, person))


def flags_header(meta: Meta, rows: Iterable[RegionScore]) -> str:
    """The sentence on flags above a table.

    Parameters
    ----------
    rows
        The regions that are shown: what is hidden is not counted either.
    """
    if meta.flags is None:
        return f"No flags: {meta.n} normals are too few for z."
    judged_keys = _judged_keys()
    seen = [row.z for row in rows if row.key in judged_keys and row.z is not None]
    header = meta.flags.header(flagged(seen, meta.flags))
    left = meta.flags.regions - len(seen)
    total = meta.flags.regions
    return f"{header} Not shown, and not counted: {left} of {total} regions." if left else header


def _judged_keys() -> set[str]:
    return {region_keys()[position] for position in judged()}


def normals(database: Database, person: Person) -> dict[str, Normal]:
    """Reference -> what is normal on the surface for this person, as the surface page takes it.

    The SD includes the normals' own uncertainty; with fewer than `ENOUGH` it is widened further, so
    that z = 2 is as rare as it should be.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` with fewer than `FEWEST` normals.
    """
    _refuse_few(database)
    x, factor = _row(database, person), _factor(database, person)
    return {
        key: Normal(
            {side: one.expected(x) for side, one in sides.items()},
            {side: np.asarray(one.sd * factor) for side, one in sides.items()},
        )
        for key, sides in database.surface.items()
    }


def expected_volume(database: Database, person: Person) -> Volume:
    """Mean normal uptake at this age and sex, SUVR on `CANONICAL`; 0 outside the brain."""
    return on_grid(_whole(database.volume.expected(_row(database, person)), 0.0), CANONICAL)


def voxel_z(database: Database, person: Person, pet: PetVolume) -> Volume:
    """z of every voxel, positive in the direction of disease; NaN outside the brain.

    Parameters
    ----------
    pet
        SUVR on `CANONICAL`, as smooth as the normals (`matched`).

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` with fewer than `FEWEST` normals.
    """
    _refuse_few(database)
    x = _row(database, person)
    z = z_decrease(
        pet.data.ravel()[brain_index()],
        1.0,
        database.volume.expected(x),
        np.asarray(database.volume.sd * _factor(database, person)),
    )
    if tracer(database.meta.tracer).abnormal == "increase":
        z = -z
    return on_grid(_whole(z, np.nan), CANONICAL)


def matched(database: Database, person: Person, pet: PetVolume) -> tuple[PetVolume, Finding]:
    """``pet`` (SUVR on `CANONICAL`) as smooth as the normals, and what was found."""
    expected = database.volume.expected(_row(database, person))
    own = brain_fwhm(pet.data.ravel()[brain_index()] - expected)
    wanted = database.meta.fwhm_mm
    finding = smoothness_finding(own, wanted)
    return (to_fwhm(pet, own, wanted) if own < wanted - ALIKE_MM else pet), finding


def _scored(
    database: Database, key: str, observed: float, expected: float, sd: float
) -> RegionScore:
    """A region's score; ``sd`` includes the normals' own uncertainty."""
    percent = 100.0 * (observed - expected) / expected
    if database.meta.n < FEWEST:
        return RegionScore(key, observed, expected, percent, None, None, False)
    n, terms = database.meta.n, len(database.meta.terms)
    low = float(as_z(np.array((expected - observed) / sd), n, terms))
    z = low if tracer(database.meta.tracer).abnormal == "decrease" else -low
    percentile = 100.0 * float(special.ndtr(-low))
    half = sd * ninety_percent(n, terms)
    normal = (max(expected - half, 0.0), expected + half)
    return RegionScore(key, observed, expected, percent, z, percentile, False, normal)


def _row(database: Database, person: Person) -> Array:
    return np.asarray(design([person], database.meta.terms)[0])


def _factor(database: Database, person: Person) -> float:
    """What a residual SD grows by: the normals' uncertainty, and their small number."""
    wide = widening(_row(database, person), database.inverse)
    return wide * sd_widening(database.meta.n, len(database.meta.terms))


def _whole(values: NDArray[np.floating], outside: float) -> NDArray[np.float32]:
    whole = np.full(CANONICAL.shape, outside, np.float32)
    whole.ravel()[brain_index()] = values
    return whole


def _refuse_few(database: Database) -> None:
    if database.meta.n < FEWEST:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The normative database {database.meta.name} has {database.meta.n} people; z needs "
            f"at least {FEWEST}.",
            "Read the percent differences, or add people.",
        )


def _number(n: int) -> Finding:
    limit = f"at least {ENOUGH}"
    if n < FEWEST:
        sentence = f"Only {n} normals: no z, percent differences alone."
    elif n < ENOUGH:
        sentence = f"Only {n} normals: z is provisional (Crawford and Howell's t)."
    else:
        return Finding("normals", n, limit, Verdict.GREEN, f"{n} normals.")
    return Finding("normals", n, limit, Verdict.AMBER, sentence)


def _age(span: tuple[float, float, float], age: float) -> Finding:
    youngest, _, oldest = span
    inside = youngest <= age <= oldest
    words = f"{youngest:.0f} to {oldest:.0f} years"
    sentence = (
        f"The age, {age:.0f}, lies inside that of the normals, {words}."
        if inside
        else f"EXTRAPOLATED AGE: {age:.0f} years, the normals are {words} old."
    )
    verdict = Verdict.GREEN if inside else Verdict.AMBER
    return Finding("age_span", age, words, verdict, sentence)
