"""Small reports, and a reader that knows a page by its structure."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

from export_case import record
from PIL import Image

from PETSynthLib.export.policy import Release, release
from PETSynthLib.export.report_content import Added, Picture, RegionLine, ReportContent
from PETSynthLib.export.shown import ShownRow
from PETSynthLib.quantify import RegionValue

VOID = ("meta", "img", "source", "rect", "line", "circle")
ACQUIRED = release("acquired", exploratory=False)
SIMULATION = release("simulation", exploratory=False)


class Reader(HTMLParser):
    """Text of a page in reading order, its tags and its attributes.

    Attributes
    ----------
    texts
        Everything a person reads.
    rows
        Cells of every table row.
    tags
        (tag, attributes) in order.
    links
        Whatever is loaded.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        facts = {name: value or "" for name, value in attrs}
        self.tags.append((tag, facts))
        self.links += [facts[name] for name in ("src", "href", "srcset") if name in facts]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        text = data.strip()
        if not text or self.open[-1] in ("style", "title", "script"):
            return
        self.texts.append(text)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {text}".strip()

    def named(self, tag: str, **facts: str) -> list[dict[str, str]]:
        """Attributes of every ``tag`` that has all of ``facts`` (``class_`` for class)."""
        wanted = {name.rstrip("_"): value for name, value in facts.items()}
        return [a for name, a in self.tags if name == tag and wanted.items() <= a.items()]

    def row(self, first: str) -> list[str]:
        """The first table row that begins with ``first``."""
        return next(row for row in self.rows if row and row[0] == first)

    @property
    def words(self) -> str:
        """Everything a person reads, in one string."""
        return " ".join(self.texts)


def png(width: int = 40, height: int = 30) -> bytes:
    """A grey picture."""
    stream = BytesIO()
    Image.new("RGB", (width, height), (90, 90, 90)).save(stream, "PNG")
    return stream.getvalue()


def line(
    region: str = "thalamusproper",
    mean: float = 1.5,
    interval: tuple[float, float] | None = (1.3, 1.7),
    side: str = "both",
    instead: str = "",
    **more: object,
) -> RegionLine:
    """A region's line."""
    value = RegionValue(region, side, 12.3, mean, 0.1, mean, mean, interval)
    shown = ShownRow(region, side, 12.3, None if instead else value, instead, "", None)
    return RegionLine(shown, **more)


def content(policy: Release = SIMULATION, **changes: object) -> ReportContent:
    """A report with every section that ``policy`` allows for."""
    made = ReportContent(
        release=policy,
        tracer=record().tracer,
        title="FDG PET",
        lead="Glucose.",
        banner=(policy.banner or "ACQUIRED",),
        ribbon="stays in view",
        headline=(line(expected=1.45), line("striatum", 1.2, (1.1, 1.3), expected=1.35)),
        regions=(line(), line("precuneus", 1.8)),
        quantity="SUVR, reference pons = 1",
        slices=Picture(png(), "slices", "Planes.", png(20, 30)),
        added=Added("What the MRI added", Picture(png(), "difference"), "Age/sex mean", "Note."),
        surface={"ssp": Picture(png(90, 20), "surface")},
        findings=tuple(record().findings),
        facts=(("Model", "tiny"),),
        steps=tuple(record().preprocessing),
        provenance=(("SHA-256", 64 * "a"),),
        copy="Facts only.\nThalamus: 1.50",
        do_not_use="Do not use for: children.",
        footer=("research only",),
    )
    return replace(made, **changes)
