"""``petsynth doctor``: one block of text with everything a bug report needs."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Model


def doctor(
    device: Annotated[
        str | None, typer.Option(help="Generate one volume there and on the CPU, and compare.")
    ] = None,
    model: Model = "flow",
) -> int:
    """Print what a bug report needs; with a device, check that it computes what the CPU does."""
    from ..run.diagnosis import bundles, computer

    _table("PETSynth doctor", {**computer(), **_torch()})
    _table("Models", bundles())
    if device is None:
        return 0
    from ..run.device_check import LIMIT_PERCENT, check_device

    check = check_device(device, model)
    _table(
        f"Device {device}, model {model}",
        {
            "Ran on": f"{check.device}, compared with {check.cpu}",
            "Largest difference": f"{check.difference_percent:.3f} % in {check.worst_region} "
            f"(limit {LIMIT_PERCENT} %)",
            "Seconds": f"{check.seconds:.2f} there, {check.cpu_seconds:.2f} on the CPU",
            "Peak memory": f"{check.peak_memory_mb:.0f} MB",
            "Verdict": "passed" if check.passed else "FAILED: do not use this device",
        },
    )
    return 0 if check.passed else 1


def _torch() -> dict[str, str]:
    """What torch can compute on, asked in a worker: a broken torch may crash its process."""
    from ..run.events import Failure, Result
    from ..run.runner import PopenRunner

    *_, last = PopenRunner().run({"version": 1, "kind": "probe"})
    if isinstance(last, Failure):
        return {"torch devices": f"PROBLEM: {last.text}"}
    if not isinstance(last, Result) or last.report.get("torch") is None:
        return {"torch devices": "none, torch is not installed"}
    places = last.report["placements"].items()
    words = [f"{name} ({place['precision']}; {place['why']})" for name, place in places]
    return {"torch devices": f"{'; '.join(words)}; torch {last.report['torch']}"}


def _table(title: str, rows: dict[str, str]) -> None:
    print(title)
    for key, value in rows.items():
        print(f"  {key:18} {value}")
