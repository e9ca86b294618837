"""Has a model met the people it is judged on? Its bundle's fingerprints answer, model by model."""

from __future__ import annotations

from collections.abc import Sequence

from ..fingerprint import fingerprint
from ..store import Store, Subject
from ..tidy import Claim
from .predictor import Predictor

NAMED = 5
"""At most so many people are named in a sentence."""


def strangers_claims(
    store: Store, judged: Sequence[Subject], predictors: Sequence[Predictor]
) -> list[Claim]:
    """Whether each model was trained or calibrated on judged people, as far as it says.

    Undecided when a model does not say whom it has seen, or when its people were prepared on
    another grid than the store's: the same brain then has another fingerprint.
    """
    faces = {subject.subject: fingerprint(store.t1(subject.row)) for subject in judged}
    return [_claim(store, faces, predictor) for predictor in predictors]


def _claim(store: Store, faces: dict[str, str], predictor: Predictor) -> Claim:
    config, bundle = predictor.bundle.config, predictor.bundle
    words = (
        f"{predictor.label}, training seed {predictor.seed}: no judged person is among those it "
        "was trained or calibrated on"
    )
    own = config.get("training", {}).get("fingerprints")
    known = {*(own or ()), *config.get("calibration", {}).get("fingerprints", ())}
    met = [name for name, face in faces.items() if face in known]
    if met:
        more = f" and {len(met) - NAMED} more" if len(met) > NAMED else ""
        evidence = f"{len(met)} of {len(faces)} are: {', '.join(met[:NAMED])}{more}"
        return Claim(words, False, evidence)
    if own is None:
        return Claim(words, None, f"the model {bundle.name} does not say whom it was trained on")
    if not bundle.grid.same_as(store.grid):
        return Claim(
            words,
            None,
            f"the model {bundle.name} lies on another grid than the store {store.folder.name}: its "
            "pictures are resampled, and its people cannot be told apart from these",
        )
    return Claim(words, True, f"none of {len(faces)} T1s is among its {len(known)}")
