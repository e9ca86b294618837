"""The files of a simulated subject and of its data set, as BIDS has them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...export.bids_dataset import BIDS_VERSION
from ...export.nifti import SCANNER_CODE, write_packed
from ...tracers import Tracer, all_tracers
from ...volume import Volume
from ..oracle import write_oracle
from .parameters import SITES
from .subject import SCANNER_NAMES, Simulated, latents, participant

MISSING = "n/a"
MARK = "SIMULATED subject, no real person"
COLUMNS = {
    "participant_id": {"Description": "Number of the simulated subject"},
    "age": {"Description": "Age at the scan", "Units": "year"},
    "sex": {"Description": "Sex", "Levels": {"F": "female", "M": "male"}},
    "education": {"Description": "Schooling", "Units": "year"},
    "mmse": {"Description": "Mini-Mental State Examination, 0 to 30, higher is better"},
    "adas13": {"Description": "ADAS-Cog-13, 0 to 85, higher is worse"},
    "apoe4": {"Description": "Number of APOE epsilon-4 alleles"},
    "diagnosis": {
        "Description": "What a clinician says, wrong in some",
        "Levels": {
            "CN": "cognitively normal or unspecific",
            "AD": "Alzheimer's disease",
            "FTD": "frontotemporal dementia",
            "DLB": "dementia with Lewy bodies",
            "VaD": "vascular dementia",
        },
    },
    "manufacturer": {"Description": "Manufacturer of the PET scanner that is imitated"},
    "site": {"Description": "Simulated site: who comes there and on what scanners"},
    "anatomy": {"Description": "Whose brain it is; the unit of splitting and of statistics"},
    "group": {
        "Description": "Planted group for checks of fairness",
        "Levels": {"standard": "as simulated", "low_contrast": "15 % less T1 contrast"},
    },
}
"""Columns of ``participants.tsv``."""

NOT_BIDS = "*_latents.json\n*_oracle.npz\nexplained_variance.json\n"
README = """\
SIMULATED DATA. No person stands behind any file of this folder.

Written by `petsynth simulate`. Every subject has a T1, a T2-FLAIR and one PET a tracer, made from a
hidden state that is known; nothing here may be presented as a measurement of a person, and numbers
obtained on it must not stand beside numbers of real cohorts as if they could be compared.

The MR images show the brain only: no skull is simulated, voxels outside the brain are zero.
The injected dose is arbitrary: PET in Bq/mL means something only as a ratio to a reference region.

derivatives/simulation holds, for every subject, the PET without noise, the labels of its own
regions, its hidden state and the oracle: what could be known of its regional SUVR at best.
"""


def write_json(path: Path, body: object) -> None:
    """Write ``body`` as JSON."""
    path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def write_image(path: Path, volume: Volume, kind: type[np.generic]) -> None:
    """Write ``volume`` as ``.nii.gz`` of the number type ``kind`` (equal volumes, equal bytes)."""
    from nibabel import nifti1

    data: NDArray[Any] = volume.data.astype(kind)
    image: Any = nifti1.Nifti1Image(data, volume.affine)
    image.header.set_data_dtype(kind)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = MARK.encode()
    image.set_sform(volume.affine, SCANNER_CODE)
    image.set_qform(volume.affine, SCANNER_CODE)
    write_packed(path, image)


def write_subject(
    raw: Path, derived: Path, name: str, simulated: Simulated, origin: dict[str, Any]
) -> None:
    """Write the files of subject ``name`` into two new folders.

    Parameters
    ----------
    raw, derived
        What becomes ``sub-XXXX`` and ``derivatives/simulation/sub-XXXX``.
    origin
        Seed, index, configuration, site and by which diagnosis people were chosen (if they were),
        kept with the hidden state.
    """
    for folder in (raw / "anat", raw / "pet", derived):
        folder.mkdir(parents=True)
    person = simulated.person
    for suffix, image in (("T1w", simulated.t1), ("FLAIR", simulated.flair)):
        write_image(raw / "anat" / f"{name}_{suffix}.nii.gz", image, np.int16)
        facts = {
            "Simulated": True,
            "BrainOnly": True,
            "Modality": "MR",
            "MagneticFieldStrength": 3,
            "SliceThickness": round(max(image.grid.spacing), 3),
        }
        write_json(raw / "anat" / f"{name}_{suffix}.json", facts)
    for tracer, image in simulated.acquired.items():
        entity = f"{name}_trc-{all_tracers()[tracer].bids}"
        write_image(raw / "pet" / f"{entity}_pet.nii.gz", image, np.float32)
        facts = pet_facts(all_tracers()[tracer], person.facts.scanner, person.facts.site)
        write_json(raw / "pet" / f"{entity}_pet.json", facts)
        free = derived / f"{entity}_desc-noisefree_pet"
        write_image(free.with_suffix(".nii.gz"), simulated.noise_free[tracer], np.float32)
        write_json(
            free.with_suffix(".json"), {"Simulated": True, "Units": "unitless", "SUVR": True}
        )
    write_image(derived / f"{name}_dseg.nii.gz", simulated.labels, np.uint8)
    row = participant(person, name, anatomy=f"seed{origin['seed']}-{origin['index']:04d}")
    body = {
        "simulated": True,
        **origin,
        "participant": row,
        **latents(person),
        "transforms": {
            "pet_to_t1": simulated.pet_to_t1.round(9).tolist(),
            "t1_to_simulation": simulated.t1_to_simulation.round(9).tolist(),
        },
    }
    write_json(derived / f"{name}_latents.json", body)
    write_oracle(derived / f"{name}_oracle.npz", simulated.oracle)


def pet_facts(tracer: Tracer, scanner: str, site: str) -> dict[str, Any]:
    """The PET-BIDS sidecar of an imitated scan."""
    return {
        "Simulated": True,
        "Manufacturer": SCANNER_NAMES[scanner],
        "ManufacturersModelName": "simulated",
        "InstitutionName": f"simulated site {site}",
        "Units": "Bq/mL",
        "TracerName": tracer.label,
        "TracerRadionuclide": tracer.radionuclide.lstrip("0123456789")
        + tracer.radionuclide.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        # BIDS wants a number, and nothing was injected into anybody.
        "InjectedRadioactivity": 0,
        "InjectedRadioactivityUnits": "MBq",
        "InjectedMass": MISSING,
        "InjectedMassUnits": "ug",
        "SpecificRadioactivity": MISSING,
        "SpecificRadioactivityUnits": "Bq/g",
        "ModeOfAdministration": "bolus",
        "TimeZero": "12:00:00",
        "ScanStart": 0,
        "InjectionStart": 0,
        "FrameTimesStart": [0],
        "FrameDuration": [1200],
        "AcquisitionMode": "static, simulated",
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
        "ReconMethodName": "simulated Gaussian point-spread function",
        "ReconMethodParameterLabels": ["fwhm"],
        "ReconMethodParameterUnits": ["mm"],
        "ReconMethodParameterValues": [SITES[site].psf_mm[scanner]],
        "ReconFilterType": "none",
        "ReconFilterSize": 0,
        "AttenuationCorrection": "none needed, simulated",
    }


def write_dataset(out: Path, facts: dict[str, Any]) -> None:
    """Write what describes the data set: description, README, columns.

    Parameters
    ----------
    facts
        Seed and settings of the cohort, kept with the derivatives.
    """
    generator = [{"Name": "petsynth simulate", "Version": __version__}]
    raw = {
        "Name": "SIMULATED brain MRI and PET (PETSynth), no real person",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "License": "CC0",
        "Authors": ["petsynth simulate"],
        "GeneratedBy": generator,
    }
    derived = {
        **raw,
        "Name": "SIMULATED truth and oracle (PETSynth)",
        "DatasetType": "derivative",
        "Simulation": facts,
    }
    derivatives = out / "derivatives" / "simulation"
    derivatives.mkdir(parents=True, exist_ok=True)
    write_json(out / "dataset_description.json", raw)
    write_json(out / "participants.json", COLUMNS)
    (out / "README").write_text(README, encoding="utf-8")
    write_json(derivatives / "dataset_description.json", derived)
    (derivatives / ".bidsignore").write_text(NOT_BIDS, encoding="utf-8")


def write_participants(out: Path) -> int:
    """Write ``participants.tsv`` from the subjects that are there; returns their number."""
    derivatives = out / "derivatives" / "simulation"
    rows = []
    for folder in sorted(out.glob("sub-*")):
        file = derivatives / folder.name / f"{folder.name}_latents.json"
        rows.append(json.loads(file.read_text(encoding="utf-8"))["participant"])
    part = out / "participants.tsv.part"
    with part.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            cells = [row[name] for name in COLUMNS]
            table.writerow(
                MISSING if c is None else f"{c:g}" if isinstance(c, float) else c for c in cells
            )
    part.replace(out / "participants.tsv")
    return len(rows)
