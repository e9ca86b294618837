"""Foreign checkpoints as bundles. A format is one file here, entered in `FORMATS`.

``petsynth models import FORMAT FILE -o BUNDLE`` reads numbers only, never code; what a format
leaves out (scales, grid, licence) its importer must know or ask for, never guess.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import ErrorCode, PETSynthError
from ...generate.bundle import check_config
from ..train.write_bundle import write_folder
from .checkpoint import CheckpointFormat
from .cyclic import CyclicFormat
from .interface import Foreign, ForeignFormat
from .pasta import PastaFormat
from .rela import RelaFormat

FORMATS: tuple[ForeignFormat, ...] = (
    CheckpointFormat(),
    CyclicFormat(),
    PastaFormat(),
    RelaFormat(),
)


def import_model(name: str, file: Path, out: Path, options: dict[str, str]) -> Path:
    """Turn a foreign file into a bundle.

    Parameters
    ----------
    name
        Key of a format.
    options
        ``NAME=VALUE`` facts that the format asks for or can use.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for an unknown format or option, ``TRAINING`` for a file that it cannot
        read, ``BAD_OUTPUT`` when the bundle cannot be written.
    """
    known = {f.name: f for f in FORMATS}
    if name not in known:
        listed = "; ".join(f"{f.name}: {f.words}" for f in FORMATS)
        raise PETSynthError(
            ErrorCode.BAD_REQUEST, f"There is no format {name!r}.", f"Known are {listed}."
        )
    chosen = known[name]
    if unknown := sorted(set(options) - {*chosen.options, *chosen.optional}):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The format {name} has no option {unknown[0]!r}.",
            f"It has {', '.join([*chosen.options, *chosen.optional]) or 'none'}.",
        )
    if missing := sorted(set(chosen.options) - set(options)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The format {name} needs --option {missing[0]}=VALUE.",
            f"It is {chosen.options[missing[0]]}.",
        )
    if out.exists():
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT, f"{out.name} is already there.", "Give a new folder."
        )
    foreign: Foreign = chosen.read(file, options)
    check_config(foreign.config)
    return write_folder(out, foreign.config, foreign.card, foreign.tensors)
