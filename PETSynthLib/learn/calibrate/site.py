"""What a few people tell of their site: a mixture of known scanners, and a factor on the SUVR.

Both are fitted to regional means by least squares, and shrunk towards "no difference" as far as a
few people cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
RIDGES = (0.01, 0.1, 1.0, 10.0, np.inf)
"""Penalties on leaving the average scanner, over the mean square of what scanners differ by."""
ROUNDS = 20
FARTHEST = 1.0
"""How far a share may leave an equal one: of three scanners the site's lies at most as far beyond
one of them as that lies from the average, for farther out a network has seen nothing."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Site:
    """What a few people have told of their site.

    Attributes
    ----------
    scanner
        Known scanner -> its share in the site's; empty of a model that is told no scanner.
    factor
        Tracer -> factor on the SUVR.
    """

    scanner: dict[str, float]
    factor: dict[str, float]


@dataclass(frozen=True, eq=False)
class Cases:
    """One tracer's people: N of them, R regions.

    Attributes
    ----------
    made
        (N, S, R): regional means as the model draws them for each known scanner.
    plain
        (N, R): the same without a word on the scanner.
    true
        (N, R).
    people
        Anatomy of each of the N.
    """

    made: Array
    plain: Array
    true: Array
    people: tuple[str, ...]

    @property
    def error(self) -> float:
        """Mean absolute error of the regional means without a fit, SUVR."""
        return float(np.nanmean(np.abs(self.plain - self.true)))

    def of(self, chosen: NDArray[np.bool_]) -> Cases:
        """Some of the people."""
        people = tuple(p for p, c in zip(self.people, chosen, strict=True) if c)
        return Cases(self.made[chosen], self.plain[chosen], self.true[chosen], people)

    def expect(self, share: Array, factor: float) -> Array:
        """(N, R): what the adapted model draws; nearly, for scanners are taken as linear."""
        mixed = np.einsum("nsr,s->nr", self.made, share) if len(share) else self.plain
        return np.asarray(factor * mixed)


def fit_with_strangers(
    cases: Mapping[str, Cases], names: tuple[str, ...]
) -> tuple[Site, dict[str, float]]:
    """The site, with the penalty of the smallest error on people held out; that error, SUVR."""
    everybody = sorted({p for c in cases.values() for p in c.people})
    fold_of = {p: k % FOLDS for k, p in enumerate(everybody)}
    best, chosen, found = np.inf, RIDGES[-1], {}
    for ridge in RIDGES if names else RIDGES[-1:]:
        errors: dict[str, list[Array]] = {t: [] for t in cases}
        for fold in range(FOLDS):
            away = {t: np.array([fold_of[p] == fold for p in c.people]) for t, c in cases.items()}
            share, factor = fit({t: c.of(~away[t]) for t, c in cases.items()}, names, ridge)
            for t, c in cases.items():
                left = c.of(away[t])
                errors[t].append(np.abs(left.expect(share, factor[t]) - left.true))
        after = {t: float(np.nanmean(np.concatenate(rows))) for t, rows in errors.items()}
        # Tracers differ in scale: each counts by its share of what it was without the fit.
        total = sum(after[t] / c.error for t, c in cases.items())
        if total < best:
            best, chosen, found = total, ridge, after
    share, factor = fit(cases, names, chosen)
    scanner = {name: round(float(s), 4) for name, s in zip(names, share, strict=True)}
    return Site(scanner, {t: round(f, 5) for t, f in factor.items()}), found


def fit(
    cases: Mapping[str, Cases], names: tuple[str, ...], ridge: float
) -> tuple[Array, dict[str, float]]:
    """Shares of the scanners (they add up to 1) and a factor a tracer.

    Least squares of the regional means, every tracer by its own scale; the shares are held at
    equal ones by ``ridge``, the factors at 1 by their own uncertainty.
    """
    share = np.full(len(names), 1 / max(len(names), 1))
    factor = {t: _factor(c, share) for t, c in cases.items()}
    if len(names) < 2 or not np.isfinite(ridge):
        return share, factor
    # A blurred image has less uptake, too: each takes its part in turn.
    for _ in range(ROUNDS):
        share = _shares(cases, factor, ridge)
        factor = {t: _factor(c, share) for t, c in cases.items()}
    return share, factor


def _shares(cases: Mapping[str, Cases], factor: Mapping[str, float], ridge: float) -> Array:
    """Shares (S,) that add up to 1, the factors being given; bounded by `FARTHEST`."""
    count = next(iter(cases.values())).made.shape[1]
    inner, right = np.zeros((count, count)), np.zeros(count)
    for t, c in cases.items():
        middle = c.made.mean(1, keepdims=True)
        apart = c.made - middle
        off = c.true / factor[t] - middle[:, 0]
        seen = np.isfinite(off) & np.isfinite(apart).all(1)
        weight = 1 / np.nanvar(c.true, axis=0).mean()
        columns = np.where(seen[:, None], apart, 0.0)
        inner += weight * np.einsum("nsr,nur->su", columns, columns)
        right += weight * np.einsum("nsr,nr->s", columns, np.where(seen, off, 0.0))
    size = float(np.trace(inner)) / count
    # The columns add up to 0, and so do the shares' differences from equal ones.
    away = np.linalg.solve(inner + max(ridge, 1e-6) * size * np.eye(count), right)
    away -= away.mean()
    return np.asarray(1 / count + away * min(1.0, FARTHEST / max(np.abs(away).max(), 1e-12)))


def _factor(cases: Cases, share: Array) -> float:
    """True over expected SUVR, shrunk to 1 (positive-part James-Stein over people)."""
    expected = cases.expect(share, 1.0)
    seen = np.isfinite(expected) & np.isfinite(cases.true)
    true = np.where(seen, cases.true, 0).sum(1)
    own = np.where(seen, expected, 0).sum(1)
    off = float(true.sum() / own.sum()) - 1
    error = float(np.var(true / own, ddof=1)) / len(true)
    return 1 + off * float(np.clip(1 - error / max(off**2, 1e-12), 0, 1))


def wider(cases: Cases, site: Site, tracer: str, held_out: float) -> float:
    """Error on people held out of the fit over that on its own people; at least 1."""
    expected = cases.expect(np.array(list(site.scanner.values())), site.factor[tracer])
    return max(held_out / float(np.nanmean(np.abs(expected - cases.true))), 1.0)
