"""`pasta`: the dual-arm conditional diffusion of Li et al. (Medical Image Analysis 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from .generator import PastaGenerator


def load(bundle: Bundle, device: str) -> PastaGenerator:
    """The generator of a ``pasta`` bundle on ``device`` (imports torch)."""
    from .generator import load_pasta

    return load_pasta(bundle, device)
