"""A model bundle at work on a store: images on the store's grid, values of its regions."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...clinical import FIELDS, ClinicalRecord
from ...errors import ErrorCode, PETSynthError
from ...export.policy import require_suvr
from ...generate.bundle import Bundle, LoadedGenerator, load_generator
from ...generate.interface import Generated, GeneratorInput, information_set
from ...preprocess.transform import resample
from ...progress import Silent
from ...quantify.suvr import Z_90
from ...request import SCANNERS
from ...tracers import tracer as tracer_of
from ...volume import Grid, Volume, on_grid
from ..regions import region_keys, regional_means
from ..store import Store, Subject
from .results import Floats, Image

BASE_FIELDS = ("age", "sex")


@dataclass(frozen=True, eq=False)
class Images:
    """What a model made of one subject, on the store's grid, in SUVR.

    Attributes
    ----------
    mean, sd
        (I, J, K).
    samples
        K images.
    regional_sd_factor
        Region -> factor from the mean of ``sd`` over a region to the sd of the region's mean.
    seconds
        Time the model took.
    given
        Which information set it really was given (`generate.interface.INFORMATION`): a person
        may lack the FLAIR, or every score.
    """

    mean: Image
    sd: Image
    samples: tuple[Image, ...]
    regional_sd_factor: dict[str, float]
    seconds: float
    given: str


def known_to(information: str, clinical: ClinicalRecord) -> ClinicalRecord:
    """The part of a clinical record that an information set contains."""
    if information in ("clinic", "both"):
        return clinical
    if information in ("base", "mri"):
        return ClinicalRecord(age=clinical.age, sex=clinical.sex)
    return ClinicalRecord()


@dataclass(frozen=True, eq=False)
class Predictor:
    """A loaded bundle with its place in the comparison.

    Attributes
    ----------
    label
        Name in tables; several bundles with one label are training seeds of one method.
    seed
        Which of them.
    bundle
        The verified bundle.
    """

    label: str
    seed: int
    bundle: Bundle
    _loaded: LoadedGenerator = field(repr=False)

    @property
    def tracers(self) -> tuple[str, ...]:
        """Keys of the tracers it can make."""
        return self.bundle.tracers

    @property
    def fields(self) -> tuple[str, ...]:
        """Clinical fields that can change its picture."""
        return tuple(name for name in FIELDS if name in self.bundle.uses)

    @property
    def information(self) -> tuple[str, ...]:
        """Information sets it can be given: always the MRI, with the clinic when it uses it."""
        return ("mri", "both") if set(self.fields) - set(BASE_FIELDS) else ("mri",)

    @property
    def draws_samples(self) -> bool:
        """Whether it can make random samples beside the mean."""
        return self.bundle.draws_samples

    def images(
        self,
        store: Store,
        subject: Subject,
        tracer: str,
        clinical: ClinicalRecord,
        samples: int = 0,
        seed: int = 0,
        mri_of: Subject | None = None,
    ) -> Images:
        """Make a subject's PET.

        Parameters
        ----------
        store
            Where the MRI comes from.
        subject
            Whose PET scanner is imitated, and whose MRI is read unless ``mri_of`` names another.
        tracer
            Key of the tracer.
        clinical
            What the model is told.
        samples
            Number of random samples beside the mean.
        seed
            Of the first sample.
        mri_of
            Somebody else whose MRI is read instead (a control).
        """
        source = mri_of or subject
        wanted = self.bundle.grid
        given = GeneratorInput(
            t1=_onto(store.t1(source.row), store.grid, wanted),
            brain=_onto(store.brain(source.row), store.grid, wanted, order=0),
            flair=_onto(store.flair(source.row), store.grid, wanted) if source.flair else None,
            tracer=tracer_of(tracer),
            clinical=clinical,
            pet_scanner=subject.scanner if subject.scanner in SCANNERS else None,
        )
        effort = self.bundle.judged_effort(samples, seed)
        started = time.perf_counter()
        made = self._loaded.generator.generate(given, effort, Silent())
        seconds = time.perf_counter() - started
        return _on_store(made, store.grid, seconds, information_set(given))

    def regional(
        self, store: Store, subject: Subject, tracer: str, clinical: ClinicalRecord
    ) -> Floats:
        """(R,): regional means of the mean image on the subject's own labels."""
        images = self.images(store, subject, tracer, clinical)
        return regional_means(store.regions(subject.row), images.mean)


def _onto(data: NDArray[np.generic], source: Grid, grid: Grid, order: int = 1) -> Volume:
    volume = on_grid(data, source)
    if source.same_as(grid):
        return Volume(volume.data, grid.affine, grid.name)
    moved = resample(volume, np.eye(4), grid, order, antialias=order > 0)
    return Volume(moved, grid.affine, grid.name)


def _on_store(made: Generated, grid: Grid, seconds: float, given: str) -> Images:
    def back(volume: Volume) -> Image:
        if volume.grid.same_as(grid):
            return volume.data
        return resample(volume, np.eye(4), grid, antialias=True)

    return Images(
        mean=back(made.mean),
        sd=back(made.sd),
        samples=tuple(back(sample) for sample in made.samples),
        regional_sd_factor=dict(made.regional_sd_factor),
        seconds=seconds,
        given=given,
    )


def factor_by_region(factors: dict[str, float]) -> Floats:
    """(R,): factor of every key of `region_keys`, NaN where the model has none."""
    names = [key.partition(".")[0] for key in region_keys()]
    return np.array([factors.get(name, math.nan) for name in names])


def regional_sd(
    images: Images, labels: NDArray[np.uint8], factors: dict[str, float] | None
) -> Floats:
    """(R,): standard deviation of each regional mean, NaN where the model does not say.

    Parameters
    ----------
    images
        What the model made.
    labels
        Regions of the brain it was made from.
    factors
        Calibrated factors for what the model was given; None takes those the picture came with.
        A model without any falls back on the spread of its samples, when it has at least four.
    """
    chosen = images.regional_sd_factor if factors is None else factors
    if chosen:
        return np.asarray(factor_by_region(chosen) * regional_means(labels, images.sd))
    if len(images.samples) >= 4:
        table = np.stack([regional_means(labels, sample) for sample in images.samples])
        return np.asarray(table.std(0, ddof=1))
    return np.full(len(region_keys()), np.nan)


def interval(mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Lower and upper end of the 90 % interval of a normal distribution."""
    return mean - Z_90 * sd, mean + Z_90 * sd


def load_predictors(models: Sequence[str], device: str) -> list[Predictor]:
    """Load ``LABEL=NAME_OR_PATH`` or ``NAME_OR_PATH`` (labelled by the bundle's own name).

    A label given several times is one method with several training seeds.

    Raises
    ------
    PETSynthError
        What `load_generator` raises, or ``BAD_REQUEST`` when no model is named, one has no SUVR or
        one label stands for different methods.
    """
    if not models:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            "No model is named.",
            "Give --model NAME_OR_PATH, once for each model.",
        )
    predictors: list[Predictor] = []
    for text in models:
        label, equals, place = text.partition("=")
        loaded = load_generator(place if equals else text, device)
        require_suvr(loaded.bundle.suvr_known, loaded.bundle.name)
        name = label if equals else loaded.bundle.name
        same = [p for p in predictors if p.label == name]
        if any(p.bundle.method != loaded.bundle.method for p in same):
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The label {name!r} stands for two different methods.",
                "Give each method a label of its own: --model LABEL=PATH.",
            )
        predictors.append(Predictor(name, len(same), loaded.bundle, loaded))
    return predictors


def suited(
    store: Store, split: str, predictors: Sequence[Predictor]
) -> tuple[tuple[Subject, ...], dict[str, int]]:
    """Who of a split can be shown to every model, so that all are judged on the same people.

    Returns
    -------
    The subjects; and label of each model that cannot do everybody -> how many it leaves out.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when the split is empty, or nobody suits every model.
    """
    everybody = store.split(split)
    left_out = {
        p.label: n
        for p in predictors
        if (n := sum(not p.bundle.suits(flair=s.flair) for s in everybody))
    }
    subjects = tuple(s for s in everybody if all(p.bundle.suits(flair=s.flair) for p in predictors))
    if not subjects:
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"Nobody in the split {split!r} has a FLAIR, which {next(iter(left_out))} cannot do "
            "without.",
            "Prepare subjects with a FLAIR, or leave the model out.",
        )
    return subjects, left_out
