"""A whole module on the host: loading, working, reloading, ending."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "sample" / "HostSample"


@pytest.fixture
def sample(loadModule):
    return loadModule("HostSample", FOLDER)


def test_the_panel_is_bound_to_its_parameters(sample):
    parameters, ui = sample.widget.parameters, sample.ui
    assert (ui.fwhmSlider.value, ui.fwhmSlider.maximum) == (8, 20)
    ui.fwhmSlider.value = 5
    assert parameters.fwhm == 5
    ui.sexComboBox.currentIndex = 1
    assert parameters.patient.sex.name == "MALE"
    ui.ageSpinBox.value = 75
    assert parameters.patient.age == 75
    parameters.patient.age = 44
    assert ui.ageSpinBox.value == 44
    ui.windowRange.setValues(0.5, 1.5)
    assert (parameters.window.minimum, parameters.window.maximum) == (0.5, 1.5)
    ui.folderLineEdit.currentPath = "/a b"
    assert parameters.folder == Path("/a b")
    ui.kernelComboBox.currentIndex = 0
    assert parameters.kernel == "box"


def test_choosing_a_volume_enables_the_button(sample, host):
    assert not sample.ui.runButton.enabled
    volume = host.addVolume(np.zeros((2, 2, 2)))
    sample.ui.t1Selector.setCurrentNode(volume)
    assert sample.ui.runButton.enabled
    assert sample.ui.runButton.toolTip == "Run"
    assert sample.widget.parameters.t1 is volume


def test_closing_the_scene_brings_the_defaults_back(sample, host, scene):
    sample.ui.t1Selector.setCurrentNode(host.addVolume(np.zeros((2, 2, 2))))
    sample.widget.parameters.fwhm = 3.0
    scene.Clear(0)
    assert sample.widget.parameters.t1 is None
    assert sample.ui.fwhmSlider.value == 8
    assert not sample.ui.runButton.enabled


def test_a_saved_scene_brings_the_panel_back(sample, host, scene, tmp_path):
    import slicer

    volume = host.addVolume(np.zeros((2, 2, 2)), "MRHead")
    sample.ui.t1Selector.setCurrentNode(volume)
    sample.ui.ageSpinBox.value = 33
    path = str(tmp_path / "case.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(0)
    slicer.util.loadScene(path)
    assert sample.widget.parameters.patient.age == 33
    assert sample.ui.ageSpinBox.value == 33
    assert sample.ui.t1Selector.currentNode().GetName() == "MRHead"


def test_a_process_talks_and_ends_while_qt_goes_on(sample, host):
    sample.widget.onRun()
    host.waitUntil(lambda: sample.ui.statusLabel.text == "step 1", what="the first line")
    sample.widget.process.write(b"\n")
    host.waitUntil(lambda: sample.ui.statusLabel.text == "ended", what="the end")


def test_a_killed_process_is_reported(sample, host):
    sample.widget.onRun()
    host.waitUntil(lambda: sample.ui.statusLabel.text == "step 1", what="the first line")
    sample.widget.process.kill()
    host.waitUntil(lambda: sample.ui.statusLabel.text == "killed", what="the kill")


def test_waiting_in_vain_says_for_what(host):
    with pytest.raises(AssertionError, match="the result did not come true"):
        host.waitUntil(lambda: False, seconds=0.02, what="the result")


def test_each_call_gives_a_fresh_panel_of_one_module(loadModule):
    first = loadModule("HostSample", FOLDER)
    first.ui.statusLabel.text = "used"
    second = loadModule("HostSample", FOLDER)
    assert second.ui.statusLabel.text == ""
    assert second.module is first.module


def test_startup_is_announced_once(loadModule):
    loadModule("HostSample", FOLDER)
    loadModule("HostSample", FOLDER)
    assert sys.modules["HostSample"].HostSample.startups == 1


def test_enter_and_unload_reach_the_module(loadModule):
    sample = loadModule("HostSample", FOLDER)
    widget = sample.widget
    sample.enter()
    sample.enter()
    assert widget.entered == 1
    sample.unload()
    assert widget.cleaned


def test_reloading_makes_the_panel_anew(sample):
    before = sample.widget
    before.onReload()
    assert before.cleaned
    assert sample.widget is not before
    assert type(sample.widget) is sys.modules["HostSample"].HostSampleWidget
    assert sample.ui.fwhmSlider.value == 8


def test_pip_is_only_noted(host):
    import slicer

    slicer.packaging.pip_ensure(["scipy>=1.13", "deepbet"], requester="PETSynth")
    slicer.util.pip_install("torch")
    assert host.packages.requested == ["scipy>=1.13", "deepbet", "torch"]
    host.packages.missing.add("deepbet")
    assert not slicer.packaging.pip_check("deepbet>=1")
    host.packages.failure = "no connection"
    with pytest.raises(Exception, match="exit status 1"):
        slicer.packaging.pip_install("deepbet")


def test_sample_data_comes_from_the_modules_own_downloader(host):
    import SampleData

    logic = SampleData.SampleDataLogic
    logic.registerCustomSampleDataSource(
        category="Host",
        sampleName="HostCase",
        customDownloader=lambda source: host.addVolume(np.zeros((2, 2, 2)), source.sampleName),
    )
    assert SampleData.downloadSample("HostCase").GetName() == "HostCase"
    with pytest.raises(RuntimeError, match="downloads nothing"):
        SampleData.downloadSample("MRHead")


def test_settings_last_as_long_as_the_test_one(host):
    import qt

    assert qt.QSettings().value("PETSynth/device") is None
    qt.QSettings().setValue("PETSynth/device", "cpu")


def test_settings_last_as_long_as_the_test_two(host):
    import qt

    assert qt.QSettings().value("PETSynth/device") is None
