"""Claims of Cyclic 2.5D re-tested on simulation: ``claims_cyclic.py STORE WORK --vgg FILE``.

Eight trainings of `unet` on the flortaucipir of one store (3 mm), alike in everything but the
perceptual term or the standardisation, each of ``--minutes`` (8 at most): a budget-limited trial,
whose result is not the paper's. Equal minutes: an arm with a dearer loss takes fewer steps, and how
many each took is printed; one arm without the term takes just as many as the cyclic one. Judged on
the store's test people: PSNR and SSIM in the brain, errors of the Desikan-Killiany regions and of
the meta-temporal region, preservation of high uptake. How claims are judged: `claims`. Finished
trainings are kept.

What each standardisation does to the disease's signal needs no training and is printed first: the
simulator's scanners see people of different amyloid prevalence (docs/simulator.md), so
that a part of what differs between manufacturers is disease.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from claims import Claim, compared, steps_taken, train_arm, write_claims
from numpy.typing import NDArray

from PETSynthLib.generate.standardisation import suvr_line
from PETSynthLib.learn.evaluate.metrics import image_metrics
from PETSynthLib.learn.evaluate.predictor import Predictor, load_predictors
from PETSynthLib.learn.methods.interface import Material, material_of, scanner_of
from PETSynthLib.learn.methods.standardise import fit_standardisation
from PETSynthLib.learn.regions import region_index, region_keys, regional_means
from PETSynthLib.learn.store import Store, Subject, open_store
from PETSynthLib.tracers import tracer as tracer_of

LONGEST_MINUTES = 8.0
TRACER = "flortaucipir"
HIGH_PERCENTILE = 95.0
"""A voxel above this percentile of a person's true brain counts as high uptake."""
TOTAL = ("method.loss.ssim=1",)
ARMS: dict[str, tuple[str, ...]] = {
    "none": (*TOTAL, "method.loss.perceptual=none"),
    "cyclic": (*TOTAL, "method.loss.perceptual=cyclic"),
    "static": (*TOTAL, "method.loss.perceptual=static"),
    "2d": (*TOTAL, "method.loss.perceptual=2d"),
    "3d": (*TOTAL, "method.loss.perceptual=3d"),
    "manufacturer": (
        *TOTAL,
        "method.loss.perceptual=cyclic",
        "method.standardise=manufacturer",
    ),
    "combat": (*TOTAL, "method.loss.perceptual=cyclic", "method.standardise=combat"),
}
EQUAL_STEPS = "none_equal_steps"
ARMS[EQUAL_STEPS] = ARMS["none"]
CLAIMS = (
    ("cyclic", "none"),
    ("cyclic", EQUAL_STEPS),
    ("cyclic", "2d"),
    ("cyclic", "3d"),
    ("cyclic", "static"),
    ("manufacturer", "cyclic"),
)
"""The first arm is said to be better than the second."""
ENDPOINTS = {"ssim": 1, "psnr": 1, "dk_error": -1, "meta_temporal_error": -1, "high_uptake": 1}
"""Name -> 1 when more is better."""


@dataclass(frozen=True)
class Judged:
    """One person's numbers: SSIM and PSNR (dB) in the brain, regional errors and r, high uptake.

    Attributes
    ----------
    dk_error, meta_temporal_error
        Mean absolute error of the regions' SUVR.
    high_uptake
        Mean synthetic over mean true SUVR where the true one is high; 1 is preserved, never more.
    """

    ssim: float
    psnr: float
    dk_error: float
    meta_temporal_error: float
    high_uptake: float


def judge(store: Store, subject: Subject, drawn: NDArray[np.float32]) -> Judged:
    """Numbers of one person's picture against the noise-free PET, else the acquired one."""
    known = store.has_truth(TRACER)
    true = store.truth(subject.row, TRACER) if known else store.pet(subject.row, TRACER)
    brain, labels = store.brain(subject.row), store.regions(subject.row)
    image = image_metrics(true, drawn, brain)
    off = np.abs(regional_means(labels, drawn) - regional_means(labels, true))
    single = np.array([key.rpartition(".")[2] in ("L", "R") for key in region_keys()])
    high = brain & (true >= np.percentile(true[brain], HIGH_PERCENTILE))
    share = float(drawn[high].mean() / true[high].mean())
    return Judged(
        image["ssim_brain"],
        image["psnr_db"],
        float(np.nanmean(off[single] if single.any() else off)),
        float(off[region_index(tracer_of(TRACER).target_region)]),
        1.0 - abs(1.0 - share),
    )


def judged_people(store: Store, predictor: Predictor) -> dict[str, Judged]:
    """Numbers of every test person with the tracer."""
    people = [s for s in store.split("test") if TRACER in s.tracers]
    return {
        s.subject: judge(store, s, predictor.images(store, s, TRACER, s.clinical).mean)
        for s in people
    }


def claims_of(found: dict[str, dict[str, Judged]]) -> list[Claim]:
    """Every claim of two arms that were trained, for each endpoint."""
    return [
        compared(
            f"{name}: {better} better than {worse}",
            *({p: getattr(j, name) for p, j in found[arm].items()} for arm in (better, worse)),
            more=sign > 0,
        )
        for better, worse in CLAIMS
        if better in found and worse in found
        for name, sign in ENDPOINTS.items()
    ]


def disease_signal(material: Material, kind: str, tracer: str) -> dict[str, float]:
    """What a standardisation leaves of the difference between ill and well.

    Returns
    -------
    ``gap``: target region of GE's people minus Siemens', and ``d``: of people with high minus low
    true uptake over their sd, both after standardisation, in units of the pooled sd.
    """
    people = [s for s in material.train if tracer in s.tracers and scanner_of(s)]
    facts: dict[str, Any] = {"suvr_scale": {tracer: 1.0}}
    if kind != "none":
        facts["standardisation"] = fit_standardisation(material, kind)
    index = region_index(tracer_of(tracer).target_region)
    true, seen = [], []
    for s in people:
        pet = material.pet(s, tracer)
        line, labels = suvr_line(facts, tracer, scanner_of(s)), material.store.regions(s.row)
        true.append(regional_means(labels, pet)[index])
        seen.append(regional_means(labels, line.to_network(pet))[index])
    values, order = np.array(seen) / np.nanstd(seen), np.array(true)
    ill = order > np.nanmedian(order)
    makers = np.array([scanner_of(s) for s in people])

    def apart(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
        return float(np.nanmean(values[a]) - np.nanmean(values[b]))

    return {"gap": apart(makers == "ge", makers == "siemens"), "d": apart(ill, ~ill)}


def signal_lines(store: Store) -> list[str]:
    """The disease signal under each standardisation, for every tracer."""
    material, lines = material_of(store, "auto"), []
    for tracer in store.tracers:
        for kind in ("none", "manufacturer", "combat"):
            found = disease_signal(material, kind, tracer)
            lines.append(
                f"{tracer}, {kind}: GE minus Siemens {found['gap']:+.2f} sd, "
                f"high minus low {found['d']:+.2f} sd"
            )
    return lines


def run_of(work: Path, arm: str, minutes: float, seed: int) -> Path:
    """Folder of an arm's training."""
    return work / f"{arm}-{minutes:g}min-seed{seed}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--vgg", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=LONGEST_MINUTES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    chosen = parser.parse_args()
    if EQUAL_STEPS in chosen.arms and "cyclic" not in chosen.arms:
        raise SystemExit(f"The arm '{EQUAL_STEPS}' needs the arm 'cyclic', whose steps it takes.")
    if chosen.minutes > LONGEST_MINUTES:
        raise SystemExit(f"An arm has {LONGEST_MINUTES:g} minutes at most.")
    chosen.work.mkdir(parents=True, exist_ok=True)
    store = open_store(chosen.store)
    signal = signal_lines(store)
    print("\n".join(signal), flush=True)
    found: dict[str, dict[str, Judged]] = {}
    notes = list(signal)
    for arm in (known for known in ARMS if known in chosen.arms):
        run = run_of(chosen.work, arm, chosen.minutes, chosen.seed)
        sets = (
            *ARMS[arm],
            f"method.loss.vgg={chosen.vgg}",
            f"train.seed={chosen.seed}",
            f"train.tracers=[{TRACER}]",
        )
        if arm == EQUAL_STEPS:
            taken = steps_taken(run_of(chosen.work, "cyclic", chosen.minutes, chosen.seed))
            sets = (*sets, f"train.steps={taken}")
        words = [word for text in sets for word in ("--set", text)]
        bundle = train_arm(run, chosen.store, "unet", chosen.minutes, *words)
        (predictor,) = load_predictors([f"{arm}={bundle}"], "cpu")
        found[arm] = judged_people(store, predictor)
        means = [
            f"{n} {np.mean([getattr(j, n) for j in found[arm].values()]):.4f}" for n in ENDPOINTS
        ]
        notes.append(f"{arm}: {steps_taken(run)} steps; mean {', '.join(means)}")
    budget = f"{chosen.minutes:g} minutes an arm, one seed ({chosen.seed}), {TRACER}"
    people = {a: {p: asdict(j) for p, j in rows.items()} for a, rows in found.items()}
    write_claims(chosen.work, "Cyclic 2.5D", budget, claims_of(found), notes, people=people)


if __name__ == "__main__":
    main()
