"""Tables of the head-to-head: from rows by hand, from the committed ones, and live on a store."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

import results
import results_live
from store_case import atlas_bundle, make_store

from PETSynthLib.learn.evaluate.controls import VOLUMES_CLINIC

pytestmark = pytest.mark.torch
PEOPLE = tuple(f"sub-{n}" for n in range(12))


def line(label: str, error: float, tracer: str = "fdg", crps: float = 0.0) -> results.Line:
    """Everybody errs alike, but for a hundredth."""
    errors = {s: (error + 0.01 * (n % 2), error + 0.01) for n, s in enumerate(PEOPLE)}
    score = {"crps": crps, "coverage": 0.9, "sd_ratio": 1.2} if crps else {}
    return results.Line(label, tracer, errors, error + 0.03, score, 0.5, 0)


def held(*lines: results.Line) -> dict[str, bool | None]:
    return {
        claim.words.partition(":")[2].split(" (")[0]: claim.held for claim in results.goals(lines)
    }


class TestGoals:
    def test_a_hundredth_worse_than_the_best_rival_is_not_worse(self) -> None:
        near = held(line("flow", 0.109, crps=0.05), line("unet", 0.1, crps=0.06))
        assert near[" not worse than the best rival"]
        far = held(
            line("flow", 0.12, crps=0.05),
            line("unet", 0.1, crps=0.06),
            line("bbdm", 0.3, crps=0.2),
        )
        assert far[" not worse than the best rival"] is False

    def test_the_sharpest_rival_counts_whatever_its_error(self) -> None:
        found = held(
            line("flow", 0.1, crps=0.05), line("unet", 0.1, crps=0.06), line("ddpm", 0.4, crps=0.04)
        )
        assert found[" better CRPS than every rival"] is False
        other = line("flow", 0.1, "pbr28", 0.05), line("unet", 0.1, "pbr28", 0.04)
        assert " better CRPS than every rival" not in held(*other)

    def test_the_simple_rival_is_asked_about_only_where_the_oracle_beats_it(self) -> None:
        ours, rival = line("flow", 0.1, crps=0.05), line("unet", 0.1, crps=0.06)
        simple = line(VOLUMES_CLINIC, 0.12)
        words = f" below the {VOLUMES_CLINIC}, as the oracle is"
        assert held(ours, rival, simple, line(results.ORACLE, 0.05))[words]
        assert words not in held(ours, rival, simple, line(results.ORACLE, 0.12))

    def test_without_flow_or_a_rival_nothing_is_claimed(self) -> None:
        assert results.goals([line("unet", 0.1, crps=0.05)]) == []
        assert results.goals([line("flow", 0.1, crps=0.05), line(results.ORACLE, 0.05)]) == []


def test_the_committed_rows_make_tables_and_a_figure(tmp_path: Path) -> None:
    lines = results.lines_of(results.ROWS, "a")
    text = results.page(lines, "")
    assert "SIMULATED" in text.splitlines()[0]
    for tracer in ("FDG", "PiB", "Florbetapir", "Flortaucipir", "PBR28"):
        assert f"### {tracer}" in text
    summary = json.loads((results.ROWS / "unet" / "a-summary.json").read_text(encoding="utf-8"))
    stated = next(
        s for s in summary["scores"] if (s["tracer"], s["information"]) == ("fdg", "both")
    )
    own = next(x for x in lines if (x.label, x.tracer) == ("unet", "fdg"))
    # Two ways to one number: the evaluation's own, and the rows read again.
    assert own.error == pytest.approx(stated["mae"], abs=1e-4)
    assert own.interval == pytest.approx(stated["mae_interval"], abs=2e-3)
    assert results.draw(lines).startswith(b"\x89PNG")


def test_live_a_model_stands_beside_the_oracle(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store", n=24, tracers=("fdg", "pib"))
    folder = atlas_bundle(tmp_path / "atlas", store.grid, tracers=["fdg"])
    text = results_live.table_of(store, [f"atlas={folder}"])
    rows = {
        cells[1].strip(): cells[2:-1] for x in text.splitlines() if len(cells := x.split("|")) > 3
    }
    error = float(rows["atlas"][0].split()[0])
    assert 0 < error < 5
    assert not math.isnan(float(rows["oracle"][0]))
    assert "PiB" not in text  # nobody was asked for it
