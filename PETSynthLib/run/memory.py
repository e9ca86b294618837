"""Memory and disk of this computer and this process, by what each operating system offers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB (0 where it cannot be known).

    Linux's own record is preferred to ``getrusage``, which a child inherits from its parent.
    """
    if sys.platform == "win32":
        return _windows_peak() / 1e6
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except (OSError, ValueError):
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def total_memory_mb() -> float:
    """Physical memory of this computer in MB (0 where it cannot be known)."""
    if sys.platform == "win32":
        return _windows_memory("ullTotalPhys") / 1e6
    import os

    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError):
        return 0.0


def available_memory_mb() -> float:
    """Memory that a new process could have now without swapping, in MB (0: cannot be known)."""
    if sys.platform == "win32":
        return _windows_memory("ullAvailPhys") / 1e6
    try:
        if sys.platform == "darwin":
            command = ["/usr/bin/vm_stat"]
            told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
            return mac_available(told.stdout) / 1e6
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 / 1e6
    except (OSError, ValueError, subprocess.SubprocessError):
        pass
    return 0.0


def free_disk_mb(path: Path | str) -> float:
    """Free space where ``path`` lies or will lie, in MB (0 where it cannot be known)."""
    place = Path(path).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free / 1e6
    except OSError:
        return 0.0


def mac_available(told: str) -> int:
    """Bytes that macOS can hand out, from what ``vm_stat`` printed.

    Inactive, speculative and purgeable pages are given up at once when somebody needs them.

    Raises
    ------
    ValueError
        When it is something else.
    """
    size = re.search(r"page size of (\d+) bytes", told)
    if size is None:
        raise ValueError("vm_stat names no page size")
    kinds = "free|inactive|speculative|purgeable"
    pages = re.findall(rf"^Pages (?:{kinds}):\s+(\d+)\.", told, re.MULTILINE)
    return int(size.group(1)) * sum(map(int, pages))


def _windows_peak() -> int:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *((name, ctypes.c_size_t) for name in ("PeakWorkingSetSize", *"abcdefg")),
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    windll = ctypes.__dict__["windll"]
    process = windll.kernel32.GetCurrentProcess
    process.restype = wintypes.HANDLE
    query = windll.kernel32.K32GetProcessMemoryInfo
    query.argtypes = [wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD]
    query(process(), ctypes.byref(counters), counters.cb)
    return int(counters.PeakWorkingSetSize)


def _windows_memory(field: str) -> int:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("dwLength", ctypes.c_ulong),
            ("dwMemoryLoad", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("ullTotalPhys", "ullAvailPhys", *"abcde")),
        ]

    status = Status()
    status.dwLength = ctypes.sizeof(status)
    ctypes.__dict__["windll"].kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(getattr(status, field))
