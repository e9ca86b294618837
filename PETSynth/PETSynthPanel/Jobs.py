"""Job folders: one a run, with request, images and result; gone when nobody needs it."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PETSynthLib.errors import ErrorCode, PETSynthError


@dataclass(frozen=True)
class Job:
    """The folder of one run."""

    folder: Path

    @property
    def request(self):
        """The request file the worker reads."""
        return self.folder / "request.json"

    @property
    def result(self):
        """The folder of the results."""
        return self.folder / "result"


class Jobs:
    """Makes and removes job folders; keeps what the next run on the same T1w can reuse.

    Brain mask and alignment of a T1w take most of a run. The worker takes them over from an earlier
    result when the image is the same, byte for byte, so they are laid into the new result folder.
    """

    def __init__(self):
        self._spaces = {}  # id of the T1w's node -> job of its last finished run
        self._open = set()

    def make(self, root, t1Id):
        """A new folder below ``root``.

        Raises
        ------
        PETSynthError
            ``BAD_OUTPUT`` when that is not possible.
        """
        try:
            Path(root).mkdir(parents=True, exist_ok=True)
            job = Job(Path(tempfile.mkdtemp(prefix="petsynth-", dir=root)))
        except OSError as problem:
            raise PETSynthError(
                ErrorCode.BAD_OUTPUT,
                f"The job folder {root} cannot be written to ({problem.strerror}).",
                "Choose another folder.",
            ) from problem
        self._open.add(job)
        previous = self._spaces.get(t1Id)
        if previous is not None:
            _reuse(previous, job)
        return job

    def finished(self, job, t1Id, keep):
        """A run succeeded: of its folder only the alignment is needed any longer."""
        self._open.discard(job)
        previous = self._spaces.pop(t1Id, None)
        if previous is not None:
            _remove(previous.folder)
        if keep:
            return
        for path in job.folder.iterdir():
            if path != job.result:
                _remove(path)
        for path in job.result.iterdir():
            if path.name not in ("space", "request.json"):
                _remove(path)
        self._spaces[t1Id] = job

    def failed(self, job, keep):
        """A run ended without a result."""
        self._open.discard(job)
        if not keep:
            _remove(job.folder)

    def clear(self):
        """Remove everything that is not to be kept."""
        for job in [*self._spaces.values(), *self._open]:
            _remove(job.folder)
        self._spaces.clear()
        self._open.clear()


def writeRequest(job, request):
    """Write ``request`` where the worker finds it."""
    job.request.write_text(json.dumps(request.as_dict(), indent=1), encoding="utf-8")


def _reuse(previous, job):
    """Lay the alignment of a finished job into a new one; without it the run only takes longer."""
    try:
        shutil.copytree(previous.result / "space", job.result / "space")
        shutil.copy(previous.result / "request.json", job.result / "request.json")
    except OSError:  # e.g. the system tidied up its temporary folder
        _remove(job.result)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
