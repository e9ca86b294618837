"""Findings: what was looked at, what was found, where the limit is, and what it means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Traffic light of a finding. Red stops the run."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True)
class Finding:
    """One check of the input or of a step.

    Attributes
    ----------
    name
        Stable key, e.g. ``"voxel_size"``.
    value
        What was measured, with its unit in ``sentence``.
    limit
        The limit it was held against, in words.
    verdict
        Green, amber or red.
    sentence
        One plain sentence for a person.
    """

    name: str
    value: float | str
    limit: str
    verdict: Verdict
    sentence: str

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form."""
        return {**asdict(self), "verdict": self.verdict.value}


def grade(value: float, amber: float, red: float) -> Verdict:
    """Verdict for a quantity that is worse the larger it is.

    Green up to ``amber``, amber up to ``red``, red beyond. Swap the sign of all three for a
    quantity that is worse the smaller it is.
    """
    if value > red:
        return Verdict.RED
    return Verdict.AMBER if value > amber else Verdict.GREEN


def worst(findings: list[Finding]) -> Verdict:
    """The most serious verdict among ``findings`` (green when there are none)."""
    order = [Verdict.GREEN, Verdict.AMBER, Verdict.RED]
    return max((f.verdict for f in findings), key=order.index, default=Verdict.GREEN)
