"""One training from settings to bundle: `train_method` is what the command line calls.

A run's folder holds ``config.yaml`` (all settings), ``prepared.pt`` (what needed no gradient),
``last.pt`` and ``previous.pt`` (to resume), ``origin.json`` and ``origin.pt`` (with ``--init``),
``best-<stage>.pt``, ``metrics.csv``, ``tensorboard/``, ``previews/`` and, at the end, ``bundle/``.
"""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import yaml
from safetensors.torch import load_file

from ...errors import ErrorCode, PETSynthError
from ...generate import find_bundle, verify_bundle
from ..methods import method_named
from ..methods.interface import Material, TrainingMethod, material_of
from ..settings import apply_sets, as_dict, build, layered, read_yaml, refuse, schema
from ..store import Store
from . import checkpoint
from .config import TrainConfig
from .engine import Training, Watcher
from .origin import keep_origin, origin_of, origin_weights
from .prepared import prepare_once, read_prepared
from .processes import is_first_process, launch, require_launcher
from .write_bundle import bundle_parts, write_folder

CONFIGURATIONS = Path(__file__).parents[1] / "configurations"
"""Shipped settings: ``METHOD-NAME.yaml``."""
CONFIG = "config.yaml"
BUNDLE = "bundle"


@dataclass(frozen=True)
class Order:
    """What a person asked for.

    Attributes
    ----------
    method
        Name of the method.
    run
        Folder of the run.
    file
        YAML file with settings, or None.
    sets
        ``name=value`` on top of it.
    init
        Name or folder of a bundle to start from, or None.
    max_minutes
        Limit of time, or None.
    resume
        Whether an interrupted run shall go on.
    """

    method: str
    run: Path
    file: Path | None = None
    sets: tuple[str, ...] = ()
    init: str | None = None
    max_minutes: float | None = None
    resume: bool = False


def settings_type(method: type[TrainingMethod]) -> type:
    """The dataclass of all settings of a method: groups ``train`` and ``method``."""
    train = build(TrainConfig, method.train_defaults)
    return make_dataclass(
        "Settings",
        [("train", TrainConfig, train), ("method", method.config_type, method.config_type())],
        frozen=True,
    )


def settings_schema(name: str) -> dict[str, Any]:
    """JSON schema of a method's settings."""
    body = schema(settings_type(method_named(name)))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body}


def settings_file(method: str, words: str) -> Path:
    """The YAML file that somebody means: the name of a shipped one (``paper``), or a path.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when there is neither, with the names that there are.
    """
    own = f"{method_named(method).name}-"
    shipped = {p.stem.removeprefix(own): p for p in sorted(CONFIGURATIONS.glob(f"{own}*.yaml"))}
    if words in shipped or Path(words).is_file():
        return shipped.get(words, Path(words))
    raise refuse(
        f"There is no settings file {words!r}, and {method} has none of that name.",
        f"Give a YAML file, or one of its own: {', '.join(shipped) or 'it has none'}.",
    )


def settings_of(order: Order) -> Any:
    """The settings of a run: defaults, a resumed run's own, file, ``--set``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` naming the setting that is wrong.
    """
    method = method_named(order.method)
    body: dict[str, Any] = {}
    layers = [read_yaml(order.file)] if order.file is not None else []
    if order.resume and (order.run / CONFIG).is_file():
        layers.insert(0, read_yaml(order.run / CONFIG))
    for layer in layers:
        body = layered(body, layer)
    sets = list(order.sets)
    if order.max_minutes is not None:
        sets.append(f"train.max_minutes={float(order.max_minutes)}")
    return build(settings_type(method), apply_sets(body, sets))


def train_method(order: Order, store: Store, watcher: Watcher) -> Path:
    """Train a method on a store and write its bundle.

    Returns
    -------
    Folder of the bundle.

    Raises
    ------
    PETSynthError
        One sentence: wrong settings, a run that is already there, damaged checkpoint, no number.
    """
    settings = settings_of(order)
    require_launcher(settings.train)
    store = store.only(settings.train.tracers)
    material = material_of(store, settings.train.target)
    init = None if order.init is None else verify_bundle(find_bundle(order.init))
    if init is not None and init.method != order.method:
        raise refuse(f"The model {init.name} is no {order.method}.", "Give one of that method.")
    identity = {"method": order.method, "data": data_identity(store, material)}
    state = open_run(order, settings, identity) if is_first_process() else None

    fabric = launch(settings.train)
    started = time.perf_counter()
    if not fabric.is_global_zero:
        state = checkpoint.resume_point(order.run) if order.resume else None
    try:
        method = new_method(order.method, settings, material)
    except PETSynthError:
        if fabric.is_global_zero and not order.resume:
            forget_run(order.run)
        raise
    earlier = 0.0
    if fabric.is_global_zero:
        earlier = prepare_once(order.run, method, watcher.preparing)
    fabric.barrier()
    method.use(read_prepared(order.run))
    if init is not None and state is None:
        start_from(method, load_file(init.weights), init.facts)
        if fabric.is_global_zero:
            keep_origin(order.run, init, store.grid)
    else:
        start_again(method, order.run)
    spent = earlier + time.perf_counter() - started if state is None else 0.0
    try:
        with stop_signals() as stopping:
            training = Training(
                method, settings.train, fabric, order.run, identity, watcher, stopping, spent
            )
            training.train(state)
    except (RuntimeError, KeyError) as problem:
        raise explained(problem, state) from problem
    if fabric.is_global_zero:
        facts = run_facts(order, settings, material, training.account())
        config, card = bundle_parts(method, material, {**facts, "processes": fabric.world_size})
        write_folder(order.run / BUNDLE, config, card, method.tensors())
    fabric.barrier()
    return order.run / BUNDLE


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that the first Ctrl+C, SIGTERM or SIGUSR1 (SLURM's warning) sets.

    A second one stops the process where it stands; the last checkpoint is then what is left.
    """
    stopping = threading.Event()
    names = ("SIGINT", "SIGTERM", "SIGUSR1")
    numbers = [getattr(signal, n) for n in names if hasattr(signal, n)]
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    before = {n: signal.getsignal(n) for n in numbers}

    def note(number: int, frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, before[number])

    for n in numbers:
        signal.signal(n, note)
    try:
        yield stopping
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)


def new_method(name: str, settings: Any, material: Material) -> TrainingMethod:
    """A method with fresh weights: equal seeds give equal ones."""
    torch.manual_seed(settings.train.seed)
    return method_named(name)(settings.method, material, settings.train.seed)


def run_facts(
    order: Order, settings: Any, material: Material, account: dict[str, Any]
) -> dict[str, Any]:
    """What a bundle's ``training`` says of the run.

    Parameters
    ----------
    account
        A checkpoint's ``step``, ``steps_done``, ``seconds``, ``minutes_done``, ``best`` and
        ``resumed``.
    """
    return {
        "name": order.method,
        "seed": settings.train.seed,
        "steps": account["steps_done"] + account["step"],
        "minutes": round(account["minutes_done"] + account["seconds"] / 60, 1),
        "resumed": account.get("resumed", 0),
        "data": data_identity(material.store, material),
        "scores": {k: round(v, 5) for k, v in account["best"].items()},
        "settings": as_dict(settings),
        "init": origin_of(order.run),
    }


def open_run(order: Order, settings: Any, identity: dict[str, Any]) -> dict[str, Any] | None:
    """Check and make the run's folder; the state to resume from, if any."""
    state = checkpoint.resume_point(order.run) if order.resume else None
    if not order.resume and any((order.run / n).exists() for n in (CONFIG, checkpoint.LAST)):
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The folder {order.run.name} already holds a training.",
            "Continue it with --resume, or give another folder.",
        )
    if state is not None and any(state.get(k) != v for k, v in identity.items()):
        raise PETSynthError(
            ErrorCode.TRAINING,
            f"The run {order.run.name} was begun with another method or on other data.",
            "Give the method and the store it was begun with.",
        )
    try:
        order.run.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(as_dict(settings), sort_keys=False)
        (order.run / CONFIG).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The folder {order.run.name} cannot be written ({problem.strerror}).",
            "Give another folder.",
        ) from problem
    return state


def forget_run(run: Path) -> None:
    """Take away what `open_run` has made: no training began, and the folder is free again."""
    (run / CONFIG).unlink(missing_ok=True)
    with suppress(OSError):
        run.rmdir()  # stays where others have files in it


def data_identity(store: Store, material: Material) -> str:
    """A short name of what is learnt from: grid, tracers, target, subjects of both splits."""
    parts = [
        str(store.facts["grid"]),
        *store.tracers,
        material.target,
        *(s.subject for s in material.train),
        "",
        *(s.subject for s in material.validation),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def start_again(method: TrainingMethod, run: Path) -> None:
    """Load what the run began with: later stages still need it after an interruption."""
    if (weights := origin_weights(run)) is not None:
        start_from(method, *weights)


def start_from(
    method: TrainingMethod, tensors: dict[str, torch.Tensor], facts: dict[str, Any]
) -> None:
    """Load a bundle's weights and ``method_config`` into an untrained method.

    Raises
    ------
    PETSynthError
        ``TRAINING`` when the networks differ.
    """
    try:
        method.load(tensors, facts)
    except (RuntimeError, KeyError, ValueError) as problem:
        raise PETSynthError(
            ErrorCode.TRAINING,
            "The model to start from has other networks, tracers or scalings than these settings.",
            "Use the settings it was trained with (its config.json names them).",
        ) from problem


def explained(problem: Exception, state: dict[str, Any] | None) -> Exception:
    """A checkpoint that does not fit the networks, in words; any other problem as it is."""
    words = str(problem)
    fits = (
        "size mismatch" not in words
        and "Missing key" not in words
        and "parameter group" not in words
    )
    if state is None or (isinstance(problem, RuntimeError) and fits):
        return problem
    return PETSynthError(
        ErrorCode.TRAINING,
        "The checkpoint does not fit the networks that the settings describe.",
        "Resume with the settings the run was begun with.",
    )
