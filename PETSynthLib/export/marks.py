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
TABLE_COLUMN = ("synthetic", "TRUE")
"""First column of every table written to disk: its name and its value."""


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


def acquired_file_name(tracer: str, part: str, suffix: str) -> str:
    """Name of a file about an acquired PET, e.g. ``fdg_acquired_regions.tsv``; as `file_name`."""
    return "_".join(filter(None, (tracer, "acquired", part))) + suffix


def title(tracer: Tracer) -> str:
    """Headline of a figure or report, e.g. ``SYNTHETIC FDG PET``."""
    return f"{WORD} {tracer.label} PET"


ACQUIRED_FIELDS = {"Synthetic": False}
"""The same of an acquired PET."""


def sidecar_fields(tracer: Tracer) -> dict[str, object]:
    """Fields of a sidecar that keep the volume from passing for an acquired PET."""
    return {
        "Synthetic": True,
        "TracerName": f"{tracer.label} (simulated)",
        "TracerRadionuclide": "none",
        "Description": NIFTI_COMMENT,
    }


def cognition_used(fields: tuple[str, ...]) -> str:
    """Which cognitive fields shaped the picture, for corners and tables; empty when none did."""
    if not fields:
        return ""
    return f"drawn with {', '.join(FIELDS[name].label for name in fields)}"
