"""What may stand in `Annotated[type, ...]`: rules for a value, a default, spin box settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_args


class Validator:
    """A rule; `validate` raises ValueError or TypeError for a value that breaks it."""

    def validate(self, value: Any) -> None:
        raise NotImplementedError


@dataclasses.dataclass
class NotNone(Validator):
    def validate(self, value: Any) -> None:
        if value is None:
            msg = "the value must not be None"
            raise ValueError(msg)


@dataclasses.dataclass
class IsInstance(Validator):
    """None passes: whether it may be None is another rule."""

    classtype: Any

    def validate(self, value: Any) -> None:
        if value is not None and not isinstance(value, self.classtype):
            msg = f"the value must be a {self.classtype}, not {value!r} ({type(value).__name__})"
            raise TypeError(msg)


@dataclasses.dataclass
class WithinRange(Validator):
    """Both ends belong to the range."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            msg = f"the value must be in [{self.minimum}, {self.maximum}], not {value}"
            raise ValueError(msg)


@dataclasses.dataclass
class Minimum(Validator):
    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            msg = f"the value must be {self.minimum} or more, not {value}"
            raise ValueError(msg)


@dataclasses.dataclass
class Maximum(Validator):
    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            msg = f"the value must be {self.maximum} or less, not {value}"
            raise ValueError(msg)


@dataclasses.dataclass
class Choice(Validator):
    choices: Sequence[Any]

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            msg = f"the value must be one of {self.choices}, not {value!r}"
            raise ValueError(msg)


@dataclasses.dataclass
class Exclude(Validator):
    excludedValues: Sequence[Any]

    def validate(self, value: Any) -> None:
        if value in self.excludedValues:
            msg = f"the value must not be one of {self.excludedValues}"
            raise ValueError(msg)


@dataclasses.dataclass
class RangeBounds(Validator):
    """For a FloatRange: both of its ends lie in the bounds."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not (self.minimum <= value.minimum and value.maximum <= self.maximum):
            msg = f"the range must be in [{self.minimum}, {self.maximum}], not {value}"
            raise ValueError(msg)


class Default:
    """The value of a parameter that nobody has set."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value = value
        self._generator = generator

    @property
    def value(self) -> Any:
        return self._generator() if self._generator else self._value


@dataclasses.dataclass
class Decimals:
    value: int


@dataclasses.dataclass
class SingleStep:
    value: float


def split(annotated: Any) -> tuple[Any, list[Any]]:
    """Of `Annotated[type, a, b]` the type and [a, b]; of a plain type itself and an empty list."""
    kind, *annotations = get_args(Annotated[annotated, None])
    return kind, annotations[:-1]


def first(annotations: Sequence[Any], wanted: type) -> Any:
    """The first annotation of a kind, or None."""
    return next((a for a in annotations if isinstance(a, wanted)), None)
