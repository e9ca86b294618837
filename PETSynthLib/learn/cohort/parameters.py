"""Every number of the simulator, with its unit and its source.

Sources: ``V`` was read in the source named, ``R`` is recalled and to be checked, ``T`` was tuned
so that the oracle's explained variance comes out as `EXPLAINED` says, ``D`` is a decision of
design. `tabulate` writes the table of the documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

AETIOLOGIES = ("none", "ad", "ftd", "dlb", "vascular")
"""Hidden causes: none, Alzheimer, frontotemporal, Lewy body, vascular."""
DIAGNOSES = ("CN", "AD", "FTD", "DLB", "VaD")
"""What a clinician calls them, in the same order."""


def number(default: Any, unit: str, source: str) -> Any:
    """A parameter with its unit and its source."""
    return field(default=default, metadata={"unit": unit, "source": source})


@dataclass(frozen=True)
class Disease:
    """Hidden state: amyloid -> tau -> neurodegeneration -> cognition."""

    apoe4_allele: float = number(0.2, "frequency", "R: 0.14-0.2 in memory clinics")
    positive_log_odds: tuple[float, float, float] = number(
        (-1.0, 0.05, 1.05),
        "intercept, per year from 71, per APOE4 allele",
        "R; gives V Doraiswamy 2014: 14 % of CN, 68 % of AD dementia positive",
    )
    amyloid_negative_sd: float = number(0.06, "of the range negative to positive", "D")
    amyloid_positive: tuple[float, float, float, float] = number(
        (0.35, 0.85, 2.0, 1.8),
        "offset, width, beta a, beta b",
        "V PMC7860631: PiB medians 1.38, 1.93, 2.40",
    )
    aetiology_if_positive: tuple[float, ...] = number(
        (0.30, 0.56, 0.03, 0.07, 0.04), "shares of `AETIOLOGIES`", "R"
    )
    aetiology_if_negative: tuple[float, ...] = number(
        (0.73, 0.0, 0.09, 0.07, 0.11), "shares of `AETIOLOGIES`", "R"
    )
    tau_background: tuple[float, float, float] = number(
        (0.06, 0.002, 0.05), "mean at 71 years, per year, sd", "V PMC7860631: CN 1.18 (1.14-1.23)"
    )
    tau_of_ad: tuple[float, float, float, float] = number(
        (0.10, 0.85, 1.8, 1.8), "offset, width, beta a, beta b", "V PMC7860631: AD 1.94 (1.55-2.32)"
    )
    tau_per_amyloid: float = number(0.12, "tau per amyloid without AD", "R")
    neurodegeneration: tuple[float, float, float, float] = number(
        (0.50, 0.10, 0.20, 0.18),
        "per tau, per vascular load, per Lewy body severity, sd",
        "T",
    )
    posterior_variant: float = number(0.1, "share of AD with an occipital pattern", "R")
    severity: tuple[float, float] = number((0.35, 1.0), "range in FTD and DLB", "D")
    vascular: tuple[float, float, float, float] = number(
        (0.15, 0.012, 1.2, 0.12), "at 60 years, per year, gamma shape, gamma scale", "D"
    )
    vascular_disease: tuple[float, float] = number((0.4, 0.9), "load added in VaD", "D")
    inflammation: tuple[float, float, float, float] = number(
        (0.2, 0.45, 0.25, 0.22),
        "background, per tau, per vascular load, sd",
        "V direction: Kreisl 2013 PMC3692038 (AD > HC); size T",
    )
    mixed_binder: float = number(0.45, "share of people", "V pbr28_demographics.csv: 4 of 10")
    asymmetry_sd: float = number(0.22, "share by which one side is worse", "D")
    focal: tuple[float, float] = number(
        (0.1, 0.1), "share with an MRI correlate, without one", "D: specification of the cohort"
    )
    focal_depth: tuple[float, float] = number((0.25, 0.6), "share of the FDG uptake lost", "D")


@dataclass(frozen=True)
class Clinic:
    """What the clinic measures and how often it does not."""

    education: tuple[float, float] = number((15.0, 3.0), "years: mean, sd (6 to 20)", "R: ADNI")
    mmse: tuple[float, float, float, float] = number(
        (30.6, 13.5, 0.12, 1.9),
        "healthy, per burden, per year of school, sd; rounded, 0-30",
        "V PMC9014819: 28.9+-1.3, 27.3+-2.3, 21.6+-3.9",
    )
    adas13: tuple[float, float, float, float] = number(
        (8.0, 36.0, -0.3, 6.5),
        "healthy, per burden, per year of school, sd; rounded, 0-85",
        "V PMC9014819: 12.9+-4.8, 19.9+-6.8, 34.3+-9.0",
    )
    burden: tuple[float, ...] = number(
        (0.5, 0.45, 0.35, 0.35, 0.15),
        "weights of N, tau, frontal, occipital and vascular severity",
        "D",
    )
    resilience: tuple[float, float, float] = number(
        (0.5, 0.4, 2.0), "how much disease is noticed: log-normal sd, lowest, highest", "T"
    )
    missing: tuple[float, float, float, float] = number(
        (0.05, 0.05, 0.2, 0.25), "share: education, MMSE, ADAS-Cog-13, APOE4", "D"
    )
    misdiagnosed: float = number(0.15, "share given another diagnosis", "R: 10-30 % at autopsy")


@dataclass(frozen=True)
class Recorded:
    """What the MRI shows: noise (sd) of each recorded number, and two of their means."""

    atrophy_left: float = number(0.30, "of N", "T")
    atrophy_right: float = number(0.30, "of N", "T")
    frontal_atrophy: float = number(0.20, "of severity", "T")
    occipital_atrophy: float = number(0.20, "of severity", "T")
    global_atrophy: float = number(0.20, "of N and age", "T")
    lesion_load: float = number(0.15, "of vascular load", "T")
    focal_extent: float = number(0.08, "of the share lost", "D")
    occipital_shown: float = number(0.6, "mean of occipital atrophy per severity", "D")
    global_of: tuple[float, float, float] = number(
        (0.45, 0.02, 0.1),
        "mean of global atrophy per N, per year from 60, per vascular load",
        "R: whole brain 0.5-0.7 %/yr in CN, 1.4-1.9 in AD",
    )


@dataclass(frozen=True)
class Uptake:
    """How the hidden state changes uptake, beside the tables of `uptake`."""

    fdg_ad: float = number(1.5, "times `LOSS_AD`: share of FDG lost per N", "R: 1.30 to 1.07")
    fdg_lesion: float = number(0.35, "share lost in a hyperintensity", "R")
    fdg_vascular: float = number(0.06, "share of frontal grey lost per vascular load", "R")
    amyloid_pib: float = number(1.45, "uptake added to full grey matter per A", "V PMC7860631")
    amyloid_florbetapir: float = number(0.72, "the same", "R: AV45 1.12+-.18 to 1.38+-.22")
    tau: tuple[float, float, float] = number(
        (0.9, 1.3, 1.3), "uptake added by Braak I-II, III-IV, V-VI", "V PMC7860631: AD 1.94"
    )
    tau_steps: tuple[tuple[float, float], ...] = number(
        ((0.20, 0.06), (0.38, 0.09), (0.58, 0.10)), "T at half, width of each step", "D"
    )
    tau_off_target_sd: float = number(0.15, "share, basal ganglia and choroid", "R")
    inflammation: float = number(0.25, "uptake added per I", "R: AD + 10-15 %")
    mixed_binder: float = number(-0.04, "uptake of grey outside the reference", "R")
    global_sd: tuple[float, ...] = number(
        (0.055, 0.09, 0.08, 0.055, 0.03), "share, whole cortex: FDG PiB AV45 AV1451 PBR28", "T"
    )
    lobe_sd: tuple[float, ...] = number(
        (0.035, 0.03, 0.03, 0.03, 0.02), "share, each lobe and side, same order", "T"
    )


@dataclass(frozen=True)
class Anatomy:
    """Shape of the brain."""

    bend_mm: tuple[float, float] = number(
        (2.5, 1.3), "sd of the warp's nodes, 20 and 10 mm apart", "D: specification, 3-6 mm"
    )
    shrink: tuple[float, float] = number(
        (1.08, 0.035),
        "template over own length: mean, sd",
        "R: the template is 1.9 L, people 1.5 L",
    )
    shear_sd: float = number(0.015, "share", "D")
    folding: tuple[tuple[float, float], ...] = number(
        ((0.9, 4.5), (0.6, 8.0)),
        "log-odds sd and node distance in mm of the tissue noise",
        "D: specification, 4-6 mm and 1.5",
    )
    sharpness: tuple[float, float] = number((0.3, 0.45), "temperature of the soft-max", "D")
    fluid: tuple[float, float, float] = number(
        (0.5, 0.15, 0.8), "log odds of CSF: older than the template, sd, sd at the ventricles", "T"
    )
    thinning: tuple[float, ...] = number(
        (3.0, 3.0, 2.4, 1.5, 0.6, 6.0),
        "log odds of CSF per recorded atrophy (with the FDG pattern: AD, frontal, occipital), "
        "medial temporal, per global atrophy, per focal extent",
        "D",
    )
    ventricles: tuple[float, float] = number(
        (2.6, 0.8), "log odds of CSF per global atrophy, per side's atrophy", "D"
    )
    lesions: tuple[float, float, float] = number(
        (2.2, 2.0, 1.5),
        "log odds (of unit-sd noise, 8 mm nodes): near the ventricles, threshold, per load",
        "T: about 1 to 25 mL",
    )
    thickness_sd: float = number(0.1, "share, cortical thickness over 25 mm", "R")
    thick_log_odds: float = number(3.0, "log odds of grey matter per relative thickness", "D")


@dataclass(frozen=True)
class Scan:
    """MRI contrast and resolution, and how the head lies."""

    turn_deg: float = number(10.0, "largest rotation about each axis", "D")
    shift_mm: float = number(10.0, "largest shift along each axis", "D")
    thick_share: float = number(0.33, "share of T1 with slices of 2 to 3 mm", "D")
    t1_grey: tuple[float, float] = number((0.58, 0.78), "range, white matter = 1", "D")
    t1_deep: tuple[float, float] = number((0.1, 0.6), "way of deep grey towards white", "D")
    t1_fluid: tuple[float, float] = number((0.15, 0.35), "range, white matter = 1", "D")
    t1_lesion: tuple[float, float] = number((0.1, 0.35), "share darker than white matter", "D")
    flair_grey: tuple[float, float] = number((0.85, 1.0), "range", "D")
    flair_white: tuple[float, float] = number((0.62, 0.75), "range", "D")
    flair_fluid: tuple[float, float] = number((0.05, 0.2), "range", "D")
    flair_lesion: tuple[float, float] = number((0.5, 0.9), "brighter than white matter", "D")
    region_sd: float = number(0.02, "share, contrast from region to region", "D")
    grey_sd: float = number(0.03, "share, grey matter over 18 mm", "D")
    bias: tuple[float, float] = number((0.02, 0.12), "log sd of the bias field, 60 mm nodes", "D")
    noise: tuple[float, float] = number((0.01, 0.035), "Rician sd, white matter = 1", "D")
    pet_turn_deg: float = number(3.0, "largest rotation of PET against T1", "D")
    pet_shift_mm: float = number(4.0, "largest shift of PET against T1", "D")
    low_contrast: tuple[float, float] = number(
        (0.1, 0.15), "share of subjects, share of T1 contrast lost", "D: planted for fairness"
    )


@dataclass(frozen=True)
class Acquisition:
    """What a PET scanner adds to the uptake it blurs."""

    scatter: tuple[float, float] = number((0.02, 0.06), "of the head's mean", "R")
    radial: tuple[float, float] = number((0.02, 0.05), "loss at the rim", "R")
    noise: tuple[float, float] = number(
        (0.05, 0.08), "sd at 6 mm, 18F, at the head's mean uptake", "R: 5-10 %"
    )
    noise_carbon: float = number(1.4, "factor for 11C", "R")
    gain: tuple[float, float] = number((3000.0, 9000.0), "Bq/mL per SUVR", "D: arbitrary dose")
    texture_mm: tuple[float, float] = number((4.0, 8.0), "FWHM of the texture", "D")
    texture_sd: tuple[float, float] = number((0.08, 0.12), "log-normal sd", "D")
    texture_thickness: float = number(0.5, "share of its sd that follows cortical thickness", "D")


@dataclass(frozen=True)
class Site:
    """Where people are scanned: who comes, and on what.

    Attributes
    ----------
    age
        Mean and sd in years (50 to 95).
    positive
        Added to the log odds of amyloid positivity, by scanner.
    psf_mm
        Resolution (FWHM) by scanner; shares are equal.
    """

    age: tuple[float, float]
    positive: dict[str, float]
    psf_mm: dict[str, float]


SITES = {
    "clinic": Site(
        age=(71.0, 9.0),
        positive={"ge": 0.7, "philips": 0.0, "siemens": -0.7},
        psf_mm={"ge": 6.0, "philips": 7.0, "siemens": 5.0},
    ),
    "community": Site(
        age=(75.0, 7.0),
        positive={"ge": -0.6, "philips": -0.6, "siemens": -0.6},
        psf_mm={"ge": 7.0, "philips": 8.0, "siemens": 6.0},
    ),
    "elsewhere": Site(age=(71.0, 9.0), positive={"canon": 0.0}, psf_mm={"canon": 8.5}),
}
"""Resolutions inside V bioRxiv 2024.09.30.614929 (3.5-8.5 mm); prevalence differs by scanner so
that standardising by manufacturer can be seen to remove disease (D). ``elsewhere`` has a
manufacturer that no model knows."""


@dataclass(frozen=True)
class Null:
    """The average hidden state that every PET of ``null`` shows: at 71 years, per year."""

    amyloid: tuple[float, float] = number((0.35, 0.008), "at 71 years, per year", "D")
    tau: tuple[float, float] = number((0.22, 0.004), "at 71 years, per year", "D")
    neurodegeneration: tuple[float, float] = number((0.20, 0.004), "at 71 years, per year", "D")
    vascular: tuple[float, float] = number((0.35, 0.012), "at 71 years, per year", "D")
    inflammation: tuple[float, float] = number((0.40, 0.004), "at 71 years, per year", "D")


@dataclass(frozen=True)
class Configuration:
    """How strongly MRI and clinic know the PET.

    Attributes
    ----------
    linked
        False: the PET depends on age and sex only.
    recorded, scores, unexplained
        Factors on the noise of the recorded numbers, of the test scores, and on the uptake that
        nothing shows.
    """

    linked: bool
    recorded: float
    scores: float
    unexplained: float


CONFIGURATIONS = {
    "null": Configuration(linked=False, recorded=1.0, scores=1.0, unexplained=1.0),
    "default": Configuration(linked=True, recorded=1.0, scores=1.0, unexplained=1.0),
    "strong": Configuration(linked=True, recorded=0.5, scores=0.6, unexplained=0.5),
}

EXPLAINED = {
    "fdg": (0.25, 0.35, 0.50),
    "flortaucipir": (0.30, 0.20, 0.40),
    "pib": (0.15, 0.05, 0.18),
    "florbetapir": (0.15, 0.05, 0.18),
    "pbr28": (0.05, 0.05, 0.08),
}
"""Explained variance of each tracer's target by clinic, MRI and both that ``default`` aims at."""

DISEASE, CLINIC, RECORDED_LAW, UPTAKE = Disease(), Clinic(), Recorded(), Uptake()
ANATOMY, SCAN, ACQUISITION, NULL = Anatomy(), Scan(), Acquisition(), Null()
GROUPS = (DISEASE, CLINIC, RECORDED_LAW, UPTAKE, ANATOMY, SCAN, ACQUISITION, NULL)


def tabulate() -> Iterator[tuple[str, str, str, str]]:
    """Rows (name, value, unit, source) of every parameter."""
    for group in GROUPS:
        for f in fields(group):
            value = str(getattr(group, f.name)).replace("(", "").replace(")", "")
            name = f"{type(group).__name__}.{f.name}"
            yield name, value, f.metadata["unit"], f.metadata["source"]
