"""The surface pages of one PET, with the words and marks its evidence demands."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..project.page import DECREASE, INCREASE, PAGE, Fold, PageText, pdf, png, render_page, z_rows
from ..project.paint import Row, anatomy_row
from ..project.references import REFERENCES
from ..project.surface import SIDES, surfaces
from ..project.zmaps import Normal
from ..quantify import RegionTable
from ..quantify.regions import labels_of
from ..tracers import Tracer, tracer
from . import marks
from .policy import Release, first_lines
from .shown import NOT_INFORMATIVE, shown_rows
from .surface_maps import (
    HIGH,
    LOW,
    UPTAKE,
    Projection,
    unreliable_z,
    uptake_maps,
    z_by_reference,
)
from .tables import region_words

SPREAD_WINDOW = (0.0, 20.0)
"""Percent of the uptake."""
NAME = "SSP (3D-SSP-style)"
SIDE_WORDS = (
    "RT, LT: the patient's right and left hemisphere. L, R beside SUP, INF, ANT and POST: the "
    "patient's left and right."
)
UNSURE_WORDS = (
    "Hatched SD: the region's 90 % interval is wider than the distance between the healthy and the "
    "AD mean."
)
METHOD_WORDS = "Peak uptake within 13.5 mm below the template's surface."


class Page(NamedTuple):
    """A drawn page and the words on it."""

    image: Image.Image
    text: PageText


Places = Collection[tuple[str, str]]
"""Region and side, ``"L"``, ``"R"``, ``"B"`` or ``"both"``."""


@dataclass(frozen=True)
class Look:
    """How pages are drawn.

    Attributes
    ----------
    palette
        ``"classic"`` or ``"uniform"``.
    fold
        `project.page.PAGE` or `project.page.NARROW`.
    """

    palette: str = "classic"
    fold: Fold = PAGE


def not_informative(table: RegionTable, distances: Mapping[str, float]) -> Places:
    """Regions whose 90 % interval is wider than the distance between healthy and AD."""
    rows = shown_rows((*table.headline, *table.regions), table.slice_mm, distances)
    return {(row.region, row.side) for row in rows if row.instead == NOT_INFORMATIVE}


def read_not_informative(path: Path | None) -> Places:
    """The same from a table that `tables.write_regions` wrote; none when there is no table."""
    if path is None or not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {(row["region"], row["side"]) for row in rows if row["note"] == NOT_INFORMATIVE}


def ssp_pages(
    projection: Projection,
    release: Release,
    normals: Mapping[str, Normal] | None = None,
    normals_words: str = "",
    look: Look = Look(),
    unsure: Places = (),
    simulated: bool = False,
) -> dict[str, Page]:
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
    look
        Palette and arrangement.
    unsure
        `not_informative` regions; hatched on the row of the standard deviation.
    simulated
        Whether nobody was scanned.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when normals are given but the release withholds z-scores; ``BAD_DATA`` when
        only low, middle and high may be shown and the standard deviation is missing.
    """
    lines = first_lines(release, simulated)
    made = _pages(projection, release, normals, normals_words, unsure, lines)
    pages = {}
    for part, (rows, text) in made.items():
        # A narrow page is long as it is: the template's anatomy stays on the wide one.
        kept = [row for row in rows if look.fold is PAGE or row.kind != "anatomy"]
        pages[part] = Page(render_page(kept, text, look.palette, look.fold), text)
    return pages


def page_png(page: Page) -> bytes:
    """A page as a PNG file."""
    return png(page.image, page.text)


def ssp_files(
    pages: Mapping[str, Page], key: str, release: Release, kinds: Collection[str] = ("png",)
) -> dict[str, bytes]:
    """File name -> content of every page.

    Parameters
    ----------
    pages
        From `ssp_pages`.
    key
        Tracer.
    kinds
        ``"png"``, ``"pdf"`` or both: the same picture.
    """
    return {
        _file_name(key, part, f".{kind}", release): {"png": png, "pdf": pdf}[kind](*page)
        for part, page in pages.items()
        for kind in kinds
    }


def _file_name(key: str, part: str, suffix: str, release: Release) -> str:
    return marks.file_name(key, part, suffix) if release.synthetic else f"{key}_{part}{suffix}"


def _pages(
    projection: Projection,
    release: Release,
    normals: Mapping[str, Normal] | None,
    normals_words: str,
    unsure: Places,
    lines: tuple[str, ...],
) -> dict[str, tuple[list[Row], PageText]]:
    z = z_by_reference(projection, release, normals)
    facts = tracer(projection.pet.tracer)
    uptake, spread = _uptake_rows(projection, release, facts), _spread_rows(projection, unsure)
    said = UNSURE_WORDS if unsure and spread else ""
    text = _text(projection, release, facts, lines, "", said=said)
    pages = {"ssp": ([anatomy_row(), *uptake, *spread], text)}
    if normals is not None:
        hatched = unreliable_z(projection, z, normals)
        for direction in (DECREASE, INCREASE):
            rows = [*uptake, *z_rows(z, direction, hatched), *spread]
            text = _text(projection, release, facts, lines, direction, normals_words, said)
            pages[f"ssp-{direction}"] = (rows, text)
    return pages


def _uptake_rows(projection: Projection, release: Release, facts: Tracer) -> list[Row]:
    maps = uptake_maps(projection, release)
    if len(maps) == 1:
        left, right = (maps[UPTAKE][side] for side in SIDES)
        return [Row("PET", left, right, "uptake", facts.window, "peak SUVR")]
    rows = []
    for name, label, words in (
        (LOW, "Low", "10 %"),
        (UPTAKE, "Middle", "peak SUVR"),
        (HIGH, "High", "90 %"),
    ):
        left, right = (maps[name][side] for side in SIDES)
        rows.append(Row(label, left, right, "uptake", facts.window, words))
    return rows


def _spread_rows(projection: Projection, unsure: Places) -> list[Row]:
    if projection.spread is None:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (
            100.0 * projection.spread[side].values / projection.samples[side].values
            for side in SIDES
        )
    hatched = (_covered(unsure, "L"), _covered(unsure, "R")) if unsure else None
    return [Row("SD", left, right, "uncertainty", SPREAD_WINDOW, "% of uptake", hatched)]


def _covered(places: Places, side: str) -> np.ndarray:
    """(V,) True over the regions named for this side or for both."""
    surface = surfaces()[side]
    labels = {
        label
        for region, where in places
        if where in (side, "B", "both")
        for label in labels_of(region, "both" if where == "both" else where)
    }
    return np.isin(surface.labels, list(labels)) & surface.cortex


def _text(
    projection: Projection,
    release: Release,
    facts: Tracer,
    lines: tuple[str, ...],
    direction: str,
    normals: str = "",
    said: str = "",
) -> PageText:
    name = marks.title(facts) if release.synthetic else f"{facts.label} PET"
    values = ", ".join(f"{REFERENCES[k]} {value:.2f}" for k, value in projection.references.items())
    subtitle = [
        f"SUVR, reference {region_words(projection.pet.reference_region)} = 1",
        f"uptake of the references: {values}",
    ]
    if direction:
        subtitle.append(f"z {direction} against {normals}" if normals else f"z {direction}")
    warnings = [f.sentence for f in projection.findings if f.verdict.value != "green"]
    hatching = ["Hatched z: not beyond its own uncertainty."] if direction and projection.sd else []
    return PageText(
        title="   ".join(filter(None, (name, NAME, direction.capitalize()))),
        subtitle="   |   ".join(subtitle),
        banner=(*lines, *warnings),
        mark=marks.WORD if release.synthetic else "",
        footer=(" ".join(filter(None, [SIDE_WORDS, METHOD_WORDS, *hatching, said])),),
    )
