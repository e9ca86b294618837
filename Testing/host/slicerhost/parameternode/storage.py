"""How a typed value lies in a vtkMRMLScriptedModuleNode: the same names and texts as Slicer writes.

A number, text, path or bool is one parameter; an enum is stored by its member's name; a node is
an empty parameter plus a node reference of that name; a union is stored under ``name.index``, the
index being that of the type; a pack under ``name.member``.
"""

from __future__ import annotations

import enum
import pathlib
import types
import typing
from typing import Any

import slicer

from .annotations import IsInstance, NotNone, Validator, split


class Storage:
    """Writes and reads one type; `rules` are checked before anything is written."""

    def __init__(self, rules: list[Validator]) -> None:
        self.rules = rules

    def validate(self, value: Any) -> None:
        for rule in self.rules:
            rule.validate(value)

    def default(self) -> Any:
        raise NotImplementedError

    def isIn(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(name))

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        node.SetParameter(name, self.text(value))

    def text(self, value: Any) -> str:
        return str(value)

    def read(self, node: Any, name: str) -> Any:
        raise NotImplementedError

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)


class _Plain(Storage):
    """str, int, float, bool and paths."""

    def __init__(self, kind: type, rules: list[Validator]) -> None:
        accepted = (int, float) if kind is float else kind
        super().__init__([NotNone(), IsInstance(accepted), *rules])
        self._kind = kind

    def default(self) -> Any:
        return self._kind()

    def read(self, node: Any, name: str) -> Any:
        text = node.GetParameter(name)
        return text == "True" if self._kind is bool else self._kind(text)


class _Enum(Storage):
    def __init__(self, kind: type[enum.Enum], rules: list[Validator]) -> None:
        super().__init__([NotNone(), IsInstance(kind), *rules])
        self._kind = kind

    def default(self) -> Any:
        return next(iter(self._kind))

    def text(self, value: Any) -> str:
        return value.name

    def read(self, node: Any, name: str) -> Any:
        return self._kind[node.GetParameter(name)]


class _Node(Storage):
    def __init__(self, kind: type, rules: list[Validator]) -> None:
        super().__init__([IsInstance(kind), *rules])

    def default(self) -> Any:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class _None(Storage):
    def default(self) -> Any:
        return None

    def validate(self, value: Any) -> None:
        if value is not None:
            msg = "the value must be None"
            raise TypeError(msg)

    def read(self, node: Any, name: str) -> Any:
        return None


class _Union(Storage):
    def __init__(self, kinds: tuple[Any, ...], rules: list[Validator]) -> None:
        super().__init__(rules)
        self._kinds = [split(kind)[0] for kind in kinds]
        self._options = [makeStorage(kind) for kind in kinds]

    def default(self) -> Any:
        optional = len(self._kinds) == 2 and self._kinds[1] is type(None)
        return None if optional else self._options[0].default()

    def _option(self, value: Any) -> int:
        for index, kind in enumerate(self._kinds):
            # A bool is an int for isinstance, but not what `int | None` means.
            if type(value) is kind or (isinstance(value, kind) and not isinstance(value, bool)):
                self._options[index].validate(value)
                return index
        msg = f"{value!r} is of none of the types {self._kinds}"
        raise TypeError(msg)

    def validate(self, value: Any) -> None:
        super().validate(value)
        self._option(value)

    def isIn(self, node: Any, name: str) -> bool:
        return any(o.isIn(node, f"{name}.{i}") for i, o in enumerate(self._options))

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        index = self._option(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            self._options[index].write(node, f"{name}.{index}", value)

    def read(self, node: Any, name: str) -> Any:
        for index, option in enumerate(self._options):
            if option.isIn(node, f"{name}.{index}"):
                return option.read(node, f"{name}.{index}")
        raise KeyError(name)

    def remove(self, node: Any, name: str) -> None:
        for index, option in enumerate(self._options):
            option.remove(node, f"{name}.{index}")


def makeStorage(annotated: Any) -> Storage:
    """The storage of a type, possibly annotated; TypeError for one the host does not know."""
    kind, annotations = split(annotated)
    rules = [a for a in annotations if isinstance(a, Validator)]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return _Union(typing.get_args(kind), rules)
    if kind is type(None):
        return _None(rules)
    if hasattr(kind, "_packStorage"):
        return kind._packStorage(rules)
    if isinstance(kind, type):
        if issubclass(kind, enum.Enum):
            return _Enum(kind, rules)
        if issubclass(kind, slicer.vtkMRMLNode):
            return _Node(kind, rules)
        if kind in (str, int, float, bool) or issubclass(kind, pathlib.PurePath):
            return _Plain(kind, rules)
    msg = f"the test host's parameter node cannot store {annotated}"
    raise TypeError(msg)
