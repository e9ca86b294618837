"""Claims of RelA-Diffusion re-tested on simulation, within a small budget of time an arm.

``python Testing/benchmark/claims_rela.py WORK --store STORE [--second STORE]`` trains the arms
(`rela_arms`), looks at the same test people with each, and prints every claim as holding or not.
``--rival LABEL=BUNDLE`` (repeatable) sets other methods beside it. Finished trainings are kept: run
it again to go on. How comparisons are judged: `claims`; whoever was not measured is not compared.

``arms.csv``    a row a number: arm, condition, tracer, subject, metric, value
``claims.md``, ``claims.json``    the claims with their numbers
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from claims import Claim, compared, write_claims
from numpy.typing import NDArray
from rela_arms import ARMS, FULL, TRACERS, Number, look, resplit, shifted, train
from v1 import petsynth

from PETSynthLib.learn.store import open_store
from PETSynthLib.learn.tidy import read_rows

DRAWS, SEED = 2000, 0
OWN = "own"
ABLATIONS = {
    "no-relativistic": "the relativistic term",
    "no-l1": "the L1 of the clean prediction",
    "no-t1": "the T1",
    "no-flair": "the FLAIR",
}
MOST_SSIM, MOST_ERROR = 0.02, 0.02
"""What a few-step model may lose beside 250 steps: SSIM, share of the target region's error."""
MOST_SHIFT = 0.1
"""Share of its error by which a model may be worse at a second site and still count as no worse."""
HIGHER = {"psnr", "ssim", "target_ssim"}
WORDS = {
    "psnr": "PSNR",
    "ssim": "SSIM",
    "mae": "MAE",
    "target_error": "target-region error",
    "target_ssim": "SSIM of the target region",
}

Array = NDArray[np.float64]


class Numbers:
    """The table, by what is asked of it."""

    def __init__(self, numbers: Iterable[Number]) -> None:
        self.of: dict[tuple[str, str, str, str], dict[str, float]] = {}
        for n in numbers:
            key = (n.arm, n.condition, n.tracer, n.metric)
            self.of.setdefault(key, {})[n.subject] = n.value
        self.tracers = list(dict.fromkeys(key[2] for key in self.of))

    def values(self, arm: str, condition: str, tracer: str, metric: str) -> dict[str, float]:
        """Subject -> number; empty where nothing was measured."""
        return self.of.get((arm, condition, tracer, metric), {})

    def pairs(
        self, first: tuple[str, str], second: tuple[str, str], tracer: str, metric: str
    ) -> tuple[Array, Array]:
        """Numbers (N,) of two (arm, condition) on the people whom both have seen."""
        a, b = (self.values(*where, tracer, metric) for where in (first, second))
        both = [s for s in a if s in b and np.isfinite(a[s]) and np.isfinite(b[s])]
        return np.array([a[s] for s in both]), np.array([b[s] for s in both])


def resampled(statistic: Callable[[NDArray[np.intp]], float], people: int) -> tuple[float, float]:
    """95 % interval of a statistic of positions, over resampled people."""
    rng = np.random.default_rng(SEED)
    drawn = [statistic(rng.integers(people, size=people)) for _ in range(DRAWS)]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def better(
    numbers: Numbers, first: tuple[str, str], second: tuple[str, str], metric: str, words: str
) -> list[Claim]:
    """``first`` is better than ``second``, tracer by tracer."""
    found = []
    for tracer in numbers.tracers:
        a, b = (numbers.values(*where, tracer, metric) for where in (first, second))
        if len(set(a) & set(b)) > 1:
            text = f"{tracer}: {words} ({WORDS[metric]})"
            found.append(compared(text, a, b, more=metric in HIGHER))
    return found


def claims_of(numbers: Iterable[Number], rivals: list[str]) -> list[Claim]:
    """Every claim that the table can answer."""
    table, full = Numbers(numbers), (FULL, OWN)
    claims: list[Claim] = []
    for rival in rivals:
        for metric in ("psnr", "ssim", "mae"):
            words = f"better than {rival}"
            claims += better(table, full, (rival, OWN), metric, words)
    for arm, what in ABLATIONS.items():
        claims += better(table, full, (arm, OWN), "mae", f"{what} lowers the error")
    claims += better(
        table, full, ("no-relativistic", OWN), "target_ssim",
        "the relativistic term raises the SSIM of the target region",
    )  # fmt: skip
    claims += better(
        table, full, (FULL, "flair only"), "mae", "with both images better than with FLAIR alone"
    )
    claims += better(
        table, full, (FULL, "t1 only"), "mae", "with both images better than with T1 alone"
    )
    claims += correlated(table)
    claims += second_site(table)
    claims += few_steps(table)
    claims += faster(table)
    plain, random, adapted = (
        (arm, "third") for arm in ("two-scanners", "two-scanners-randomised", "adapted")
    )
    shift = "on an unseen scanner"
    for metric in ("mae", "target_error"):
        claims += better(
            table, random, plain, metric, f"PSF randomisation and scanner conditioning help {shift}"
        )
        claims += better(table, adapted, random, metric, f"20 cases help {shift}")
    return claims


def correlated(table: Numbers) -> list[Claim]:
    """Across people, the target region's synthetic SUVR follows the true one."""
    found = []
    for tracer in table.tracers:
        true = table.values(FULL, OWN, tracer, "target_true")
        made = table.values(FULL, OWN, tracer, "target_made")
        people = [s for s in true if np.isfinite(true[s]) and np.isfinite(made[s])]
        if len(people) < 4:
            continue
        x, y = (np.array([v[s] for s in people]) for v in (true, made))

        def r(who: NDArray[np.intp], x: Array = x, y: Array = y) -> float:
            spread = np.ptp(x[who]) > 0 and np.ptp(y[who]) > 0
            return float(np.corrcoef(x[who], y[who])[0, 1]) if spread else float("nan")

        low, high = resampled(r, len(people))
        value = r(np.arange(len(people)))
        evidence = f"r {value:.2f}, 95 % {low:.2f} to {high:.2f}, {len(people)} people"
        found.append(Claim(f"{tracer}: VOI-SUVR follows the true one", low > 0, evidence))
    return found


def second_site(table: Numbers) -> list[Claim]:
    """Elsewhere, without fine-tuning, the error is no larger (different people: not paired).

    The whole interval of the difference has to lie below `MOST_SHIFT` of the error at home: few
    people prove no equality.
    """
    found = []
    for tracer in table.tracers:
        own, away = (
            np.array(list(table.values(FULL, where, tracer, "mae").values()))
            for where in (OWN, "second")
        )
        if len(own) < 2 or len(away) < 2:
            continue
        rng = np.random.default_rng(SEED)
        drawn = [
            rng.choice(away, len(away)).mean() - rng.choice(own, len(own)).mean()
            for _ in range(DRAWS)
        ]
        low, high = np.percentile(drawn, (2.5, 97.5))
        most = MOST_SHIFT * own.mean()
        evidence = (
            f"MAE {own.mean():.4g} here, {away.mean():.4g} there; difference "
            f"{low:+.3g} to {high:+.3g} (95 %), at most {most:+.3g} allowed"
        )
        words = f"{tracer}: the second site without fine-tuning is no worse"
        found.append(Claim(words, bool(high <= most), evidence))
    return found


def few_steps(table: Numbers) -> list[Claim]:
    """Distilled: within 0.02 SSIM and 2 % target-region error of 250 DDIM steps."""
    found = []
    for tracer in table.tracers:
        few, many = ("distilled", "few draws"), (FULL, "ddim 250")
        a, b = table.pairs(few, many, tracer, "ssim")
        e, f = table.pairs(few, many, tracer, "target_error")
        if not len(a) or not len(e):
            continue
        lost, more = float((b - a).mean()), float(e.mean() / f.mean() - 1.0)
        held = lost <= MOST_SSIM and more <= MOST_ERROR
        evidence = f"SSIM {lost:+.4f} lost, target-region error {100 * more:+.1f} %"
        found.append(Claim(f"{tracer}: few steps cost next to nothing", held, evidence))
    return found


def faster(table: Numbers) -> list[Claim]:
    """The latent variant is faster; what it costs stands beside it."""
    found = []
    for tracer in table.tracers:
        a, b = table.pairs(("latent", OWN), (FULL, OWN), tracer, "seconds")
        e, f = table.pairs(("latent", OWN), (FULL, OWN), tracer, "mae")
        if not len(a):
            continue
        ratio = float(np.median(b) / np.median(a))
        evidence = f"{ratio:.1f} times as fast; MAE {e.mean():.4g} against {f.mean():.4g}"
        found.append(Claim(f"{tracer}: the latent variant is faster", ratio > 1.0, evidence))
    return found


def cognition_of(metrics: Path) -> list[Claim]:
    """Scores are predicted better from MRI and synthetic PET than from MRI; the clinic beside it.

    Reads the rows of ``petsynth evaluate --checks downstream``.
    """
    found = {(r.information, r.metric): r.value for r in read_rows(metrics) if "_r." in r.metric}
    claims = []
    for score in ("mmse", "adas13"):
        mri, clinic = (found.get(("", f"{score}_r.{arm}")) for arm in ("mri", "clinic"))
        added = found.get(("mri", f"{score}_r.mri_synthetic"))
        if mri is None or clinic is None or added is None:
            continue
        low = found.get(("mri", f"{score}_r.mri_synthetic.low"), float("nan"))
        evidence = (
            f"r {added:.2f} (95 % from {low:.2f}) against {mri:.2f} without; clinic alone "
            f"{clinic:.2f}"
        )
        words = f"synthetic PET adds to the MRI in predicting {score.upper()}"
        claims.append(Claim(words, low > mri, evidence))
    return claims


def write(work: Path, numbers: list[Number]) -> None:
    """``arms.csv``."""
    with (work / "arms.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Number.__dataclass_fields__)
        table.writerows(vars(n).values() for n in numbers)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for runs and results")
    parser.add_argument("--store", type=Path, required=True, help="simulated, all scanners")
    parser.add_argument("--second", type=Path, help="store of a second site")
    parser.add_argument("--rival", action="append", default=[], metavar="LABEL=BUNDLE")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--minutes", type=float, default=15.0, help="of each training")
    parser.add_argument("--subjects", type=int, default=20, help="test people looked at, at most")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    store = open_store(chosen.store)
    stores = {"own": chosen.store}
    for name, split in zip(("apart", "adapt"), shifted(store), strict=True):
        stores[name] = resplit(store, chosen.work / f"store-{name}", split)
    bundles = {name: train(chosen.work, name, stores, chosen.minutes) for name in chosen.arms}
    rivals = dict(text.split("=", 1) for text in chosen.rival)
    numbers = list(look(bundles, rivals, stores, chosen.second, chosen.subjects))
    write(chosen.work, numbers)
    claims = claims_of(numbers, list(rivals))
    if FULL in bundles:
        report = chosen.work / "report"
        if not (report / "metrics.csv").is_file():
            petsynth(
                "evaluate", "--data", chosen.store, "--model", f"rela={bundles[FULL]}",
                "--tracers", ",".join(TRACERS), "--checks", "downstream", "--samples", 0,
                "-o", report,
            )  # fmt: skip
        claims += cognition_of(report / "metrics.csv")
    budget = f"{chosen.minutes:g} minutes an arm"
    write_claims(chosen.work, "RelA-Diffusion", budget, claims)


if __name__ == "__main__":
    main()
