"""What the marks of one view are drawn with: two annotations in its renderer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import vtk

ORANGE = (1.0, 0.6, 0.1)
WHITE = (1.0, 1.0, 1.0)
_UPPER_LEFT, _UPPER_RIGHT, _LOWER_EDGE, _RIGHT_EDGE, _LEFT_EDGE, _UPPER_EDGE = 2, 3, 4, 5, 6, 7


Letters = tuple[str, str, str, str]
"""Of the left, right, lower and upper edge of a view."""
Said = tuple[str, Letters | None, str, str]
"""Words, letters, resolution and name of a view."""


class Drawn:
    """The two annotations of one view: the orange words, the white letters.

    Parameters
    ----------
    renderer
        Of the view.
    beforeFrame
        Called whenever the renderer begins to draw, before it collects what to draw.
    """

    def __init__(self, renderer: Any, beforeFrame: Callable[[], None]) -> None:
        self.renderer = renderer
        self._tag = renderer.AddObserver(vtk.vtkCommand.StartEvent, lambda *_: beforeFrame())
        self._words, self._letters = _annotation(ORANGE), _annotation(WHITE)
        self._said: Said = ("", None, "", "")
        for actor in (self._words, self._letters):
            renderer.AddViewProp(actor)

    def say(self, text: str, letters: Letters | None, resolution: str, name: str) -> bool:
        """Show words, letters (left, right, lower, upper), resolution and the name of the view.

        Returns
        -------
        False when they stood there before.
        """
        if self._said == (text, letters, resolution, name):
            return False
        self._said = (text, letters, resolution, name)
        left, right, lower, upper = letters or ("", "", "", "")
        # In one line it would be cut off at both ends of a narrow view, and the word with it.
        words = text.replace(" - ", "\n").replace(": ", ":\n")
        # Where words stand at the lower edge, its letter stands over them, not behind them.
        self._words.SetText(_LOWER_EDGE, f"{lower}\n{words}" if lower and words else words)
        edges = {
            _LEFT_EDGE: left,
            _RIGHT_EDGE: right,
            _UPPER_EDGE: upper,
            _LOWER_EDGE: "" if words else lower,
            _UPPER_LEFT: name,
            _UPPER_RIGHT: resolution,
        }
        for place, letter in edges.items():
            self._letters.SetText(place, letter)
        return True

    def remove(self) -> None:
        """Take both away."""
        self.renderer.RemoveObserver(self._tag)
        for actor in (self._words, self._letters):
            self.renderer.RemoveViewProp(actor)


def _annotation(colour: tuple[float, float, float]) -> Any:
    actor = vtk.vtkCornerAnnotation()
    actor.SetMaximumFontSize(14)
    actor.SetMinimumFontSize(7)
    actor.SetNonlinearFontScaleFactor(0.6)
    actor.GetTextProperty().SetColor(*colour)
    actor.GetTextProperty().SetShadow(True)
    actor.GetProperty().SetDisplayLocationToForeground()
    return actor
