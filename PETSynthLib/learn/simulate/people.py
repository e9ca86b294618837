"""Who is simulated: hidden disease, what a clinic sees of it, what an MRI sees of it.

The hidden state L drives the PET. The MRI depends on L only through a few *recorded numbers* a
(atrophy scores, lesion load), so that p(L | a) can be sampled exactly by importance weights.
Sources: V/R tags as in the cohort table of the specification; R values are recalled, not read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

FloatVector = NDArray[np.float64]
AGE_RANGE = (50.0, 95.0)
RECORDED = ("atrophy_left", "atrophy_right", "frontal_atrophy", "global_atrophy", "lesion_load")
RECORDED_SD = np.array([0.16, 0.16, 0.14, 0.14, 0.25])
"""Noise between the hidden state and each recorded number: what MRI cannot know."""


@dataclass(frozen=True, eq=False)
class People:
    """Arrays of length n, one entry a person.

    Attributes
    ----------
    age, sex, education, apoe4
        Years; 0 female, 1 male; years; alleles.
    amyloid, tau, neurodegeneration
        Severity 0 (none) to about 1 (typical dementia of Alzheimer type).
    frontotemporal, occipital
        Severity of frontotemporal and of Lewy-body-like occipital hypometabolism, 0 to 1.
    vascular, inflammation
        White-matter lesion load and microglial activation, 0 to about 1.
    asymmetry
        Share by which the left hemisphere is worse (negative: the right).
    mmse, adas13
        Test scores.
    """

    age: FloatVector
    sex: FloatVector
    education: FloatVector
    apoe4: FloatVector
    amyloid: FloatVector
    tau: FloatVector
    neurodegeneration: FloatVector
    frontotemporal: FloatVector
    occipital: FloatVector
    vascular: FloatVector
    inflammation: FloatVector
    asymmetry: FloatVector
    mmse: FloatVector
    adas13: FloatVector

    def take(self, index: NDArray[np.intp]) -> People:
        """The people at ``index``."""
        return People(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def clinical(self) -> FloatVector:
        """Array (n, 6) in the order of `PETSynthLib.clinical.FIELDS`."""
        columns = [self.age, self.sex, self.education, self.mmse, self.adas13, self.apoe4]
        return np.stack(columns, -1)

    def recorded_mean(self) -> FloatVector:
        """Array (n, 5): expected value of each of `RECORDED` given the hidden state."""
        n, s = self.neurodegeneration, self.asymmetry
        ageing = (self.age - 60.0) / 30.0
        columns = [
            n * (1 + s),
            n * (1 - s),
            self.frontotemporal,
            0.5 * n + 0.6 * ageing,
            self.vascular,
        ]
        return np.stack(columns, -1)


def draw_people(n: int, rng: np.random.Generator) -> People:
    """Draw ``n`` people of a memory clinic's age (A -> T -> N -> cognition)."""
    age = np.clip(rng.normal(71, 9, n), *AGE_RANGE)
    sex = rng.integers(0, 2, n).astype(float)
    education = np.clip(rng.normal(15, 3, n), 6, 20)
    apoe4 = rng.binomial(2, 0.2, n).astype(float)
    chance = 1 / (1 + np.exp(-(-0.7 + 0.06 * (age - 73) + 1.1 * apoe4)))
    positive = rng.random(n) < chance
    amyloid = np.where(positive, 0.1 + 1.2 * rng.beta(3, 2, n), np.abs(rng.normal(0, 0.05, n)))
    tau = 0.10 + 0.75 * amyloid * rng.beta(3, 2, n) + 0.004 * (age - 73)
    tau = np.clip(tau + rng.normal(0, 0.06, n), 0, 1.1)

    other = rng.random(n)
    frontotemporal = np.where(other < 0.06, rng.uniform(0.4, 1.0, n), 0.0)
    occipital = np.where((other > 0.06) & (other < 0.12), rng.uniform(0.4, 1.0, n), 0.0)
    vascular = np.clip(0.15 + 0.012 * (age - 60) + rng.gamma(1.2, 0.15, n) - 0.1, 0, 1.5)
    neurodegeneration = 1.1 * (tau - 0.12) + 0.004 * (age - 73) + rng.normal(0, 0.12, n)
    neurodegeneration += 0.3 * occipital + 0.25 * (rng.random(n) < 0.08)
    neurodegeneration = np.clip(neurodegeneration, 0, 1.2)
    inflammation = 0.2 + 0.5 * neurodegeneration + 0.15 * vascular + rng.normal(0, 0.2, n)
    inflammation = np.clip(inflammation, 0, 1.2)
    asymmetry = np.clip(rng.normal(0, 0.22, n), -0.6, 0.6)

    burden = neurodegeneration + 0.7 * frontotemporal + 0.5 * occipital + 0.1 * vascular
    reserve = 0.1 * (education - 15)
    mmse = 29.4 - 10.5 * burden**1.2 + reserve + rng.normal(0, 1.2, n)
    adas13 = 8 + 29 * burden - 2 * reserve + rng.normal(0, 4, n)
    return People(
        age=age,
        sex=sex,
        education=education,
        apoe4=apoe4,
        amyloid=amyloid,
        tau=tau,
        neurodegeneration=neurodegeneration,
        frontotemporal=frontotemporal,
        occipital=occipital,
        vascular=vascular,
        inflammation=inflammation,
        asymmetry=asymmetry,
        mmse=np.clip(np.round(mmse), 0, 30),
        adas13=np.clip(adas13, 0, 85),
    )


def draw_recorded(people: People, rng: np.random.Generator) -> FloatVector:
    """Array (n, 5): what the MRI of each person will show."""
    mean = people.recorded_mean()
    return np.asarray(mean + RECORDED_SD * rng.normal(size=mean.shape))


def people_with(
    recorded: FloatVector, prior: People, n: int, rng: np.random.Generator
) -> tuple[People, float]:
    """Draw ``n`` people from p(L, clinic | a) by importance resampling of ``prior``.

    Parameters
    ----------
    recorded
        The recorded numbers a, array (5,).
    prior
        Draws from the prior (100,000 are enough).

    Returns
    -------
    people, effective_size
        The draws, and the effective number of prior draws behind them (sum w)^2 / sum w^2.
    """
    z = (prior.recorded_mean() - recorded) / RECORDED_SD
    log_weight = -0.5 * (z**2).sum(1)
    weight = np.exp(log_weight - log_weight.max())
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    index = rng.choice(len(weight), n, p=weight / weight.sum())
    return prior.take(index), effective
