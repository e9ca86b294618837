"""Where a user's own bundles and logs live."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def petsynth_home() -> Path:
    """``PETSYNTH_HOME``, or the platform's data folder for PETSynth (may not exist yet)."""
    if chosen := os.environ.get("PETSYNTH_HOME"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "PETSynth"
