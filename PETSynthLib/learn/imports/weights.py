"""Foreign files of weights: read as numbers only, and held against the network they shall fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...errors import ErrorCode, PETSynthError

CODE = ("Unsupported global", "Unsupported class", "unrecognized function")
"""What torch says of a file that names things to be called."""


def read_numbers(file: Path) -> dict[str, Any]:
    """The table in a foreign checkpoint, without running anything that it names.

    Raises
    ------
    PETSynthError
        ``TRAINING`` when it holds code, is damaged, or is no table.
    """
    try:
        body = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as problem:  # a damaged file may raise anything
        if any(words in str(problem) for words in CODE):
            raise refused(
                f"{file.name} holds more than numbers: opening it could run somebody's code.",
                "Ask its authors for the weights alone. PETSynth does not open it.",
            ) from problem
        raise refused(
            f"The checkpoint {file.name} cannot be read.", "Copy or download it again."
        ) from problem
    if not isinstance(body, dict):
        raise refused(f"{file.name} holds no table of weights.", "Give a checkpoint.")
    return body


def require_weights(file: Path, found: dict[str, Any], network: nn.Module, what: str) -> None:
    """Refuse weights that are not exactly those of a network.

    Parameters
    ----------
    found
        Name -> weight.
    network
        May lie on torch's ``meta`` device: names and shapes are all that is asked of it.
    what
        The network in a few words.

    Raises
    ------
    PETSynthError
        ``TRAINING`` naming the first that is missing, strange, of another shape, or no number.
    """
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if missing := [name for name in wanted if name not in found]:
        raise refused(
            f"{file.name} is no whole checkpoint of {what}: it lacks {missing[0]} "
            f"({len(missing)} of {len(wanted)} weights).",
            "Copy or download it again.",
        )
    if strange := sorted(set(found) - set(wanted)):
        raise another(file, what, f"it has {strange[0]}, which is not in it")
    for name, shape in wanted.items():
        own = tuple(getattr(found[name], "shape", ()))
        if own != shape:
            raise another(file, what, f"{name} is {own}, not {shape}")
        if not bool(torch.isfinite(found[name]).all()):
            raise refused(
                f"The weights {name} in {file.name} are no numbers.", "Take another checkpoint."
            )


def another(file: Path, what: str, why: str) -> PETSynthError:
    """An error about a file with another network in it."""
    return refused(f"{file.name} does not hold {what}: {why}.", "Give a checkpoint of it.")


def refused(text: str, hint: str) -> PETSynthError:
    """An error about a foreign file."""
    return PETSynthError(ErrorCode.TRAINING, text, hint)
