"""The output folder: nothing appears in it before everything is there.

A run writes into a hidden folder beside the output folder (inside it, where the place beside is
another disk or not ours). At the end that folder is renamed, or, when the output folder exists,
its files are moved one by one, ``result.json`` last. Files of other people are never touched.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..errors import ErrorCode, PETSynthError
from ..export import marks
from ..export.finished import REQUEST, RESULT
from ..request import KINDS

NEEDED_MB = 200
"""Free disk space below which a run does not even begin."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_STALE_S = 24 * 3600.0
_ALMOST_FULL_BYTES = 1_000_000


class Staging:
    """The hidden folder of one run and its way into the output folder.

    Parameters
    ----------
    output
        The folder the user named.
    kind
        Kind of the request: a result of another kind is never overwritten.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when the results could not be written there.
    """

    def __init__(self, output: Path, kind: str = "synthesize") -> None:
        self.output = output.expanduser().absolute()
        self._made: list[Path] = []
        self._kind = kind
        self._refuse_foreign([REQUEST, RESULT, "report.html"])
        try:
            self.folder = self._make_partial()
            free = shutil.disk_usage(self.folder).free
        except OSError as problem:
            self._remove_made()
            raise output_error(self.output, problem) from problem
        if free < NEEDED_MB * 1e6:
            self.discard()
            raise _full(self.output)

    def _make_partial(self) -> Path:
        parent = self.output.parent
        for folder in reversed([p for p in (parent, *parent.parents) if not p.exists()]):
            folder.mkdir()
            self._made.append(folder)
        if not self.output.exists():
            _sweep(parent, self._prefix)
            return self._make_hidden(parent)
        if not self.output.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.output))
        # The only sure test of a folder is to write into it.
        inside = self._make_hidden(self.output)
        _sweep(parent, self._prefix)
        _sweep(self.output, self._prefix, spare=inside)
        try:
            if parent.stat().st_dev == self.output.stat().st_dev and not self.output.is_mount():
                beside = self._make_hidden(parent)
                inside.rmdir()
                return beside
        except OSError:
            pass
        return inside

    @property
    def _prefix(self) -> str:
        return f".{self.output.name}.partial-"

    def _make_hidden(self, place: Path) -> Path:
        folder = place / f"{self._prefix}{secrets.token_hex(4)}"
        folder.mkdir()
        return folder

    def discard(self) -> None:
        """Remove everything this run has written, and the folders it made."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._remove_made()

    def _remove_made(self) -> None:
        for folder in reversed(self._made):
            with suppress(OSError):  # somebody else may have put something there meanwhile
                folder.rmdir()

    def files(self) -> list[str]:
        """Results written so far, as sorted posix paths below the folder (hidden ones left out)."""
        found = (p.relative_to(self.folder) for p in self.folder.rglob("*") if p.is_file())
        return sorted(p.as_posix() for p in found if not p.parts[0].startswith("."))

    @property
    def previous_space(self) -> Path | None:
        """``space/`` of an earlier result in the output folder, when there is one."""
        space = self.output / "space"
        return space if space.is_dir() else None

    @property
    def scratch(self) -> Path:
        """A folder for files that live only as long as the run."""
        folder = self.folder / ".scratch"
        folder.mkdir(exist_ok=True)
        return folder

    def commit(self) -> None:
        """Move the results into the output folder; all of them or none.

        Raises
        ------
        PETSynthError
            ``BAD_OUTPUT``; the output folder is then as it was before.
        """
        names = sorted(self.files(), key=lambda name: name == RESULT)
        self._refuse_foreign(names)
        shutil.rmtree(self.folder / ".scratch", ignore_errors=True)
        try:
            if not self.output.exists():
                self.folder.rename(self.output)
            else:
                # Without result.json nobody takes the mixture of old and new for a result.
                move_each(self.folder, names, self.output, first_away=RESULT)
                shutil.rmtree(self.folder, ignore_errors=True)
        except OSError as problem:
            raise output_error(self.output, problem) from problem

    def _refuse_foreign(self, names: list[str]) -> None:
        """Refuse to overwrite files that no earlier run of ours has written."""
        for name in names:
            target = self.output / name
            if name in (REQUEST, RESULT) and self._of_another_kind():
                raise PETSynthError(
                    ErrorCode.BAD_OUTPUT,
                    f"The output folder {self.output} holds the result of another kind of run.",
                    "Choose another output folder: every kind of run has its own.",
                )
            if target.is_dir() or (target.exists() and not self._ours(name)):
                raise PETSynthError(
                    ErrorCode.BAD_OUTPUT,
                    f"The output folder {self.output} holds a {name} that is not PETSynth's.",
                    "Choose another output folder, or move it away.",
                )

    def _of_another_kind(self) -> bool:
        others = [kind for kind in KINDS if kind != self._kind]
        return any(
            _is_record(self.output / name, kind) for name in (REQUEST, RESULT) for kind in others
        )

    def _ours(self, name: str) -> bool:
        """Whether such a run wrote an existing file: by its name, or a record beside it."""
        return f"_{marks.FILE_PART}" in Path(name).name or any(
            _is_record(self.output / n, self._kind) for n in (REQUEST, RESULT)
        )


def move_each(folder: Path, names: Sequence[str], output: Path, first_away: str = "") -> None:
    """Move files from ``folder`` to ``output`` in order; on failure put back what was there.

    Parameters
    ----------
    folder
        On the same disk; what is replaced is kept in it.
    names
        Paths below both folders.
    first_away
        Name of a file that leaves ``output`` before any is moved, if it is there.

    Raises
    ------
    OSError
        ``output`` is then as it was.
    """
    backup = folder / ".replaced"
    backup.mkdir()
    undo: list[tuple[Path, Path]] = []
    made: list[Path] = []

    def move(source: Path, target: Path) -> None:
        source.replace(target)
        undo.append((target, source))

    try:
        if first_away and (output / first_away).exists():
            move(output / first_away, backup / first_away)
        for number, name in enumerate(names):
            target = output / name
            above = (target.parent, *target.parent.parents)
            for parent in reversed([p for p in above if not p.exists()]):
                parent.mkdir()
                made.append(parent)
            if target.exists():
                move(target, backup / str(number))
            move(folder / name, target)
    except OSError:
        for moved, origin in reversed(undo):
            with suppress(OSError):
                moved.replace(origin)
        for parent in reversed(made):
            with suppress(OSError):
                parent.rmdir()
        raise


def _is_record(file: Path, kind: str) -> bool:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(body, dict) and body.get("kind") == kind and "version" in body


def _sweep(place: Path, prefix: str, spare: Path | None = None) -> None:
    """Remove the hidden folders that runs killed more than a day ago have left behind."""
    for old in place.glob(f"{prefix}*"):
        with suppress(OSError):
            if old != spare and time.time() - old.stat().st_mtime > _STALE_S:
                shutil.rmtree(old, ignore_errors=True)


def is_output_problem(problem: BaseException, folder: Path) -> bool:
    """Whether a failure of a library means that ``folder`` is full or not writable.

    Not every library passes on the system's error number, hence the look at the disk.
    """
    if isinstance(problem, OSError) and problem.errno in _FULL:
        return True
    if isinstance(problem, OSError) and problem.errno in _NOT_ALLOWED and problem.filename:
        return folder in Path(os.fsdecode(problem.filename)).parents
    if not isinstance(problem, OSError | RuntimeError):
        return False
    with suppress(OSError):
        return shutil.disk_usage(folder).free < _ALMOST_FULL_BYTES
    return False


def output_error(output: Path, problem: BaseException) -> PETSynthError:
    """The sentence for a failure to write into ``output``."""
    if isinstance(problem, NotADirectoryError | FileExistsError):
        return PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The output folder {output} cannot be made because a file has that name.",
            "Choose another output folder.",
        )
    if isinstance(problem, OSError) and problem.errno in _NOT_ALLOWED:
        return PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The output folder {output} cannot be written.",
            "Choose a folder that you may write to, and close programs that show its files.",
        )
    if isinstance(problem, OSError) and problem.errno not in _FULL:
        reason = problem.strerror or type(problem).__name__
        return PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The output folder {output} cannot be used ({reason}).",
            "Choose another output folder.",
        )
    return _full(output)


def _full(output: Path) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_OUTPUT,
        f"There is not enough free disk space for the output folder {output}.",
        f"Free at least {NEEDED_MB} MB there, or choose another output folder.",
    )
