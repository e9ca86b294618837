"""What the reader of a foreign checkpoint must offer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch


@dataclass(frozen=True, eq=False)
class Foreign:
    """A foreign model in our own terms.

    Attributes
    ----------
    config
        ``config.json`` of the bundle, complete.
    tensors
        Weights under the names that the method's folder in ``generate/`` loads.
    card
        The model card, which says where the weights come from.
    """

    config: dict[str, Any]
    tensors: dict[str, torch.Tensor]
    card: str


class ForeignFormat(Protocol):
    """One kind of file."""

    name: str
    words: str
    """A few words on what it is."""
    options: dict[str, str]
    """Facts that the file lacks: name -> words. All must be given."""
    optional: dict[str, str]
    """Facts that may be given; without one the format does without, and the card says so."""

    def read(self, file: Path, options: dict[str, str]) -> Foreign:
        """Read ``file`` as numbers only.

        Raises
        ------
        PETSynthError
            ``TRAINING`` when it is damaged or of another kind.
        """
        ...
