"""The request is the only door: what passes it, what it refuses, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.request import (
    Preset,
    QuantifyRequest,
    Regions,
    SynthesisRequest,
    quantify_request_from_dict,
    read_request,
    request_from_dict,
)


def a_request() -> SynthesisRequest:
    clinical = ClinicalRecord(age=71, sex="F", mmse=24, apoe4=1)
    return SynthesisRequest("t1.nii.gz", "out", clinical=clinical, preset=Preset.FAST, seed=3)


def test_a_request_survives_json() -> None:
    body = json.loads(json.dumps(a_request().as_dict()))
    assert request_from_dict(body) == a_request()


def test_cognition_stays_out_of_the_picture_unless_the_user_says_so() -> None:
    silent = a_request()
    assert silent.clinical_for_picture == ClinicalRecord(age=71, sex="F")
    body = {**silent.as_dict(), "cognition_shapes_picture": True}
    assert request_from_dict(body).clinical_for_picture.mmse == 24


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"kind": "magic"}, "magic"),
        ({"colour": "red"}, "colour"),
        ({"samples": "many"}, "samples"),
        ({"samples": True}, "True"),
        ({"samples": 65}, "65"),
        ({"seed": -1}, "-1"),
        ({"preset": "wonderful"}, "wonderful"),
        ({"regions": "bent"}, "bent"),
        ({"regions": None}, "regions"),
        ({"pet_scanner": "acme"}, "acme"),
        ({"clinical": {"age": 300}}, "300"),
        ({"clinical": {"mmse": "low"}}, "mmse"),
        ({"clinical": {"weight": 70}}, "weight"),
        ({"t1": None}, "t1"),
        ({"overridden_checks": ["sequence"]}, "sequence"),
        ({"overridden_checks": "coverage"}, "overridden_checks"),
        ({"overridden_checks": [1]}, "overridden_checks"),
    ],
)
def test_refuses_in_words(change: dict[str, object], said: str) -> None:
    with pytest.raises(PETSynthError) as refusal:
        request_from_dict({**a_request().as_dict(), **change})
    assert said in refusal.value.text
    assert refusal.value.exit_status == 2


def test_overridden_checks_survive_json_in_one_order_and_once() -> None:
    given = ["t1_slice_thickness", "coverage", "coverage"]
    request = request_from_dict({**a_request().as_dict(), "overridden_checks": given})
    assert request.overridden_checks == ("coverage", "t1_slice_thickness")
    assert request_from_dict(json.loads(json.dumps(request.as_dict()))) == request


def test_a_request_without_the_field_overrides_nothing() -> None:
    body = a_request().as_dict()
    del body["overridden_checks"]
    assert request_from_dict(body).overridden_checks == ()


def test_the_table_s_regions_are_deformable_unless_the_request_says_affine() -> None:
    body = a_request().as_dict()
    assert body.pop("regions") == "deformable"
    assert request_from_dict(body).regions is Regions.DEFORMABLE
    quicker = request_from_dict({**body, "regions": "affine"})
    assert quicker.regions is Regions.AFFINE
    assert request_from_dict(json.loads(json.dumps(quicker.as_dict()))) == quicker


def test_a_request_must_be_an_object() -> None:
    with pytest.raises(PETSynthError) as refusal:
        request_from_dict([1, 2])
    assert refusal.value.code is ErrorCode.PROTOCOL


def test_reads_a_file_and_names_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "größe 1.json"
    path.write_text(json.dumps(a_request().as_dict()), encoding="utf-8")
    assert read_request(path) == a_request()
    path.write_text("{", encoding="utf-8")
    with pytest.raises(PETSynthError, match="not valid JSON"):
        read_request(path)
    with pytest.raises(PETSynthError, match="cannot be read"):
        read_request(tmp_path / "absent.json")


class TestClinicalRecord:
    def test_missing_is_none_and_sex_is_a_number(self) -> None:
        record = ClinicalRecord(age=60, sex="M")
        assert record.numbers() == {
            "age": 60.0, "sex": 1.0, "education": None, "mmse": None, "adas13": None, "apoe4": None,
        }  # fmt: skip
        assert record.known() == ("age", "sex")

    def test_a_score_of_zero_is_known(self) -> None:
        assert ClinicalRecord(mmse=0).cognition() == ("mmse",)
        assert ClinicalRecord(mmse=0).numbers()["mmse"] == 0.0

    def test_refuses_an_unknown_sex(self) -> None:
        with pytest.raises(PETSynthError, match="Give F or M"):
            ClinicalRecord(sex="female")


def measurement(**changes: object) -> QuantifyRequest:
    return QuantifyRequest(**{"pet": "p.nii", "t1": "t.nii", "output": "out", **changes})


def test_a_measurement_survives_json() -> None:
    request = measurement(
        tracer="fdg",
        register=True,
        clinical=ClinicalRecord(age=70.0, sex="F"),
        gtm_fwhm_mm=6.0,
        regions=Regions.AFFINE,
        overridden_checks=("pet_coverage", "coverage"),
    )
    body = json.loads(json.dumps(request.as_dict()))
    assert (body["kind"], body["overridden_checks"]) == ("quantify", ["coverage", "pet_coverage"])
    assert quantify_request_from_dict(body) == request


def test_each_reader_takes_its_own_kind_and_a_file_says_which(tmp_path: Path) -> None:
    body = measurement().as_dict()
    with pytest.raises(PETSynthError, match="kind 'quantify' is not known"):
        request_from_dict(body)
    (tmp_path / "request.json").write_text(json.dumps(body), encoding="utf-8")
    assert read_request(tmp_path / "request.json") == measurement()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference": "thumb"}, "'thumb' is not known"),
        ({"gtm_fwhm_mm": 0.0}, "no PET scanner's"),
        ({"gtm_fwhm_mm": 200.0}, "no PET scanner's"),
        ({"overridden_checks": ("pet_alignment",)}, "cannot be overridden"),
        ({"overridden_checks": ("t1_intensities",)}, "cannot be overridden"),
    ],
)
def test_a_measurement_refuses_in_words(changes: dict[str, object], said: str) -> None:
    with pytest.raises(PETSynthError, match=said) as caught:
        measurement(**changes)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"gtm_fwhm_mm": True},
        {"register": "yes"},
        {"pet": None},
        {"flair": "f.nii"},
        {"regions": "bent"},
    ],
)
def test_a_measurement_of_wrong_types_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(PETSynthError):
        quantify_request_from_dict({**measurement().as_dict(), **wrong})


def test_checks_of_a_pet_are_not_those_of_a_synthesis() -> None:
    with pytest.raises(PETSynthError, match="pet_coverage"):
        SynthesisRequest("t.nii", "out", overridden_checks=("pet_coverage",))


def test_a_measurement_written_before_regions_could_be_chosen_bends_the_atlas() -> None:
    body = measurement().as_dict()
    assert body.pop("regions") == "deformable"
    assert quantify_request_from_dict(body).regions is Regions.DEFORMABLE
