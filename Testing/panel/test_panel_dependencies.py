"""Installing on consent, without any package index: what is asked for and what is said."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from PETSynthLib.run import events


@pytest.fixture
def missing(panel: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``missing("torch")``: as if these packages were not installed."""
    from PETSynthPanel import Dependencies

    real = Dependencies.version

    def lacks(*names: str) -> None:
        monkeypatch.setattr(
            Dependencies, "version", lambda name: None if name in names else real(name)
        )
        if "torch" in names:
            monkeypatch.setattr(Dependencies, "torchIsBroken", lambda: False)

    return lacks


@pytest.fixture
def pyTorchExtension(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The extension PyTorch; notes how it was asked to install."""
    asked: list[dict[str, Any]] = []

    class PyTorchUtilsLogic:
        def installTorch(self, **options: Any) -> Any:
            asked.append(options)
            return object()

    module = types.ModuleType("PyTorchUtils")
    module.PyTorchUtilsLogic = PyTorchUtilsLogic  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "PyTorchUtils", module)
    return asked


def probes(panel: Any) -> list[Any]:
    """Let the probe be a fake process, too."""
    from panel_fakes import FakeProcess

    made: list[FakeProcess] = []

    def make() -> FakeProcess:
        made.append(FakeProcess())
        return made[-1]

    panel.panel.advanced.makeProcess = make
    return made


def test_nothing_is_installed_without_consent(panel: Any, missing: Any, host: Any) -> None:
    missing("torch")
    panel.chooseHead()
    panel.ui.runButton.click()
    assert panel.processes == []
    assert host.packages.requested == []
    assert "PETSynth needs PyTorch once: about 200 MB to download" in panel.message()
    assert "BSD-3" in panel.message()
    assert panel.ui.messageButton1.text == "Install and synthesize"


def test_consent_installs_proves_and_runs(
    panel: Any, missing: Any, host: Any, pyTorchExtension: list[dict[str, Any]]
) -> None:
    missing("torch")
    made = probes(panel)
    panel.chooseHead()
    panel.ui.runButton.click()
    panel.ui.messageButton1.click()
    assert pyTorchExtension == [{"askConfirmation": False, "torchVersionRequirement": ">=2.6"}]
    names = " ".join(host.packages.requested)
    assert "nibabel" in names
    assert "customtkinter" not in names
    assert host.packages.requested[-2:] == ["--no-deps", "deepbet>=1.0.2"]
    assert panel.processes == [], "first the proof"
    missing()
    report = {"torch": "2.8.0", "devices": ["cuda:0", "cpu"]}
    made[0].say(events.Result("", "", 1.0, 300.0, report))
    assert len(panel.processes) == 1
    assert "PyTorch 2.8.0 on cuda:0, cpu" in panel.ui.installationLabel.text
    assert panel.ui.deviceComboBox.findData("cuda:0") > 0


def test_a_failed_installation_tells_why_and_offers_wheels(
    panel: Any, missing: Any, host: Any, pyTorchExtension: Any
) -> None:
    missing("torch")
    host.packages.failure = "Looking\nERROR: no connection to pypi.org"
    panel.chooseHead()
    panel.ui.runButton.click()
    panel.ui.messageButton1.click()
    assert "no connection to pypi.org" in panel.message()
    assert panel.ui.messageButton1.text == "Use wheel folder…"
    panel.ui.messageButton1.click()
    assert not panel.ui.advancedCard.collapsed


def test_without_the_extension_its_name_is_said(panel: Any, missing: Any) -> None:
    missing("torch")
    panel.chooseHead()
    panel.ui.runButton.click()
    panel.ui.messageButton1.click()
    assert "Extensions Manager" in panel.message()


def test_a_wheel_folder_needs_no_network(
    panel: Any, missing: Any, host: Any, tmp_path: Path
) -> None:
    missing("torch")
    probes(panel)
    panel.ui.wheelFolderLineEdit.setCurrentPath(str(tmp_path))
    panel.chooseHead()
    panel.ui.runButton.click()
    panel.ui.messageButton1.click()
    assert host.packages.requested[:4] == [
        "--no-index", "--find-links", str(tmp_path), "torch>=2.6",
    ]  # fmt: skip
    assert host.packages.requested.count("--no-index") == 3


def test_the_atlas_model_needs_no_pytorch(panel: Any, missing: Any) -> None:
    missing("torch")
    panel.chooseHead()
    panel.parameters.run.modelId = "atlas"
    panel.ui.runButton.click()
    assert len(panel.processes) == 1


def test_a_python_of_the_users_own_is_not_looked_into(
    panel: Any, missing: Any, tmp_path: Path
) -> None:
    missing("torch")
    panel.ui.pythonPathLineEdit.setCurrentPath("/opt/python/bin/python")
    panel.chooseHead()
    panel.ui.runButton.click()
    command = panel.process.command
    assert command.program == "/opt/python/bin/python"
    assert "LD_LIBRARY_PATH" not in command.environment
    assert "PETSynthLib.run.worker" in command.arguments


class TestBroken:
    def test_a_partly_installed_pytorch_is_repaired_on_request(
        self, panel: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import slicer

        from PETSynthPanel import Dependencies

        gone: list[str] = []
        monkeypatch.setattr(Dependencies, "torchIsBroken", lambda: True)
        monkeypatch.setattr(slicer.util, "pip_uninstall", gone.append)
        panel.chooseHead()
        panel.ui.runButton.click()
        assert "only partly installed" in panel.message()
        panel.ui.messageButton1.click()
        assert gone == ["torch"]
        assert "Restart Slicer" in panel.message()

    def test_a_folder_without_its_first_file_counts_as_broken(
        self, panel: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        import importlib

        from PETSynthPanel import Dependencies

        (tmp_path / "torch" / "lib").mkdir(parents=True)
        monkeypatch.setattr(sys, "path", [str(tmp_path)])
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        importlib.invalidate_caches()
        assert Dependencies.torchIsBroken()


def test_the_probe_that_does_not_answer_is_told(panel: Any) -> None:
    made = probes(panel)
    panel.ui.checkPythonButton.click()
    made[0].end(1)
    assert "does not work (it ended with exit 1)" in panel.ui.installationLabel.text


def test_the_diagnosis_says_what_a_bug_report_needs(panel: Any) -> None:
    import qt

    panel.ui.diagnoseButton.click()
    text = qt.QApplication.clipboard().text()
    for word in ("Slicer:", "Python:", "torch:", "Model atlas:", "Memory:"):
        assert word in text
