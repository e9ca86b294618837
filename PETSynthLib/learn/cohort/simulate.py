"""A whole cohort: subjects in parallel, resumable, the same bytes whatever the number of jobs."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import ErrorCode, PETSynthError
from ...tracers import simulated_tracers, tracer
from ..oracle import ONLY_DIAGNOSIS, Check, check_oracles, image_error, read_oracle
from .parameters import CONFIGURATIONS, DIAGNOSES, SITES

SIMULATOR_VERSION = 1
"""Raised when the same seed gives other subjects than before."""
LARGEST_INDEX = 9999
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class CohortRequest:
    """What to simulate.

    Attributes
    ----------
    out
        Folder of the data set; subjects that are there are kept.
    subjects
        How many.
    seed
        Seed of the cohort; subject k depends on it and on k alone.
    config
        Key of `parameters.CONFIGURATIONS`.
    tracers
        Keys of the tracers; every subject gets a PET of each.
    jobs
        Number of processes.
    site
        Key of `parameters.SITES`.
    first_index
        Number of the first subject.
    spacing_mm
        Lattice on which brains are made: 1, or 2 for trials.
    diagnosis
        Only people with this diagnosis (`parameters.DIAGNOSES`), by their numbers; empty for all.
        Their oracles expect people of every diagnosis: they are kept, and nobody is held against
        them (`ONLY_DIAGNOSIS`).
    """

    out: Path
    subjects: int
    seed: int
    config: str = "default"
    tracers: tuple[str, ...] = field(default_factory=lambda: tuple(simulated_tracers()))
    jobs: int = 1
    site: str = "clinic"
    first_index: int = 1
    spacing_mm: float = 1.0
    diagnosis: str = ""

    def __post_init__(self) -> None:
        for key in self.tracers:
            tracer(key)
        undrawn = [key for key in self.tracers if key not in simulated_tracers()]
        last = self.first_index + self.subjects - 1
        wrong = {
            f"The number of subjects {self.subjects} is not possible.": self.subjects < 1,
            f"The number of processes {self.jobs} is not possible.": self.jobs < 1,
            f"The seed {self.seed} is not possible.": not 0 <= self.seed < 2**31,
            f"Subjects {self.first_index} to {last} are not possible.": self.first_index < 1
            or last > LARGEST_INDEX,
            f"The configuration {self.config!r} is not known.": self.config not in CONFIGURATIONS,
            f"The site {self.site!r} is not known.": self.site not in SITES,
            "No tracer was named.": not self.tracers,
            f"The simulator draws no PET of {', '.join(undrawn)}.": bool(undrawn),
            f"Brains cannot be made at {self.spacing_mm:g} mm.": self.spacing_mm not in (1, 2),
            f"The diagnosis {self.diagnosis!r} is not one of {', '.join(DIAGNOSES)}.": bool(
                self.diagnosis
            )
            and self.diagnosis not in DIAGNOSES,
        }
        for sentence, fails in wrong.items():
            if fails:
                raise PETSynthError(
                    ErrorCode.BAD_REQUEST, sentence, "See: petsynth simulate --help."
                )

    @property
    def facts(self) -> dict[str, Any]:
        """What every subject of one data set has in common."""
        return {
            "simulator_version": SIMULATOR_VERSION,
            "seed": self.seed,
            "config": self.config,
            "tracers": list(self.tracers),
            "spacing_mm": self.spacing_mm,
        } | ({"diagnosis": self.diagnosis} if self.diagnosis else {})


@dataclass(frozen=True)
class Cohort:
    """What `simulate_cohort` has made.

    Attributes
    ----------
    out
        Folder of the data set.
    made, kept
        Subjects that were simulated now, and that were there already.
    """

    out: Path
    made: int
    kept: int


def subject_name(index: int) -> str:
    """BIDS name of subject number ``index``."""
    return f"sub-{index:04d}"


def simulate_cohort(
    request: CohortRequest, progress: Callable[[int, int], None] | None = None
) -> Cohort:
    """Simulate a cohort into ``request.out``.

    Parameters
    ----------
    progress
        Told the number of finished subjects and the number of all.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the folder holds another cohort or other files, ``BAD_OUTPUT`` when it
        cannot be written.
    """
    from .bids import write_dataset, write_participants

    tell = progress or (lambda done, total: None)
    numbers = _indices(request)
    _check_folder(request, numbers)
    try:
        write_dataset(request.out, request.facts)
        todo = [k for k in numbers if not (request.out / subject_name(k)).is_dir()]
        kept = request.subjects - len(todo)
        tell(kept, request.subjects)
        for done, _ in enumerate(_run(request, todo), start=kept + 1):
            tell(done, request.subjects)
        shutil.rmtree(request.out / ".part", ignore_errors=True)
        write_participants(request.out)
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The cohort cannot be written ({problem.strerror or problem}).",
            "Make room or choose another folder, then run the same command: it continues.",
        ) from problem
    return Cohort(request.out, len(todo), kept)


def _indices(request: CohortRequest) -> Sequence[int]:
    """Numbers of the subjects: one after the other, or of the first with the diagnosis.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when there are not so many people with the diagnosis.
    """
    if not request.diagnosis:
        return range(request.first_index, request.first_index + request.subjects)
    from .subject import person_of

    numbers = range(request.first_index, LARGEST_INDEX + 1)
    meant = (
        k
        for k in numbers
        if person_of(request.seed, k, request.site, request.config).diagnosis == request.diagnosis
    )
    found = list(islice(meant, request.subjects))
    if len(found) < request.subjects:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"Only {len(found)} of the people up to number {LARGEST_INDEX} have the diagnosis "
            f"{request.diagnosis}.",
            "Ask for fewer, or begin at a lower number.",
        )
    return found


def _check_folder(request: CohortRequest, numbers: Sequence[int]) -> None:
    """Refuse to mix two cohorts, or a cohort and something else."""
    description = request.out / "derivatives" / "simulation" / "dataset_description.json"
    if not request.out.exists() or not any(request.out.iterdir()):
        return
    try:
        earlier = json.loads(description.read_text(encoding="utf-8"))["Simulation"]
    except (OSError, ValueError, KeyError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The folder {request.out.name} holds other files, not a simulated cohort.",
            "Choose a new folder.",
        ) from problem
    for name, value in {"diagnosis": None, **request.facts}.items():
        if earlier.get(name) != value:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"The folder {request.out.name} holds a cohort with {name} = "
                f"{earlier.get(name)!r}, not {value!r}.",
                "Choose a new folder, or the settings it was made with.",
            )
    for index in numbers:
        name = subject_name(index)
        file = description.parent / name / f"{name}_latents.json"
        if (request.out / name).is_dir():
            site = json.loads(file.read_text(encoding="utf-8"))["site"]
            if site != request.site:
                raise PETSynthError(
                    ErrorCode.BAD_DATA,
                    f"The subject {name} is there already and comes from the site {site!r}.",
                    "Begin the second site at a free number: --first-index.",
                )


def _run(request: CohortRequest, todo: list[int]) -> Iterator[int]:
    """Simulate the subjects ``todo``, yielding each that is finished."""
    if not todo:
        return
    # New processes, even for one job: threads then never decide the last bit.
    context = multiprocessing.get_context("spawn")
    with (
        _one_thread(),
        ProcessPoolExecutor(
            min(request.jobs, len(todo)), mp_context=context, initializer=_end_with_parent
        ) as pool,
    ):
        waiting = [pool.submit(simulate_into, request, index) for index in todo]
        try:
            for finished in as_completed(waiting):
                yield finished.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even killed."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _one_thread() -> Iterator[None]:
    """New processes begin with one thread each."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def simulate_into(request: CohortRequest, index: int) -> int:
    """Simulate one subject; its folder appears when it is complete, never before."""
    import torch

    from .bids import write_subject
    from .subject import simulate_subject

    torch.set_num_threads(1)
    name = subject_name(index)
    derived = request.out / "derivatives" / "simulation" / name
    part = request.out / ".part" / name
    for leftover in (part, derived):
        shutil.rmtree(leftover, ignore_errors=True)
    simulated = simulate_subject(
        request.seed, index, request.site, request.config, request.tracers, request.spacing_mm
    )
    origin = {
        "seed": request.seed,
        "index": index,
        "config": request.config,
        "site": request.site,
    } | ({ONLY_DIAGNOSIS: request.diagnosis} if request.diagnosis else {})
    write_subject(part / "raw", part / "derived", name, simulated, origin)
    # The raw folder comes last: where it stands, the subject is complete.
    (part / "derived").replace(derived)
    (part / "raw").replace(request.out / name)
    return index


def check_cohort(out: Path) -> tuple[list[Check], tuple[float, float]]:
    """Calibration of the oracle over all subjects of a cohort, written beside them.

    Returns
    -------
    checks, error
        See `oracle.check_oracles` and `oracle.image_error`.
    """
    folder = out / "derivatives" / "simulation"
    oracles = [read_oracle(path) for path in sorted(folder.glob("sub-*/sub-*_oracle.npz"))]
    checks, error = check_oracles(oracles), image_error(oracles)
    body = {
        "subjects": len(oracles),
        "targets": [asdict(row) for row in checks],
        "image_over_truth": {"sd": error[0], "largest": error[1]},
    }
    file = folder / "explained_variance.json"
    file.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return checks, error
