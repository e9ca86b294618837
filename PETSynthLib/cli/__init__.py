"""The command line: ``petsynth``. One file a command; errors are one sentence and one hint."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..errors import EXIT_BAD_REQUEST, EXIT_CANCELLED, Cancelled
from .app import app

__all__ = ["app", "main"]

CANCELLED = "Cancelled, nothing was written."
INTERRUPTED = 130
"""What Typer returns of a command that Ctrl+C has ended."""
_GOES_ON = "Stopped; what was finished is kept, run the same command again to go on."
STOPPED = {
    "simulate": _GOES_ON,
    "prepare": _GOES_ON,
    "evaluate": _GOES_ON,
    "batch": _GOES_ON,
    "train": "Stopped; what was trained is kept, the same command with --resume goes on.",
}
"""What Ctrl+C means, by command; all others write everything at once, at their end."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``petsynth`` with ``argv`` (default: the process's); returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Looked up by hand: the trace is wanted even when the options could not be parsed.
    verbose = "--verbose" in arguments or bool(os.environ.get("PETSYNTH_LOG"))
    try:
        status = app(arguments, prog_name="petsynth", standalone_mode=False)
    except (Cancelled, KeyboardInterrupt):
        return _stopped(arguments)
    except BrokenPipeError:
        # The reader of our output has gone (petsynth doctor | head); a second write would fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as problem:
        return _tell(problem, arguments, verbose)
    if status == INTERRUPTED:
        return _stopped(arguments)
    return status if isinstance(status, int) else 0


def _stopped(arguments: list[str]) -> int:
    # The command comes first: no option before it lets the program go on.
    words = STOPPED.get(arguments[0] if arguments else "", CANCELLED)
    print(f"petsynth: {words}", file=sys.stderr)
    return EXIT_CANCELLED


def _tell(problem: Exception, arguments: list[str], verbose: bool) -> int:
    if (words := getattr(problem, "format_message", None)) is not None:  # a usage error
        command = [a for a in arguments[:1] if not a.startswith("-")]
        sentence = " ".join(words().replace("Value error, ", "").split()).rstrip(".")
        _say(f"{sentence}.", " ".join(["See: petsynth", *command, "--help"]))
        return EXIT_BAD_REQUEST
    from ..run.failure import explain, trace_of, write_trace

    error = explain(problem)
    _say(error.text, error.hint)
    if error.check:
        print(f"To use the scan all the same: --use-anyway {error.check}", file=sys.stderr)
    private = [argument for argument in arguments if os.sep in argument]
    if error is not problem and (file := write_trace(problem, private)) is not None:
        print(f"Log file: {file}", file=sys.stderr)
    if verbose:
        print(trace_of(problem, private), file=sys.stderr)
    return error.exit_status


def _say(text: str, hint: str) -> None:
    print(f"petsynth: {text}\n{hint}", file=sys.stderr)
