"""Who is simulated: the hidden state L, given what is known of the person.

One function draws both the subjects and the oracle's proposals, so that the oracle's prior is the
law the subjects came from. What the MRI and the clinic see of L stands in `evidence`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ...tracers import simulated_tracers
from .parameters import AETIOLOGIES, CLINIC, DISEASE, SITES

Vector = NDArray[np.float64]
AGES = (50.0, 95.0)
SCHOOL_YEARS = (6.0, 20.0)
REFERENCE_AGE = 71.0
FACTORS = 13
"""Uptake that nothing shows: whole cortex, then six lobes a side (`uptake.factor_table`)."""


@dataclass(frozen=True)
class Facts:
    """What is known of a person before any test.

    Attributes
    ----------
    age, sex
        Years; 0 female, 1 male.
    site, scanner
        Key of `parameters.SITES` and of its scanners.
    education, apoe4
        Years and alleles; None when unknown, and then drawn.
    """

    age: float
    sex: float
    site: str
    scanner: str
    education: float | None = None
    apoe4: float | None = None


@dataclass(frozen=True, eq=False)
class People:
    """Hidden states, arrays of length n.

    Attributes
    ----------
    age, education, apoe4
        Years; years; alleles.
    aetiology
        Index into `parameters.AETIOLOGIES`.
    amyloid, tau, neurodegeneration
        0 (none) to about 1.2.
    frontal, occipital
        Severity of frontotemporal and of occipital (Lewy body, posterior variant) disease.
    vascular, inflammation
        White-matter lesion load; microglial activation.
    asymmetry
        Share by which the left side is worse (negative: the right).
    mixed_binder
        1 for a TSPO genotype that MRI cannot know.
    off_target
        Flortaucipir's off-target binding, in sd.
    resilience
        Factor on how much of the disease is noticed; it shows in no image.
    factors
        Array (n, tracers, `FACTORS`), unit normal.
    """

    age: Vector
    education: Vector
    apoe4: Vector
    aetiology: NDArray[np.int64]
    amyloid: Vector
    tau: Vector
    neurodegeneration: Vector
    frontal: Vector
    occipital: Vector
    vascular: Vector
    inflammation: Vector
    asymmetry: Vector
    mixed_binder: Vector
    off_target: Vector
    resilience: Vector
    factors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.tau)


def draw_facts(site: str, rng: np.random.Generator) -> Facts:
    """Age, sex and scanner of somebody who comes to ``site``."""
    mean, sd = SITES[site].age
    age = float(np.round(np.clip(rng.normal(mean, sd), *AGES), 1))
    sex = float(rng.integers(2))
    scanners = sorted(SITES[site].psf_mm)
    return Facts(age, sex, site, scanners[int(rng.integers(len(scanners)))])


def draw_people(facts: Facts, n: int, rng: np.random.Generator) -> People:
    """Draw ``n`` hidden states of people of whom ``facts`` is known."""
    d = DISEASE
    late = facts.age - REFERENCE_AGE
    school = rng.normal(*CLINIC.education, n)
    education = np.asarray(np.round(np.clip(school, *SCHOOL_YEARS)), dtype=np.float64)
    if facts.education is not None:
        education = np.full(n, facts.education)
    apoe4 = rng.binomial(2, d.apoe4_allele, n).astype(float)
    if facts.apoe4 is not None:
        apoe4 = np.full(n, facts.apoe4)

    base, per_year, per_allele = d.positive_log_odds
    odds = base + SITES[facts.site].positive[facts.scanner] + per_year * late + per_allele * apoe4
    positive = rng.random(n) < expit(odds)
    offset, width, a, b = d.amyloid_positive
    amyloid = np.where(
        positive,
        offset + width * rng.beta(a, b, n),
        np.abs(rng.normal(0, d.amyloid_negative_sd, n)),
    )
    chance = rng.random(n)
    aetiology = np.where(
        positive,
        np.searchsorted(np.cumsum(d.aetiology_if_positive)[:-1], chance, side="right"),
        np.searchsorted(np.cumsum(d.aetiology_if_negative)[:-1], chance, side="right"),
    )
    ad, ftd, dlb, vad = (aetiology == AETIOLOGIES.index(k) for k in AETIOLOGIES[1:])

    mean, per_year, sd = d.tau_background
    offset, width, a, b = d.tau_of_ad
    tau = mean + per_year * late + d.tau_per_amyloid * amyloid * ~ad + rng.normal(0, sd, n)
    tau = np.clip(tau + ad * (offset + width * rng.beta(a, b, n)), 0, 1.2)

    severity = rng.uniform(*d.severity, n)
    posterior_variant = ad & (rng.random(n) < d.posterior_variant)
    frontal = np.where(ftd, severity, 0.0)
    occipital = np.where(dlb | posterior_variant, severity, 0.0)

    start, per_year, shape, scale = d.vascular
    vascular = start + per_year * (facts.age - 60) + rng.gamma(shape, scale, n)
    vascular = np.clip(vascular + vad * rng.uniform(*d.vascular_disease, n), 0, 2)

    per_tau, per_load, per_lewy, sd = d.neurodegeneration
    neuro = per_tau * np.clip(tau - mean, 0, None) + per_load * vascular + per_lewy * occipital
    neuro = np.clip(neuro + rng.normal(0, sd, n), 0, 1.2)

    noticed, least, most = CLINIC.resilience
    background, per_tau, per_load, sd = d.inflammation
    inflammation = background + per_tau * tau + per_load * vascular + rng.normal(0, sd, n)
    return People(
        age=np.full(n, facts.age),
        education=education,
        apoe4=apoe4,
        aetiology=aetiology,
        amyloid=amyloid,
        tau=tau,
        neurodegeneration=neuro,
        frontal=frontal,
        occipital=occipital,
        vascular=vascular,
        inflammation=np.clip(inflammation, 0, 1.5),
        asymmetry=np.clip(rng.normal(0, d.asymmetry_sd, n), -0.6, 0.6),
        mixed_binder=(rng.random(n) < d.mixed_binder).astype(float),
        off_target=rng.normal(size=n),
        resilience=np.clip(rng.lognormal(0.0, noticed, n), least, most),
        factors=rng.standard_normal((n, len(simulated_tracers()), FACTORS), dtype=np.float32),
    )


def take(people: People, index: NDArray[np.intp]) -> People:
    """The people at ``index``."""
    return People(**{f.name: getattr(people, f.name)[index] for f in fields(People)})


def join(parts: list[People]) -> People:
    """All people of ``parts``."""
    return People(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(People)}
    )
