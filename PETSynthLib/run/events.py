"""What a run says while it runs: the only way back to panel, command line and batch.

One JSON object a line, UTF-8, each with ``"v": 1`` and a ``"type"``. Fields a reader does not
know are to be ignored, so that an older panel understands a newer worker.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from ..errors import ErrorCode, PETSynthError

PROTOCOL_VERSION = 1


@dataclass(frozen=True)
class Event:
    """Base of everything a run says."""

    type: ClassVar[str] = ""


@dataclass(frozen=True)
class Hello(Event):
    """First line of a worker, sent before torch is imported.

    Attributes
    ----------
    protocol
        Version of this protocol.
    worker_version
        Version of PETSynth.
    python
        Version of the interpreter.
    torch
        Version of the installed torch by its metadata, None without torch.
    pid
        Process id of the real worker (a launcher may stand before it).
    """

    type: ClassVar[str] = "hello"
    protocol: int
    worker_version: str
    python: str
    torch: str | None
    pid: int


@dataclass(frozen=True)
class Stage(Event):
    """A stage begins: its key, words for it, and its place among ``count`` stages (from 1)."""

    type: ClassVar[str] = "stage"
    id: str
    label: str
    index: int
    count: int


@dataclass(frozen=True)
class Step(Event):
    """``step`` of ``total`` steps of a stage are done; ``eta_s`` seconds remain of the run."""

    type: ClassVar[str] = "progress"
    stage: str
    step: int
    total: int
    eta_s: float


@dataclass(frozen=True)
class Preview(Event):
    """A first look at the emerging PET lies at ``path`` (NIfTI) until the run ends."""

    type: ClassVar[str] = "preview"
    path: str


@dataclass(frozen=True)
class Warn(Event):
    """A check was amber: its name, one sentence, and the value in it for translators."""

    type: ClassVar[str] = "warning"
    code: str
    text: str
    value: float | str = ""


@dataclass(frozen=True)
class Result(Event):
    """The run succeeded.

    Attributes
    ----------
    path
        ``result.json``, or an empty string where a kind of request writes no file.
    sha256
        Digest of that file.
    seconds
        Duration of the run.
    peak_memory_mb
        Largest resident memory of the process.
    report
        Answer of a request that writes no file (``probe``).
    """

    type: ClassVar[str] = "result"
    path: str
    sha256: str
    seconds: float
    peak_memory_mb: float
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure(Event):
    """The run failed: a code of `ErrorCode`, one sentence, one hint, and where the trace is.

    ``check`` names the check that refused where the user may override it, else it is empty.
    """

    type: ClassVar[str] = "error"
    code: str
    text: str
    hint: str
    trace_file: str | None = None
    check: str = ""


@dataclass(frozen=True)
class Stopped(Event):
    """The run was cancelled; nothing was written."""

    type: ClassVar[str] = "cancelled"


_TYPES: dict[str, type[Event]] = {
    kind.type: kind for kind in (Hello, Stage, Step, Preview, Warn, Result, Failure, Stopped)
}
LAST = (Result, Failure, Stopped)
"""Exactly one of these ends a run."""


def to_line(event: Event) -> bytes:
    """One protocol line, newline included.

    Non-ASCII characters are escaped: even a path that is not valid Unicode then survives.
    """
    body = {"v": PROTOCOL_VERSION, "type": event.type, **asdict(event)}
    return json.dumps(body, ensure_ascii=True).encode("ascii") + b"\n"


def from_line(line: bytes) -> Event | None:
    """The event in a protocol line, or None when the line is something else (a stray print).

    Raises
    ------
    PETSynthError
        ``PROTOCOL`` when the line is of another protocol version.
    """
    try:
        body = json.loads(line)
    except ValueError:
        return None
    if not isinstance(body, dict) or "v" not in body:
        return None
    if body["v"] != PROTOCOL_VERSION:
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            f"The worker speaks protocol {body['v']!r}, this release reads {PROTOCOL_VERSION}.",
            "Install the same release of PETSynth on both sides.",
        )
    kind = _TYPES.get(str(body.get("type")))
    if kind is None:
        return None
    known = {f.name for f in fields(kind)}
    try:
        return kind(**{key: value for key, value in body.items() if key in known})
    except TypeError:
        return None
