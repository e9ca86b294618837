"""`bbdm`: a Brownian bridge from the MRI to the PET, drawn in a few steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from ..drawn import DrawnGenerator


def load(bundle: Bundle, device: str) -> DrawnGenerator:
    """The generator of a ``bbdm`` bundle on ``device`` (imports torch)."""
    from ..drawn import load_drawn
    from .process import draw

    return load_drawn(bundle, device, draw)
