"""The errors a person may see: one sentence on what is wrong, one on what to do."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Machine-readable names of the failures, shared by worker, command line and panel."""

    BAD_REQUEST = "BAD_REQUEST"
    BAD_IMAGE = "BAD_IMAGE"
    BAD_GEOMETRY = "BAD_GEOMETRY"
    BAD_MASK = "BAD_MASK"
    BAD_FLAIR = "BAD_FLAIR"
    BAD_DATA = "BAD_DATA"
    BAD_OUTPUT = "BAD_OUTPUT"
    ALIGNMENT = "ALIGNMENT"
    UNSUPPORTED_TRACER = "UNSUPPORTED_TRACER"
    BUNDLE_MISSING = "BUNDLE_MISSING"
    BUNDLE_DAMAGED = "BUNDLE_DAMAGED"
    DEPENDENCY = "DEPENDENCY"
    DEVICE = "DEVICE"
    TRAINING = "TRAINING"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    PROTOCOL = "PROTOCOL"
    INTERNAL = "INTERNAL"


EXIT_BAD_REQUEST = 2
EXIT_CANCELLED = 3
EXIT_OUT_OF_MEMORY = 4
EXIT_INTERNAL = 70


class PETSynthError(Exception):
    """A failure with a sentence for people and a code for programs.

    Parameters
    ----------
    code
        What kind of failure it is.
    text
        One sentence that says what is wrong, ending with a full stop.
    hint
        One sentence that says what to do, ending with a full stop.
    check
        Name of the check that refused where the user may override it, else empty.
    """

    def __init__(self, code: ErrorCode, text: str, hint: str, check: str = "") -> None:
        super().__init__(f"{text} {hint}")
        self.code = code
        self.text = text
        self.hint = hint
        self.check = check

    @property
    def exit_status(self) -> int:
        """Exit status of a process that ends with this error."""
        return {
            ErrorCode.OUT_OF_MEMORY: EXIT_OUT_OF_MEMORY,
            ErrorCode.INTERNAL: EXIT_INTERNAL,
        }.get(self.code, EXIT_BAD_REQUEST)


class Cancelled(Exception):
    """The user asked to stop; the command line says what is kept (`cli.STOPPED`)."""
