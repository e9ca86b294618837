"""The view arrangements: planes in rows, what is compared in columns; the brain surface."""

from __future__ import annotations

from typing import Any

from PETSynthLib.project.views import VIEWS

FUSED = 5311
COMPARE = 5312
SSP = 5313
EXPECTED = 5314
TRIPTYCH = 5315
SSP_PAGE = 5316

PLANES = ("Axial", "Coronal", "Sagittal")
FUSED_VIEWS = ("Red", "Green", "Yellow")
"""Slicer's own views make the fused column: Segment Editor and crosshair work there as ever."""
LEGEND_VIEW = "Yellow"

SURFACE_VIEWS = {
    view.name: "PETSynthSsp" + "".join(part.capitalize() for part in view.name.split("."))
    for view in VIEWS
}
"""View of the library (RT.LAT, ...) -> name of its 3D view, in reading order."""
PAGE_VIEW = "PETSynthSspPage"
"""Slice view in which the composed page is looked at; it is a picture and has no left and right."""

_GREY, _ORANGE, _BLUE = "#8C8C8C", "#E08A1E", "#4C8BF5"
_SLICER_COLOURS = {"Red": "#F34A33", "Green": "#6EB04B", "Yellow": "#EDD54C"}

_COLUMNS: dict[int, tuple[tuple[str, str, str], ...]] = {
    FUSED: (("Mri", "MRI", _GREY), ("Pet", "PET", _ORANGE), ("", "", "")),
    COMPARE: (
        ("Real", "Real", _BLUE),
        ("Synthetic", "SYN", _ORANGE),
        ("Difference", "Diff", _GREY),
    ),
    EXPECTED: (("Pet", "PET", _ORANGE), ("Expected", "Mean", _GREY), ("Added", "Diff", _GREY)),
    TRIPTYCH: (("Low", "Low", _ORANGE), ("", "", ""), ("High", "High", _ORANGE)),
}
"""Layout -> columns: part of the view's name, its label, its colour. Empty: Slicer's own view."""

_TITLES = {
    FUSED: "PETSynth: MRI, PET, fused",
    COMPARE: "PETSynth: acquired, synthetic, difference",
    EXPECTED: "PETSynth: PET, mean of age and sex, difference",
    SSP: "PETSynth: brain surface, eight views",
    TRIPTYCH: "PETSynth: low, middle, high",
    SSP_PAGE: "PETSynth: surface page",
}


def titles() -> dict[int, str]:
    """Words for the layouts, for the menu of the view toolbar."""
    return dict(_TITLES)


def slicesOf(layout: int) -> list[list[str]]:
    """Names of the slice views of a layout, by plane (rows), then column; the surface has none.

    Raises
    ------
    KeyError
        When the layout is none of ours.
    """
    if layout == SSP:
        return []
    if layout == SSP_PAGE:
        return [[PAGE_VIEW]]
    return [
        [f"PETSynth{part}{plane}" if part else standard for part, _, _ in _COLUMNS[layout]]
        for plane, standard in zip(PLANES, FUSED_VIEWS, strict=True)
    ]


_PLANE_OF = {
    name: plane
    for layout in _COLUMNS
    for plane, names in zip(PLANES, slicesOf(layout), strict=True)
    for name in names
}


def columnOf(layout: int, column: int) -> list[str]:
    """Names of the slice views of one column, axial first."""
    return [row[column] for row in slicesOf(layout)]


def planeOf(view: str) -> str | None:
    """Plane of a slice view of our layouts, Slicer's own three included; None for any other."""
    return _PLANE_OF.get(view)


def viewIdOf(name: str) -> str:
    """Node ID of the slice view of that name (view nodes are singletons named by it)."""
    return f"vtkMRMLSliceNode{name}"


def propertiesOf(layout: int, view: str) -> tuple[str, str, str]:
    """Plane, label and colour (``#rrggbb``) of a slice view of a layout."""
    if layout == SSP_PAGE and view == PAGE_VIEW:
        return "Axial", "SSP page", _ORANGE
    for plane, names in zip(PLANES, slicesOf(layout), strict=True):
        for name, (_, label, colour) in zip(names, _COLUMNS[layout], strict=True):
            if name == view:
                text = f"{label} {plane[0]}" if label else name[0]
                return plane, text, colour or _SLICER_COLOURS[name]
    raise KeyError(view)


def xmlOf(layout: int) -> str:
    """The layout's description as Slicer reads it."""
    rows = []
    if layout == SSP:
        names = list(SURFACE_VIEWS)
        for four in (names[:4], names[4:]):
            views = "".join(_surfaceView(SURFACE_VIEWS[name], name) for name in four)
            rows.append(f'<item><layout type="horizontal" split="true">{views}</layout></item>')
    for names in slicesOf(layout):
        views = "".join(_view(name, *propertiesOf(layout, name)) for name in names)
        rows.append(f'<item><layout type="horizontal" split="true">{views}</layout></item>')
    return f'<layout type="vertical" split="true">{"".join(rows)}</layout>'


def _view(name: str, plane: str, label: str, colour: str) -> str:
    return (
        f'<item><view class="vtkMRMLSliceNode" singletontag="{name}">'
        f'<property name="orientation" action="default">{plane}</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{colour}</property>'
        "</view></item>"
    )


def _surfaceView(name: str, label: str) -> str:
    return (
        f'<item><view class="vtkMRMLViewNode" singletontag="{name}">'
        f'<property name="viewlabel" action="default">{label}</property>'
        "</view></item>"
    )


def surfaceViewId(name: str) -> str:
    """Node ID of the 3D view of that name (`SURFACE_VIEWS`)."""
    return f"vtkMRMLViewNode{name}"


def registerLayouts(layoutNode: Any) -> None:
    """Tell the layout node our arrangements; calling it again changes nothing."""
    for layout in _TITLES:
        xml = xmlOf(layout)
        if not layoutNode.IsLayoutDescription(layout):
            layoutNode.AddLayoutDescription(layout, xml)
        elif layoutNode.GetLayoutDescription(layout) != xml:
            layoutNode.SetLayoutDescription(layout, xml)
