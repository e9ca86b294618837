"""Fitting a GAAIN set: the line is found, and a poor one is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from PETSynthLib.cli import main
from PETSynthLib.errors import PETSynthError
from PETSynthLib.quantify.scale_fit import deming, fit_scale, read_pairs

PLACE = ("amyloid_composite", "cerebellum_whole")


def pib_set(stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Ten young people about 0 CL and ten patients about 100 CL; our SUVR is 0.9 + 0.01 CL."""
    off = np.linspace(-4.5, 4.5, 10)
    published = np.concatenate([off, 100.0 * stretch + off])
    suvr = 0.9 + 0.01 * np.concatenate([off, 100.0 + off])
    return suvr, published, ("young",) * 10 + ("ad",) * 10


def test_pib_is_fitted_through_the_two_groups() -> None:
    # Means 0.9 and 1.9: slope 100 / 1.0, intercept -90.
    found = fit_scale("centiloid", "pib", *PLACE, *pib_set(), "set")
    assert found.equation.slope == pytest.approx(100.0)
    assert found.equation.intercept == pytest.approx(-90.0)
    assert (found.slope, found.r2) == (pytest.approx(1.0), pytest.approx(1.0))
    assert found.complaints == ()


def test_pib_values_that_miss_the_published_ones_are_refused() -> None:
    found = fit_scale("centiloid", "pib", *PLACE, *pib_set(stretch=1.1), "set")
    assert found.slope == pytest.approx(1 / 1.1, abs=0.002)
    assert len(found.complaints) == 1
    assert "slope" in found.complaints[0]


def test_another_amyloid_tracer_is_regressed_on_centiloids() -> None:
    published = np.linspace(-5, 120, 30)
    suvr = 1.0 + 0.006 * published
    found = fit_scale("centiloid", "florbetapir", *PLACE, suvr, published, ("",) * 30, "set")
    assert found.equation.slope == pytest.approx(1 / 0.006)
    assert found.equation(1.0) == pytest.approx(0.0, abs=1e-9)


def test_noise_without_relation_is_refused() -> None:
    rng = np.random.default_rng(0)
    published, suvr = rng.uniform(0, 100, 30), rng.uniform(1, 2, 30)
    found = fit_scale("centiloid", "florbetaben", *PLACE, suvr, published, ("",) * 30, "set")
    assert "R2" in found.complaints[0]


def test_deming_finds_the_line_of_exact_points_and_treats_x_and_y_alike() -> None:
    x = np.array([0.0, 1.0, 2.0])
    assert deming(x, 2.0 * x + 1.0) == (pytest.approx(2.0), pytest.approx(1.0))
    y = np.array([0.2, 0.9, 2.3])
    assert deming(x, y)[0] == pytest.approx(1.0 / deming(y, x)[0])


def test_centaurz_of_a_pipeline_that_reads_a_tenth_higher() -> None:
    # Standard SUVR = ours / 1.1, so 12.95 / 1.1 per SUVR of ours.
    spm = np.linspace(1.0, 2.5, 30)
    place = ("tau_temporal_metaroi", "cerebellum_grey_inferior")
    found = fit_scale("centaurz", "flortaucipir", *place, 1.1 * spm, spm, ("",) * 30, "set")
    assert found.equation.slope == pytest.approx(12.95 / 1.1)
    assert found.equation.intercept == pytest.approx(-15.37)


def test_too_few_people_are_refused() -> None:
    three = np.array([1.0, 1.5, 2.0])
    with pytest.raises(PETSynthError, match="only 3 people"):
        fit_scale("centiloid", "florbetapir", *PLACE, three, three, ("",) * 3, "set")


def write_table(path: Path, stretch: float) -> Path:
    rows = zip(*pib_set(stretch), strict=True)
    lines = [f"s{n},{s:.6f},{p:.6f},{g}" for n, (s, p, g) in enumerate(rows)]
    path.write_text("subject,suvr,standard,group\n" + "\n".join(lines), encoding="utf-8")
    return path


def test_the_command_keeps_a_good_fit_and_only_a_good_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path / "home"))
    bad = write_table(tmp_path / "bad.csv", 1.2)
    assert main(["scales", "fit", str(bad), "--tracer", "pib"]) == 2
    assert "not good enough" in capsys.readouterr().err
    assert not (tmp_path / "home" / "scales").exists()
    good = write_table(tmp_path / "good.csv", 1.0)
    assert main(["scales", "fit", str(good), "--tracer", "pib"]) == 0
    assert "CL = 100.00 x SUVR -90.00" in capsys.readouterr().out
    assert main(["scales", "list"]) == 0
    assert "fitted on good.csv" in capsys.readouterr().out


def test_a_tracer_without_the_scale_and_a_cell_without_a_number_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "t.csv", 1.0)
    assert main(["scales", "fit", str(table), "--tracer", "fdg"]) == 2
    assert "has no scale" in capsys.readouterr().err
    table.write_text("subject,suvr,standard\na,n/a,3\n", encoding="utf-8")
    with pytest.raises(PETSynthError, match="no number"):
        read_pairs(table)
