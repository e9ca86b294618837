"""The columns of a table of regions: words, unit and codes, for every form that leaves as a table.

The units are UCUM's. Quantities that DICOM has no code for stand in our own scheme; the mean of a
computed PET has another code than that of a measured one, so that the number keeps its mark
wherever it is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..quantify.terminology import Code
from . import marks

SCHEME = "99PETSYNTH"
RATIO = Code("{ratio}", "UCUM", "ratio")
MILLILITRE = Code("mL", "UCUM", "milliliter")
PERCENT = Code("%", "UCUM", "percent")
NO_UNIT = Code("1", "UCUM", "no units")
Z_SCORE = Code("113071", "DCM", "Z-score")


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        As in the file (`quantification_files.COLUMNS`).
    title
        For people, with the unit where there is one.
    description
        One sentence.
    unit
        None for words.
    quantity
        What is measured, None where no code says more than the name.
    """

    name: str
    title: str
    description: str
    unit: Code | None = None
    quantity: Code | None = None

    @property
    def number(self) -> bool:
        """Whether its cells are numbers (or ``n/a``)."""
        return self.unit is not None


def columns(names: tuple[str, ...], synthetic: bool) -> tuple[Column, ...]:
    """The columns of these names in their order; an unknown one describes itself by its name."""
    known = {column.name: column for column in _columns(synthetic)}
    return tuple(known.get(name, Column(name, name, name)) for name in names)


def suvr_code(synthetic: bool) -> Code:
    """The quantity of a regional mean; of a computed PET it carries the mark."""
    if synthetic:
        return Code("SYN-SUVR", SCHEME, marks.QUANTITY)
    return Code("SUVR", SCHEME, "Standardized uptake value ratio")


def z_code(synthetic: bool) -> Code:
    """The quantity of a regional z; DICOM's own for a measured PET, a marked one for a computed."""
    return Code("SYN-Z", SCHEME, marks.Z_QUANTITY) if synthetic else Z_SCORE


def _columns(synthetic: bool) -> tuple[Column, ...]:
    suvr, z = suvr_code(synthetic), z_code(synthetic)
    name, _ = marks.TABLE_COLUMN
    return (
        Column(name, marks.SIDECAR_KEY, "TRUE when a model computed the PET from an MRI."),
        Column("tracer", "Tracer", "Key of the tracer registry."),
        Column("reference", "Reference", "Region whose mean is 1 SUVR."),
        Column("regions", "Regions", "Where the regions come from."),
        Column("region", "Region", "Desikan-Killiany name, or a composite of such regions."),
        Column("side", "Side", "L, R, B (midline) or both."),
        Column("ml", "Volume [mL]", "Volume of the region in the MRI.", MILLILITRE),
        Column("suvr", "SUVR", "Mean uptake ratio of the region.", RATIO, suvr),
        Column("suvr_sd_voxels", "SD of voxels", "Spread over the region's voxels.", RATIO, suvr),
        Column("suvr_median", "Median", "Median over the region's voxels.", RATIO, suvr),
        Column("suvr_p90", "90th percentile", "Of the region's voxels.", RATIO, suvr),
        Column("interval90_low", "90 % from", "Lower end of the 90 % interval.", RATIO, suvr),
        Column("interval90_high", "90 % to", "Upper end of the 90 % interval.", RATIO, suvr),
        Column("asymmetry", "Asymmetry", "Difference of the sides in words."),
        Column("suvr_template", "SUVR (template)", "As the normals were measured.", RATIO, suvr),
        Column("expected", "Expected", "Mean of normals of this age and sex.", RATIO, suvr),
        Column("normal_low", "Normal from", "5th percentile of these normals.", RATIO, suvr),
        Column("normal_high", "Normal to", "95th percentile of these normals.", RATIO, suvr),
        Column("difference_percent", "Difference [%]", "From the expected value.", PERCENT),
        Column("z", "z", "Positive in the direction of disease.", NO_UNIT, z),
        Column("percentile", "Percentile", "Among normals of this age and sex.", PERCENT),
        Column("flag", "Flag", "yes where z is above the threshold of the database."),
        Column("fill_state_percent", "Fill state [%]", "Voxels beyond the threshold.", PERCENT),
        Column("suvr_gtm", "SUVR (GTM)", "Corrected for partial volume.", RATIO, suvr),
        Column(
            "suvr_image_only",
            "SUVR (image only)",
            "The same region drawn without the cognitive scores.",
            RATIO,
            suvr,
        ),
        Column("suvr_what_if", "SUVR (what if)", "With the other scores.", RATIO, suvr),
        Column(
            "suvr_change",
            "Change of SUVR",
            "A habit of the model, not a medical effect.",
            RATIO,
            suvr,
        ),
        Column("note", "Note", "Why a value is not shown."),
        Column("cognition", "Cognition", "Cognitive scores that shaped the picture."),
    )
