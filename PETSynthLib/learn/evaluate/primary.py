"""The endpoint named in advance: its numbers, its tests, and what they allow to say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...tracers import tracer as tracer_of
from ..tidy import Claim, Section, Table, number
from . import figures
from .controls import AGE_SEX
from .forms import FORMS, MEAN, PICTURE_WORDS, SINGLE, label_of, samples_of, words_of
from .judge import ALPHA, BEATEN, RIVALS, Comparison, Score, in_family
from .results import ORACLE, Results, chosen_by
from .sections import p_words, span


def primary_section(
    results: Results,
    scores: Sequence[Score],
    found: Sequence[Comparison],
    primary: tuple[str, ...],
    *,
    null: bool,
) -> Section:
    """Excess over the oracle and the claims, for the mean of samples and for a single one."""
    claims = []
    for comparison in found:
        if comparison.tracer in primary:
            if null and comparison.other == AGE_SEX:
                claims.append(_no_gain(comparison))
            if not null and in_family(comparison, primary):
                claims.append(_below(comparison))
    claims += [_not_below_oracle(c) for c in found if c.other == ORACLE and c.form == MEAN]
    if diagnosis := chosen_by(results.store, results.subjects):
        claims += [_no_oracle(model, diagnosis) for model in results.models]
    forest = figures.forest(results, scores)
    return Section(
        "Primary endpoint",
        _words(results, primary, null=null),
        tuple(claims),
        (_excess_table(results, scores), *_difference_tables(found)),
        (forest,) if forest else (),
    )


def _words(results: Results, primary: tuple[str, ...], *, null: bool) -> tuple[str, ...]:
    named = ", ".join(tracer_of(t).label for t in primary)
    words = [
        (
            "Primary endpoint: mean absolute error of the target region in excess of the oracle "
            "that knows MRI and clinic, of the mean of the samples; a single sample is judged "
            f"beside it. Family of each model and form (Holm, {100 * ALPHA:g} %): {named}, against "
            f"{len(BEATEN)} controls. The {' and '.join(RIVALS)} and the oracle are printed as "
            "they are. Comparisons outside the family have no corrected p and carry no claim."
        ),
        (
            "A model is held against the oracle with the model's own information, and each of its "
            "training seeds against the mean over the seeds of its shuffled controls. Those are "
            "judged in the form of the model for the tracers of the family; elsewhere both are "
            f"judged by the picture ({PICTURE_WORDS!r})."
        ),
    ]
    silent = [
        m for m in results.models if not any(samples_of(results, m, t) for t in results.tracers)
    ]
    if silent:
        words.append(
            f"{', '.join(silent)}: no samples were drawn, so the one picture is judged, as mean "
            "and as single sample at once; so are the controls."
        )
    if null:
        words.append(
            "This cohort is the null configuration: PET depends on age and sex only, so a gain "
            "over the age/sex mean is a bug or a leak."
        )
    return tuple(words)


def _excess_table(results: Results, scores: Sequence[Score]) -> Table:
    """The primary endpoint itself, model by model and form by form."""
    by_key = {(s.label, s.tracer, s.information): s for s in scores}
    rows = []
    for tracer in results.tracers:
        for model in results.models:
            if not results.information_of(model, tracer):
                continue
            information = results.information_of(model, tracer)[-1]
            count = samples_of(results, model, tracer)
            for form in FORMS if count else (MEAN,):
                s = by_key[label_of(results, model, tracer, form), tracer, information]
                rows.append(
                    (
                        model,
                        tracer_of(tracer).label,
                        words_of(count, form),
                        figures.INFORMATION_WORDS[information],
                        number(s.mae),
                        number(s.excess),
                        span(s.excess_interval),
                        number(s.excess_same),
                        f"{s.anatomies} x {results.seeds_of(model)}",
                    )
                )
    return Table(
        "Mean absolute error of the target region in excess of the oracle, SUVR",
        (
            "Model", "Tracer", "Judged as", "Knows", "Error", "Excess over the oracle", "95 %",
            "Over the oracle that knows the same", "Anatomies x seeds",
        ),
        tuple(rows),
    )  # fmt: skip


def _difference_tables(found: Sequence[Comparison]) -> tuple[Table, ...]:
    """Model minus other, a table a form."""
    heads = (
        "Model", "Tracer", "Judged as", "Against", "Which knows", "Difference", "95 % interval",
        "n", "p (Holm)", "p", "p (t)",
    )  # fmt: skip
    captions = {MEAN: "the primary form", SINGLE: "as a single sample"}
    tables = []
    for form in FORMS:
        rows = tuple(
            (
                c.model,
                tracer_of(c.tracer).label,
                c.judged_as,
                c.other,
                figures.INFORMATION_WORDS[c.knows],
                number(c.difference),
                span(c.interval),
                str(c.anatomies),
                p_words(c.p_holm),
                p_words(c.p),
                p_words(c.p_t),
            )
            for c in found
            if c.form == form
        )
        if rows:
            caption = (
                "Mean absolute error of the target region: model minus other, SUVR; negative is "
                f"better ({captions[form]})"
            )
            tables.append(Table(caption, heads, rows))
    return tuple(tables)


def _who(c: Comparison) -> str:
    """``flow, FDG``; a single sample says so."""
    single = " as a single sample" if c.form == SINGLE else ""
    return f"{c.model}{single}, {tracer_of(c.tracer).label}"


def _evidence(c: Comparison, *, corrected: bool) -> str:
    p = f"p = {p_words(c.p_holm)} (Holm)" if corrected else f"p = {p_words(c.p)}"
    return (
        f"{c.judged_as}: {number(c.difference)} SUVR ({span(c.interval)}), n = {c.anatomies}, {p}"
    )


def _below(c: Comparison) -> Claim:
    words = f"{_who(c)}: lower error than the control {c.other}"
    held = None if math.isnan(c.p_holm) else c.better
    return Claim(words, held, _evidence(c, corrected=True))


def _no_gain(c: Comparison) -> Claim:
    words = f"{_who(c)}: no gain over the age/sex mean (null cohort)"
    return Claim(words, _not_below(c), _evidence(c, corrected=False))


def _not_below_oracle(c: Comparison) -> Claim:
    words = (
        f"{_who(c)}: not better than the oracle that knows the same, "
        f"{figures.INFORMATION_WORDS[c.knows]} (it would be a leak)"
    )
    return Claim(words, _not_below(c), _evidence(c, corrected=False))


def _no_oracle(model: str, diagnosis: str) -> Claim:
    """Nobody is held against an oracle that expects other people."""
    evidence = (
        f"everybody was chosen by the diagnosis {diagnosis}; the oracle expects people of every "
        "diagnosis, so it is left out, and with it every number in excess of it"
    )
    return Claim(f"{model}: not better than the oracle (it would be a leak)", None, evidence)


def _not_below(c: Comparison) -> bool | None:
    return None if math.isnan(c.p) else not (c.difference < 0 and c.p < ALPHA)
