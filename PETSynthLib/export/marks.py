"""The one place that says SYNTHETIC: every word that marks an output comes from here.

File names, header fields, sidecar fields, banners, corners, table columns. A writer takes its
marks from this file; no other file of the library holds the word in a string.
"""

from __future__ import annotations

from ..clinical import FIELDS
from ..tracers import Tracer

WORD = "SYNTHETIC"
SHORT = "SYN"
"""For tiles too small for the word."""
FILE_PART = "synth"
"""Part of every file name."""
ADJECTIVE = "synthetic"
SYNTHESIS = "synthesis"
"""For sentences."""
SIDECAR_KEY = "Synthetic"
"""Field of every JSON file: true, or false for an acquired PET."""
NRRD_KEY = "PETSynth.Synthetic"
"""Field of an NRRD's header, which 3D Slicer makes an attribute of the node."""

DEMONSTRATION = (
    "DEMONSTRATION MODEL - learnt from simulated brains. "
    "This picture says nothing about this patient's disease."
)
POPULATION = (
    "DEMONSTRATION MODEL - population averages laid onto this MRI. "
    "This picture says nothing about this patient's disease."
)
COMPUTED = "SYNTHETIC PET - computed from an MRI by a model, not acquired. Not for diagnosis."
ACQUIRED = (
    "ACQUIRED PET, measured by research software. Not a medical device; a physician reads the PET "
    "itself."
)
"""First line of a report on a PET that was acquired: it says nothing of being synthetic."""
SIMULATED = "SIMULATED PET: a simulator drew it, nobody was scanned."
ACQUIRED_TITLE = "PET report"
ACQUIRED_RIBBON = "Acquired PET - measured by research software - not a medical device"
CORNER = "SYNTHETIC PET - AI-generated from MRI - research only"
COGNITION = (
    "This picture was partly drawn from the cognitive scores entered. "
    "It is not independent evidence for their cause."
)
SENSITIVITY = "Model sensitivity (not a medical effect)"
SENSITIVITY_NOTE = (
    "Same seed and noise, so only the ticked fields differ. Shows the model's habits, not a "
    "forecast for this patient."
)
AMBIGUOUS = "MRI cannot tell which of these is true"
NOT_ACQUIRED = "No acquired PET. Not for diagnosis."
DO_NOT_USE = (
    "Do not use for: tumour, epilepsy focus, encephalitis, treatment selection, "
    "people under 50 years, children."
)
QUANTITY = "Synthetic SUVR"
TITLE = "Synthetic PET report"

NIFTI_DESCRIPTION = "SYNTHETIC PET (AI) not acquired"
NIFTI_INTENT = "SYNTHETIC SUVR"
NIFTI_COMMENT = (
    "SYNTHETIC PET: computed from an MRI by PETSynth, not acquired. Research only, not for "
    "diagnosis. The JSON file beside this one says how it was made."
)
LABELS_DESCRIPTION = "Regions of a SYNTHETIC PET (AI)"
LABELS_COMMENT = (
    "Regions in which a SYNTHETIC PET was measured: it was computed from an MRI by PETSynth, not "
    "acquired. Research only, not for diagnosis."
)
TABLE_COLUMN = ("synthetic", "TRUE")
"""First column of every table written to disk: its name and its value."""

DICOM_COMMENTS = f"{CORNER}.\n{NOT_ACQUIRED}"
"""Image Comments of every DICOM image."""
DICOM_CONTRIBUTION = "Computed a synthetic PET from an MRI"
"""What our software did, in Contributing Equipment."""
Z_QUANTITY = "Synthetic z"
INTERVAL_BOUNDS = (
    "Synthetic SUVR, lower end of the 90 % interval",
    "Synthetic SUVR, upper end of the 90 % interval",
)
IMAGE_ONLY_QUANTITY = "Synthetic SUVR, drawn without the cognitive scores"
SD_QUANTITY = "Synthetic SUVR, standard deviation"
HIDDEN_QUANTITY = "Synthetic SUVR, why it is not shown"
DERIVATION = "Synthetic PET computed from an MRI"
CONTENT_LABELS = {
    "suvr": "SYN_SUVR",
    "sd": "SYN_SUVR_SD",
    "low10": "SYN_SUVR_LOW10",
    "high90": "SYN_SUVR_HIGH90",
    "regions": "SYN_REGIONS",
}
"""Content Label of DICOM objects by the part of the file name (at most 16 capitals and digits)."""


def file_name(tracer: str, part: str, suffix: str) -> str:
    """Name of an output file, e.g. ``fdg_synth_suvr.nii.gz``.

    Parameters
    ----------
    tracer
        Key of the tracer registry.
    part
        What it holds (``"suvr"``, ``"sd"``, ``"sample-01"``, ``"regions"``), or empty.
    suffix
        With its dot.
    """
    return "_".join(filter(None, (tracer, FILE_PART, part))) + suffix


def bids_label(what: str) -> str:
    """Value of the BIDS entity ``desc``, e.g. ``synthSUVR``."""
    return f"{FILE_PART}{what}"


def acquired_file_name(tracer: str, part: str, suffix: str) -> str:
    """Name of a file about an acquired PET, e.g. ``fdg_acquired_regions.tsv``; as `file_name`."""
    return "_".join(filter(None, (tracer, "acquired", part))) + suffix


def title(tracer: Tracer) -> str:
    """Headline of a figure or report, e.g. ``SYNTHETIC FDG PET``."""
    return f"{WORD} {tracer.label} PET"


def series_description(tracer: Tracer, what: str = "SUVR") -> str:
    """Series Description of DICOM objects, at most 64 characters."""
    return f"{WORD} {tracer.label} {what} (AI from MRI) NOT FOR DIAGNOSIS"


def segment_label(title: str) -> str:
    """Name of a region that was measured in a synthetic PET, e.g. ``SYN Hippocampus left``."""
    return f"{SHORT} {title}"


ACQUIRED_FIELDS = {SIDECAR_KEY: False}
"""The same of an acquired PET."""


def sidecar_fields(tracer: Tracer) -> dict[str, object]:
    """Fields of a sidecar that keep the volume from passing for an acquired PET."""
    return {
        SIDECAR_KEY: True,
        "TracerName": f"{tracer.label} (simulated)",
        "TracerRadionuclide": "none",
        "Description": NIFTI_COMMENT,
    }


def evidence_fields(tracer: Tracer, synthetic: bool) -> dict[str, object]:
    """Fields of a record that say whether the PET behind it was acquired."""
    return sidecar_fields(tracer) if synthetic else dict(ACQUIRED_FIELDS)


def nrrd_fields() -> dict[str, str]:
    """Header fields of an NRRD about a synthetic PET."""
    return {NRRD_KEY: "1", "PETSynth.Description": NIFTI_COMMENT}


def cognition_used(fields: tuple[str, ...]) -> str:
    """Which cognitive fields shaped the picture, for corners and tables; empty when none did."""
    if not fields:
        return ""
    return f"drawn with {', '.join(FIELDS[name].label for name in fields)}"
