"""The signs of the panel: each colour has a shape of its own, for eyes that see no colour."""

import itertools

import qt

_COLOURS = {"green": "#2e8b57", "amber": "#d98e04", "red": "#c0392b", "grey": "#8a8a8a"}
_cache = {}


def pixmap(colour, size=16):
    """Disc with tick (green), triangle with ! (amber), square with cross (red), ring (grey)."""
    if (colour, size) not in _cache:
        _cache[colour, size] = _draw(colour, size)
    return _cache[colour, size]


def icon(colour):
    """The same as an icon."""
    return qt.QIcon(pixmap(colour))


def _draw(colour, size):
    picture = qt.QPixmap(size, size)
    picture.fill(qt.QColor(0, 0, 0, 0))
    painter = qt.QPainter(picture)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    fill = qt.QColor(_COLOURS[colour])
    white = qt.QPen(qt.QColor("white"))
    white.setWidthF(size / 8)
    painter.setPen(qt.QPen(fill))
    painter.setBrush(qt.QBrush(fill))
    last = size - 2
    if colour == "green":
        painter.drawEllipse(1, 1, last, last)
        painter.setPen(white)
        _lines(painter, size, ((4, 8), (7, 11), (12, 5)))
    elif colour == "amber":
        triangle = qt.QPainterPath()
        triangle.moveTo(size / 2, 1)
        triangle.lineTo(last, last)
        triangle.lineTo(1, last)
        painter.drawPath(triangle)
        painter.setPen(white)
        _lines(painter, size, ((8, 6), (8, 10)))
        painter.drawPoint(size // 2, size * 13 // 16)
    elif colour == "red":
        painter.drawRect(1, 1, last - 1, last - 1)
        painter.setPen(white)
        _lines(painter, size, ((5, 5), (11, 11)))
        _lines(painter, size, ((11, 5), (5, 11)))
    else:
        painter.setBrush(qt.QBrush(qt.QColor(0, 0, 0, 0)))
        painter.drawEllipse(3, 3, size - 6, size - 6)
    painter.end()
    return picture


def _lines(painter, size, points):
    scaled = [(x * size // 16, y * size // 16) for x, y in points]
    for (x0, y0), (x1, y1) in itertools.pairwise(scaled):
        painter.drawLine(x0, y0, x1, y1)
