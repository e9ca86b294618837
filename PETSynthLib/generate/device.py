"""Choosing where a network runs, in the open: never a silent fallback from a named device."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import ErrorCode, PETSynthError

_M_MMAP_THRESHOLD = -3
_M_TRIM_THRESHOLD = -1
_HUGE = 2**31 - 1


@dataclass(frozen=True)
class Placement:
    """Where and in what precision a network runs.

    Attributes
    ----------
    device
        The torch device.
    dtype
        Arithmetic of convolutions and products (the rest stays float32).
    why
        One sentence for the provenance.
    """

    device: torch.device
    dtype: torch.dtype
    why: str

    def autocast(self) -> torch.autocast:
        """Context in which the network runs in `dtype`."""
        enabled = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=enabled)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "device": str(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
            "why": self.why,
            "torch": torch.__version__,
        }


def available_devices() -> list[str]:
    """Devices on which this torch can compute, ``cpu`` last."""
    found = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found.append("xpu")
    return [*found, "cpu"]


def why_not(device: str) -> str:
    """Why ``device`` cannot convolve, whatever torch says of it; empty when it can."""
    try:
        ones = torch.ones((1, 1, 3, 3, 3), device=device)
        total = float(torch.nn.functional.conv3d(ones, ones).cpu())
    except Exception as problem:  # a driver may raise anything
        return (str(problem).splitlines() or [type(problem).__name__])[0].rstrip(".")
    return "" if total == 27.0 else f"27 ones add up to {total:g} there"


def cpu_has_fast_bfloat16() -> bool:
    """Whether the CPU has bfloat16 instructions (AMX or AVX512-BF16), where it beats float32."""
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    found = [getattr(torch.cpu, name, None) for name in probes]
    return any(bool(probe()) for probe in found if probe is not None)


def place(wanted: str) -> Placement:
    """Choose the device.

    Parameters
    ----------
    wanted
        ``auto`` takes the first accelerator, else the CPU; any other name is taken or refused.

    Raises
    ------
    PETSynthError
        ``DEVICE`` when a named device is not there.
    """
    devices = available_devices()
    if wanted == "auto":
        chosen, why = devices[0], "first device found"
    else:
        chosen = "cuda:0" if wanted == "cuda" else wanted
        why = "named by the user"
        if chosen not in devices:
            raise PETSynthError(
                ErrorCode.DEVICE,
                f"The device {wanted} is not available to torch {torch.__version__}.",
                f"Available: {', '.join(devices)}. Use --device auto to take the first.",
            )
    if chosen == "cpu":
        if cpu_has_fast_bfloat16():
            return Placement(torch.device(chosen), torch.bfloat16, f"{why}; CPU with bfloat16")
        return Placement(torch.device(chosen), torch.float32, f"{why}; CPU without bfloat16")
    if chosen.startswith("cuda") and torch.cuda.is_bf16_supported():
        return Placement(torch.device(chosen), torch.bfloat16, why)
    return Placement(torch.device(chosen), torch.float32, why)


def keep_big_buffers() -> None:
    """Tell glibc to keep large freed buffers instead of returning them at every operation.

    Worth a factor of several for convolutions on Linux CPUs; elsewhere nothing is done.
    """
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt") and hasattr(libc, "gnu_get_libc_version"):
            libc.mallopt(_M_MMAP_THRESHOLD, _HUGE)
            libc.mallopt(_M_TRIM_THRESHOLD, _HUGE)
