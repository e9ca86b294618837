"""`swinunetr`: windows of attention with a U-Net's way up, a rival of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from ..unet.generator import RegressionGenerator


def load(bundle: Bundle, device: str) -> RegressionGenerator:
    """The generator of a ``swinunetr`` bundle on ``device`` (imports torch)."""
    from ..unet.generator import load_regression
    from .network import build_swinunetr

    return load_regression(bundle, device, build_swinunetr)
