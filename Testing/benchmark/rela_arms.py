"""The arms of RelA-Diffusion's claims: how each is trained, on whom, and what is measured of it.

Called by `claims_rela`. At most ten trainings with ``petsynth train``, of a small budget of time
each; all of them look at the same test people.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claims import train_arm

from PETSynthLib.generate import Effort, load_generator
from PETSynthLib.learn.evaluate.metrics import image_metrics, ssim_map
from PETSynthLib.learn.methods.interface import Material, material_of
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.learn.store import Store, Subject, open_store
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import tracer as tracer_named

TRACERS = ("flortaucipir", "pib", "pbr28")
THIRD = "siemens"
"""The manufacturer nobody has trained on."""
ADAPTED_ON, KEPT_FOR_VALIDATION = 20, 4
FULL = "full"
FEW_DRAWS, FEW_PEOPLE = 2, 6
"""Behind the comparison with 250 steps, which take long."""


@dataclass(frozen=True)
class Number:
    """One number: which arm, seen how, on which tracer and whom."""

    arm: str
    condition: str
    tracer: str
    subject: str
    metric: str
    value: float


@dataclass(frozen=True)
class Arm:
    """One training.

    Attributes
    ----------
    sets
        Settings beside the defaults.
    config
        Name of a shipped configuration, or none.
    init
        Arm to start from, or none.
    store
        ``own``, ``apart`` (two manufacturers) or ``adapt`` (20 people of the third).
    hidden
        Images that it is tested without.
    """

    sets: tuple[str, ...] = ()
    config: str = ""
    init: str = ""
    store: str = "own"
    hidden: tuple[str, ...] = ()


SLOWER = "train.learning_rate=2e-4"
UNTOLD, TOLD = 'method.told=["clinic"]', "method.blur_mm=4"
ARMS = {
    FULL: Arm(),
    "no-relativistic": Arm(("method.rival.weight=0",)),
    "no-l1": Arm(("method.clean_weight=0",)),
    "no-t1": Arm(("method.flair_only=1",), hidden=("t1",)),
    "no-flair": Arm(("method.hide.no_flair=1", "method.flair_only=0"), hidden=("flair",)),
    "latent": Arm(config="latent"),
    "distilled": Arm(config="distil", init=FULL),
    "two-scanners": Arm((UNTOLD,), store="apart"),
    "two-scanners-randomised": Arm((TOLD,), store="apart"),
    "adapted": Arm((TOLD, SLOWER), init="two-scanners-randomised", store="adapt"),
}
SHIFTED = ("two-scanners", "two-scanners-randomised", "adapted")


def resplit(store: Store, out: Path, split_of: dict[str, str]) -> Path:
    """The same store with other splits: links to its arrays, and a table of its own."""
    out.mkdir(parents=True, exist_ok=True)
    for path in store.folder.iterdir():
        link = out / path.name
        if path.name != "subjects.tsv" and not link.is_symlink():
            link.symlink_to(path.resolve())
    with (store.folder / "subjects.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with (out / "subjects.tsv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({**row, "split": split_of.get(row["subject"], row["split"])})
    return out


def shifted(store: Store) -> tuple[dict[str, str], dict[str, str]]:
    """Splits of ``apart`` and ``adapt``: both are tested on the same people of the third scanner.

    Whoever the first trains on is put aside (``calibration``) in the second.
    """
    third = sorted((s for s in store.subjects if s.scanner == THIRD), key=lambda s: s.subject)
    others = [s for s in store.subjects if s.scanner != THIRD]
    chosen, tested = third[:ADAPTED_ON], third[ADAPTED_ON:]
    apart = {s.subject: "train" for s in others if s.split == "test"}
    apart |= {s.subject: "calibration" for s in chosen} | {s.subject: "test" for s in tested}
    adapt = {s.subject: "calibration" for s in others} | {s.subject: "test" for s in tested}
    for n, s in enumerate(chosen):
        adapt[s.subject] = "validation" if n < KEPT_FOR_VALIDATION else "train"
    return apart, adapt


def train(work: Path, name: str, stores: dict[str, Path], minutes: float) -> Path:
    """Train an arm unless it is there; its bundle."""
    arm = ARMS[name]
    words: list[object] = ["--config", arm.config] if arm.config else []
    sets = (f"train.tracers={json.dumps(TRACERS)}", *arm.sets)
    words += [word for setting in sets for word in ("--set", setting)]
    words += ["--init", train(work, arm.init, stores, minutes)] if arm.init else []
    return train_arm(work / "runs" / name, stores[arm.store], "rela", minutes, *words)


def judge(
    label: str,
    condition: str,
    generator: Any,
    material: Material,
    people: Sequence[Subject],
    effort: Effort,
) -> Iterator[Number]:
    """Every number of a model on some people."""
    store = material.store
    for subject in people:
        labels, brain = store.regions(subject.row), store.brain(subject.row)
        for tracer in (t for t in subject.tracers if t in TRACERS):
            facts, true = tracer_named(tracer), material.pet(subject, tracer)
            inputs = material.inputs(subject, tracer)
            started = time.perf_counter()
            made = generator.generate(inputs, effort, Silent())
            seconds = time.perf_counter() - started
            picture = made.mean.data
            numbers = image_metrics(true, picture, brain)
            target = region_index(facts.target_region)
            wanted, found = regional_means(labels, true), regional_means(labels, picture)
            similar = regional_means(labels, ssim_map(true, picture))
            found_here = {
                "mae": numbers["mae_suvr"],
                "psnr": numbers["psnr_db"],
                "ssim": numbers["ssim_brain"],
                "target_error": abs(found[target] - wanted[target]),
                "target_true": wanted[target],
                "target_made": found[target],
                "target_ssim": similar[target],
                "seconds": seconds,
            }
            for metric, value in found_here.items():
                yield Number(label, condition, tracer, subject.subject, metric, float(value))


def look(
    bundles: dict[str, Path],
    rivals: dict[str, str],
    stores: dict[str, Path],
    second: Path | None,
    most: int,
) -> Iterator[Number]:
    """Every number of every arm and rival."""
    own = material_of(open_store(stores["own"]), "auto")
    # Claims are about T1 and FLAIR: whoever has one alone would decide what the other is worth.
    people = tuple(s for s in own.store.split("test") if s.flair)[:most]
    for name, folder in bundles.items():
        generator: Any = load_generator(str(folder), "cpu").generator
        arm = ARMS[name]
        if name in SHIFTED:
            away = material_of(open_store(stores[arm.store]), "auto")
            strangers = away.store.split("test")[:most]
            yield from judge(name, "third", generator, away, strangers, Effort())
            continue
        hidden = replace(generator, hidden=arm.hidden)
        yield from judge(name, "own", hidden, own, people, Effort())
        if name == "distilled":
            few = of_draws(generator, FEW_DRAWS)
            yield from judge(name, "few draws", few, own, people[:FEW_PEOPLE], Effort())
        if name != FULL:
            continue
        for shown, without in (("t1", ("flair",)), ("flair", ("t1",))):
            alone = replace(generator, hidden=without)
            yield from judge(name, f"{shown} only", alone, own, people, Effort())
        slow = replace(of_draws(generator, FEW_DRAWS), sampler="ddim")
        effort = Effort(samples=FEW_DRAWS, steps=250)
        yield from judge(name, "ddim 250", slow, own, people[:FEW_PEOPLE], effort)
        if second is not None:
            other = open_store(second)
            away = Material(other, own.target, (), ())
            yield from judge(name, "second", generator, away, other.split("test")[:most], Effort())
    for label, place in rivals.items():
        rival = load_generator(place, "cpu").generator
        yield from judge(label, "own", rival, own, people, Effort())


def of_draws(generator: Any, draws: int) -> Any:
    """The generator with another number of draws behind its mean."""
    config = dict(generator.bundle.config)
    facts = dict(config["method_config"])
    facts["sampler"] = {**facts["sampler"], "draws": draws}
    config["method_config"] = facts
    return replace(generator, bundle=replace(generator.bundle, config=config))
