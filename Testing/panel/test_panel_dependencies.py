"""Installing on consent, without any package index: what is asked for and what is said.

What pip itself makes of it is in `test_panel_pip`.
"""

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
    for said in ("1 GB on disk (41 GB free)", "BSD-3", "LGPL-3.0", "pypi.org", "60 MB"):
        assert said in panel.message()
    assert panel.ui.messageButton1.text == "Install and synthesize"


def test_the_consent_for_small_packages_names_size_source_and_licence(
    panel: Any, missing: Any
) -> None:
    missing("nibabel")
    panel.chooseHead()
    panel.parameters.run.modelId = "atlas"
    panel.ui.runButton.click()
    assert panel.processes == []
    for said in ("60 MB to download", "230 MB on disk (41 GB free)", "pypi.org", "LGPL-3.0"):
        assert said in panel.message()


def test_a_wheel_folder_is_named_as_the_source(panel: Any, missing: Any) -> None:
    missing("torch")
    panel.ui.wheelFolderLineEdit.setCurrentPath("/media/wheels")
    panel.chooseHead()
    panel.ui.runButton.click()
    assert panel.message().count("from /media/wheels") == 2
    assert "pypi.org" not in panel.message()


class TestPreflight:
    @pytest.fixture
    def computer(self, panel: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        """``computer(diskMb=, memoryMb=)``: what there is."""
        from PETSynthPanel import Preflight

        def has(diskMb: float = 41000.0, memoryMb: float = 8000.0) -> None:
            monkeypatch.setattr(Preflight, "free_disk_mb", lambda _folder: diskMb)
            monkeypatch.setattr(Preflight, "available_memory_mb", lambda: memoryMb)

        return has

    def test_nothing_is_installed_onto_a_full_disk(
        self, panel: Any, missing: Any, computer: Any
    ) -> None:
        missing("torch")
        computer(diskMb=1489)
        panel.chooseHead()
        panel.ui.runButton.click()
        # 200 + 60 MB of wheels and 1000 + 230 MB unpacked.
        assert "has 1489 MB free; 1490 MB are needed" in panel.message()
        assert panel.ui.messageButton1.text == "Choose backend…"
        computer(diskMb=1490)
        panel.ui.runButton.click()
        assert panel.ui.messageButton1.text == "Install and synthesize"

    def test_a_full_job_folder_is_told_before_the_run(self, panel: Any, computer: Any) -> None:
        computer(diskMb=120)
        panel.parameters.run.modelId = "atlas"
        panel.chooseHead()
        panel.ui.runButton.click()
        assert panel.processes == []
        assert "has 120 MB free; 400 MB are needed" in panel.message()
        assert panel.ui.messageButton1.text == "Choose another folder"

    def test_little_memory_is_told_and_the_user_decides(self, panel: Any, computer: Any) -> None:
        computer(memoryMb=900)
        panel.parameters.run.modelId = "atlas"
        panel.chooseHead()
        panel.ui.runButton.click()
        assert panel.processes == []
        assert "needs about 1.5 GB of memory; 0.9 GB are available" in panel.message()
        panel.ui.messageButton1.click()
        assert panel.processes == [], "it was checked again"
        panel.ui.messageButton2.click()
        assert len(panel.processes) == 1

    def test_what_nobody_knows_stops_nobody(self, panel: Any, computer: Any) -> None:
        computer(diskMb=0.0, memoryMb=0.0)
        panel.parameters.run.modelId = "atlas"
        panel.chooseHead()
        panel.ui.runButton.click()
        assert len(panel.processes) == 1


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
    assert len(panel.processes) == 1, panel.message()
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
        self, panel: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        import slicer

        from PETSynthPanel import Dependencies

        gone: list[str] = []
        monkeypatch.setattr(Dependencies, "torchIsBroken", lambda: not gone)
        monkeypatch.setattr(Dependencies, "siteFolder", lambda: str(tmp_path))
        monkeypatch.setattr(slicer.util, "pip_uninstall", gone.append)
        panel.chooseHead()
        panel.ui.runButton.click()
        assert "only partly installed" in panel.message()
        panel.ui.messageButton1.click()
        assert gone == ["torch"]
        assert "Restart Slicer" in panel.message()


def test_the_probe_that_does_not_answer_is_told(panel: Any) -> None:
    made = probes(panel)
    panel.ui.checkPythonButton.click()
    made[0].end(1)
    assert "does not work (it ended with exit 1)" in panel.ui.installationLabel.text


def test_the_diagnosis_says_what_a_bug_report_needs(panel: Any) -> None:
    import qt

    panel.ui.diagnoseButton.click()
    text = qt.QApplication.clipboard().text()
    for word in (
        "pip download",
        "available",
        "Slicer:",
        "Python:",
        "torch:",
        "Model atlas:",
        "Memory:",
    ):
        assert word in text


def test_a_python_that_is_named_is_checked_at_once(panel: Any) -> None:
    made = probes(panel)
    panel.ui.pythonPathLineEdit.setCurrentPath("/no/such/python")
    assert made == []
    panel.ui.pythonPathLineEdit.setCurrentPath(sys.executable)
    assert made[0].command.program == sys.executable
    made[0].say(events.Result("", "", 1.0, 300.0, {"torch": None, "devices": ["cpu"]}))
    assert "no PyTorch" in panel.ui.installationLabel.text


def test_a_device_that_does_not_compute_is_told_and_not_offered(panel: Any) -> None:
    made = probes(panel)
    panel.ui.checkPythonButton.click()
    report = {"torch": "2.8.0", "devices": ["cpu"], "broken": {"cuda:0": "no kernel image"}}
    made[0].say(events.Result("", "", 1.0, 300.0, report))
    text = "PyTorch 2.8.0 on cpu; cuda:0 does not work (no kernel image)"
    assert text in panel.ui.installationLabel.text
    assert panel.ui.deviceComboBox.findData("cuda:0") < 0


@pytest.mark.slow
@pytest.mark.torch
def test_the_real_probe_says_where_this_computer_computed(panel: Any, host: Any) -> None:
    torch = pytest.importorskip("torch")
    panel.ui.checkPythonButton.click()
    host.waitUntil(lambda: panel.panel.advanced.probe is None, 120, "the probe")
    label = panel.ui.installationLabel.text
    assert f"PyTorch {torch.__version__} on " in label
    assert "cpu" in label
    assert panel.panel.advanced.report["broken"] == {}
