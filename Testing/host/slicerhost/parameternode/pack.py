"""`parameterPack`: a class of typed members that is one parameter, e.g. ``patient.age``.

What one reads from a parameter node is a copy that writes itself back when a member is set. A copy
kept for later does not follow the node: as in Slicer, read it anew.
"""

from __future__ import annotations

import typing
from typing import Any

import slicer

from .annotations import Default, IsInstance, NotNone, Validator, first, split
from .storage import Storage, makeStorage


class Member:
    """One typed member of a pack or of a parameter node."""

    def __init__(self, owner: type, name: str, annotated: Any) -> None:
        self.name = name
        self.datatype = annotated
        self.storage = makeStorage(annotated)
        annotation = first(split(annotated)[1], Default)
        if name in owner.__dict__:
            self._default = Default(owner.__dict__[name])
        else:
            self._default = annotation or Default(generator=self.storage.default)

    @property
    def default(self) -> Any:
        return self._default.value


def membersOf(owner: type) -> dict[str, Member]:
    """The members of a class, from its annotations."""
    hints = typing.get_type_hints(owner, include_extras=True)
    if not hints:
        msg = f"{owner.__name__} has no typed members"
        raise ValueError(msg)
    return {name: Member(owner, name, annotated) for name, annotated in hints.items()}


def memberType(members: dict[str, Member], dotted: str) -> Any:
    """The annotated type of ``a`` or ``a.b``; ValueError for a name that is not there."""
    top, _, rest = dotted.partition(".")
    if top not in members:
        msg = f"there is no parameter '{dotted}'; there are {', '.join(members)}"
        raise ValueError(msg)
    if not rest:
        return members[top].datatype
    kind = split(members[top].datatype)[0]
    if not isParameterPack(kind):
        msg = f"'{top}' is no pack, so that it has no '{rest}'"
        raise ValueError(msg)
    return memberType(kind.allParameters, rest)


def isParameterPack(kind: Any) -> bool:
    return hasattr(kind, "_packStorage")


class _PackStorage(Storage):
    def __init__(self, kind: type, rules: list[Validator]) -> None:
        super().__init__([NotNone(), IsInstance(kind), *rules])
        self._kind = kind

    @property
    def _members(self) -> list[Member]:
        return list(self._kind.allParameters.values())

    def default(self) -> Any:
        return self._kind()

    def isIn(self, node: Any, name: str) -> bool:
        member = self._members[0]
        return member.storage.isIn(node, f"{name}.{member.name}")

    def write(self, node: Any, name: str, value: Any) -> None:
        self.validate(value)
        with slicer.util.NodeModify(node):
            for member in self._members:
                member.storage.write(node, f"{name}.{member.name}", value._values[member.name])

    def read(self, node: Any, name: str) -> Any:
        values = {}
        for member in self._members:
            dotted = f"{name}.{member.name}"
            present = member.storage.isIn(node, dotted)  # a scene of an older release may lack it
            values[member.name] = member.storage.read(node, dotted) if present else member.default
        copy = object.__new__(self._kind)
        object.__setattr__(copy, "_values", values)
        object.__setattr__(copy, "_save", lambda: self.write(node, name, copy))
        return copy

    def remove(self, node: Any, name: str) -> None:
        for member in self._members:
            member.storage.remove(node, f"{name}.{member.name}")


def _makeProperty(member: Member) -> property:
    def put(self: Any, value: Any) -> None:
        member.storage.validate(value)
        self._values[member.name] = value
        if self._save is not None:
            self._save()

    return property(lambda self: self._values[member.name], put)


def parameterPack(packClass: type | None = None) -> Any:
    """Class decorator."""
    if packClass is None:
        return parameterPack
    members = membersOf(packClass)
    for member in members.values():
        member.storage.validate(member.default)
        setattr(packClass, member.name, _makeProperty(member))
    ownConstructor = packClass.__dict__.get("__init__")
    names = list(members)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        object.__setattr__(self, "_save", None)
        object.__setattr__(self, "_values", {n: m.default for n, m in members.items()})
        if ownConstructor is not None:
            ownConstructor(self, *args, **kwargs)
            return
        for name, value in {**dict(zip(names, args, strict=False)), **kwargs}.items():
            self.setValue(name, value)

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if not hasattr(type(self), name):
            msg = f"{type(self).__name__} has no member '{name}'"
            raise AttributeError(msg)
        object.__setattr__(self, name, value)

    def getValue(self: Any, dotted: str) -> Any:
        top, _, rest = dotted.partition(".")
        if top not in members:
            msg = f"{type(self).__name__} has no member '{top}'"
            raise ValueError(msg)
        value = getattr(self, top)
        return value.getValue(rest) if rest else value

    def setValue(self: Any, dotted: str, value: Any) -> None:
        top, _, rest = dotted.partition(".")
        if top not in members:
            msg = f"{type(self).__name__} has no member '{top}'"
            raise ValueError(msg)
        if not rest:
            setattr(self, top, value)
            return
        inner = getattr(self, top)
        inner.setValue(rest, value)
        setattr(self, top, inner)

    def __eq__(self: Any, other: object) -> bool:
        return isinstance(other, packClass) and self._values == other._values

    def __repr__(self: Any) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self._values.items())
        return f"{packClass.__name__}({inside})"

    packClass.__init__ = __init__
    packClass.__setattr__ = __setattr__
    packClass.__eq__ = __eq__
    packClass.__hash__ = None
    packClass.__repr__ = __repr__
    packClass.getValue = getValue
    packClass.setValue = setValue
    packClass.allParameters = members
    packClass.dataType = staticmethod(lambda dotted: memberType(members, dotted))
    packClass._packStorage = staticmethod(lambda rules: _PackStorage(packClass, rules))
    return packClass


@parameterPack
class FloatRange:
    """A lower and an upper number, the lower one not above the upper one."""

    _minimum: float
    _maximum: float

    def __init__(self, minimum: float = 0, maximum: float = 0) -> None:
        self.setRange(minimum, maximum)

    @property
    def minimum(self) -> float:
        return self._minimum

    @minimum.setter
    def minimum(self, value: float) -> None:
        self.setRange(value, self._maximum)

    @property
    def maximum(self) -> float:
        return self._maximum

    @maximum.setter
    def maximum(self, value: float) -> None:
        self.setRange(self._minimum, value)

    def setRange(self, minimum: float, maximum: float) -> None:
        if not minimum <= maximum:
            msg = f"a range must not end before it begins: {minimum} to {maximum}"
            raise ValueError(msg)
        self._minimum = minimum
        self._maximum = maximum
