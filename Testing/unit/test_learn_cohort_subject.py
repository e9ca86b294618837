"""One subject as a whole: geometry, reproducibility, the null configuration, its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nilearn")
pytestmark = pytest.mark.torch

import nibabel as nib
from cohort_case import INDEX, SEED, subject

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.cohort.bids import write_subject
from PETSynthLib.learn.cohort.effect import evidence_of, oracle_effect
from PETSynthLib.learn.cohort.subject import participant
from PETSynthLib.learn.oracle import INFORMATION, read_oracle
from PETSynthLib.learn.regions import region_index, regional_means
from PETSynthLib.preprocess.transform import resample
from PETSynthLib.tracers import simulated_tracers

NAME = "sub-0001"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``raw`` and ``derived/sub-0001`` of the small subject."""
    folder = tmp_path_factory.mktemp("subject")
    origin = {"seed": SEED, "index": INDEX, "config": "default", "site": "clinic"}
    write_subject(folder / "raw", folder / NAME, NAME, subject(), origin)
    return folder


class TestImages:
    def test_the_head_is_turned_and_the_pet_lies_beside_the_t1(self) -> None:
        one = subject()
        turn = np.arccos((np.trace(one.t1_to_simulation[:3, :3]) - 1) / 2)
        assert 0.5 < np.degrees(turn) < 18
        moved = np.abs(one.pet_to_t1 - np.eye(4))
        assert 0.1 < moved[:3, 3].max() < 12

    def test_pet_and_labels_agree_once_the_pet_is_moved_onto_the_t1(self) -> None:
        one = subject()
        pet = one.noise_free["fdg"]
        on_t1 = resample(pet, np.linalg.inv(one.pet_to_t1), one.t1.grid)
        seen = regional_means(one.labels.data.astype(np.uint8), on_t1)
        truth = one.oracle.truth[0]
        big = [region_index(k) for k in ("frontal_lobe", "temporal_lobe", "cerebellum.L")]
        assert seen[big] == pytest.approx(truth[big], rel=0.03)

    def test_the_acquired_pet_is_the_truth_with_a_gain_and_noise(self) -> None:
        one = subject()
        truth, seen = one.noise_free["fdg"].data, one.acquired["fdg"].data
        inside = truth > 0.6
        assert np.corrcoef(truth[inside], seen[inside])[0, 1] > 0.9
        assert 2500 < np.median(seen[inside] / truth[inside]) < 9600

    def test_the_same_numbers_give_the_same_images(self) -> None:
        again = subject(tracers=("fdg",))
        assert again.t1.data.tobytes() == subject().t1.data.tobytes()
        # One tracer's image does not depend on which others were asked for.
        assert again.acquired["fdg"].data.tobytes() == subject().acquired["fdg"].data.tobytes()


class TestNull:
    def test_the_regions_measure_what_age_and_sex_say_whatever_the_brain(self) -> None:
        oracle = subject("null", ("fdg",)).oracle
        off = oracle.measured / oracle.truth - 1
        assert np.median(np.abs(off)) < 0.01
        for name in INFORMATION[1:]:
            belief, base = oracle.beliefs[name], oracle.beliefs["base"]
            assert belief.mean == pytest.approx(base.mean, abs=0.02)


class TestFiles:
    def test_images_have_their_names_units_and_types(self, written: Path) -> None:
        t1 = nib.load(written / "raw" / "anat" / f"{NAME}_T1w.nii.gz")
        pet = nib.load(written / "raw" / "pet" / f"{NAME}_trc-18FFDG_pet.nii.gz")
        labels = nib.load(written / NAME / f"{NAME}_dseg.nii.gz")
        assert t1.get_data_dtype() == np.int16
        assert labels.shape == t1.shape
        assert np.allclose(labels.affine, t1.affine)
        assert np.allclose(pet.header.get_zooms(), 2.0)
        assert b"SIMULATED" in t1.header["descrip"].item()
        free = nib.load(written / NAME / f"{NAME}_trc-11CPIB_desc-noisefree_pet.nii.gz")
        assert 0.5 < float(np.asarray(free.dataobj).max()) < 5

    def test_the_sidecar_has_what_pet_bids_demands(self, written: Path) -> None:
        file = written / "raw" / "pet" / f"{NAME}_trc-11CPIB_pet.json"
        facts = json.loads(file.read_text())
        assert facts["Units"] == "Bq/mL"
        assert facts["TracerRadionuclide"] == "C11"
        assert facts["Simulated"] is True
        demanded = {
            "Manufacturer", "ManufacturersModelName", "TracerName", "InjectedRadioactivity",
            "InjectedRadioactivityUnits", "InjectedMass", "InjectedMassUnits",
            "SpecificRadioactivity", "SpecificRadioactivityUnits", "ModeOfAdministration",
            "TimeZero", "ScanStart", "InjectionStart", "FrameTimesStart", "FrameDuration",
            "AcquisitionMode", "ImageDecayCorrected", "ImageDecayCorrectionTime",
            "ReconMethodName", "ReconMethodParameterLabels", "ReconMethodParameterUnits",
            "ReconMethodParameterValues", "ReconFilterType", "ReconFilterSize",
            "AttenuationCorrection",
        }  # fmt: skip
        assert demanded <= set(facts)

    def test_a_participant_is_a_clinical_record(self) -> None:
        row = participant(subject().person, NAME, "a")
        fields = ("age", "sex", "education", "mmse", "adas13", "apoe4")
        ClinicalRecord(**{k: row[k] for k in fields})

    def test_the_hidden_state_tells_what_was_known(self, written: Path) -> None:
        body = json.loads((written / NAME / f"{NAME}_latents.json").read_text())
        person = subject().person
        facts, shown, scores = evidence_of(body)
        assert (facts, scores) == (person.facts, person.scores)
        assert shown == person.shown

    def test_the_oracle_is_beside_it(self, written: Path) -> None:
        oracle = read_oracle(written / NAME / f"{NAME}_oracle.npz")
        assert oracle.tracers == ("fdg", "pib")
        assert oracle.beliefs["both"].draws.shape[:2] == (200, 2)
        assert oracle.reference.shape[0] == len(simulated_tracers())


class TestEffect:
    def test_a_lower_mmse_means_less_fdg_and_more_amyloid_in_their_targets(
        self, written: Path
    ) -> None:
        well, ill = (oracle_effect(written / NAME, {"mmse": m}, "clinic") for m in (29.0, 18.0))
        change = ill - well
        assert change[0, region_index("fdg_ad_metaroi")] < -0.02
        assert change[1, region_index("amyloid_composite")] > 0.05

    def test_what_was_measured_changes_nothing(self, written: Path) -> None:
        scores = subject().person.scores
        known = {k: v for k, v in {"mmse": scores.mmse, "adas13": scores.adas13}.items() if v}
        assert known
        assert not oracle_effect(written / NAME, known).any()

    def test_cognition_says_nothing_where_it_may_not_be_used(self, written: Path) -> None:
        assert not oracle_effect(written / NAME, {"mmse": 10.0}, "mri").any()
