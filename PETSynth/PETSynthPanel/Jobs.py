"""Job folders: one a run, with request, images and result; gone when nobody needs it."""

import hashlib
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
    """Makes and removes job folders; keeps what later runs of the session start from.

    Brain mask and alignment of a T1w take most of a run. The worker takes them over from an earlier
    result when the image is the same, byte for byte, so they are laid into the new result folder.
    To quantify, project and export the worker takes the folder of a result as it is.
    """

    def __init__(self):
        self._spaces = {}  # id of the T1w's node -> job of its last finished run
        self._results = {}  # digest of result.json -> its folder
        self._ours = set()  # jobs to remove in the end

    def make(self, root, t1Id="", kind="synthesize"):
        """A new folder below ``root``.

        Parameters
        ----------
        root
            Made when missing.
        t1Id
            T1w whose alignment the run may take over; empty for a run that aligns nothing.
        kind
            Of the request.

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
        self._ours.add(job)
        previous = self._spaces.get(t1Id)
        if previous is not None:
            _reuse(previous, job, kind)
        return job

    def finished(self, job, t1Id, keep):
        """A run succeeded; its result (see `know`) and the images that it rests on stay.

        Parameters
        ----------
        t1Id
            T1w to which its alignment belongs, or empty.
        keep
            Whether the user wants the folder to outlive the scene.
        """
        if t1Id and (job.result / "space").is_dir():
            self._spaces[t1Id] = job
        if keep:
            self._ours.discard(job)
        else:
            _remove(job.folder / "flair.nrrd")  # nothing that follows reads it

    def know(self, folder):
        """Remember a result folder; returns the digest by which its nodes name it."""
        digest = hashlib.sha256((folder / "result.json").read_bytes()).hexdigest()
        self._results[digest] = folder
        return digest

    def folderOf(self, digest):
        """The folder of a result of this session, or None when there is none (any more)."""
        folder = self._results.get(digest)
        return folder if folder is not None and (folder / "result.json").is_file() else None

    def failed(self, job, keep):
        """A run ended without a result."""
        self._ours.discard(job)
        if not keep:
            _remove(job.folder)

    def clear(self):
        """Remove everything that is not to be kept."""
        for job in self._ours:
            _remove(job.folder)
        self._ours.clear()
        self._spaces.clear()
        self._results.clear()


def writeRequest(job, request):
    """Write ``request`` where the worker finds it."""
    job.request.write_text(json.dumps(request.as_dict(), indent=1), encoding="utf-8")


def _reuse(previous, job, kind):
    """Lay the alignment of a finished job into a new one; without it the run only takes longer."""
    try:
        # The worker writes into a folder only where a run of the same kind has written before.
        record = json.loads((previous.result / "request.json").read_text(encoding="utf-8"))
        shutil.copytree(previous.result / "space", job.result / "space")
        text = json.dumps({**record, "kind": kind})
        (job.result / "request.json").write_text(text, encoding="utf-8")
    except (OSError, ValueError):  # e.g. the system tidied up its temporary folder
        _remove(job.result)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
