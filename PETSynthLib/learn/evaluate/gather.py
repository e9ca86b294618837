"""Runs every estimator on every judged subject; regional values stay, images are seen once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import ErrorCode, PETSynthError
from ...tracers import tracer as tracer_of
from ..regions import region_keys, regional_means
from ..store import Store, Subject
from ..tidy import Row
from .calibration import calibrated_factors
from .controls import (
    INFORMATION_OF,
    PICTURES,
    SHUFFLED_CLINIC,
    SHUFFLED_MRI,
    Controls,
    People,
    derangement,
    fit_controls,
    measure_densities,
    some_of,
)
from .metrics import image_metrics
from .oracle_values import oracle_values
from .predictor import Images, Predictor, interval, known_to, regional_sd
from .results import (
    Floats,
    Image,
    ImageCase,
    Key,
    Regional,
    Results,
    healthy_people,
    planted_lesions,
    regional_table,
    true_image,
)
from .zmap import RegionalNorm, abnormal_sign, regional_norm, zmap_metrics

FEWEST_TRAINING = 2
ONE_SAMPLE = "{} (one sample)"
MEAN_OF_SAMPLES = "{} (mean of {} samples)"
SAMPLE_METRICS = ("mae_suvr", "psnr_db", "ssim_brain")
"""Image metrics also taken of a single sample and of the mean of all samples."""

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""
Look = Callable[[ImageCase], list[Row]]
"""A check that looks at one image."""


@dataclass(frozen=True)
class Plan:
    """How the estimators are run.

    Attributes
    ----------
    samples
        Random samples a subject beside the mean (0 to 64).
    seed
        Of samples and of the shuffled controls.
    """

    samples: int = 16
    seed: int = 0


@dataclass(eq=False)
class Gathered:
    """What one walk over the data has found.

    Attributes
    ----------
    results
        Regional values.
    norms
        Tracer -> regional values of healthy training people.
    rows
        One number a subject and image.
    cluster_rows
        What `Look` returned.
    calibration_people
        (model, tracer, information) -> people its intervals were calibrated on, None if unknown.
    slices
        (model, tracer, n) -> axial slices (I, J) of T1, true and synthetic PET, first seed.
    model_seconds, total_seconds
        Time inside the models, and of everything.
    """

    results: Results
    norms: dict[str, RegionalNorm]
    rows: list[Row] = field(default_factory=list)
    cluster_rows: list[Row] = field(default_factory=list)
    calibration_people: dict[tuple[str, str, str], int | None] = field(default_factory=dict)
    slices: dict[tuple[str, str, int], tuple[Image, Image, Image]] = field(default_factory=dict)
    model_seconds: float = 0.0
    total_seconds: float = 0.0


def gather(
    store: Store,
    subjects: tuple[Subject, ...],
    predictors: Sequence[Predictor],
    tracers: tuple[str, ...],
    plan: Plan,
    look: Look,
    tell: Tell,
    training: Store | None = None,
) -> Gathered:
    """Run models, controls and oracle.

    Parameters
    ----------
    store
        The judged data.
    subjects
        The judged people, N.
    predictors
        The models.
    tracers
        What is judged.
    plan
        How.
    look
        Called for every image of a model.
    tell
        Progress.
    training
        Store whose training split fits the controls; None: ``store``.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when a tracer has too few training people for the controls, or they lie on
        another grid.
    """
    started = time.perf_counter()
    training = training or store
    train = training.split("train")
    if not training.grid.same_as(store.grid):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The stores {store.folder.name} and {training.folder.name} have different grids.",
            "Prepare both on one grid.",
        )
    tell("Grey matter of the T1s, for the controls", 0, 1)
    judged = People(store, subjects, measure_densities(store, subjects))
    taught = People(training, train, measure_densities(training, some_of(train)))
    results = Results(
        store=store,
        subjects=subjects,
        truth={t: regional_table(store, subjects, t) for t in tracers},
        acquired={t: regional_table(store, subjects, t, acquired=True) for t in tracers},
        regional={},
        models=tuple(dict.fromkeys(p.label for p in predictors)),
        seeds={p.label: p.seed + 1 for p in predictors},
        training=training,
    )
    gathered = Gathered(results, norms={})
    for tracer in tracers:
        _Walk(judged, taught, tracer, plan, gathered, look, tell).run(predictors)
    gathered.total_seconds = time.perf_counter() - started
    return gathered


def sample_estimators(made: Regional) -> list[Regional]:
    """The same model judged as a single sample and as the mean of its samples."""
    if made.draws is None:
        return []
    draws = made.draws.astype(np.float64)
    judged = {
        ONE_SAMPLE.format(made.model): draws[:, 0],
        MEAN_OF_SAMPLES.format(made.model, draws.shape[1]): draws.mean(1),
    }
    return [
        Regional(label, made.seed, made.tracer, made.information, values, values)
        for label, values in judged.items()
    ]


@dataclass(eq=False)
class _Walk:
    """One tracer: controls fitted, oracle read, every model run."""

    judging: People
    taught: People
    tracer: str
    plan: Plan
    gathered: Gathered
    look: Look
    tell: Tell
    controls: Controls = field(init=False)

    @property
    def store(self) -> Store:
        """The judged data."""
        return self.judging.store

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The judged people, N."""
        return self.judging.subjects

    @property
    def judged(self) -> list[int]:
        """Positions of those who have this PET."""
        return [n for n, s in enumerate(self.subjects) if self.tracer in s.tracers]

    def run(self, predictors: Sequence[Predictor]) -> None:
        train = tuple(s for s in self.taught.subjects if self.tracer in s.tracers)
        if len(train) < FEWEST_TRAINING:
            raise PETSynthError(
                ErrorCode.BAD_DATA,
                f"Only {len(train)} training subject has a {self.tracer} PET, so no control can "
                "be fitted.",
                "Prepare more subjects, or leave this tracer out with --tracers.",
            )
        measured = self.gathered.results.truth[self.tracer]
        self.tell(f"{self.tracer}: controls and oracle", 0, 1)
        self.controls = fit_controls(
            self.tracer,
            replace(self.taught, subjects=train),
            self.judging,
            measured,
            tracer_of(self.tracer).target_region,
        )
        values = regional_table(self.taught.store, healthy_people(train), self.tracer)
        self.gathered.norms[self.tracer] = regional_norm(values, self.tracer)
        oracle = oracle_values(self.store, self.subjects, self.tracer, measured)
        for regional in (*self.controls.regional, *oracle.values()):
            self._keep(regional)
        self._pictures(self.controls)
        for predictor in predictors:
            if self.tracer in predictor.tracers:
                self._model(predictor)

    def _keep(self, regional: Regional) -> None:
        key: Key = (regional.model, regional.seed, regional.tracer, regional.information)
        self.gathered.results.regional[key] = regional

    def _row(
        self, key: tuple[str, int, str], n: int, region: str, metric: str, value: float
    ) -> None:
        subject = self.subjects[n]
        label, seed, info = key
        self.gathered.rows.append(
            Row(
                label, seed, self.tracer, info, subject.subject, subject.anatomy, subject.site,
                region, metric, value,
            )
        )  # fmt: skip

    def _image(self, key: tuple[str, int, str], n: int, truth: Image, made: Image) -> None:
        """Rows of one picture: image metrics and agreement of the z-maps."""
        brain = self.store.brain(self.subjects[n].row)
        norm, sign = self.controls.voxels.norm, abnormal_sign(self.tracer)
        found = image_metrics(truth, made, brain) | zmap_metrics(truth, made, norm, brain, sign)
        for metric, value in found.items():
            self._row(key, n, "brain", metric, value)

    def _pictures(self, controls: Controls) -> None:
        for n in self.judged:
            truth = true_image(self.store, self.subjects[n], self.tracer)
            for label in PICTURES:
                key = (label, 0, INFORMATION_OF[label])
                self._image(key, n, truth, controls.picture(label, n))

    def _model(self, predictor: Predictor) -> None:
        best = predictor.information[-1]
        for info in predictor.information:
            factors, people = calibrated_factors(predictor.bundle, self.tracer, info)
            self.gathered.calibration_people[predictor.label, self.tracer, info] = people
            made = self._given(predictor, info, factors, full=info == best)
            for regional in (made, *sample_estimators(made)):
                self._keep(regional)
        donors = derangement(self.subjects, self.plan.seed)
        if donors and predictor.seed == 0:
            label = SHUFFLED_MRI.format(predictor.label)
            self._keep(self._shuffled(predictor, label, best, donors, mri=True))
            if best == "both":
                label = SHUFFLED_CLINIC.format(predictor.label)
                self._keep(self._shuffled(predictor, label, best, donors, mri=False))

    def _given(
        self, predictor: Predictor, info: str, factors: dict[str, float] | None, *, full: bool
    ) -> Regional:
        """Run a model on everybody with one information set; ``full`` with samples and checks."""
        key = (predictor.label, predictor.seed, info)
        count = self.plan.samples if full and predictor.draws_samples else 0
        mean, sd = self._empty(), self._empty()
        draws = np.full((len(mean), count, mean.shape[1]), np.nan, np.float32)
        for n in self.judged:
            self._told(predictor, info, n)
            subject = self.subjects[n]
            labels = self.store.regions(subject.row)
            clinical = known_to(info, subject.clinical)
            images = predictor.images(
                self.store, subject, self.tracer, clinical, count, self.plan.seed + 1000 * n
            )
            self.gathered.model_seconds += images.seconds
            mean[n] = regional_means(labels, images.mean)
            sd[n] = regional_sd(images, labels, factors)
            for k, sample in enumerate(images.samples):
                draws[n, k] = regional_means(labels, sample)
            truth = true_image(self.store, subject, self.tracer)
            self._image(key, n, truth, images.mean)
            self._row(key, n, "brain", "seconds", images.seconds)
            if full:
                self._samples(key, n, truth, images)
                if predictor.seed == 0:
                    where = (predictor.label, self.tracer, n)
                    k = self.store.grid.shape[2] // 2
                    t1 = self.store.t1(subject.row)
                    self.gathered.slices[where] = (t1[..., k], truth[..., k], images.mean[..., k])
                case = self._case(key, n, truth, images.mean)
                self.gathered.cluster_rows += self.look(case)
        spread = None if np.isnan(sd).all() else sd
        low, high = (None, None) if spread is None else interval(mean, spread)
        return Regional(
            predictor.label, predictor.seed, self.tracer, info,
            mean, mean, spread, low, high, draws if count else None,
        )  # fmt: skip

    def _samples(self, key: tuple[str, int, str], n: int, truth: Image, images: Images) -> None:
        """The same model judged as a single sample and as the mean of its samples."""
        if not images.samples:
            return
        brain = self.store.brain(self.subjects[n].row)
        average = np.stack(images.samples).mean(0)
        for words, made in (("one_sample", images.samples[0]), ("mean_of_samples", average)):
            found = image_metrics(truth, made, brain)
            for metric in SAMPLE_METRICS:
                self._row(key, n, "brain", f"{metric}_{words}", found[metric])

    def _shuffled(
        self, predictor: Predictor, label: str, info: str, donors: list[Subject], *, mri: bool
    ) -> Regional:
        """Somebody else's MRI, or somebody else's clinic.

        Values of a shuffled MRI are measured on the regions of the brain that was shown, so that
        only information is lost and not the geometry.
        """
        mean = self._empty()
        for n in self.judged:
            self._told(predictor, label, n)
            subject, donor = self.subjects[n], donors[n]
            person = subject if mri else donor
            images = predictor.images(
                self.store,
                subject,
                self.tracer,
                known_to(info, person.clinical),
                mri_of=donor if mri else None,
            )
            self.gathered.model_seconds += images.seconds
            shown = donor if mri else subject
            mean[n] = regional_means(self.store.regions(shown.row), images.mean)
        return Regional(label, 0, self.tracer, info, mean, mean)

    def _told(self, predictor: Predictor, info: str, n: int) -> None:
        words = f"{predictor.label} {self.tracer}, {info}"
        self.tell(words, self.judged.index(n), len(self.judged))

    def _empty(self) -> Floats:
        return np.full((len(self.subjects), len(region_keys())), np.nan)

    def _case(self, key: tuple[str, int, str], n: int, truth: Image, made: Image) -> ImageCase:
        subject = self.subjects[n]
        label, seed, info = key
        return ImageCase(
            model=label,
            seed=seed,
            tracer=self.tracer,
            information=info,
            subject=subject,
            truth=truth,
            synthetic=made,
            norm_mean=self.controls.voxels.norm.mean,
            norm_sd=self.controls.voxels.norm.sd,
            brain=self.store.brain(subject.row),
            labels=self.store.regions(subject.row),
            lesions=planted_lesions(self.store, subject),
            voxel_ml=self.store.grid.voxel_ml,
        )
