"""Circularity, coverage and flags: what a gathered evaluation says against a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...checks import Finding, Verdict
from ..checks.downstream import GAIN
from ..evaluate.controls import AGE_SEX, CLINIC
from ..evaluate.gather import Gathered
from ..evaluate.results import Floats, is_healthy
from ..evaluate.statistics import by_anatomy, coverage_band, two_level_bootstrap
from ..evaluate.zmap import FEWEST_PEOPLE, FLAGGED_SHARE, single_regions
from ..tidy import Row, number

FEWEST = 20
"""Anatomies below which nothing is judged."""
NOMINAL = 0.90


def circularity(gathered: Gathered, model: str, tracer: str) -> Finding:
    """Is the model better than a regression on the clinic alone, in the tracer's target region?

    A model that is told test scores can paint them into the picture; whoever then finds the
    diagnosis in the picture has found the scores.
    """
    results = gathered.results
    information = results.information_of(model, tracer)[-1]
    control, of_control = (CLINIC, "clinic") if information == "both" else (AGE_SEX, "base")
    rival = results.absolute_error(control, tracer, of_control)
    more = results.absolute_error(model, tracer, information) - rival
    difference = by_anatomy(more, results.anatomies)
    name = f"circularity.{tracer}"
    limit = "model's error minus the clinic's, 95 % interval below 0"
    if len(difference) < FEWEST:
        return _too_few(name, limit, tracer, len(difference), "circularity")
    mean, (low, high) = float(difference.mean()), two_level_bootstrap(difference)
    told = "education, scores and APOE4" if control == CLINIC else "age and sex"
    sentence = (
        f"{tracer}: error of the target region, model minus a regression on {told} without any "
        f"MRI: {number(mean)} SUVR ({number(low)} to {number(high)})."
    )
    if high < 0:
        return Finding(name, mean, limit, Verdict.GREEN, sentence)
    if low > 0:
        sentence = f"{sentence} The picture is worse than no picture."
        return Finding(name, mean, limit, Verdict.RED, sentence)
    sentence = f"{sentence} Nothing shows that the picture holds more than the clinic says."
    return Finding(name, mean, limit, Verdict.AMBER, sentence)


def diagnosis_circularity(rows: Sequence[Row]) -> list[Finding]:
    """Is a diagnosis found better in the synthetic PET than in the clinic's facts?

    Parameters
    ----------
    rows
        Of `learn.checks.downstream`.
    """
    name, limit = "circularity.diagnosis", "AUC above the clinic's, 95 % interval above 0"
    gain = f"{GAIN}.synthetic"
    by_metric = {(row.information, row.metric): row.value for row in rows}
    information = "both" if ("both", gain) in by_metric else "mri"
    values = [by_metric.get((information, f"{gain}{end}")) for end in ("", ".low", ".high")]
    more, low, high = values
    if more is None or low is None or high is None:
        sentence = "Diagnosis: too few people with different diagnoses to judge circularity."
        return [Finding(name, "unknown", limit, Verdict.AMBER, sentence)]
    words = (
        f"Diagnosis: read from the synthetic PET, the AUC is {number(more, 2)} "
        f"({number(low, 2)} to {number(high, 2)}) above that of the clinic alone"
    )
    if low > 0:
        return [Finding(name, more, limit, Verdict.GREEN, f"{words}.")]
    sentence = f"{words}: nothing shows that it says more than the scores it may have been told."
    return [Finding(name, more, limit, Verdict.AMBER, sentence)]


def coverage(gathered: Gathered, model: str, tracer: str) -> Finding:
    """Do the 90 % intervals of the target region hold the true value as often as they may?"""
    results = gathered.results
    values = results.best(model, 0, tracer)
    name, limit = f"coverage.{tracer}", "beta-binomial 99 % acceptance band"
    if values.low is None or values.high is None:
        sentence = f"{tracer}: the model states no interval, so its uncertainty is unknown."
        return Finding(name, "none", limit, Verdict.AMBER, sentence)
    column = results.target(tracer)
    truth = results.truth[tracer][:, column]
    inside = (values.low[:, column] <= truth) & (truth <= values.high[:, column])
    covered = by_anatomy(np.where(np.isfinite(truth), inside, np.nan), results.anatomies)
    people = len(covered)
    if people < FEWEST:
        return _too_few(name, limit, tracer, people, "coverage")
    calibrated = gathered.calibration_people.get((model, tracer, values.information))
    low, high = coverage_band(calibrated, people, nominal=NOMINAL)
    share = float(covered.mean())
    fitted = (
        "no number of calibration subjects is stated, so only the test's own chance is allowed for"
        if calibrated is None
        else f"{calibrated} calibration subjects"
    )
    verdict = Verdict.GREEN if low <= share <= high else Verdict.RED
    sentence = (
        f"{tracer}: the 90 % interval of the target region holds {share:.1%} of {people} "
        f"anatomies; {low:.1%} to {high:.1%} are acceptable ({fitted})."
    )
    return Finding(name, share, limit, verdict, sentence)


def flags(gathered: Gathered, model: str, tracer: str) -> list[Finding]:
    """How many healthy people would get any region flag, by their true and their synthetic PET."""
    results, norm = gathered.results, gathered.norms[tracer]
    healthy = np.array(
        [is_healthy(s) and tracer in s.tracers for s in results.subjects], dtype=bool
    )
    name, limit = f"flags.{tracer}", f"{FLAGGED_SHARE:.0%} of healthy people, 99 % acceptance band"
    if norm.people < FEWEST_PEOPLE:
        sentence = (
            f"{tracer}: {norm.people} healthy training people make no norm ({FEWEST_PEOPLE} are "
            "needed), so flags cannot be judged."
        )
        return [Finding(name, norm.people, limit, Verdict.AMBER, sentence)]
    if not any(s.diagnosis for s in results.subjects):
        sentence = f"{tracer}: no diagnosis is known, so nobody knows whose flags are false."
        return [Finding(name, "unknown", limit, Verdict.AMBER, sentence)]
    found = []
    pictures = (("true", results.truth[tracer]), ("synthetic", results.best(model, 0, tracer).mean))
    for kind, values in pictures:
        flagged = any_flag(norm.z(values[healthy]), norm.threshold)
        people = by_anatomy(
            flagged, [s.anatomy for s, h in zip(results.subjects, healthy, strict=True) if h]
        )
        found.append(_flag_finding(f"{name}.{kind}", limit, tracer, kind, people, norm.people))
    return found


def any_flag(z: Floats, threshold: float) -> Floats:
    """1 where any single region's z (N, R) exceeds the threshold, else 0 (N,)."""
    highest = np.nan_to_num(z[:, single_regions()], nan=-np.inf).max(axis=1, initial=-np.inf)
    return np.asarray(highest > threshold, dtype=np.float64)


def _flag_finding(
    name: str, limit: str, tracer: str, kind: str, flagged: Floats, norm_people: int
) -> Finding:
    people = len(flagged)
    if people < FEWEST:
        return _too_few(name, limit, tracer, people, f"flags of the {kind} PET", "healthy ")
    low, _ = coverage_band(norm_people, people, nominal=1 - FLAGGED_SHARE)
    share, most = float(flagged.mean()), 1 - low
    sentence = (
        f"{tracer}: {share:.1%} of {people} healthy people get a flag on their {kind} PET; "
        f"{FLAGGED_SHARE:.0%} are expected, up to {most:.1%} acceptable."
    )
    verdict = Verdict.RED if share > most else Verdict.GREEN
    return Finding(name, share, limit, verdict, sentence)


def _too_few(name: str, limit: str, tracer: str, people: int, what: str, kind: str = "") -> Finding:
    sentence = (
        f"{tracer}: {people} {kind}anatomies are too few to judge {what} ({FEWEST} are needed)."
    )
    return Finding(name, float(people), limit, Verdict.AMBER, sentence)
