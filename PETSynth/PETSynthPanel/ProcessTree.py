"""Ends a process with everything it started: Slicer's Python is a launcher with a real child."""

import contextlib
import os
import signal
import subprocess
import sys


def descendants(pid):
    """Process ids below ``pid``, the youngest generation last; empty when it is gone."""
    children = {}
    for child, parent in _processes():
        children.setdefault(parent, []).append(child)
    found, generation = [], [pid]
    while generation:
        generation = [c for p in generation for c in children.get(p, []) if c not in found]
        found += generation
    return found


def killTree(pids):
    """End each of ``pids`` and all that they started. What is gone already is no error."""
    pids = [pid for pid in pids if pid and pid != os.getpid()]
    if sys.platform == "win32":
        for pid in pids:
            _run(["taskkill", "/T", "/F", "/PID", str(pid)])
        return
    # Children are listed before their parents die: an orphan no longer tells whose it was.
    for pid in dict.fromkeys([*pids, *(c for p in pids for c in descendants(p))]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _processes():
    """(pid, parent's pid) of every process of this computer."""
    for line in _run(["ps", "-A", "-o", "pid=,ppid="]).splitlines():
        fields = line.split()
        if len(fields) == 2 and all(field.isdecimal() for field in fields):
            yield int(fields[0]), int(fields[1])


def _run(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
