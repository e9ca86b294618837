"""One tracer: its controls fitted, its oracle read, every model run on everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

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
)
from .forms import sample_estimators
from .gathered import Gathered, Look, Part, Plan, Tell
from .kept import Kept
from .metrics import image_metrics
from .oracle_values import oracle_values
from .predictor import Images, Predictor, interval, known_to, regional_sd
from .results import (
    Floats,
    Image,
    ImageCase,
    Key,
    Regional,
    healthy_people,
    planted_lesions,
    regional_table,
    true_image,
)
from .zmap import abnormal_sign, regional_norm, zmap_metrics

SAMPLE_METRICS = ("mae_suvr", "psnr_db", "ssim_brain")
"""Image metrics also taken of a single sample and of the mean of all samples."""
Place = tuple[str, int, str]
"""Label, training seed and information set."""


@dataclass(eq=False)
class Walk:
    """One tracer: controls fitted, oracle read, every model run."""

    judging: People
    taught: People
    tracer: str
    plan: Plan
    gathered: Gathered
    look: Look
    tell: Tell
    kept: Kept | None
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
        """Add everything to ``gathered``."""
        measured = self.gathered.results.truth[self.tracer]
        self.tell(f"{self.tracer}: controls and oracle", 0, 1)
        self.controls = fit_controls(
            self.tracer,
            self.taught,
            self.judging,
            measured,
            tracer_of(self.tracer).target_region,
        )
        healthy = healthy_people(self.taught.subjects)
        values = regional_table(self.taught.store, healthy, self.tracer)
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

    def _row(self, key: Place, n: int, metric: str, value: float) -> Row:
        subject = self.subjects[n]
        label, seed, info = key
        return Row(
            label, seed, self.tracer, info, subject.subject, subject.anatomy, subject.site,
            "brain", metric, value,
        )  # fmt: skip

    def _image(self, key: Place, n: int, truth: Image, made: Image) -> list[Row]:
        """Rows of one picture: image metrics and agreement of the z-maps."""
        brain = self.store.brain(self.subjects[n].row)
        norm, sign = self.controls.voxels.norm, abnormal_sign(self.tracer)
        found = image_metrics(truth, made, brain) | zmap_metrics(truth, made, norm, brain, sign)
        return [self._row(key, n, metric, value) for metric, value in found.items()]

    def _pictures(self, controls: Controls) -> None:
        for n in self.judged:
            truth = true_image(self.store, self.subjects[n], self.tracer)
            for label in PICTURES:
                key = (label, 0, INFORMATION_OF[label])
                self.gathered.rows += self._image(key, n, truth, controls.picture(label, n))

    def _model(self, predictor: Predictor) -> None:
        best = predictor.information[-1]
        for info in predictor.information:
            full = info == best
            self._part(predictor, info, partial(self._given, predictor, info, full=full))
        donors = derangement(self.subjects, self.plan.seed)
        if donors:
            controls = (SHUFFLED_MRI, SHUFFLED_CLINIC) if best == "both" else (SHUFFLED_MRI,)
            for control in controls:
                make = partial(self._shuffled, predictor, control, best, donors)
                self._part(predictor, control.format(""), make)

    def _part(self, predictor: Predictor, what: str, make: Callable[[], Part]) -> None:
        """Take a part that an earlier run has finished, or make it."""
        name = (predictor.bundle.sha256, predictor.label, predictor.seed, self.tracer, what)
        part = None if self.kept is None else self.kept.get(*name)
        if part is not None:
            self.gathered.total_seconds += part.seconds  # spent by the earlier run
        else:
            part = make()
            if self.kept is not None:
                self.kept.put(part, *name)
        for regional in (part.regional, *sample_estimators(part.regional)):
            self._keep(regional)
        gathered, made = self.gathered, part.regional
        gathered.rows += part.rows
        gathered.cluster_rows += part.cluster_rows
        gathered.slices |= {(made.model, self.tracer, n): s for n, s in part.slices.items()}
        gathered.calibration_people[made.model, self.tracer, made.information] = part.people
        gathered.model_seconds += part.seconds

    def _given(self, predictor: Predictor, info: str, *, full: bool) -> Part:
        """Run a model on everybody with one information set; ``full`` with samples and checks."""
        key = (predictor.label, predictor.seed, info)
        count = self.plan.samples if full and predictor.draws_samples else 0
        part = self._blank(key, count)
        mean, draws, sd = part.regional.mean, part.regional.draws, self._empty()
        calibrated: set[int | None] = set()
        for n in self.judged:
            self._told(predictor, info, n)
            subject = self.subjects[n]
            labels = self.store.regions(subject.row)
            clinical = known_to(info, subject.clinical)
            images = predictor.images(
                self.store, subject, self.tracer, clinical, count, self.plan.seed + 1000 * n
            )
            _measure(mean, draws, n, labels, images)
            factors, people = calibrated_factors(predictor.bundle, self.tracer, images.given)
            calibrated.add(people)
            sd[n] = regional_sd(images, labels, factors)
            truth = true_image(self.store, subject, self.tracer)
            part.seconds += images.seconds
            part.rows += self._image(key, n, truth, images.mean)
            part.rows.append(self._row(key, n, "seconds", images.seconds))
            if full:
                self._closer(part, key, n, truth, images)
        stated = [people for people in calibrated if people is not None]
        part.people = min(stated) if stated and len(stated) == len(calibrated) else None
        if not np.isnan(sd).all():
            low, high = interval(mean, sd)
            part.regional = replace(part.regional, sd=sd, low=low, high=high)
        return part

    def _closer(self, part: Part, key: Place, n: int, truth: Image, images: Images) -> None:
        """What is looked at with the richest information alone: samples, slices, clusters."""
        brain = self.store.brain(self.subjects[n].row)
        if images.samples:
            average = np.stack(images.samples).mean(0)
            for words, made in (("one_sample", images.samples[0]), ("mean_of_samples", average)):
                found = image_metrics(truth, made, brain)
                part.rows += [
                    self._row(key, n, f"{metric}_{words}", found[metric])
                    for metric in SAMPLE_METRICS
                ]
        if key[1] == 0:
            k = self.store.grid.shape[2] // 2
            t1 = self.store.t1(self.subjects[n].row)
            part.slices[n] = np.stack([image[..., k] for image in (t1, truth, images.mean)])
        if self.controls.voxels.norm.known:
            part.cluster_rows += self.look(self._case(key, n, truth, images.mean))

    def _shuffled(
        self, predictor: Predictor, control: str, info: str, donors: list[Subject]
    ) -> Part:
        """Somebody else's MRI, or somebody else's clinic.

        Values of a shuffled MRI are measured on the regions of the brain that was shown, so that
        only information is lost and not the geometry.
        """
        sampled = self.tracer in self.plan.primary and predictor.draws_samples
        count = self.plan.samples if sampled else 0
        label = control.format(predictor.label)
        part = self._blank((label, predictor.seed, info), count)
        for n in self.judged:
            self._told(predictor, label, n)
            subject, donor = self.subjects[n], donors[n]
            shown, person = (donor, subject) if control == SHUFFLED_MRI else (subject, donor)
            images = predictor.images(
                self.store,
                subject,
                self.tracer,
                known_to(info, person.clinical),
                count,
                self.plan.seed + 1000 * n,
                mri_of=shown,
            )
            part.seconds += images.seconds
            labels = self.store.regions(shown.row)
            _measure(part.regional.mean, part.regional.draws, n, labels, images)
        return part

    def _blank(self, key: Place, samples: int) -> Part:
        """A part without values yet."""
        label, seed, info = key
        mean = self._empty()
        draws = np.full((len(mean), samples, mean.shape[1]), np.nan, np.float32)
        values = Regional(label, seed, self.tracer, info, mean, mean)
        return Part(replace(values, draws=draws) if samples else values)

    def _told(self, predictor: Predictor, info: str, n: int) -> None:
        words = f"{predictor.label} {self.tracer}, {info}"
        self.tell(words, self.judged.index(n), len(self.judged))

    def _empty(self) -> Floats:
        return np.full((len(self.subjects), len(region_keys())), np.nan)

    def _case(self, key: Place, n: int, truth: Image, made: Image) -> ImageCase:
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


def _measure(
    mean: Floats, draws: Image | None, n: int, labels: NDArray[np.uint8], images: Images
) -> None:
    """Enter the n-th person's regional means of the picture and of the samples."""
    mean[n] = regional_means(labels, images.mean)
    if draws is not None:
        for k, sample in enumerate(images.samples):
            draws[n, k] = regional_means(labels, sample)
