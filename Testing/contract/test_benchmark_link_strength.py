"""Gain over the age/sex mean against link strength, from three reports made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from benchmark_case import CONTROL_ERROR, ORACLE_ERROR, make_report

link_strength = pytest.importorskip("link_strength")
GAINS = {"null": 0.0, "default": 0.03, "strong": 0.06}


@pytest.fixture
def reports(tmp_path: Path) -> dict[str, Path]:
    return {name: make_report(tmp_path / name, name, gain) for name, gain in GAINS.items()}


def test_the_gain_is_that_of_the_mean_of_the_samples_over_all_seeds(
    reports: dict[str, Path],
) -> None:
    model, oracle = link_strength.gains_of(reports["default"], "default")
    assert (model.label, model.information, model.anatomies) == ("flow", "both", 4)
    assert model.value == pytest.approx(0.03)  # seeds at 0.04 and 0.02
    assert (model.low, model.high) == pytest.approx((0.02, 0.04))
    assert oracle.value == pytest.approx(CONTROL_ERROR - ORACLE_ERROR)


def test_a_report_of_another_cohort_is_refused(reports: dict[str, Path]) -> None:
    with pytest.raises(SystemExit, match="judges the configuration 'default', not 'null'"):
        link_strength.gains_of(reports["default"], "null")


def test_figure_and_table_show_every_cohort_and_say_simulated(
    reports: dict[str, Path], tmp_path: Path
) -> None:
    picture, words = link_strength.write(tmp_path / "out", reports)
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = words.read_text(encoding="utf-8")
    assert "SIMULATED subjects" in text
    cells = [
        f"{gain:.3f} ({gain - 0.01:.3f} to {gain + 0.01:.3f}), n = 4".replace("-0.000", "0.000")
        for gain in GAINS.values()
    ]
    assert f"| FDG | flow | MRI + clinic | {' | '.join(cells)} |" in text


def test_a_method_without_samples_is_judged_by_its_picture(tmp_path: Path) -> None:
    report = make_report(tmp_path / "r", samples=0)
    assert link_strength.gains_of(report, "default")[0].value == pytest.approx(CONTROL_ERROR - 0.5)
