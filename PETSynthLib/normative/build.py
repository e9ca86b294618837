"""From healthy people's PET to a normative database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..errors import ErrorCode, PETSynthError
from ..project.surface import SIDES, surfaces
from ..project.zmaps import z_decrease
from ..quantify.region_means import region_keys
from ..tracers import tracer
from ..volume import CANONICAL
from .calibration import Calibration, calibration_of
from .database import KINDS, Database, Meta, surfaces_sha256
from .flags import Flags, set_flags
from .measure import OWN, SETS, Measured, brain_index, judged
from .regression import (
    FEWEST,
    Person,
    Regression,
    Sums,
    as_z,
    design,
    fit,
    inverse_of,
    left_out,
    sd_widening,
    terms_of,
    without_each,
)
from .smoothness import brain_fwhm


@dataclass(frozen=True)
class Description:
    """What only the builder knows.

    Attributes
    ----------
    tracer
        Key of the registry.
    kind
        ``"acquired"`` or ``"synthetic"``.
    bundle_sha256
        The model that made synthetic PET; empty for acquired.
    version
        Version of the database, ``"1.0.0"``.
    demo
        Whether the people are simulated.
    facts
        `database.FACTS`.
    """

    tracer: str
    kind: str
    bundle_sha256: str = ""
    version: str = "1.0.0"
    demo: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the database's folder."""
        demo = "-demo" if self.demo else ""
        return f"ndb-{self.tracer}_kind-{self.kind}{demo}_v{self.version}"


def build(
    description: Description,
    people: Sequence[Person],
    measured: Iterable[Measured],
    age_squared: bool = False,
) -> Database:
    """Fit age and sex at every region, vertex and voxel.

    Parameters
    ----------
    people
        Healthy people with known age and sex.
    measured
        Their PET (`measure.measure`) in the same order; read once, so it may be a generator.
    age_squared
        Whether ageing may bend.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when there are too few people for the terms; ``BAD_REQUEST`` when kind and
        bundle do not fit.
    """
    _check(description, people)
    terms = terms_of(people, age_squared)
    x = design(people, terms)
    inverse = inverse_of(x)
    roi: list[NDArray[np.float64]] = []
    divisors: dict[str, list[float]] = {key: [] for key in SETS}
    peaks: dict[str, list[NDArray[np.float32]]] = {side: [] for side in SIDES}
    voxels = Sums(x, len(brain_index()))
    widths: list[float] = []
    before: NDArray[np.float32] | None = None
    for row, one in enumerate(measured):
        roi.append(one.roi)
        for key in SETS:
            divisors[key].append(one.divisor(key))
        for side in SIDES:
            peaks[side].append(one.surface[side].astype(np.float32))
        voxels.add(row, one.volume)
        if before is not None:
            widths.append(brain_fwhm(one.volume - before))
        before = one.volume
    if len(roi) != len(people):
        msg = f"{len(people)} people, but {len(roi)} PET"
        raise ValueError(msg)
    regions = np.stack(roi)
    by = {key: np.array(values)[:, None] for key, values in divisors.items()}
    surface: dict[str, dict[str, Regression]] = {key: {} for key in SETS[1:]}
    calibration: dict[str, Calibration] = {}
    for key in SETS[1:]:
        z = []
        for side in SIDES:
            values = np.stack(peaks[side]) / by[key]
            surface[key][side] = fit(x, values)
            z.append(_mapped_z(x, values)[:, surfaces()[side].cortex])
        calibration[f"surface_{key}"] = calibration_of(np.concatenate(z, axis=1))
    own = as_z(left_out(x, regions), len(people), len(terms), own=True)[:, judged()]
    calibration["regions"] = calibration_of(own)
    ages = np.array([person.age for person in people])
    meta = Meta(
        name=description.name,
        tracer=description.tracer,
        reference_region=tracer(description.tracer).reference_region,
        kind=description.kind,
        bundle_sha256=description.bundle_sha256,
        n=len(people),
        age=(float(ages.min()), round(float(ages.mean()), 1), float(ages.max())),
        men_percent=round(100.0 * sum(p.sex == "M" for p in people) / len(people), 1),
        terms=terms,
        fwhm_mm=round(float(np.median(widths)), 2),
        template=CANONICAL.name,
        surfaces_sha256=surfaces_sha256(),
        regions=region_keys(),
        software=__version__,
        demo=description.demo,
        calibration=calibration,
        flags=_flags(description.tracer, own),
        facts=dict(description.facts),
    )
    return Database(
        meta,
        inverse,
        {key: fit(x, regions / by[key]) for key in (OWN, *SETS[1:])},
        surface,
        voxels.regression(),
    )


def _check(description: Description, people: Sequence[Person]) -> None:
    tracer(description.tracer)
    if description.kind not in KINDS:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A database is of acquired or synthetic PET, not {description.kind!r}.",
            "Say --kind acquired or --kind synthetic.",
        )
    if (description.kind == "synthetic") != bool(description.bundle_sha256):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "A synthetic database belongs to one model, an acquired one to none.",
            "Name the model with --model for synthetic PET, and only then.",
        )
    if not people:
        raise PETSynthError(ErrorCode.BAD_DATA, "There are no people.", "Fill in the table.")


def _mapped_z(x: NDArray[np.float64], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """z (N, V) of each normal against the others as a map would show it: floor and widened SD."""
    n, k = x.shape
    expected, sd = without_each(x, values)
    sd *= sd_widening(n, k, own=True)
    return np.stack([z_decrease(values[i], 1.0, expected[i], sd[i]) for i in range(n)])


def _flags(key: str, z: NDArray[np.float64]) -> Flags | None:
    """Flags of a database of at least `FEWEST` people; fewer carry no z."""
    if len(z) < FEWEST:
        return None
    known = np.nan_to_num(z)  # a region that nobody's PET shows flags nobody
    return set_flags(known if tracer(key).abnormal == "decrease" else -known)
