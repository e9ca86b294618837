"""A measured PET as every writer gets it: whatever may not be shown is not in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import Finding
from ..normative.database import Meta
from ..normative.measure import SPARED
from ..normative.pattern import Similarity
from ..normative.score import RegionScore
from ..preprocess.pet_alignment import PetAlignment
from ..preprocess.transform import NativeToTemplate
from ..quantify.native_suvr import NativeReference
from ..quantify.regions import COMPOSITES, title_of
from ..tracers import Tracer
from ..volume import PetVolume, Volume
from . import marks
from .policy import Release
from .record import Source
from .shown import ShownRow


@dataclass(frozen=True)
class QuantifiedRow:
    """One region of a measured PET as it may be shown.

    Attributes
    ----------
    shown
        Value, side difference, or what stands instead.
    template
        The same region measured as the normals were (on the template, by the affine), SUVR; None
        where hidden or not measured there.
    score
        The region beside the normals, or None.
    fill_state
        Percent of its voxels with z above the threshold, or None.
    gtm
        Mean corrected for partial volume, SUVR, or None.
    """

    shown: ShownRow
    template: float | None = None
    score: RegionScore | None = None
    fill_state: float | None = None
    gtm: float | None = None

    @property
    def may_be_flagged(self) -> bool:
        """Whether flags are looked for here: an atlas region with a z, no composite."""
        region = self.shown.region
        judged = region not in COMPOSITES and region not in SPARED
        return judged and self.score is not None and self.score.z is not None

    @property
    def title(self) -> str:
        """Words for the region."""
        return title_of(self.shown.region)


@dataclass(frozen=True)
class ScaleLine:
    """A value on a scale that makes tracers comparable, or why there is none.

    Attributes
    ----------
    scale
        Key of `quantify.scales.UNITS`.
    value
        None where no equation may be used.
    unit
        ``"CL"``, ``"CL-like (uncalibrated)"``, ``"uncalibrated"``.
    caution, source
        Sentence to print beside it; where the equation was read.
    """

    scale: str
    value: float | None
    unit: str
    calibrated: bool
    region: str
    reference: str
    caution: str
    source: str

    def sentence(self) -> str:
        """One line: ``Centiloid: 34 CL-like (uncalibrated)``."""
        words = {"centiloid": "Centiloid", "centaur": "CenTauR", "centaurz": "CenTauRz"}
        number = "" if self.value is None else f"{self.value:.1f} "
        return f"{words[self.scale]}: {number}{self.unit}. {self.caution}".strip()


@dataclass(frozen=True, eq=False)
class Quantification:
    """A measured PET.

    Attributes
    ----------
    tracer, release, withheld
        What it shows; what may be shown of it, and judgement -> why not (`policy.judged`).
    simulated
        Whether nobody was scanned.
    pet
        SUVR on the T1's canonical grid, inside the brain and its edge.
    native_t1, transform
        T1 on the same grid; affine to the template.
    rows, headline
        Every region once; how many of them, at the beginning, make the headline.
    slice_mm
        Largest voxel edge of the T1.
    alignment, reference, regions_source
        Where the PET lies, what it is divided by, where the labels come from.
    scales
        Values on the tracer's scales; acquired PET only.
    database, flags, direction
        The normals, the sentence on flags, and what a positive z means; None and empty without.
    expected
        Mean normal uptake at this age and sex on the grid of ``pet``, or None.
    fill_threshold
        z beyond which a voxel counts as filled.
    beyond
        1 in these voxels, on the T1's canonical grid; None without normals, and where the PET may
        be seen only together with its low and high.
    gtm
        Facts of the partial-volume correction, or None.
    model
        The model behind a synthetic PET (from its sidecar), or None.
    findings
        Every check; none is red.
    sources, steps, created
        Input files; what was done; when.
    pattern
        How alike z and the user's pattern are, or None where none was given.
    """

    tracer: Tracer
    release: Release
    withheld: Mapping[str, str]
    simulated: bool
    pet: PetVolume
    native_t1: Volume
    transform: NativeToTemplate
    rows: tuple[QuantifiedRow, ...]
    headline: int
    slice_mm: float
    alignment: PetAlignment
    reference: NativeReference
    regions_source: str
    scales: tuple[ScaleLine, ...]
    database: Meta | None
    flags: str
    direction: str
    expected: PetVolume | None
    fill_threshold: float
    gtm: Mapping[str, float] | None
    model: Mapping[str, Any] | None
    findings: tuple[Finding, ...]
    sources: tuple[Source, ...]
    steps: tuple[Mapping[str, Any], ...]
    created: str = ""
    pattern: Similarity | None = None
    beyond: Volume | None = None

    def __post_init__(self) -> None:
        """Refuse what the policy withholds, so that no writer can be given it."""
        hidden = set(self.release.withheld)
        judged = [row for row in self.rows if row.score is not None]
        complaints = {
            "a PET and its release disagree on its mark": self.pet.synthetic
            != self.release.synthetic,
            "withheld judgements need their reasons": hidden - set(self.withheld),
            "z is withheld": "z-score" in hidden
            and any(row.score.z is not None for row in judged if row.score),
            "percentiles are withheld": "percentile" in hidden
            and any(row.score.percentile is not None for row in judged if row.score),
            "fill states are made of z, which is withheld": "z-score" in hidden
            and any(row.fill_state is not None for row in self.rows),
            "voxels beyond the normals are made of z, which is withheld": "z-score" in hidden
            and self.beyond is not None,
            "voxels beyond the normals of a middle that is not shown alone": self.release.triptych
            and self.beyond is not None,
            "flags are made of z, which is withheld": "z-score" in hidden
            and any(row.score.flagged for row in judged if row.score),
            "the scales are withheld": "Centiloid" in hidden and self.scales,
            "normals without a database": self.database is None
            and (judged or self.expected is not None),
            "a demonstration database on a person who may be real": self.database is not None
            and self.database.demo
            and not self.simulated,
            "a hidden value has a number beside it": any(
                row.shown.value is None
                and any(x is not None for x in (row.template, row.score, row.fill_state, row.gtm))
                for row in self.rows
            ),
            "partial-volume correction of a marked PET": self.release.synthetic and self.gtm,
            "a pattern beside a marked PET": self.release.synthetic and self.pattern,
            "a pattern is compared with z, which is withheld": "z-score" in hidden and self.pattern,
        }
        if said := [words for words, wrong in complaints.items() if wrong]:
            raise ValueError("; ".join(said))

    @property
    def overridden(self) -> list[str]:
        """Names of the checks that were red and that the user overrode."""
        return [finding.name for finding in self.findings if finding.overridden]

    def file_name(self, part: str, suffix: str) -> str:
        """Name of one of its files: a synthetic PET's are marked."""
        name = marks.file_name if self.release.synthetic else marks.acquired_file_name
        return name(self.tracer.key, part, suffix)

    def row(self, region: str, side: str = "both") -> QuantifiedRow:
        """The row of a region (`KeyError` when there is none)."""
        for one in self.rows:
            if (one.shown.region, one.shown.side) == (region, side):
                return one
        raise KeyError(f"no region {region!r} on side {side!r}")


def row_of(
    shown: ShownRow,
    *,
    template: Mapping[str, float],
    scores: Mapping[str, RegionScore],
    fill: Mapping[str, float],
    gtm: Mapping[str, float],
) -> QuantifiedRow:
    """A row with all that is known under its key; nothing where the value is hidden.

    Parameters
    ----------
    template, scores, fill, gtm
        By region key (`region_key`).
    """
    if shown.value is None:
        return QuantifiedRow(shown)
    key = region_key(shown.region, shown.side)
    return QuantifiedRow(
        shown,
        template=_known(template.get(key)),
        score=scores.get(key),
        fill_state=None if shown.region in SPARED else _known(fill.get(key)),
        gtm=_known(gtm.get(key)),
    )


def region_key(region: str, side: str) -> str:
    """Key of a region as `quantify.region_means.region_keys` names it: ``precuneus.L``."""
    return f"{region}.{side}" if side in ("L", "R") else region


def _known(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
