"""Has a model met the people it is judged on? Its bundle's fingerprints answer, model by model."""

from __future__ import annotations

from collections.abc import Sequence

from ..acquaintance import faces, meeting
from ..store import Store, Subject
from ..tidy import Claim
from .predictor import Predictor

NAMED = 5
"""At most so many people are named in a sentence."""


def strangers_claims(
    store: Store, judged: Sequence[Subject], predictors: Sequence[Predictor]
) -> list[Claim]:
    """Whether each model was trained or calibrated on judged people, as far as it says.

    Undecided when nobody can tell (`acquaintance.Doubt`).
    """
    found = faces(store, judged)
    return [_claim(store, found, predictor) for predictor in predictors]


def _claim(store: Store, people: dict[str, str], predictor: Predictor) -> Claim:
    bundle = predictor.bundle
    words = (
        f"{predictor.label}, training seed {predictor.seed}: no judged person is among those it "
        "was trained or calibrated on"
    )
    found = meeting(people, store.grid, bundle)
    if found.met:
        more = f" and {len(found.met) - NAMED} more" if len(found.met) > NAMED else ""
        named = f"{', '.join(found.met[:NAMED])}{more}"
        return Claim(words, False, f"{len(found.met)} of {len(people)} are: {named}")
    if found.doubt is not None:
        return Claim(words, None, f"the model {bundle.name} {found.doubt}")
    return Claim(words, True, f"none of {len(people)} T1s is among its {found.stated}")
