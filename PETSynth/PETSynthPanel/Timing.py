"""Seconds a run is expected to take on this computer, from its earlier runs."""

import json
from dataclasses import replace

from PETSynthLib.home import petsynth_home
from PETSynthLib.run.timing import (
    EXPORT_SECONDS,
    expected_seconds,
    export_timing_key,
    timing_key,
)


def expectedSeconds(request):
    """Seconds that the last run of this kind took here, or None before there was one."""
    file = petsynth_home() / "timings.json"
    key = timing_key(request)
    try:
        if key not in json.loads(file.read_text(encoding="utf-8")):
            return None
    except (OSError, ValueError, TypeError):
        return None
    return sum(expected_seconds(file, key).values())


def expectedOnCpu(request):
    """The same on the CPU."""
    return expectedSeconds(replace(request, device="cpu"))


def expectedForExport(request):
    """Seconds that an export takes: as the last one of its kind, or as measured elsewhere."""
    stages = {name: EXPORT_SECONDS[name] for name in ("read", *request.formats)}
    file = petsynth_home() / "timings.json"
    return sum(expected_seconds(file, export_timing_key(request), stages).values())
