"""`unet`: a plain 3D regression U-Net, the rival that every elaborate method has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from .generator import RegressionGenerator


def load(bundle: Bundle, device: str) -> RegressionGenerator:
    """The generator of a ``unet`` bundle on ``device`` (imports torch)."""
    from .generator import load_regression
    from .network import build_unet

    return load_regression(bundle, device, build_unet)
