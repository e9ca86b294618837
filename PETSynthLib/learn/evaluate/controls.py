"""The controls: what a method has to beat before its pictures mean anything.

All are fitted on the training split only. Regional values are fitted to regional values, which is
stronger than measuring the control's own picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import ErrorCode, PETSynthError
from ..regions import region_index, region_keys, regional_means
from ..store import Store, Subject
from .oracle_values import constructed_truth, geometry_ratio
from .predictor import interval
from .regression import (
    ALMOST_NONE,
    PENALTIES,
    Ridge,
    field_centre,
    fit_ridge,
    person_features,
    volume_features,
)
from .results import Floats, Image, Regional, regional_table, with_values
from .voxel_controls import VoxelControls, fit_voxel_controls, grey_density

POPULATION = "population mean"
AGE_SEX = "age/sex mean"
CLINIC = "clinic ridge"
DENSITY = "grey-density regression"
VOLUMES = "volumes ridge"
VOLUMES_CLINIC = "volumes + clinic ridge"
INFORMATION_OF = {
    POPULATION: "none",
    AGE_SEX: "base",
    CLINIC: "clinic",
    DENSITY: "mri",
    VOLUMES: "mri",
    VOLUMES_CLINIC: "both",
}
"""Every control and what it knows."""
PICTURES = (POPULATION, AGE_SEX, CLINIC, DENSITY)
"""Controls that also make a picture."""
SHUFFLED_MRI = "{} (shuffled MRI)"
SHUFFLED_CLINIC = "{} (shuffled clinic)"

FEWEST_TRAINING = 2
DENSITY_PEOPLE = 200
"""At most so many training people of a tracer take part in its grey-density regression."""

WORDS = {
    POPULATION: "mean of the training people, laid onto the subject by the affine alignment",
    AGE_SEX: "regression on age, age squared and sex",
    CLINIC: "ridge on age, sex, education, MMSE, ADAS-Cog-13, APOE4 and what of them is known",
    DENSITY: "regression on the grey-matter density of the same place in the T1",
    VOLUMES: "ridge on the grey-matter volumes of all regions, age and sex",
    VOLUMES_CLINIC: "ridge on volumes and clinic: the strongest simple rival; numbers, no picture",
}


@dataclass(frozen=True, eq=False)
class Densities:
    """Grey density of the T1s that the controls need.

    Attributes
    ----------
    maps
        Row of the store -> (I, J, K).
    regional
        Row -> (R,): mean of the map over each region.
    """

    maps: dict[int, Image]
    regional: dict[int, Floats]


def some_of(train: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """Up to `DENSITY_PEOPLE` of the training people, spread over all of them."""
    return train[:: max(1, -(-len(train) // DENSITY_PEOPLE))]


def with_enough(train: tuple[Subject, ...], tracer: str) -> tuple[Subject, ...]:
    """Training people who have the tracer's PET.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when they are too few to fit a control.
    """
    found = tuple(s for s in train if tracer in s.tracers)
    if len(found) < FEWEST_TRAINING:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"Only {len(found)} of {len(train)} training subjects have a {tracer} PET, so no "
            "control can be fitted.",
            "Prepare more subjects, or leave this tracer out with --tracers.",
        )
    return found


def measure_densities(
    store: Store, people: tuple[Subject, ...], known: Densities | None = None
) -> Densities:
    """Grey density of people of a store; what is ``known`` of them is not measured again."""
    maps: dict[int, Image] = {}
    regional: dict[int, Floats] = {}
    for person in people:
        row = person.row
        if known is not None and row in known.maps:
            maps[row], regional[row] = known.maps[row], known.regional[row]
        else:
            maps[row] = grey_density(store, person)
            regional[row] = regional_means(store.regions(row), maps[row])
    return Densities(maps, regional)


@dataclass(frozen=True, eq=False)
class Controls:
    """The controls of one tracer, fitted.

    Attributes
    ----------
    regional
        Values of every control for the judged subjects.
    voxels
        Pictures and the norm.
    features
        Information set -> (N, p): standardised features of the judged subjects.
    densities
        Of the judged subjects.
    subjects
        The judged subjects, in order.
    """

    regional: list[Regional]
    voxels: VoxelControls
    features: dict[str, Floats]
    densities: Densities
    subjects: tuple[Subject, ...]

    def picture(self, label: str, n: int) -> Image:
        """The picture (I, J, K) of a control of `PICTURES` for the n-th judged subject."""
        if label == POPULATION:
            return self.voxels.population
        if label == DENSITY:
            return self.voxels.from_density(self.densities.maps[self.subjects[n].row])
        info = INFORMATION_OF[label]
        return self.voxels.from_person(info, self.features[info][n])


@dataclass(frozen=True, eq=False)
class People:
    """People of a store.

    Attributes
    ----------
    store
        Where they are.
    subjects
        Who.
    densities
        `measure_densities` of them (of the training people: of `some_of` them).
    """

    store: Store
    subjects: tuple[Subject, ...]
    densities: Densities


def fit_controls(
    tracer: str, taught: People, judged: People, measured: Floats, target: str
) -> Controls:
    """Fit every control of a tracer.

    Parameters
    ----------
    tracer
        Key of the tracer.
    taught
        Training people who have this PET, at least two.
    judged
        N people on the same grid, of the same or of another store.
    measured
        (N, R): true regional values of the judged people (for `geometry_ratio` alone).
    target
        Region whose penalty the picture of the clinic ridge takes.
    """
    train, test = taught.subjects, judged.subjects
    constructed = constructed_truth(taught.store, train, tracer)
    truth = regional_table(taught.store, train, tracer) if constructed is None else constructed
    ratio = geometry_ratio(judged.store, test, tracer, measured)
    centre = field_centre(train)
    people = {
        info: (person_features(train, info, centre), person_features(test, info, centre))
        for info in ("base", "clinic")
    }
    brains = volume_features(taught.store, train), volume_features(judged.store, test)
    inputs = {
        AGE_SEX: (people["base"], ALMOST_NONE),
        CLINIC: (people["clinic"], PENALTIES),
        VOLUMES: (_beside(brains, people["base"]), PENALTIES),
        VOLUMES_CLINIC: (_beside(brains, people["clinic"]), PENALTIES),
    }
    ridges: dict[str, Ridge] = {}
    regional = [_population(truth, len(test), tracer)]
    for label, ((seen, unseen), penalties) in inputs.items():
        ridges[label] = fit_ridge(seen, truth, penalties)
        values = ridges[label].predict(unseen)
        regional.append(_values(label, tracer, values, ridges[label].sd))
    regional.append(_density_line(truth, taught, judged, tracer))
    standard = {info: ridges[label].standard for label, info in _VOXEL_RIDGES.items()}
    return Controls(
        regional=[with_values(values, ratio) for values in regional],
        voxels=fit_voxel_controls(
            taught.store,
            train,
            tracer,
            {info: standard[info].apply(people[info][0]) for info in standard},
            {
                info: float(ridges[label].penalty[region_index(target)])
                for label, info in _VOXEL_RIDGES.items()
            },
            taught.densities.maps,
        ),
        features={info: standard[info].apply(people[info][1]) for info in standard},
        densities=judged.densities,
        subjects=test,
    )


_VOXEL_RIDGES = {AGE_SEX: "base", CLINIC: "clinic"}


def _beside(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    return np.hstack([a[0], b[0]]), np.hstack([a[1], b[1]])


def _values(label: str, tracer: str, mean: Floats, sd: Floats) -> Regional:
    """Regional values with a Gaussian spread ``sd`` (R,) that is the same for everybody."""
    spread = np.broadcast_to(sd, mean.shape)
    low, high = interval(mean, spread)
    return Regional(label, 0, tracer, INFORMATION_OF[label], mean, mean, spread, low, high)


def _population(truth: Floats, n: int, tracer: str) -> Regional:
    people = len(truth)
    # The spread of a new person about the mean of the others.
    sd = truth.std(0, ddof=1) * np.sqrt(1.0 + 1.0 / people)
    return _values(POPULATION, tracer, np.tile(truth.mean(0), (n, 1)), sd)


def _density_line(truth: Floats, taught: People, judged: People, tracer: str) -> Regional:
    """Each region regressed on its own grey density."""
    found = [taught.densities.regional.get(s.row) for s in taught.subjects]
    used = [n for n, density in enumerate(found) if density is not None]
    seen = np.stack([density for density in found if density is not None])
    unseen = np.stack([judged.densities.regional[s.row] for s in judged.subjects])
    mean = np.full((len(unseen), len(region_keys())), np.nan)
    sd = np.full(len(region_keys()), np.nan)
    for r in range(len(region_keys())):
        if np.isfinite(seen[:, r]).all() and np.isfinite(unseen[:, r]).all():
            line = fit_ridge(seen[:, [r]], truth[used][:, [r]], ALMOST_NONE)
            mean[:, r] = line.predict(unseen[:, [r]])[:, 0]
            sd[r] = line.sd[0]
    return _values(DENSITY, tracer, mean, sd)


def derangement(subjects: tuple[Subject, ...], seed: int) -> list[Subject]:
    """For each subject another one with another anatomy (a random cycle), for shuffled inputs.

    With a single anatomy there is nobody to swap with and the list is empty.
    """
    order = np.random.default_rng([seed, len(subjects)]).permutation(len(subjects))
    cycle = [subjects[i] for i in order]
    donor: dict[int, Subject] = {}
    for position, subject in enumerate(cycle):
        others = (cycle[(position + k) % len(cycle)] for k in range(1, len(cycle)))
        for other in others:
            if other.anatomy != subject.anatomy:
                donor[subject.row] = other
                break
        else:
            return []
    return [donor[s.row] for s in subjects]


def table_of_controls() -> list[tuple[str, str, str]]:
    """Name, information and words of every control, for the report."""
    return [(label, INFORMATION_OF[label], words) for label, words in WORDS.items()]
