"""What describes the computer and not the case: kept in Slicer's settings, never in a scene."""

from pathlib import Path

import qt

_PREFIX = "PETSynth/"


class Settings:
    """The module's part of ``qt.QSettings``; each property reads and writes at once."""

    def _text(self, key, default=""):
        value = qt.QSettings().value(_PREFIX + key, default)
        return default if value is None else str(value)

    def _put(self, key, value):
        qt.QSettings().setValue(_PREFIX + key, str(value))

    @property
    def device(self):
        """``auto`` or a device of the worker."""
        return self._text("device", "auto")

    @device.setter
    def device(self, value):
        self._put("device", value)

    @property
    def python(self):
        """The Python of the worker; empty for Slicer's own."""
        return self._text("python")

    @python.setter
    def python(self, value):
        self._put("python", value)

    @property
    def jobRoot(self):
        """Where job folders are made; empty for Slicer's temporary folder."""
        return self._text("jobFolder")

    @jobRoot.setter
    def jobRoot(self, value):
        self._put("jobFolder", value)

    @property
    def keepJob(self):
        """Whether the job folder stays after a run."""
        return self._text("keepJob", "False") == "True"

    @keepJob.setter
    def keepJob(self, value):
        self._put("keepJob", bool(value))

    @property
    def wheelFolder(self):
        """Folder to install from without a network; empty for the network."""
        return self._text("wheelFolder")

    @wheelFolder.setter
    def wheelFolder(self, value):
        self._put("wheelFolder", value)

    @property
    def exportFolder(self):
        """Folder in which exports make their own; empty until the user chose one."""
        return self._text("exportFolder")

    @exportFolder.setter
    def exportFolder(self, value):
        self._put("exportFolder", value)

    def folded(self, card, default):
        """Whether the user folded a card."""
        return self._text(f"folded/{card}", str(default)) == "True"

    def setFolded(self, card, value):
        """Remember that the user folded or opened a card."""
        self._put(f"folded/{card}", bool(value))

    @property
    def isolated(self):
        """Whether the worker runs in a Python of the user's own."""
        return bool(self.python) and Path(self.python).is_file()
