"""What the report says of data, conventions and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ...quantify.regions import title_of
from ...tracers import tracer as tracer_of
from ..tidy import Claim, Section, Table, number
from . import figures
from .controls import DENSITY_PEOPLE, table_of_controls
from .gather import Gathered
from .metrics import CONVENTIONS
from .oracle_values import constructed_truth, geometry_ratio
from .results import Results
from .sections import subjects_word
from .statistics import RESAMPLES

RATIO_SD = 0.02
"""More than resampling explains: beyond this the oracle knows something that no image shows."""


def data_section(
    results: Results, split: str, strangers: Sequence[Claim], left_out: Mapping[str, int]
) -> Section:
    """Who was judged, on what, and whether the models had met them (`strangers_claims`).

    Parameters
    ----------
    left_out
        Model -> subjects of the split whom nobody was judged on, for it cannot do them.
    """
    store, subjects = results.store, results.subjects
    training = results.training or store
    train = [s for s in training.subjects if s.split == "train"]
    shared = {s.anatomy for s in train} & set(results.anatomies)
    sites = Counter(s.site or "unknown site" for s in subjects)
    trained_sites = {s.site for s in train}
    rows = [
        ("Subjects", f"{len(subjects)} {subjects_word(results)}, split {split!r}"),
        *(
            ("Left out, by all models", f"{count} without a FLAIR, which {label} cannot do without")
            for label, count in left_out.items()
        ),
        ("Anatomies", str(len(set(results.anatomies)))),
        ("Anatomies shared with the training split", str(len(shared))),
        (
            "Sites",
            ", ".join(
                f"{site} ({count}{'' if site in trained_sites else ', never trained on'})"
                for site, count in sorted(sites.items())
            ),
        ),
        ("PET scanners", _counted(s.scanner or "unknown" for s in subjects)),
        ("Diagnoses", _counted(s.diagnosis or "unknown" for s in subjects)),
        ("Training people of the controls", f"{len(train)} (store {training.folder.name})"),
        ("Grid", f"{store.grid.shape}, {store.grid.spacing[0]:.3g} mm, {store.grid.name}"),
    ]
    for tracer in results.tracers:
        target = results.target(tracer)
        truth = results.truth[tracer][:, target]
        known = truth[np.isfinite(truth)]
        spread = f"{known.mean():.3f} (sd {known.std(ddof=1):.3f})" if len(known) > 1 else "n/a"
        rows.append(
            (
                f"{tracer_of(tracer).label}: {title_of(tracer_of(tracer).target_region)}",
                (
                    f"{len(known)} subjects, true SUVR {spread}, reference "
                    f"{tracer_of(tracer).reference_region.replace('_', ' ')}"
                ),
            )
        )
    claim = Claim(
        "No judged anatomy is in the training split of the controls",
        not shared,
        f"{len(shared)} of {len(set(results.anatomies))} are",
    )
    claims = (claim, *strangers, *_truth_claims(results))
    return Section("Data", claims=claims, tables=(Table("", ("", ""), tuple(rows)),))


def _truth_claims(results: Results) -> list[Claim]:
    """Does the store show what was constructed? The oracle and some controls lean on it."""
    claims = []
    for tracer in results.tracers if results.store.simulated else ():
        truth = results.truth[tracer]
        known = np.isfinite(truth[:, results.target(tracer)])
        if known.sum() < 2 or constructed_truth(results.store, results.subjects, tracer) is None:
            continue
        ratio = geometry_ratio(results.store, results.subjects, tracer, truth)
        off = ratio[known, results.target(tracer)]
        sd = float(off.std(ddof=1))
        claims.append(
            Claim(
                f"{tracer_of(tracer).label}: the target's measured truth is the constructed one, "
                f"times a factor that varies by at most {100 * RATIO_SD:g} % between subjects",
                sd <= RATIO_SD,
                f"factor {number(float(off.mean()))}, sd {100 * sd:.1f} %; the oracle and the "
                "controls that predict numbers are given each subject's factor, the models are "
                "not",
            )
        )
    return claims


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in sorted(Counter(words).items()))


def _geometry_words(results: Results) -> str:
    """How far the grid moves a region's value from the constructed one, measured here."""
    found = []
    for tracer in results.tracers:
        truth, target = results.truth[tracer], results.target(tracer)
        known = np.isfinite(truth[:, target])
        if not known.any() or constructed_truth(results.store, results.subjects, tracer) is None:
            continue
        ratio = geometry_ratio(results.store, results.subjects, tracer, truth)[known].mean(0)
        found.append(
            f"{tracer_of(tracer).label} {_percent(ratio[target])} in the target "
            f"({_percent(ratio.min())} to {_percent(ratio.max())} over all regions)"
        )
    if not found:
        return ""
    return (
        "Resampling onto the grid and the scanner's blur change them. Measured truth over "
        f"constructed truth, less 1, mean of these subjects: {'; '.join(found)}. The oracle and "
        "the controls that predict numbers are multiplied by each subject's ratio, so that nobody "
        "is charged for it."
    )


def _percent(ratio: float) -> str:
    return f"{100 * (ratio - 1):+.1f} %"


def conventions_section(results: Results) -> Section:
    """What the words and numbers mean."""
    simulated = results.store.simulated
    paragraphs = [
        "A PET is acquired or synthetic; a subject is simulated or real. "
        + (
            "Every subject here is simulated. 'Acquired' means: as the simulated scanner "
            "measured it, with noise. 'True' means the same scanner's PET without its noise. "
            "Nothing here is evidence about people, and no number may stand beside a published "
            "one."
            if simulated
            else "The subjects are real. 'True' means the acquired PET, with its noise."
        ),
        *CONVENTIONS,
        "Regional values are means over the subject's own region labels on this grid. "
        + (_geometry_words(results) if simulated else ""),
        (
            "The target region of each tracer is the registry's. Absolute errors of the oracle "
            "are those of its median (the best possible for an absolute error), those of every "
            "other estimator of its mean."
        ),
        (
            "ICC is ICC(2,1): absolute agreement, two-way random, single measure. Slope: "
            "synthetic on true; below 1 is regression to the mean. Agreement is over subjects, "
            "first training seed."
        ),
        (
            f"The anatomy is the unit. Intervals are 95 % percentile intervals of {RESAMPLES} "
            "bootstrap resamples over anatomies and, where a label has several, training seeds "
            "(crossed). Tests are paired sign flips over anatomies, two-sided; a paired t test "
            "stands beside."
        ),
        (
            "The asymmetry index is 100 (L - R) / ((L + R) / 2) in percent, averaged over the "
            "target's regions. z-maps use healthy people of the training split; abnormal is low "
            "for FDG and high for the other tracers."
        ),
        (
            "Shuffled MRI: another subject's MRI with this subject's clinic, measured on the "
            "regions of the brain that was shown. Shuffled clinic: this MRI with another "
            "subject's age, sex and clinic."
        ),
    ]
    controls = Table(
        "Controls, all fitted on the training split",
        ("Control", "Knows", "What it is"),
        tuple(
            (label, figures.INFORMATION_WORDS[info], words)
            for label, info, words in table_of_controls()
        ),
    )
    note = (
        f"At most {DENSITY_PEOPLE} training people of a tracer take part in its grey-density "
        "regression."
    )
    return Section("Conventions", (*paragraphs, note), tables=(controls,))


def cost_section(gathered: Gathered, memory_gb: float, numbers: dict[str, str]) -> Section:
    """Seconds and memory, and what was run."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for row in gathered.rows:
        if row.metric == "seconds":
            seconds.setdefault((row.model, row.information), []).append(row.value)
    rows = [
        (model, figures.INFORMATION_WORDS[info], number(float(np.mean(v)), 2), str(len(v)))
        for (model, info), v in seconds.items()
    ]
    table = Table(
        "Seconds an image (with samples where all information is given)",
        ("Model", "Knows", "Seconds", "Images"),
        tuple(rows),
    )
    facts = {
        "Seconds inside the models": f"{gathered.model_seconds:.0f}",
        "Seconds of everything else": f"{gathered.total_seconds - gathered.model_seconds:.0f}",
        "Peak memory of the process": f"{memory_gb:.2f} GB",
        **numbers,
    }
    return Section(
        "Cost and provenance", (), (), (table, Table("", ("", ""), tuple(facts.items())))
    )
