"""`flow`, the default method: one network for all tracers, with a mean, a spread and samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from .generator import FlowGenerator


def load(bundle: Bundle, device: str) -> FlowGenerator:
    """The generator of a ``flow`` bundle on ``device`` (imports torch)."""
    from .generator import load_flow

    return load_flow(bundle, device)
