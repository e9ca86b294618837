"""The sidecar: enough to repeat it, nothing to recognise the person by."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from export_case import AMBER, GREEN, generated, pet_on, prepared_on, record, table_of

from PETSynthLib.assets import atlas_volume
from PETSynthLib.checks import Finding, Verdict, as_overridden
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.export import marks
from PETSynthLib.export.record import (
    NOT_GIVEN,
    NOT_READ,
    USED,
    WITHHELD,
    Source,
    effective_resolution,
    record_of,
    request_digest,
    software_versions,
)
from PETSynthLib.export.report import report_html
from PETSynthLib.export.report_synthesis import synthesis_content
from PETSynthLib.export.sidecar import sidecar, write_sidecar
from PETSynthLib.generate import Bundle, Effort
from PETSynthLib.quantify import RegionTable
from PETSynthLib.quantify.native_regions import BENT
from PETSynthLib.request import SynthesisRequest
from PETSynthLib.volume import CANONICAL

SOURCES = (Source("T1", "head.nii.gz", "1" * 64),)


@pytest.fixture(scope="module")
def table() -> RegionTable:
    pet = pet_on(CANONICAL, atlas_volume("template_brain").data)
    return table_of(pet, pet)


def request(**changes: object) -> SynthesisRequest:
    made = SynthesisRequest(
        t1="/home/Mrs Smith/head.nii.gz",
        output="/home/Mrs Smith/out",
        clinical=ClinicalRecord(age=71.5, sex="F", mmse=23),
    )
    return replace(made, **changes)


def made_from(wanted: SynthesisRequest, tmp_path: Path, uses: list[str]):
    """`record_of` a bundle without weights that reads ``uses``."""
    config = {
        "name": "tiny",
        "version": "1",
        "title": "Tiny",
        "licence": "CC0",
        "trained_on": "simulation",
        "uses": uses,
        "healthy_to_ad": {"fdg": {"thalamusproper": 0.2}},
    }
    return record_of(
        wanted,
        SOURCES,
        Bundle(tmp_path, config, "e" * 64),
        Effort(samples=3, steps=4, seed=11),
        prepared_on(CANONICAL, np.eye(4)),
        generated(np.ones(CANONICAL.shape)),
        SimpleNamespace(reference_factor=0.5, findings=[AMBER]),
        BENT,
    )


def test_the_fields_that_keep_it_from_passing_for_a_scan(table):
    body = sidecar(record(), table, {})
    assert body["Synthetic"] is True
    assert body["TracerName"] == "FDG (simulated)"
    assert body["TracerRadionuclide"] == "none"
    assert body["Units"] == "unitless"
    assert body["Banner"] == marks.DEMONSTRATION
    for raw in ("InjectedRadioactivity", "ModeOfAdministration", "TimeZero", "ScanStart"):
        assert raw not in body


def test_everything_needed_to_repeat_it(table):
    body = sidecar(record(), table, {"x.nii.gz": "f" * 64})
    assert body["Sources"] == [{"Role": "T1", "Name": "head <1>.nii.gz", "sha256": "c" * 64}]
    assert body["Model"]["weights_sha256"] == "b" * 64
    assert (body["Seeds"], body["EnsembleSize"]) == ([7, 8], 2)
    assert body["RequestSha256"] == "d" * 64
    assert body["Preprocessing"][0]["parameters"] == {"a": 1}
    assert body["ScaleToSUVR"] == 0.5
    assert body["ReferenceRegion"] == "pons"
    assert body["Regions"] == {"source": "atlas, affine"}
    assert body["Outputs"] == {"x.nii.gz": "f" * 64}
    assert {"voxel_size", "slices", "region_coverage"} == {f["name"] for f in body["InputQC"]}
    assert {"PETSynth", "Python", "numpy"} <= set(software_versions())


def test_what_the_user_overrode_is_named_and_marked(table):
    red = Finding("coverage", 0.8, "0.9", Verdict.RED, "The scan is cut.")
    made = replace(record(), findings=[as_overridden(red, ["coverage"]), GREEN])
    body = sidecar(made, table, {})
    assert body["OverriddenByUser"] == ["coverage"]
    assert [f["overridden"] for f in body["InputQC"][:2]] == [True, False]
    page = report_html(synthesis_content(made, table))
    assert "The scan is cut. Overridden by the user." in page


def test_nothing_in_it_tells_who_the_person_is(tmp_path, table):
    uses = ["age", "sex", "mmse", "flair"]
    made = made_from(request(), tmp_path, uses)
    write_sidecar(tmp_path / "fdg_synth.json", made, table, {})
    text = (tmp_path / "fdg_synth.json").read_text(encoding="utf-8")
    for private in ("Smith", "/home", "71.5", "female", str(tmp_path)):
        assert private not in text
    assert json.loads(text)["ConditioningVariables"]["Used"] == ["age", "sex"]


def test_what_was_given_is_used_withheld_unread_or_missing(tmp_path):
    made = made_from(request(pet_scanner="ge"), tmp_path, ["age", "mmse", "flair"])
    states = {fact.name: fact.state for fact in made.facts}
    assert states == {
        "flair": NOT_GIVEN,
        "age": USED,
        "sex": NOT_READ,
        "education": NOT_GIVEN,
        "mmse": WITHHELD,
        "adas13": NOT_GIVEN,
        "apoe4": NOT_GIVEN,
        "pet_scanner": NOT_READ,
    }
    assert made.cognition == ()
    assert made.release.opening == ""


def test_cognition_counts_only_when_allowed_and_read(tmp_path):
    allowed = request(cognition_shapes_picture=True)
    assert made_from(allowed, tmp_path, ["age", "mmse"]).cognition == ("mmse",)
    assert made_from(allowed, tmp_path, ["age"]).cognition == ()


def test_no_alleles_is_a_fact_not_a_gap(tmp_path):
    given = request(clinical=ClinicalRecord(apoe4=0), cognition_shapes_picture=True)
    made = made_from(given, tmp_path, ["apoe4"])
    assert made.cognition == ("apoe4",)
    assert next(f for f in made.facts if f.name == "apoe4").value == "0 alleles"


def test_record_gathers_seeds_distances_and_findings(tmp_path):
    made = made_from(request(), tmp_path, [])
    assert made.seeds == (11, 12, 13)
    assert made.distances == {"thalamusproper": 0.2}
    assert made.findings == [GREEN, AMBER]
    assert made.model.weights_sha256 is None
    assert made.regions_source == BENT


def test_weights_are_named_by_the_digest_of_their_bytes(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    # SHA-256 of "abc", FIPS 180-2.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert made_from(request(), tmp_path, []).model.weights_sha256 == expected


def test_the_request_is_named_by_content_not_by_place():
    name = request_digest(request(), SOURCES)
    assert request_digest(request(t1="/elsewhere/x.nii", output="/o"), SOURCES) == name
    assert request_digest(request(seed=1), SOURCES) != name
    other = (replace(SOURCES[0], sha256="2" * 64),)
    assert request_digest(request(), other) != name


def test_numpy_numbers_become_numbers_and_paths_lose_their_folders(tmp_path, table):
    generation = {"n": np.float32(0.5), "a": np.arange(2), "log": tmp_path / "log.txt"}
    write_sidecar(tmp_path / "s.json", record(generation=generation), table, {})
    body = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert body["Generation"] == {"n": 0.5, "a": [0, 1], "log": "log.txt"}


def test_hidden_values_are_absent(table):
    factors = {"thalamusproper": 1.0}
    pet = pet_on(CANONICAL, atlas_volume("template_brain").data)
    wide = table_of(pet, pet, factors)
    body = sidecar(record(distances={"thalamusproper": 0.01}), wide, {})
    rows = [row for row in body["HeadlineValues"] if row["Region"] == "thalamusproper"]
    assert {(row["SUVR"], row["Note"]) for row in rows} == {(None, "not informative")}


def test_the_resolution_is_the_models_own_or_two_voxels_of_its_grid(table, tmp_path):
    # The template's grid has 2 mm: nothing finer than 4 mm can be drawn on it.
    drawn = made_from(request(), tmp_path, [])
    assert sidecar(drawn, table, {})["EffectiveResolution"] == {"fwhm_mm": 4.0, "of": "grid"}
    told = effective_resolution((2.0, 2.0, 2.0), {"fwhm_mm": 6.5})
    assert told == {"fwhm_mm": 6.5, "of": "model"}
