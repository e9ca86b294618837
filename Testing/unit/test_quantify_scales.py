"""Centiloid and CenTauR: values worked out by hand, and what is called uncalibrated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from PETSynthLib.errors import PETSynthError
from PETSynthLib.quantify.scales import (
    OURS,
    Equation,
    ScaleValue,
    fitted,
    published,
    scale_value,
    write_fitted,
)
from PETSynthLib.tracers import all_tracers

GAAIN = "GAAIN (SPM8)"


def value(
    scale: str, suvr: float, tracer: str, pipeline: str, region: str, reference: str = ""
) -> ScaleValue | None:
    return scale_value(
        scale,
        suvr,
        tracer=tracer,
        region=region,
        reference=reference or "cerebellum_whole",
        pipeline=pipeline,
        own=(),
    )


@pytest.mark.parametrize(("suvr", "centiloid"), [(1.009, 0.0), (2.076, 100.0), (1.5425, 50.0)])
def test_the_anchors_of_pib_are_0_and_100_centiloid(suvr: float, centiloid: float) -> None:
    found = value("centiloid", suvr, "pib", GAAIN, "voi_ctx")
    assert found is not None
    assert (found.value, found.unit) == (pytest.approx(centiloid, abs=1e-9), "CL")


def test_one_suvr_is_different_centiloids_in_two_pipelines() -> None:
    # 183.07 * 1.11 - 177.26 = 25.95; 188.22 * 1.11 - 189.16 = 19.76.
    avid = value("centiloid", 1.11, "florbetapir", "Avid", "avid_cortex")
    ucb = value("centiloid", 1.11, "florbetapir", "UC Berkeley (FreeSurfer)", "ucb_summary")
    assert avid is not None
    assert ucb is not None
    assert avid.value == pytest.approx(25.95, abs=0.01)
    assert ucb.value == pytest.approx(19.76, abs=0.01)


def test_centaurz_of_mk6240_in_the_frontal_mask() -> None:
    # 10.05 * 1.0 - 8.91 = 1.14
    found = value("centaurz", 1.0, "mk6240", GAAIN, "frontal", "cerebellum_grey_inferior")
    assert found is not None
    assert found.value == pytest.approx(1.14)
    assert "does not compare amounts" in found.caution


def test_centaur_of_flortaucipir_runs_from_its_base_to_its_maximum() -> None:
    for suvr, wanted in ((1.06, 0.0), (2.13, 100.0)):
        found = value(
            "centaur", suvr, "flortaucipir", GAAIN, "universal", "cerebellum_grey_inferior"
        )
        assert found is not None
        assert found.value == pytest.approx(wanted, abs=1e-9)


def test_our_pipeline_without_a_fit_is_uncalibrated() -> None:
    found = value("centiloid", 2.076, "pib", OURS, "amyloid_composite")
    assert found is not None
    assert found.unit == "CL-like (uncalibrated)"
    assert not found.calibrated


@pytest.mark.parametrize(
    ("tracer", "pipeline", "region", "reference"),
    [
        ("pib", OURS, "amyloid_composite", "cerebellum_grey"),
        ("pib", OURS, "temporal_lobe", "cerebellum_whole"),
        ("florbetapir", OURS, "amyloid_composite", "cerebellum_whole"),
        ("pib", "somebody's", "voi_ctx", "cerebellum_whole"),
        ("fdg", OURS, "fdg_ad_metaroi", "pons"),
    ],
)
def test_without_an_equation_there_is_no_value(
    tracer: str, pipeline: str, region: str, reference: str
) -> None:
    assert value("centiloid", 1.5, tracer, pipeline, region, reference) is None


def test_a_fit_of_this_version_makes_our_pipeline_calibrated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
    place = ("amyloid_composite", "cerebellum_whole")
    mine = Equation("centiloid", "pib", OURS, *place, 90.0, -90.0, False, "here")
    write_fitted(mine, {"n": 79})
    assert fitted() == (mine,)
    found = scale_value("centiloid", 2.0, tracer="pib", region=place[0], reference=place[1])
    assert found is not None
    assert (found.value, found.unit) == (90.0, "CL")
    write_fitted(replace(mine, pipeline="PETSynth 0.0.0"), {"n": 79})
    found = scale_value("centiloid", 2.0, tracer="pib", region=place[0], reference=place[1])
    assert found is not None
    assert not found.calibrated, "the fit belongs to another version of the pipeline"


def test_a_damaged_fit_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PETSYNTH_HOME", str(tmp_path))
    (tmp_path / "scales").mkdir()
    (tmp_path / "scales" / "pib.json").write_text("{", encoding="utf-8")
    with pytest.raises(PETSynthError, match=r"pib\.json"):
        fitted()


def test_every_equation_belongs_to_a_tracer_that_has_the_scale() -> None:
    for one in published():
        assert one.scale in all_tracers()[one.tracer].scales
        assert one.source
