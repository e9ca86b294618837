"""The surface pages of one PET, with the words and marks its evidence demands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..checks import Finding
from ..errors import ErrorCode, PETSynthError
from ..project.page import DECREASE, INCREASE, PageText, png, render_page, z_rows
from ..project.paint import Row, anatomy_row
from ..project.references import cerebellum_finding, reference_values
from ..project.sampling import SurfaceSamples, sample_both
from ..project.surface import SIDES
from ..project.zmaps import Normal, unreliable, z_maps
from ..tracers import Tracer, tracer
from ..volume import PetVolume, Volume
from . import marks
from .figure import low_and_high
from .policy import Release
from .tables import region_words

SPREAD_WINDOW = (0.0, 20.0)
"""Percent of the uptake."""
NAME = "SSP (3D-SSP-style)"
SIDE_WORDS = (
    "RT, LT: the patient's right and left hemisphere. L, R beside SUP, INF, ANT and POST: the "
    "patient's left and right."
)
METHOD_WORDS = "Peak uptake within 13.5 mm below the template's surface."


@dataclass(frozen=True, eq=False)
class Projection:
    """A PET read off the surface.

    Attributes
    ----------
    samples
        Side -> peaks of the PET.
    spread
        Side -> (V,) standard deviation at the depth of the peak, or None for an acquired PET.
    references
        GLB, THL, CBL, PNS -> uptake.
    findings
        Whether the references can be trusted.
    """

    pet: PetVolume
    sd: PetVolume | None
    samples: dict[str, SurfaceSamples]
    spread: dict[str, SurfaceSamples] | None
    references: dict[str, float]
    findings: list[Finding]


def project(
    pet: PetVolume, sd: PetVolume | None = None, find_on: Volume | None = None
) -> Projection:
    """Read a PET off the surface.

    Parameters
    ----------
    pet
        SUVR in the template space.
    sd
        Its standard deviation, template space.
    find_on
        Image on which peaks are found, template space; default the PET.
    """
    search = pet if find_on is None else find_on
    samples = sample_both(pet, find_on=find_on)
    return Projection(
        pet=pet,
        sd=sd,
        samples=samples,
        spread=None if sd is None else sample_both(sd, find_on=search),
        references=reference_values(pet, samples),
        findings=[cerebellum_finding(pet)],
    )


def ssp_pages(
    projection: Projection,
    release: Release,
    normals: Mapping[str, Normal] | None = None,
    normals_words: str = "",
    palette: str = "classic",
) -> dict[str, Image.Image]:
    """The pages: ``"ssp"`` (uptake), and with normals ``"ssp-decrease"`` and ``"ssp-increase"``.

    Parameters
    ----------
    projection
        From `project`.
    release
        What may be shown and which marks are set.
    normals
        Reference -> what is normal for this person.
    normals_words
        Who the normals are, for the subtitle.
    palette
        ``"classic"`` or ``"uniform"``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when normals are given but the release withholds z-scores.
    """
    return {
        part: render_page(rows, text, palette)
        for part, (rows, text) in _pages(projection, release, normals, normals_words).items()
    }


def ssp_files(
    projection: Projection,
    release: Release,
    normals: Mapping[str, Normal] | None = None,
    normals_words: str = "",
    palette: str = "classic",
) -> dict[str, bytes]:
    """File name -> PNG of every page (parameters as `ssp_pages`)."""
    made = _pages(projection, release, normals, normals_words)
    key = projection.pet.tracer
    return {
        _file_name(key, part, release): png(render_page(rows, text, palette), text)
        for part, (rows, text) in made.items()
    }


def _file_name(key: str, part: str, release: Release) -> str:
    return marks.file_name(key, part, ".png") if release.synthetic else f"{key}_{part}.png"


def _pages(
    projection: Projection,
    release: Release,
    normals: Mapping[str, Normal] | None,
    normals_words: str,
) -> dict[str, tuple[list[Row], PageText]]:
    if normals is not None and "z-score" in release.withheld:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "z-scores of this PET may not be shown: its evidence does not carry them.",
            "Leave the normative database out; the uptake page is made all the same.",
        )
    facts = tracer(projection.pet.tracer)
    uptake, spread = _uptake_rows(projection, release, facts), _spread_rows(projection)
    pages = {"ssp": ([anatomy_row(), *uptake, *spread], _text(projection, release, facts, ""))}
    if normals is not None:
        z = z_maps(projection.samples, projection.references, normals)
        hatched = _hatched(projection, z, normals)
        for direction in (DECREASE, INCREASE):
            rows = [*uptake, *z_rows(z, direction, hatched), *spread]
            text = _text(projection, release, facts, direction, normals_words)
            pages[f"ssp-{direction}"] = (rows, text)
    return pages


def _uptake_rows(projection: Projection, release: Release, facts: Tracer) -> list[Row]:
    if not release.triptych or projection.sd is None:
        left, right = (projection.samples[side].values for side in SIDES)
        return [Row("PET", left, right, "uptake", facts.window, "peak SUVR")]
    low, high = low_and_high(projection.pet, projection.sd)
    rows = []
    for label, words, volume in (
        ("Low", "10 %", low),
        ("Middle", "peak SUVR", projection.pet),
        ("High", "90 %", high),
    ):
        # All three are read at the depth of the middle picture's peak.
        seen = sample_both(volume, find_on=projection.pet)
        left, right = (seen[side].values for side in SIDES)
        rows.append(Row(label, left, right, "uptake", facts.window, words))
    return rows


def _spread_rows(projection: Projection) -> list[Row]:
    if projection.spread is None:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (
            100.0 * projection.spread[side].values / projection.samples[side].values
            for side in SIDES
        )
    return [Row("SD", left, right, "uncertainty", SPREAD_WINDOW, "% of uptake")]


def _hatched(
    projection: Projection,
    z: Mapping[str, Mapping[str, np.ndarray]],
    normals: Mapping[str, Normal],
) -> dict[str, dict[str, np.ndarray]] | None:
    spread = projection.spread
    if spread is None:
        return None
    return {
        key: {
            side: unreliable(
                z[key][side], spread[side].values, projection.references[key], normal.sd[side]
            )
            for side in SIDES
        }
        for key, normal in normals.items()
    }


def _text(
    projection: Projection, release: Release, facts: Tracer, direction: str, normals: str = ""
) -> PageText:
    name = marks.title(facts) if release.synthetic else f"{facts.label} PET"
    subtitle = [f"SUVR, reference {region_words(facts.reference_region)} = 1"]
    if direction:
        subtitle.append(f"z {direction} against {normals}" if normals else f"z {direction}")
    warnings = [f.sentence for f in projection.findings if f.verdict.value != "green"]
    hatching = ["Hatched: not beyond its own uncertainty."] if direction and projection.sd else []
    return PageText(
        title="   ".join(filter(None, (name, NAME, direction.capitalize()))),
        subtitle="   |   ".join(subtitle),
        banner=tuple(filter(None, (release.opening, release.banner, *warnings))),
        mark=marks.WORD if release.synthetic else "",
        footer=(" ".join([SIDE_WORDS, METHOD_WORDS, *hatching]),),
    )
