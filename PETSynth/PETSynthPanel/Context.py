"""What every card of the panel shares."""

import contextlib


class Context:
    """The widgets, the scene, the settings, the launcher and the present parameter node.

    Attributes
    ----------
    ui
        The widgets of ``PETSynth.ui`` by object name.
    environment
        `PETSynthScene.SceneEnvironment`.
    settings
        `Settings.Settings`.
    launcher
        `Launcher.Launcher`.
    parameters
        The wrapped parameter node, or None while the scene is closing.
    """

    def __init__(self, ui, environment, settings, launcher):
        self.ui = ui
        self.environment = environment
        self.settings = settings
        self.launcher = launcher
        self.parameters = None

    @property
    def controller(self):
        """The run's state machine."""
        return self.launcher.controller

    @property
    def locked(self):
        """Whether the first three cards show the values of a run and are not to be edited."""
        return self.controller.busy


@contextlib.contextmanager
def quiet(*widgets):
    """Change widgets without their telling anybody."""
    before = [widget.blockSignals(True) for widget in widgets]
    try:
        yield
    finally:
        for widget, blocked in zip(widgets, before, strict=True):
            widget.blockSignals(blocked)


def gate(widget, enabled, reason, tip):
    """Enable a widget, or disable it and let its tooltip say why."""
    widget.setEnabled(bool(enabled))
    widget.setToolTip(tip if enabled else reason)


def choose(combo, data):
    """Make the entry with ``data`` the current one; None is shown when there is none."""
    index = combo.findData(data)
    with quiet(combo):
        combo.setCurrentIndex(index)
    return index >= 0
