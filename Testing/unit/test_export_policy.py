"""What may be shown depends on the evidence: the table, row by row."""

from __future__ import annotations

import pytest

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.policy import (
    DICOM_OBJECTS,
    NORMATIVE,
    dicom_objects,
    release,
    require_suvr,
)
from PETSynthLib.export.shown import NOT_INFORMATIVE, NOT_SEEN, NOT_SHOWN, shown_rows
from PETSynthLib.generate.bundle import EVIDENCE
from PETSynthLib.quantify import RegionTable, RegionValue


def row(region: str = "thalamusproper", width: float | None = 0.4, ml: float = 5.0) -> RegionValue:
    interval = None if width is None else (1.5 - width / 2, 1.5 + width / 2)
    return RegionValue(region, "both", ml, 1.5, 0.1, 1.5, 1.6, interval, "left lower by 6 %")


def test_a_bundle_trained_on_simulation_is_a_demonstration():
    assert release("simulation", exploratory=False).banner == marks.DEMONSTRATION
    assert release("simulation", exploratory=False).synthetic


def test_population_averages_do_not_claim_to_be_learnt():
    banner = release("population atlas", exploratory=False).banner
    assert banner.startswith("DEMONSTRATION MODEL")
    assert "learnt" not in banner


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_nothing_made_by_a_model_passes_judgement(evidence):
    found = release(evidence, exploratory=False)
    assert found.synthetic
    assert found.banner
    assert {"z-score", "percentile", "Centiloid", "cut-off marker"} <= set(found.withheld)


def test_an_acquired_pet_carries_no_mark():
    found = release("acquired", exploratory=True, cognition=("mmse",))
    assert not found.synthetic
    assert (found.banner, found.opening, found.withheld, found.triptych) == ("", "", (), False)


def test_unknown_evidence_is_refused():
    with pytest.raises(KeyError):
        release("hearsay", exploratory=False)


def test_a_model_whose_numbers_are_no_suvr_may_show_nothing():
    require_suvr(True, "ours")
    with pytest.raises(PETSynthError, match="model theirs are no SUVR") as refusal:
        require_suvr(False, "theirs")
    assert refusal.value.code is ErrorCode.BAD_REQUEST
    assert "scale=LOW:HIGH" in refusal.value.hint


def test_cognition_opens_the_report_and_names_its_fields():
    found = release("simulation", exploratory=False, cognition=("mmse", "adas13"))
    assert found.opening == marks.COGNITION
    assert found.cognition == "drawn with MMSE, ADAS-Cog-13"
    without = release("simulation", exploratory=False)
    assert (without.opening, without.cognition) == ("", "")


def test_exploratory_tracers_are_shown_as_triptych_only():
    assert release("simulation", exploratory=True).triptych
    assert not release("simulation", exploratory=False).triptych
    assert len(NORMATIVE) == 6


@pytest.mark.parametrize(
    ("width", "distance", "instead"),
    [
        (0.4, 0.39, NOT_INFORMATIVE),
        (0.4, -0.39, NOT_INFORMATIVE),
        (0.4, 0.41, ""),
        (0.4, None, ""),
        (None, 0.1, ""),
    ],
)
def test_an_interval_wider_than_healthy_to_ad_is_not_informative(width, distance, instead):
    distances = {} if distance is None else {"thalamusproper": distance}
    (shown,) = shown_rows((row(width=width),), 1.0, distances)
    assert shown.instead == instead
    assert (shown.value is None) == bool(instead)
    assert (shown.asymmetry == "") == bool(instead)


def test_thick_slices_hide_medial_temporal_and_cingulate_values():
    names = ("hippocampus", "posteriorcingulate", "braak_1_2", "precuneus", "fdg_ad_metaroi")
    rows = tuple(row(name) for name in names)
    thick = [shown.instead for shown in shown_rows(rows, 4.0, {})]
    # Two of the five members of the FDG region are thin: it stays.
    assert thick == [NOT_SHOWN, NOT_SHOWN, NOT_SHOWN, "", ""]
    assert not any(shown.instead for shown in shown_rows(rows, 3.0, {}))


def test_a_region_outside_the_scan_says_so():
    (shown,) = shown_rows((row(ml=0.0),), 1.0, {})
    assert shown.instead == NOT_SEEN


def test_the_image_only_value_stands_beside_and_is_hidden_with_it():
    beside = RegionTable("fdg", "pons", 1.0, (row(),), (), [])
    (shown,) = shown_rows((row(),), 1.0, {}, beside)
    assert shown.image_only == 1.5
    (hidden,) = shown_rows((row(),), 1.0, {"thalamusproper": 0.1}, beside)
    assert hidden.image_only is None


REAL, DEMO, ACQUIRED = (
    release(evidence, exploratory=False) for evidence in ("real pairs", "simulation", "acquired")
)


def refused_dicom(policy, wanted, own_study=False):
    with pytest.raises(PETSynthError) as found:
        dicom_objects(policy, wanted, own_study)
    assert found.value.code is ErrorCode.BAD_REQUEST
    assert found.value.text.endswith(".")
    assert found.value.hint.endswith(".")
    return found.value.text


def test_real_pairs_may_become_any_dicom_object_in_the_patients_study():
    assert dicom_objects(REAL, ("pt", "sc", "sr", "seg", "pm"), True) == DICOM_OBJECTS


def test_a_dicom_report_brings_its_segmentation_and_nothing_else_comes_unasked():
    assert dicom_objects(REAL, ("sr",), True) == ("seg", "sr")
    assert dicom_objects(REAL, ("pm",), True) == ("pm",)


@pytest.mark.parametrize("evidence", ["simulation", "population atlas"])
def test_a_demonstration_is_never_pt_and_its_values_never_in_the_patients_study(evidence):
    policy = release(evidence, exploratory=False)
    assert "DICOM PT" in refused_dicom(policy, ("pm", "pt"))
    assert "patient's own study" in refused_dicom(policy, ("sr",), own_study=True)
    assert dicom_objects(policy, ("pm", "sr"), False) == ("pm", "seg", "sr")
    assert dicom_objects(policy, ("pm", "seg"), True) == ("pm", "seg")


@pytest.mark.parametrize("name", ["pm", "sc", "pt"])
def test_an_acquired_pets_images_are_not_exported_but_its_regions_and_values_are(name):
    assert "acquired PET" in refused_dicom(ACQUIRED, ("seg", name))
    assert dicom_objects(ACQUIRED, ("seg", "sr"), True) == ("seg", "sr")


def test_an_unknown_dicom_object_is_refused():
    assert "'rt'" in refused_dicom(REAL, ("rt",))
