"""From the parameter node to the library's request; the panel decides nothing else."""

from dataclasses import replace

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.request import Preset as LibraryPreset
from PETSynthLib.request import SynthesisRequest

from .Parameters import Preset, Scanner, Sex

ALLELES = {"NONE": 0, "ONE": 1, "TWO": 2}


def clinicalRecord(patient):
    """The clinical record of a `PatientPack`: without its tick a value is missing, never 0."""
    return ClinicalRecord(
        age=float(patient.age) if patient.ageKnown else None,
        sex=("F" if patient.sex == Sex.FEMALE else "M") if patient.sexKnown else None,
        education=float(patient.education) if patient.educationKnown else None,
        mmse=float(patient.mmse) if patient.mmseKnown else None,
        adas13=float(patient.adas13) if patient.adas13Known else None,
        apoe4=ALLELES[patient.apoe4.name] if patient.apoe4Known else None,
    )


def makeRequest(patient, run, device, usesScanner=True):
    """The request of this moment, without its files: `withFiles` adds them when the run starts.

    Parameters
    ----------
    patient, run
        `PatientPack` and `RunPack`.
    device
        ``auto`` or a device of the worker.
    usesScanner
        False where the model knows no scanners: a choice made for another model is not sent.
    """
    custom = run.preset == Preset.CUSTOM
    preset = LibraryPreset.BALANCED if custom else LibraryPreset(run.preset.name.lower())
    scanner = None if run.scanner == Scanner.AVERAGE else run.scanner.name.lower()
    return SynthesisRequest(
        t1="",
        output="",
        tracer=run.tracer.key,
        clinical=clinicalRecord(patient),
        cognition_shapes_picture=bool(patient.cognitionShapes),
        pet_scanner=scanner if usesScanner else None,
        model=run.modelId,
        preset=preset,
        samples=run.samples if custom else None,
        steps=run.steps if custom else None,
        seed=run.seed,
        device=device,
    )


def withFiles(request, files, output):
    """``request`` for the exported ``files`` (``t1``, ``flair``, ``mask``), into ``output``."""
    return replace(
        request,
        t1=str(files.t1),
        flair=None if files.flair is None else str(files.flair),
        mask=None if files.mask is None else str(files.mask),
        output=str(output),
    )
