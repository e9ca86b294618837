"""The exact posterior p(R | what is known), by importance sampling over hidden states.

Hidden states are drawn given age, sex and APOE4 and weighed by p(a | L) p(scores | L). What no
evidence speaks of (unexplained factors) is drawn afresh afterwards, and focal losses are drawn
from their own posterior, so the weights only carry what must be weighed.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from ...tracers import simulated_tracers
from ..oracle import INFORMATION, QUANTILES, Belief
from .evidence import Scores, Shown, draw_focals, log_p_scores, log_p_shown
from .parameters import NULL, Configuration
from .people import REFERENCE_AGE, Facts, People, draw_people, join, take
from .transfer import Law
from .uptake import uptake

PROPOSALS = 20000
ENOUGH = 500.0
"""Effective sample size that ends the drawing of further proposals."""
MOST_BATCHES = 40
NEGLIGIBLE = 25.0
"""Log weight below the largest at which a proposal is dropped: it would never be drawn."""
RESAMPLED = 5000
KEPT = 200
USES_MRI = {"base": False, "clinic": False, "mri": True, "both": True}
USES_CLINIC = {"base": False, "clinic": True, "mri": False, "both": True}


def without_disease(people: People) -> People:
    """The same people with the average hidden state of their age: ``null``'s PET."""
    late, none = people.age - REFERENCE_AGE, np.zeros(len(people))
    average = {f.name: getattr(NULL, f.name) for f in fields(NULL)}
    at_age = {name: start + per_year * late for name, (start, per_year) in average.items()}
    return replace(
        people,
        amyloid=at_age["amyloid"],
        tau=at_age["tau"],
        neurodegeneration=at_age["neurodegeneration"],
        vascular=at_age["vascular"],
        inflammation=at_age["inflammation"],
        frontal=none,
        occipital=none,
        asymmetry=none,
        mixed_binder=none,
        off_target=none,
    )


def sampled(
    facts: Facts,
    shown: Shown | None,
    scores: Scores | None,
    configuration: Configuration,
    n: int,
    rng: np.random.Generator,
    afterwards: np.random.Generator | None = None,
) -> tuple[People, float]:
    """Draw ``n`` hidden states given the evidence.

    Parameters
    ----------
    facts
        What is known without a test; APOE4 and education only where the set may use them.
    shown, scores
        What MRI and clinic say; None where the set may not use them.
    rng, afterwards
        Chance of the proposals, of which some evidence needs more, and of all that follows; None:
        the same generator serves both.

    Returns
    -------
    people, ess
        Equally weighted draws (systematic resampling), and the effective number of prior draws
        behind them, (sum w)^2 / sum w^2.
    """
    afterwards = rng if afterwards is None else afterwards
    batches: list[People] = []
    logs: list[NDArray[np.float64]] = []
    ess, best = 0.0, -np.inf
    while ess < ENOUGH and len(batches) < MOST_BATCHES:
        people = draw_people(facts, PROPOSALS, rng)
        log = np.zeros(PROPOSALS)
        if shown is not None:
            log = log + log_p_shown(people, shown, configuration)
        if scores is not None:
            log = log + log_p_scores(people, scores, configuration)
        best = max(best, float(log.max()))
        likely = np.flatnonzero(log > best - NEGLIGIBLE)
        batches.append(take(people, likely))
        logs.append(log[likely])
        together = np.concatenate(logs)
        weight = np.exp(together - together.max())
        ess = float(weight.sum() ** 2 / (weight**2).sum())
    steps = (np.arange(n) + afterwards.random()) / n * weight.sum()
    index = np.minimum(np.searchsorted(np.cumsum(weight), steps), len(weight) - 1)
    # Systematic draws come in the order of the proposals; shuffled, any part is a sample.
    drawn = take(join(batches), afterwards.permutation(index))
    # Nothing observed speaks of these: drawn anew, equal proposals become different people.
    fresh = draw_people(facts, n, afterwards)
    return (
        replace(
            drawn,
            factors=fresh.factors,
            mixed_binder=fresh.mixed_binder,
            off_target=fresh.off_target,
        ),
        ess,
    )


def regional(
    people: People,
    focal: tuple[NDArray[np.int64], NDArray[np.float64]],
    law: Law,
    tracers: tuple[str, ...],
    configuration: Configuration,
) -> NDArray[np.float32]:
    """Regional SUVR (n, T, R) of ``people``; R = K u(L)."""
    order = list(simulated_tracers())
    own = people if configuration.linked else without_disease(people)
    losses = focal if configuration.linked else None
    return np.stack(
        [law.suvr(order.index(t), uptake(t, own, losses, configuration)) for t in tracers],
        axis=1,
    )


def believe(
    information: str,
    facts: Facts,
    shown: Shown,
    scores: Scores,
    law: Law,
    tracers: tuple[str, ...],
    configuration: Configuration,
    rng: np.random.Generator,
    afterwards: np.random.Generator | None = None,
) -> Belief:
    """What the set ``information`` of `oracle.INFORMATION` knows; chance as in `sampled`."""
    afterwards = rng if afterwards is None else afterwards
    if not USES_CLINIC[information]:
        facts = replace(facts, education=None, apoe4=None)
    seen = shown if USES_MRI[information] else None
    asked = scores if USES_CLINIC[information] else None
    people, ess = sampled(facts, seen, asked, configuration, RESAMPLED, rng, afterwards)
    focal = draw_focals(seen, RESAMPLED, afterwards)
    values = regional(people, focal, law, tracers, configuration)
    ranked = np.sort(values.reshape(RESAMPLED, -1).T, axis=1)
    low, middle, high = (
        ranked[:, int(q * (RESAMPLED - 1))].reshape(values.shape[1:]) for q in QUANTILES
    )
    return Belief(
        mean=values.mean(0, dtype=np.float64).astype(np.float32),
        sd=values.std(0, dtype=np.float64).astype(np.float32),
        q05=low,
        q50=middle,
        q95=high,
        draws=values[:KEPT],
        ess=ess,
    )


def beliefs(
    facts: Facts,
    shown: Shown,
    scores: Scores,
    law: Law,
    tracers: tuple[str, ...],
    configuration: Configuration,
    seed: tuple[int, ...],
) -> dict[str, Belief]:
    """`believe` for every information set, each with a stream of its own."""
    return {
        name: believe(
            name,
            facts,
            shown,
            scores,
            law,
            tracers,
            configuration,
            np.random.default_rng([*seed, order]),
        )
        for order, name in enumerate(INFORMATION)
    }
