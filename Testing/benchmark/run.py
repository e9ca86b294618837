"""Seconds and peak memory of every stage, and what the picture is worth: ``make bench``.

Everything is measured in one run on one machine; figures of two runs are not comparable. Prints a
table, writes ``bench.json``. Never a test: a slow machine is not a defect.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

from agreement import GROUP_MEAN, correlation
from export_case import pet_on, record

from PETSynthLib.assets import asset_path
from PETSynthLib.cli.demo import SAMPLE
from PETSynthLib.export import marks
from PETSynthLib.export.figure import figure, figure_words
from PETSynthLib.export.planes import places
from PETSynthLib.export.report import write_report
from PETSynthLib.export.report_content import UPTAKE_PAGE
from PETSynthLib.export.report_pictures import Drawn, Expected, synthesis_report
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.quantify import quantify
from PETSynthLib.read import read_scan
from PETSynthLib.request import Preset, ProjectRequest, QuantifyRequest, SynthesisRequest
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.events import Event, Stage
from PETSynthLib.run.job import run_synthesis
from PETSynthLib.run.memory import peak_memory_mb
from PETSynthLib.run.project_job import run_projection
from PETSynthLib.run.quantify_job import run_quantification

LIMITS = {
    "total_seconds": 120.0,
    "generate_seconds": 6.0,
    "ssp_seconds": 3.0,
    "report_seconds": 5.0,
    "warp_seconds": 40.0,
    "regional_table_seconds": 3.0,
    "peak_mb": 3000.0,
}
"""What the project promises for colin27 at 1 mm on two CPU cores."""


class StageMemory:
    """Records the peak resident memory of each stage (Linux; elsewhere of the run so far)."""

    def __init__(self) -> None:
        self.peak: dict[str, float] = {}
        self._stage = "start"

    def __call__(self, event: Event) -> None:
        """An event sink that only cares about stages."""
        if isinstance(event, Stage):
            self.close()
            self._stage = event.id

    def close(self) -> None:
        """The current stage is over."""
        self.peak[self._stage] = round(peak_memory_mb(), 0)
        reset = Path("/proc/self/clear_refs")
        if reset.exists():
            reset.write_text("5", encoding="ascii")


def road(model: str, output: Path) -> dict[str, Any]:
    """colin27 from file to finished folder with ``model``."""
    memory = StageMemory()
    with asset_path(SAMPLE) as t1:
        request = SynthesisRequest(str(t1), str(output), model=model, preset=Preset.BALANCED)
        finished = run_synthesis(request, memory, Cancellation())
    memory.close()
    body = finished.body
    result = {
        "seconds": body["seconds"],
        "total_seconds": body["total_seconds"],
        "peak_mb": memory.peak,
        "ssp_seconds": ssp_page(output),
        "report_seconds": report_page(output),
        "regional_table_seconds": measuring(output),
        "regions": body["regions"],
        "headline": body["headline_text"],
    }
    if GROUP_MEAN.exists():
        result["r_with_group_mean"] = round(correlation(output / "fdg_synth_regions.tsv"), 3)
    return result


def measuring(output: Path) -> float:
    """Seconds for colin27's regional table with the finished synthesis's transforms at hand.

    The PET is the synthetic one.
    """
    target = output.with_name(f"{output.name}-numbers")
    with asset_path(SAMPLE) as t1:
        request = QuantifyRequest(str(output), str(t1), str(target))
        done = run_quantification(request, lambda event: None, Cancellation())
    return float(done.body["seconds"]["quantify"])


def ssp_page(output: Path) -> float:
    """Seconds for the surface page of a finished folder, its transform at hand."""
    request = ProjectRequest(str(output), str(output.with_name(f"{output.name}-surface")))
    start = time.perf_counter()
    run_projection(request, lambda event: None, Cancellation())
    return round(time.perf_counter() - start, 2)


def report_page(output: Path) -> float:
    """Seconds for the report of a finished folder with every picture, the SSP page at hand."""
    pet, sd, other = (
        read_scan(output / marks.file_name("fdg", part, ".nii.gz"), "PET").volume
        for part in ("suvr", "sd", "expected")
    )
    with asset_path(SAMPLE) as path:
        t1 = read_scan(path, "T1").volume
    space = output / "space"
    labels = read_scan(space / "regions.nii.gz", "labels").volume
    transform = NativeToTemplate.read(space / "native_to_template.tfm")
    facts = record()
    mean, spread, average = (
        pet_on(volume.grid, volume.data, facts.tracer.key) for volume in (pet, sd, other)
    )
    picture = (output / marks.file_name("fdg", "ssp", ".png")).read_bytes()
    start = time.perf_counter()
    table_of_regions = quantify(mean, spread, labels, {})
    expected = Expected(average, table_of_regions)
    drawn = Drawn(t1, mean, spread, expected, labels, places(transform))
    wide = figure(t1, mean, spread, drawn.where, figure_words(facts))
    pages = {UPTAKE_PAGE: (picture, picture)}
    content = synthesis_report(drawn, wide, pages, table_of_regions, facts)
    write_report(output / "report-bench.html", content)
    return round(time.perf_counter() - start, 2)


def table(models: dict[str, dict[str, Any]]) -> str:
    """The measurements as text."""
    lines = [f"{'stage':<12}" + "".join(f"{name + ' s':>12}{name + ' MB':>12}" for name in models)]
    for stage in next(iter(models.values()))["seconds"]:
        cells = (
            f"{m['seconds'][stage]:>12.2f}{m['peak_mb'][stage]:>12.0f}" for m in models.values()
        )
        lines.append(f"{stage:<12}{''.join(cells)}")
    totals = (
        f"{m['total_seconds']:>12.2f}{max(m['peak_mb'].values()):>12.0f}" for m in models.values()
    )
    return "\n".join([*lines, f"{'total':<12}{''.join(totals)}"])


def verdicts(flow: dict[str, Any], atlas: dict[str, Any]) -> list[str]:
    """Each promise with what was measured; a miss is printed as a miss."""
    measured = {
        "total_seconds": flow["total_seconds"],
        "generate_seconds": flow["seconds"]["generate"],
        # The first model pays for the views, which are made once a process.
        "ssp_seconds": flow["ssp_seconds"],
        "report_seconds": flow["report_seconds"],
        "warp_seconds": flow["seconds"]["warp"],
        "regional_table_seconds": flow["regional_table_seconds"],
        "peak_mb": max(flow["peak_mb"].values()),
    }
    lines = [
        verdict(measured[k] <= limit, f"{k}: {measured[k]:.1f} (at most {limit:g})")
        for k, limit in LIMITS.items()
    ]
    if "r_with_group_mean" not in flow:
        return [*lines, "skipped r with the group mean: ../shared/data is not here"]
    r, rival = flow["r_with_group_mean"], atlas["r_with_group_mean"]
    return [
        *lines,
        verdict(r >= 0.8, f"r with the group mean: {r:.3f} (at least 0.8)"),
        verdict(r > rival, f"more than the atlas generator's r: {rival:.3f}"),
    ]


def verdict(met: bool, text: str) -> str:
    """A line that begins with whether the promise was kept."""
    return f"{'met' if met else 'MISSED':<7}{text}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench-output"))
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PETSYNTH_HOME"] = home
        models = {}
        for model in ("flow", "atlas"):
            # A folder of its own, so that no earlier alignment is reused.
            models[model] = road(model, Path(home) / model)
    print(table(models))
    lines = verdicts(models["flow"], models["atlas"])
    print("\n".join(["", *lines]))
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    body = {"machine": machine, "limits": LIMITS, "models": models, "verdicts": lines}
    (output / "bench.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    print(f"\n{output / 'bench.json'}")


if __name__ == "__main__":
    main()
