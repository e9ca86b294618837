"""`unet`: a plain 3D regression U-Net, the rival that every elaborate method has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from .generator import UNetGenerator


def load(bundle: Bundle, device: str) -> UNetGenerator:
    """The generator of a ``unet`` bundle on ``device`` (imports torch)."""
    from .generator import load_unet

    return load_unet(bundle, device)
