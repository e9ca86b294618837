"""Typed settings: frozen dataclasses filled from YAML and ``--set``, described by a JSON schema.

Every wrong key, type or range is one sentence that names the setting and what it may be.
"""

from __future__ import annotations

import dataclasses
import types
from dataclasses import MISSING, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from ..errors import ErrorCode, PETSynthError

T = TypeVar("T")
_JSON_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}


def setting(
    default: Any, words: str, *, low: float | None = None, high: float | None = None
) -> Any:
    """A dataclass field with its description and, for numbers, its range (both ends allowed)."""
    return field(default=default, metadata={"words": words, "low": low, "high": high})


def refuse(text: str, hint: str) -> PETSynthError:
    """An error about the settings."""
    return PETSynthError(ErrorCode.BAD_REQUEST, text, hint)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it cannot be read or holds no mapping.
    """
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        where = getattr(problem, "problem_mark", None)
        line = f" (line {where.line + 1})" if where is not None else ""
        raise refuse(
            f"The settings file {path.name} cannot be read{line}.", "Give a YAML file."
        ) from problem
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise refuse(
            f"The settings file {path.name} holds no table of settings.",
            "Write one setting a line, such as train: {steps: 1000}.",
        )
    return body


def apply_sets(body: dict[str, Any], sets: list[str]) -> dict[str, Any]:
    """``body`` with every ``a.b=value`` of ``sets`` put in (values are read as YAML)."""
    result: dict[str, Any] = _copied(body)
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise refuse(
                f"{text!r} sets nothing.", "Write --set name=value, e.g. train.steps=1000."
            )
        place = result
        *outer, last = key.strip().split(".")
        for name in outer:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise refuse(f"The setting {key} lies below one that is no group.", "Correct it.")
        try:
            place[last] = yaml.safe_load(value)
        except yaml.YAMLError as problem:
            raise refuse(f"The value of {key} cannot be read.", "Quote it.") from problem
    return result


def _copied(body: dict[str, Any]) -> dict[str, Any]:
    return {k: _copied(v) if isinstance(v, dict) else v for k, v in body.items()}


def layered(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``below`` with the values of ``above`` on top of it, group by group."""
    result = _copied(below)
    for key, value in above.items():
        groups = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = layered(result[key], value) if groups else value
    return result


def build(kind: type[T], body: dict[str, Any], where: str = "") -> T:
    """An instance of the dataclass ``kind`` from nested tables; what is not given is default.

    A group of which something is given keeps the rest of the default that ``kind`` has for it.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` for an unknown key, a wrong type or a number out of range.
    """
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in body.items():
        path = f"{where}{key}"
        if key not in known:
            raise refuse(
                f"There is no setting {path!r}.",
                f"Settings here: {', '.join(known)}. petsynth train --schema lists all.",
            )
        hint = hints[key]
        if is_dataclass(hint):
            if not isinstance(value, dict):
                raise refuse(f"The setting {path!r} is a group of settings.", f"Set {path}.NAME.")
            own = as_dict(_default(known[key]))
            values[key] = build(hint, layered(own, value), f"{path}.")  # type: ignore[arg-type]
        else:
            values[key] = _value(hint, value, path)
            _in_range(known[key].metadata, values[key], path)
    return kind(**values)


def _default(f: dataclasses.Field[Any]) -> Any:
    """The default of a field that is a group."""
    if f.default is not MISSING:
        return f.default
    assert f.default_factory is not MISSING
    return f.default_factory()


def _value(hint: Any, value: Any, path: str) -> Any:
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in options:
            return None
        return _value(next(o for o in options if o is not type(None)), value, path)
    if origin is Literal:
        if value in options:
            return value
        raise refuse(
            f"The setting {path} is {value!r}.", f"It is one of {', '.join(map(str, options))}."
        )
    if origin is tuple:
        if isinstance(value, (list, tuple)):
            return tuple(_value(options[0], v, path) for v in value)
        raise refuse(f"The setting {path} is {value!r}, not a list.", "Write [1, 2, 4].")
    if hint is float and isinstance(value, str):  # YAML takes 1e-3 for text
        try:
            return float(value)
        except ValueError:
            pass
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    word = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[hint]
    raise refuse(f"The setting {path} is {value!r}.", f"It must be {word}.")


def _in_range(facts: Any, value: Any, path: str) -> None:
    low, high = facts.get("low"), facts.get("high")
    for number in value if isinstance(value, tuple) else (value,):
        below = low is not None and number is not None and not number >= low
        above = high is not None and number is not None and not number <= high
        if below or above:
            ends = [("at least", low), ("at most", high)]
            words = " and ".join(f"{word} {end:g}" for word, end in ends if end is not None)
            raise refuse(f"The setting {path} is {number:g}.", f"It must be {words}.")


def as_dict(settings: Any) -> dict[str, Any]:
    """Nested tables of a settings dataclass, ready for YAML and JSON."""
    body = dataclasses.asdict(settings)
    return {k: _plain(v) for k, v in body.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value


def schema(kind: type, defaults: Any = None) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a settings dataclass with descriptions and defaults.

    Parameters
    ----------
    defaults
        An instance whose values are the defaults; None: those of ``kind``.
    """
    hints = get_type_hints(kind)
    properties: dict[str, Any] = {}
    for f in fields(kind):
        hint = hints[f.name]
        if is_dataclass(hint):
            own = _default(f) if defaults is None else getattr(defaults, f.name)
            properties[f.name] = schema(hint, own)  # type: ignore[arg-type]
            continue
        entry = _type_schema(hint)
        entry["description"] = f.metadata.get("words", "")
        for key, name in (("low", "minimum"), ("high", "maximum")):
            if f.metadata.get(key) is not None:
                place = entry.get("items", entry)
                place[name] = f.metadata[key]
        value = f.default if defaults is None else getattr(defaults, f.name)
        if value is not MISSING:
            entry["default"] = _plain(value)
        properties[f.name] = entry
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _type_schema(next(o for o in options if o is not type(None)))
        return {**inner, "type": [inner["type"], "null"]} if "type" in inner else inner
    if origin is Literal:
        return {"enum": list(options)}
    if origin is tuple:
        return {"type": "array", "items": _type_schema(options[0])}
    return {"type": _JSON_TYPES[hint]}
