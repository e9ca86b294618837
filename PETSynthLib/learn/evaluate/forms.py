"""In which form a model's picture is judged: the mean of its samples, or a single sample.

The mean of the samples is the primary form. A model that draws no samples is judged by its one
picture, which is then its mean and its single sample at once; so are the controls.
"""

from __future__ import annotations

import numpy as np

from .results import ORACLE, Regional, Results

ONE_SAMPLE = "{} (one sample)"
MEAN_OF_SAMPLES = "{} (mean of {} samples)"
"""Labels of a model's forms among the estimators."""
MEAN, SINGLE = "mean", "single"
FORMS = (MEAN, SINGLE)
"""The primary form first."""
PICTURE_WORDS = "its one picture"


def sample_estimators(made: Regional) -> list[Regional]:
    """A model judged as a single sample and as the mean of its samples; nothing without any."""
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


def samples_of(results: Results, label: str, tracer: str) -> int:
    """Samples a subject that were drawn of an estimator with its richest information."""
    if label == ORACLE or not results.information_of(label, tracer):
        return 0
    draws = results.best(label, 0, tracer).draws
    return 0 if draws is None else draws.shape[1]


def label_of(results: Results, label: str, tracer: str, form: str) -> str:
    """Label under which an estimator's form is kept: its own where nothing was drawn."""
    count = samples_of(results, label, tracer)
    if not count:
        return label
    return ONE_SAMPLE.format(label) if form == SINGLE else MEAN_OF_SAMPLES.format(label, count)


def words_of(count: int, form: str) -> str:
    """How a form of ``count`` samples is called in a report."""
    if not count:
        return PICTURE_WORDS
    return "single sample" if form == SINGLE else f"mean of {count} samples"
