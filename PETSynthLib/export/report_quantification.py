"""The report of a measured PET, acquired or synthetic: the same form as that of a synthesis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..project.page import NARROW
from ..project.zmaps import Normal
from ..quantify.scales import pipeline_of
from ..volume import PetVolume
from . import marks
from .figure import CONVENTION, FigureWords, figure
from .figure_parts import NARROW as NARROW_FIGURE
from .figure_parts import WIDE
from .planes import places
from .policy import NORMS, first_lines
from .quantification import Quantification, QuantifiedRow
from .record import software_versions
from .report import write_report
from .report_content import (
    Added,
    Picture,
    RegionLine,
    ReportContent,
    cutoffs_that_hold,
)
from .report_difference import SMOOTH_FWHM_MM, difference_pictures
from .report_pictures import PLANES, surface_pictures
from .ssp import Look, Places, page_png, ssp_pages
from .surface_maps import project
from .tables import region_words

MEAN_WORDS = "Age/sex mean"
MEASURED = "Mean over the region's voxels in the scan's own space."
ON_TEMPLATE = (
    "Normals were measured on the template: expected value, difference and z are of this person's "
    "measurement there, which may differ a little from the value in the scan's own space."
)


def write_quantification_report(
    path: Path,
    quantification: Quantification,
    copy: str,
    normals: Mapping[str, Normal] | None = None,
    on_template: PetVolume | None = None,
    sd: PetVolume | None = None,
    unsure: Places = (),
) -> None:
    """Draw and write the report of a measured PET.

    Parameters
    ----------
    path
        New file.
    quantification
        What may be shown.
    copy
        Text for another document: facts only.
    normals
        Reference -> what is normal on the surface for this person; adds the pages of z.
    on_template
        The PET on the template, as smooth as the normals; by default it is sampled here.
    sd
        Standard deviation of a synthetic PET on the template, or None.
    unsure
        Its regions that are not informative.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when normals are given but the release withholds z-scores.
    """
    content = quantification_content(
        quantification,
        copy,
        slices=_slices(quantification),
        difference=_difference(quantification),
        surface=_surface(quantification, normals, on_template, sd, unsure),
    )
    write_report(path, content)


def quantification_content(
    quantification: Quantification,
    copy: str,
    *,
    slices: Picture | None = None,
    difference: Picture | None = None,
    surface: Mapping[str, Picture] | None = None,
) -> ReportContent:
    """What the report says (parameters as `write_quantification_report`)."""
    q, policy = quantification, quantification.release
    lines = tuple(_line(row) for row in q.rows)
    unit = f"{q.tracer.unit}, reference {region_words(q.pet.reference_region)} = 1"
    if policy.synthetic:
        unit = unit.replace("SUVR", marks.QUANTITY, 1)
    judged = any(line.expected is not None for line in lines)
    return ReportContent(
        release=policy,
        tracer=q.tracer,
        title=_title(q),
        lead=f"{q.tracer.long_name}. {q.alignment.sentence}",
        banner=_banner(q),
        ribbon=marks.CORNER if policy.synthetic else marks.ACQUIRED_RIBBON,
        headline=lines[: q.headline],
        regions=lines,
        quantity=", ".join(filter(None, (unit, policy.cognition))),
        atlas=q.regions_source,
        region_notes=(MEASURED, ON_TEMPLATE if judged else "", _withheld(q)),
        slices=slices,
        added=None if difference is None else _added(difference),
        surface=surface or {},
        scales=tuple(_scale(line.sentence(), line.source) for line in q.scales),
        cutoffs=cutoffs_that_hold(
            q.tracer, q.pet.reference_region, pipeline_of(q.regions_source), policy
        ),
        normals=_normals(q),
        flags="" if set(NORMS) & set(policy.withheld) else q.flags,
        findings=q.findings,
        facts_title="What was measured",
        facts=_facts(q),
        steps=tuple(q.steps),
        provenance=(
            *((f"SHA-256 of {source.name}", source.sha256) for source in q.sources),
            *software_versions().items(),
            ("Created", q.created or "not recorded"),
        ),
        copy=copy,
        do_not_use=marks.DO_NOT_USE,
        footer=(marks.CORNER if policy.synthetic else marks.ACQUIRED,),
    )


def _title(q: Quantification) -> str:
    return marks.title(q.tracer) if q.release.synthetic else f"{q.tracer.label} PET"


def _banner(q: Quantification) -> tuple[str, ...]:
    lines = first_lines(q.release, q.simulated)
    return lines if q.release.synthetic else (*lines, marks.ACQUIRED)


def _line(row: QuantifiedRow) -> RegionLine:
    extra = []
    if row.fill_state is not None:
        extra.append(("Fill state", f"{row.fill_state:.0f} %"))
    if row.gtm is not None:
        extra.append(("Partial-volume corrected", f"{row.gtm:.2f}"))
    score = row.score
    if score is None:
        return RegionLine(row.shown, extra=tuple(extra))
    return RegionLine(
        row.shown,
        expected=score.expected,
        as_expected=score.observed,
        normal=score.normal,
        z=score.z,
        percentile=score.percentile,
        flagged=score.flagged,
        extra=tuple(extra),
    )


def _withheld(q: Quantification) -> str:
    if not q.withheld:
        return ""
    named = "; ".join(f"{judgement} ({reason})" for judgement, reason in q.withheld.items())
    return f"Not given: {named}."


def _normals(q: Quantification) -> str:
    if q.database is None or "z-score" in q.release.withheld:
        return ""
    return f"Normals: {q.database.title}. A positive z is a{_n(q.direction)} {q.direction}."


def _n(word: str) -> str:
    return "n" if word[:1] in "aeiou" else ""


def _scale(sentence: str, source: str) -> tuple[str, str]:
    """``("Centiloid", "34 CL-like (uncalibrated). ... Equation: ...")``."""
    name, _, words = sentence.partition(": ")
    return name, f"{words} Equation: {source}." if source else words


def _facts(q: Quantification) -> tuple[tuple[str, str], ...]:
    reference = q.reference.reference
    measured = (
        f"{region_words(reference.region)}, {reference.ml:.1f} mL, uptake varies by "
        f"{reference.cv:.0f} %"
    )
    model = q.model or {}
    named = [str(model[key]) for key in ("name", "version") if key in model]
    return (
        *((source.role, source.name) for source in q.sources),
        ("Alignment", q.alignment.sentence),
        ("Regions", q.regions_source),
        ("Reference", f"{measured} ({q.reference.source})"),
        ("Normals", "none" if q.database is None else q.database.title),
        *([] if q.pattern is None else [("Pattern", q.pattern.sentence())]),
        *([("Model", " ".join(named))] if named else []),
        *([("Overridden by the user", ", ".join(q.overridden))] if q.overridden else []),
    )


def _words(q: Quantification) -> FigureWords:
    first = f"{marks.CORNER}.  {marks.NOT_ACQUIRED}" if q.release.synthetic else marks.ACQUIRED
    return FigureWords(
        tracer=q.tracer,
        release=q.release,
        title=_title(q),
        subtitle=(
            f"SUVR, reference {region_words(q.pet.reference_region)} = 1   |   {q.tracer.long_name}"
        ),
        banner=_banner(q),
        footer=(first, CONVENTION, marks.DO_NOT_USE),
    )


def _slices(q: Quantification) -> Picture | None:
    """The figure; None for an exploratory synthetic PET, which is only shown low to high."""
    if q.release.triptych:
        return None
    where = places(q.transform)
    wide, narrow = (
        figure(q.native_t1, q.pet, None, where, _words(q), layout)
        for layout in (WIDE, NARROW_FIGURE)
    )
    alternative = f"{_title(q)}: axial, coronal and sagittal slices, beside and over the MRI"
    return Picture(wide, alternative, PLANES, narrow)


def _difference(q: Quantification) -> Picture | None:
    if q.expected is None or q.release.triptych:
        return None
    wide, narrow = difference_pictures(
        q.native_t1, q.pet, None, q.expected, places(q.transform), _words(q), MEAN_WORDS
    )
    return Picture(wide, f"{_title(q)}, mean of the normals, and the difference", narrow=narrow)


def _added(difference: Picture) -> Added:
    return Added(
        title="Beside the mean of the normals",
        picture=difference,
        mean_words=MEAN_WORDS,
        note=(
            "The mean is what the normals show at this age and sex. The picture of the difference "
            f"is smoothed to {SMOOTH_FWHM_MM:g} mm. The mean lies on this scan by one affine: rims "
            "and folds differ with the shape of the head."
        ),
    )


def _surface(
    q: Quantification,
    normals: Mapping[str, Normal] | None,
    on_template: PetVolume | None,
    sd: PetVolume | None,
    unsure: Places,
) -> dict[str, Picture]:
    if q.release.triptych and sd is None:
        return {}
    pet = q.transform.to_template(q.pet) if on_template is None else on_template
    projection = project(pet, sd)
    words = "" if q.database is None else q.database.title
    wide, narrow = (
        ssp_pages(projection, q.release, normals, words, look, unsure, q.simulated)
        for look in (Look(), Look(fold=NARROW))
    )
    both = {part: (page_png(page), page_png(narrow[part])) for part, page in wide.items()}
    return surface_pictures(both, _title(q))
