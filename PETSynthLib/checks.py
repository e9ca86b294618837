"""Findings: what was looked at, what was found, where the limit is, and what it means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

OVERRIDABLE = {
    "contrast_agent": "a contrast agent was given, or the T1 looks so",
    "t1_slice_thickness": "the slices are too thick",
    "t1_anisotropy": "the voxels are too uneven",
    "coverage": "part of the brain is cut off",
    "t1_intensities": "brightness and contrast are unlike those the model learnt from",
}
"""Checks whose red light a user may override, and why it is red. Never among them: what makes the
result meaningless instead of poor (CT, another patient, no valid place, no brain)."""

OVERRIDABLE_OF_PET = {
    "pet_slice_thickness": "the slices of the PET are too thick",
    "pet_anisotropy": "the voxels of the PET are too uneven",
    "pet_coverage": "part of the brain lies outside the PET",
    "reference_in_pet": "part of the reference region lies outside the PET",
}
"""The same for a PET that is measured. Never among them: a PET beside its MRI, a reference without
uptake, a parcellation of another head."""

OVERRIDABLE_OF_MEASURING = {
    **{name: reason for name, reason in OVERRIDABLE.items() if name != "t1_intensities"},
    **OVERRIDABLE_OF_PET,
}
"""The same for a measurement as a whole: no model looks at its T1, so nothing is held against what
one learnt from."""

NOTHING_TO_COMPARE = "not known"
"""Value or limit of a check that had nothing to hold the image against."""


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
    overridden
        Whether the user overrode a red light, which then counts as amber.
    key
        Which sentence it is, for translators; ``name.verdict`` unless said otherwise.
    """

    name: str
    value: float | str
    limit: str
    verdict: Verdict
    sentence: str
    overridden: bool = False
    key: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            object.__setattr__(self, "key", f"{self.name}.{self.verdict.value}")

    @property
    def undecided(self) -> bool:
        """Whether there was nothing to hold the image against: green, but no praise."""
        return NOTHING_TO_COMPARE in (self.value, self.limit)

    def as_dict(self) -> dict[str, object]:
        """JSON-ready form, without the translators' key: that is for programs with a user."""
        body = {**asdict(self), "verdict": self.verdict.value}
        del body["key"]
        return body


def overridable(name: str) -> bool:
    """Whether a user may override the red light of the check ``name``."""
    return name in OVERRIDABLE or name in OVERRIDABLE_OF_PET


def as_overridden(finding: Finding, overridden: Collection[str]) -> Finding:
    """``finding`` as it counts when the user overrode the checks named ``overridden``.

    Only a red finding of exactly that name changes, and only an overridable one.
    """
    mine = overridable(finding.name) and finding.name in overridden
    if finding.verdict is not Verdict.RED or not mine:
        return finding
    sentence = f"{finding.sentence} Overridden by the user."
    return replace(finding, verdict=Verdict.AMBER, sentence=sentence, overridden=True)


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
