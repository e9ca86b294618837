"""Peak memory of this process, by what each operating system offers."""

from __future__ import annotations

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
        return _windows_total() / 1e6
    import os

    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError):
        return 0.0


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


def _windows_total() -> int:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("dwLength", ctypes.c_ulong),
            ("dwMemoryLoad", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("ullTotalPhys", *"abcdef")),
        ]

    status = Status()
    status.dwLength = ctypes.sizeof(status)
    ctypes.__dict__["windll"].kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.ullTotalPhys)
