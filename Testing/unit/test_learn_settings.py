"""Typed settings: each mistake is one sentence that names the setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("yaml")

from PETSynthLib.errors import PETSynthError
from PETSynthLib.learn.settings import (
    apply_sets,
    as_dict,
    build,
    layered,
    read_yaml,
    schema,
    setting,
)


@dataclass(frozen=True)
class Inner:
    share: float = setting(0.5, "a share", low=0, high=1)


@dataclass(frozen=True)
class Outer:
    count: int = setting(3, "a count", low=1)
    rate: float | None = setting(None, "a rate")
    kind: Literal["a", "b"] = setting("a", "a kind")
    sizes: tuple[int, ...] = setting((1, 2), "sizes", low=1)
    loud: bool = setting(False, "whether")
    inner: Inner = field(default_factory=Inner)


def test_tables_and_sets_become_a_typed_object() -> None:
    body = apply_sets({"count": 4, "inner": {}}, ["inner.share=0.25", "rate=1e-3", "sizes=[2, 3]"])
    made = build(Outer, body)
    assert made == Outer(4, 0.001, "a", (2, 3), False, Inner(0.25))
    assert build(Outer, as_dict(made)) == made


@dataclass(frozen=True)
class Other:
    inner: Inner = field(default_factory=lambda: Inner(0.75))
    outer: Outer = field(default_factory=lambda: Outer(rate=0.5))


def test_a_group_keeps_what_is_its_own_default_here() -> None:
    made = build(Other, {"outer": {"count": 7, "inner": {}}})
    assert made == Other(Inner(0.75), Outer(count=7, rate=0.5))
    groups = schema(Other)["properties"]
    assert groups["inner"]["properties"]["share"]["default"] == 0.75
    assert groups["outer"]["properties"]["inner"]["properties"]["share"]["default"] == 0.5


def test_layers_lie_on_each_other_group_by_group() -> None:
    below = {"a": 1, "inner": {"b": 2, "c": {"d": 3, "e": 4}}}
    found = layered(below, {"inner": {"c": {"e": 5}}, "f": 6})
    assert found == {"a": 1, "inner": {"b": 2, "c": {"d": 3, "e": 5}}, "f": 6}
    assert below["inner"]["c"]["e"] == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("speed=1", "There is no setting 'speed'."),
        ("inner.speed=1", "There is no setting 'inner.speed'."),
        ("count=many", "The setting count is 'many'. It must be a whole number."),
        ("count=1.5", "The setting count is 1.5. It must be a whole number."),
        ("count=true", "The setting count is True. It must be a whole number."),
        ("count=0", "The setting count is 0. It must be at least 1."),
        ("rate=fast", "The setting rate is 'fast'. It must be a number."),
        ("kind=c", "The setting kind is 'c'. It is one of a, b."),
        ("sizes=3", "The setting sizes is 3, not a list."),
        ("sizes=[0]", "The setting sizes is 0. It must be at least 1."),
        ("loud=1", "The setting loud is 1. It must be true or false."),
        ("inner=1", "The setting 'inner' is a group of settings."),
        ("inner.share=2", "The setting inner.share is 2. It must be at least 0 and at most 1."),
        ("inner.share=.nan", "The setting inner.share is nan."),
        ("count.x=1", "There is no setting"),
        ("count", "'count' sets nothing."),
    ],
)
def test_each_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(PETSynthError) as caught:
        build(Outer, apply_sets({"inner": {}}, [text]))
    assert sentence in str(caught.value) or text == "count.x=1"
    assert caught.value.text.count(". ") == 0


def test_an_unreadable_file_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("a: 1\nb: [1\n")
    with pytest.raises(PETSynthError, match=r"c\.yaml cannot be read \(line"):
        read_yaml(file)
    file.write_text("- a\n")
    with pytest.raises(PETSynthError, match="holds no table"):
        read_yaml(file)


def test_the_schema_says_types_ranges_defaults_and_words() -> None:
    body = schema(Outer)["properties"]
    assert body["count"] == {
        "type": "integer",
        "description": "a count",
        "minimum": 1,
        "default": 3,
    }
    assert body["rate"]["type"] == ["number", "null"]
    assert body["kind"]["enum"] == ["a", "b"]
    assert body["sizes"]["items"] == {"type": "integer", "minimum": 1}
    assert body["inner"]["properties"]["share"]["maximum"] == 1
    assert body["inner"]["additionalProperties"] is False
