"""The stand-ins have no property and no signal that the C++ classes do not have.

The table `slicer_widgets.json` was read from the headers of CTK and Slicer. What a stand-in lacks
is no harm: a panel that needs it fails here. What it has in excess would pass here and fail in
Slicer.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TABLE = Path(__file__).resolve().parents[1] / "contract" / "slicer_widgets.json"
CLASSES = json.loads(TABLE.read_text())["classes"]
# The host's own way to name C++ types that Python's signals cannot name.
PYTHON_OBJECT = "PyObject"


def known(name: str, what: str) -> set[str]:
    """Properties or signals of a class and of the tabulated classes it is made from."""
    found: set[str] = set()
    while name in CLASSES:
        found |= set(CLASSES[name][what])
        name = CLASSES[name]["base"]
    return found


@pytest.fixture
def standIns(host):
    from slicerhost.uiloader import standIns

    return standIns


def test_every_stand_in_is_in_the_table(standIns):
    assert sorted(set(standIns) - set(CLASSES)) == []


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_stand_in_has_nothing_in_excess(standIns, name):
    meta = standIns[name].staticMetaObject
    properties = {
        meta.property(i).name() for i in range(meta.propertyOffset(), meta.propertyCount())
    }
    assert properties - known(name, "properties") == set()
    signals = set()
    for index in range(meta.methodOffset(), meta.methodCount()):
        method = meta.method(index)
        if method.methodType() == method.MethodType.Signal:
            signals.add(bytes(method.methodSignature().data()).decode())
    named = set(getattr(standIns[name], "slicerSignals", {}))
    plain = {s for s in signals if PYTHON_OBJECT not in s and "currentNodeValid" not in s}
    assert (plain | named) - known(name, "signals") == set()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_stand_in_can_be_made_and_drawn(standIns, name):
    widget = standIns[name]()
    widget.resize(200, 60)
    assert not widget.grab().isNull()
