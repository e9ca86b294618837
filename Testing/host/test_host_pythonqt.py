"""Qt as a module meets it inside Slicer: what PythonQt refuses is refused here."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def button(host):
    import qt

    return qt.QPushButton("Run")


def test_a_property_is_an_attribute_and_calling_it_fails(button):
    assert button.text == "Run"
    button.text = "Cancel"
    assert button.text == "Cancel"
    with pytest.raises(TypeError):
        button.text()


def test_setters_and_portable_access_remain(button):
    button.setText("Stop")
    assert button.property("text") == "Stop"
    button.setEnabled(False)
    assert button.enabled is False


def test_a_read_only_property_cannot_be_set(button):
    with pytest.raises(AttributeError, match="read-only"):
        button.childrenRect = None


@pytest.mark.parametrize(
    "signature", ["clicked(int)", "click(bool)", "textChanged(QString)", "Clicked(bool)"]
)
def test_a_signature_that_does_not_exist_is_refused(button, signature):
    with pytest.raises(ValueError, match="has no signal"):
        button.connect(signature, print)


def test_the_refusal_names_the_signals_of_that_name(button):
    with pytest.raises(ValueError, match=r"clicked\(bool\)"):
        button.connect("clicked(int)", print)


def test_a_signal_name_without_types_is_refused(button):
    with pytest.raises(ValueError, match="no signature"):
        button.connect("clicked", print)


def test_a_slot_gets_no_more_arguments_than_the_signature_declares_or_it_takes(button):
    calls = []
    button.connect("clicked(bool)", lambda: calls.append("none"))
    button.connect("clicked(bool)", lambda checked: calls.append(checked))
    button.connect("clicked()", lambda *args: calls.append(args))
    button.click()
    assert calls == ["none", False, ()]


def test_disconnect_undoes_one_connection(button):
    calls = []

    def first():
        calls.append(1)

    button.connect("clicked()", first)
    button.connect("clicked()", lambda: calls.append(2))
    button.disconnect("clicked()", first)
    button.click()
    assert calls == [2]


def test_mrml_signals_are_known_by_their_c_signature(host):
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.connect("currentNodeChanged(vtkMRMLNode*)", print)
    selector.connect("currentNodeChanged(bool)", print)
    with pytest.raises(ValueError, match="has no signal"):
        selector.connect("currentNodeChanged(vtkMRMLScalarVolumeNode*)", print)


def test_a_misspelt_attribute_of_a_qt_object_is_found(host, button):
    button.tooltip = "Run"  # toolTip is the property
    stray = host.strayAttributes()
    del button.tooltip
    assert any(".tooltip" in entry for entry in stray)
    assert not any(".tooltip" in entry for entry in host.strayAttributes())


def test_an_error_in_a_slot_is_kept(host, button):
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    assert len(host.slotErrors) == 1
    assert "ZeroDivisionError" in host.slotErrors[0]
    host.slotErrors.clear()


def test_what_slicer_cannot_do_from_python_is_absent(host):
    import qt

    for name in ("Signal", "Slot", "QThread"):
        assert not hasattr(qt, name)


def test_a_file_dialog_returns_a_path(host, monkeypatch):
    import qt

    from slicerhost import pythonqt

    class Dialogs:
        @staticmethod
        def getOpenFileName():
            return "a.nii.gz", "NIfTI"

    monkeypatch.setattr(pythonqt.QtWidgets, "QFileDialog", Dialogs)
    assert pythonqt._pathOnly("getOpenFileName")() == "a.nii.gz"
    assert qt.QFileDialog is not Dialogs


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="they cannot be freed from 3.12 on")
def test_true_is_not_freed_by_signals(button):
    for _ in range(5000):
        button.setCheckable(True)
    assert sys.getrefcount(None) > 1 << 39
    assert sys.getrefcount(True) > 1 << 39
