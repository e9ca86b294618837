"""Model sensitivity: the same scan drawn again with other scores, region by region.

It shows a habit of the model, not a medical effect: nobody's brain changes because another number
is typed in. So the two results may differ in nothing but cognitive scores that the user lets shape
the picture, and what changes is said in SUVR, with no judgement.
"""

from __future__ import annotations

from ..errors import ErrorCode, PETSynthError
from ..request import SYNTHESIZE
from . import marks
from .finished import Finished
from .region_rows import MISSING, RegionRows

COLUMNS = (
    marks.TABLE_COLUMN[0],
    "tracer",
    "reference",
    "regions",
    "region",
    "side",
    "ml",
    "suvr",
    "suvr_what_if",
    "suvr_change",
    "note",
    "cognition",
)
"""Of the table: the usual ones, the mean with the other scores, and what changed."""


def require_alike(before: Finished, after: Finished) -> None:
    """Refuse two results that differ in more than cognitive scores.

    Parameters
    ----------
    before
        The result as it is.
    after
        The one with other scores.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for another tracer, image, model, seed or effort, for an exploratory tracer
        (its middle is not looked at alone), and where no score shaped the pictures.
    """
    if before.kind != SYNTHESIZE or after.kind != SYNTHESIZE:
        raise _refused(
            "Only two pictures of a model are compared.", "Choose a PET computed from an MRI."
        )
    if before.release.triptych:
        raise _refused(
            f"{before.tracer.label} is exploratory: its middle is not compared alone.",
            "Choose a tracer that the MRI determines.",
        )
    if not before.release.cognition or not after.release.cognition:
        raise _refused(
            "The picture was drawn without cognitive scores, so none of them can change it.",
            "Let them shape the picture, and run it again.",
        )
    unlike = [word for word, one, other in _facts(before, after) if one != other]
    if unlike:
        raise _refused(
            f"The two pictures differ in more than the scores: {', '.join(unlike)}.",
            "Run the picture itself again, then ask what if.",
        )


def _facts(before: Finished, after: Finished) -> list[tuple[str, object, object]]:
    def images(finished: Finished) -> dict[str, str]:
        return {source.role: source.sha256 for source in finished.sources}

    rows: list[tuple[str, object, object]] = [
        ("tracer", before.tracer.key, after.tracer.key),
        ("images", images(before), images(after)),
        ("model", before.model.get("bundle_sha256"), after.model.get("bundle_sha256")),
    ]
    rows += [(name.lower(), before.record[name], after.record[name]) for name in ("Seeds", "Steps")]
    return rows


def _refused(text: str, hint: str) -> PETSynthError:
    return PETSynthError(ErrorCode.BAD_REQUEST, text, hint)


def regional_change(before: Finished, after: Finished) -> list[list[str]]:
    """SUVR of every region as it is, with the other scores, and what changed.

    Returns
    -------
    Rows of cells in the order of `COLUMNS`. A value that either table does not show has no change:
    what is hidden stays hidden, with its reason.

    Raises
    ------
    PETSynthError
        As `require_alike`.
    """
    require_alike(before, after)
    others = {(row["region"], row["side"]): row for row in after.table.rows}
    rows = []
    for row in before.table.rows:
        other = others.get((row["region"], row["side"]), {})
        one, two = RegionRows.number(row, "suvr"), RegionRows.number(other, "suvr")
        hidden = one is None or two is None
        notes = [cells.get("note", MISSING) for cells in (row, other)]
        cells = {
            **row,
            "suvr": MISSING if hidden else row["suvr"],
            "suvr_what_if": MISSING if hidden else other["suvr"],
            "suvr_change": MISSING if one is None or two is None else f"{two - one:+.4f}",
            "note": next((note for note in notes if note != MISSING), MISSING),
            "cognition": other.get("cognition", row["cognition"]),
        }
        rows.append([cells[name] for name in COLUMNS])
    return rows
