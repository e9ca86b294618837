"""`rela`: RelA-Diffusion, T1 and FLAIR to several tracers by a 3D diffusion (arXiv 2602.21345)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bundle import Bundle

if TYPE_CHECKING:
    from .generator import RelaGenerator


def load(bundle: Bundle, device: str) -> RelaGenerator:
    """The generator of a ``rela`` bundle on ``device`` (imports torch)."""
    from .generator import load_rela

    return load_rela(bundle, device)
