"""One view of one row: the grey brain surface, what is painted on it, and hatching."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colour_maps import colourize
from .surface import SIDES, surfaces
from .views import SUPERSAMPLE, Raster, both, raster

KINDS = ("anatomy", "uptake", "z", "uncertainty")
Z_WINDOW = (1.0, 5.0)
"""Standard deviations shown; below the first nothing is painted."""
Z_FADE = 0.15
"""The paint reaches full opacity this far above the lower end, so that islands have soft edges."""

PALETTES = {
    "classic": {"uptake": "nih", "z": "nih", "uncertainty": "heat"},
    "uniform": {"uptake": "uniform", "z": "uniform", "uncertainty": "uniform"},
}
"""Palette -> colour map of each kind of row; ``uniform`` reads the same to colour-blind eyes."""

BACKGROUND = 0
HATCH_PX = 9
"""Period of the hatching in finished pixels; a third of it is drawn."""
HATCH_GREY = 130.0


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the page.

    Attributes
    ----------
    label
        Short heading, e.g. ``"GLB"``.
    left, right
        (V,) values at the vertices of either hemisphere. NaN paints nothing.
    kind
        One of `KINDS`. ``"z"`` paints `Z_WINDOW` and leaves the medial wall grey.
    window
        Values at the two ends of the colour map.
    words
        Second line of the heading, e.g. ``"global mean"``.
    hatched
        (V,) masks of either hemisphere: where the numbers must not be relied on.
    """

    label: str
    left: NDArray[np.floating]
    right: NDArray[np.floating]
    kind: str
    window: tuple[float, float] = Z_WINDOW
    words: str = ""
    hatched: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            msg = f"a row is one of {', '.join(KINDS)}, not {self.kind!r}"
            raise ValueError(msg)
        count = len(surfaces()["L"].vertices)
        for values in (self.left, self.right, *(self.hatched or ())):
            if np.shape(values) != (count,):
                msg = f"a row has {count} values a hemisphere, got shape {np.shape(values)}"
                raise ValueError(msg)
        if not self.window[0] < self.window[1]:
            msg = f"the window {self.window} has no width"
            raise ValueError(msg)


def anatomy_row(label: str = "MRI", words: str = "template") -> Row:
    """The grey surface itself."""
    left, right = (surfaces()[side].anatomy for side in SIDES)
    return Row(label, left, right, "anatomy", (0.0, 1.0), words)


def paint(row: Row, view: str, palette: str) -> Image.Image:
    """The picture of ``row`` in the view called ``view``.

    Parameters
    ----------
    row
        What to show.
    view
        Name of one of `views.VIEWS`.
    palette
        Key of `PALETTES`.

    Returns
    -------
    RGB image on black, as large as the view at `views.PX_PER_MM`.
    """
    seen = raster(view)
    grey = _grey(view, dark=row.kind != "anatomy")
    if row.kind == "anatomy":
        painted = np.zeros_like(grey)
        colours = np.repeat(grey[:, None], 3, axis=1)
    else:
        values = seen.interpolate(_known(row))
        painted = _opacity(row, seen, values)
        tint = _tint(row, view, values, palette)
        colours = (1.0 - painted[:, None]) * grey[:, None] + painted[:, None] * tint
    if row.hatched is not None:
        unsure = (seen.interpolate(both(*row.hatched)) > 0.5) & (painted > 0.5)
        lines = _hatching(seen) & unsure
        colours[lines] = 0.25 * colours[lines] + 0.75 * HATCH_GREY
    height, width = seen.shape
    picture = np.full((height * width, 3), BACKGROUND, dtype=np.float32)
    picture[seen.pixels] = colours
    fine = picture.reshape(height, width, 3)
    n = SUPERSAMPLE
    # Slices, not a mean over two short axes: ten times faster.
    total = np.zeros((height // n, width // n, 3), dtype=np.float32)
    for i in range(n):
        for j in range(n):
            total += fine[i::n, j::n]
    return Image.fromarray((total / n**2 + 0.5).astype(np.uint8))


def _known(row: Row) -> NDArray[np.float32]:
    """Values with NaN replaced by what paints nothing or the lowest colour."""
    floor = row.window[0] - 1.0 if row.kind == "z" else row.window[0]
    return np.asarray(np.nan_to_num(both(row.left, row.right), nan=floor))


def _opacity(row: Row, seen: Raster, values: NDArray[np.float32]) -> NDArray[np.float32]:
    if row.kind != "z":
        return np.ones_like(values)
    above = np.clip((values - row.window[0]) / Z_FADE, 0.0, 1.0)
    wall = seen.interpolate(_wall())
    return np.asarray(above * np.clip(2.0 - 2.0 * wall, 0.0, 1.0), dtype=np.float32)


def _tint(row: Row, view: str, values: NDArray[np.float32], palette: str) -> NDArray[np.float32]:
    """Colours (P, 3) with enough shading to see the form, too little to misread the bar."""
    seen = raster(view)
    colours = colourize(values, row.window, PALETTES[palette][row.kind]).astype(np.float32)
    shade = np.clip(0.70 + 0.42 * seen.light, 0.0, 1.0) * (0.86 + 0.14 * _brightness(view))
    return np.asarray(colours * shade[:, None], dtype=np.float32)


@cache
def _grey(view: str, dark: bool) -> NDArray[np.float32]:
    """Unpainted brain (P,): the template's sulci on a lit surface; dark beneath colours."""
    low, high = (26.0, 104.0) if dark else (52.0, 220.0)
    grey = (low + (high - low) * _brightness(view)) * raster(view).light
    return np.asarray(np.clip(grey, 0.0, 255.0), dtype=np.float32)


@cache
def _brightness(view: str) -> NDArray[np.float32]:
    left, right = (surfaces()[side].anatomy for side in SIDES)
    return raster(view).interpolate(both(left, right))


@cache
def _wall() -> NDArray[np.float32]:
    left, right = (surfaces()[side].medial_wall for side in SIDES)
    return both(left, right)


def _hatching(seen: Raster) -> NDArray[np.bool_]:
    """(P,) True on diagonal lines."""
    down, across = np.divmod(seen.pixels, seen.shape[1])
    period = HATCH_PX * SUPERSAMPLE
    return np.asarray((down + across) % period < period // 3)
