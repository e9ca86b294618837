"""`cyclegan`: a U-Net trained together with its inverse and two discriminators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from ..unet.generator import RegressionGenerator


def load(bundle: Bundle, device: str) -> RegressionGenerator:
    """The generator of a ``cyclegan`` bundle on ``device`` (imports torch)."""
    from ..unet.generator import load_regression
    from ..unet.network import build_unet

    return load_regression(bundle, device, build_unet)
