"""The clinical facts that may accompany an MRI. A missing fact is None, never 0."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from .errors import ErrorCode, PETSynthError


@dataclass(frozen=True)
class FieldRange:
    """Allowed values of a clinical field and the words for it."""

    label: str
    low: float
    high: float
    unit: str
    cognition: bool = False


FIELDS: dict[str, FieldRange] = {
    "age": FieldRange("age", 18, 110, "years"),
    "sex": FieldRange("sex", 0, 1, "0 female, 1 male"),
    "education": FieldRange("education", 0, 30, "years"),
    "mmse": FieldRange("MMSE", 0, 30, "points", cognition=True),
    "adas13": FieldRange("ADAS-Cog-13", 0, 85, "points", cognition=True),
    "apoe4": FieldRange("APOE4 alleles", 0, 2, "alleles", cognition=True),
}
"""Every clinical field, in the order of the network's inputs."""

COGNITION = tuple(name for name, field in FIELDS.items() if field.cognition)
"""Fields that shape the picture only when the user says so (MMSE, ADAS-Cog-13, APOE4)."""


@dataclass(frozen=True)
class ClinicalRecord:
    """What is known of the person; every field may be missing.

    Attributes
    ----------
    age
        Years at the time of the MRI.
    sex
        ``"F"`` or ``"M"``.
    education
        Years of schooling.
    mmse
        Mini-Mental State Examination, 0-30, higher is better.
    adas13
        ADAS-Cog-13, 0-85, higher is worse.
    apoe4
        Number of APOE epsilon-4 alleles, 0-2.
    """

    age: float | None = None
    sex: str | None = None
    education: float | None = None
    mmse: float | None = None
    adas13: float | None = None
    apoe4: int | None = None

    def __post_init__(self) -> None:
        if self.sex is not None and self.sex not in ("F", "M"):
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"Sex {self.sex!r} is not known.",
                "Give F or M, or leave it out.",
            )
        for name, value in self.numbers().items():
            field = FIELDS[name]
            if value is not None and not field.low <= value <= field.high:
                raise PETSynthError(
                    ErrorCode.BAD_REQUEST,
                    f"The {field.label} {value:g} is outside {field.low:g} to {field.high:g} "
                    f"{field.unit}.",
                    "Correct the value, or leave it out if it is unknown.",
                )

    def numbers(self) -> dict[str, float | None]:
        """Every field as a number (sex: 0 female, 1 male) or None when it is missing."""
        raw = asdict(self)
        raw["sex"] = None if self.sex is None else float(self.sex == "M")
        return {name: None if raw[name] is None else float(raw[name]) for name in FIELDS}

    def known(self) -> tuple[str, ...]:
        """Names of the fields that are present."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not None)

    def cognition(self) -> tuple[str, ...]:
        """Names of the present fields that can carry the answer into the picture."""
        return tuple(name for name in self.known() if name in COGNITION)

    def without_cognition(self) -> ClinicalRecord:
        """The same person with MMSE, ADAS-Cog-13 and APOE4 unknown."""
        return replace(self, mmse=None, adas13=None, apoe4=None)
