"""The request: the only door into the library. Panel, command line, batch and tests build it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from .assets import REFERENCE_BITS
from .checks import OVERRIDABLE, OVERRIDABLE_OF_MEASURING
from .clinical import ClinicalRecord
from .errors import ErrorCode, PETSynthError

REQUEST_VERSION = 1
SCANNERS = ("ge", "philips", "siemens")


class Preset(StrEnum):
    """How much time to spend. The numbers behind it stand in the bundle's ``config.json``."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class Regions(StrEnum):
    """How the atlas is laid onto the MRI for the table; the picture takes the affine either way."""

    DEFORMABLE = "deformable"
    AFFINE = "affine"


@dataclass(frozen=True)
class SynthesisRequest:
    """Everything that decides a synthesis; equal requests give equal results.

    Attributes
    ----------
    t1
        Path of the T1-weighted MRI (NIfTI or NRRD).
    output
        Folder for the results.
    tracer
        Key of the tracer registry.
    flair, mask
        Paths of a T2-FLAIR and of a brain mask on the T1's grid, when the user has them.
    clinical
        What is known of the person.
    cognition_shapes_picture
        Whether the user allowed MMSE, ADAS-Cog-13 and APOE4 to shape the picture.
    pet_scanner
        Manufacturer whose PET is imitated; None for an average scanner.
    model
        Name of a shipped or installed bundle, or the path of one.
    preset
        Quality preset of the bundle.
    samples, steps
        Number of random samples and sampler steps; None takes the preset's.
    seed
        Seed of the samples.
    regions
        How the regions of the table are laid onto the MRI; affine is quicker, and small regions
        are off by millimetres.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:i``, ``mps`` or ``xpu``.
    overridden_checks
        Names from `checks.OVERRIDABLE` whose red light the user overrode ("Use anyway"); kept
        sorted, each once. Every result says which of them were red.
    """

    t1: str
    output: str
    tracer: str = "fdg"
    flair: str | None = None
    mask: str | None = None
    clinical: ClinicalRecord = field(default_factory=ClinicalRecord)
    cognition_shapes_picture: bool = False
    pet_scanner: str | None = None
    model: str = "flow"
    preset: Preset = Preset.BALANCED
    samples: int | None = None
    steps: int | None = None
    seed: int = 0
    regions: Regions = Regions.DEFORMABLE
    device: str = "auto"
    overridden_checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.pet_scanner is not None and self.pet_scanner not in SCANNERS:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The PET scanner {self.pet_scanner!r} is not known.",
                f"Choose one of {', '.join(SCANNERS)}, or leave it out.",
            )
        names = _checked_names(self.overridden_checks, OVERRIDABLE)
        object.__setattr__(self, "overridden_checks", names)
        _check_count("samples", self.samples, 0, 64)
        _check_count("steps", self.steps, 1, 100)
        _check_count("seed", self.seed, 0, 2**31 - 1)

    @property
    def clinical_for_picture(self) -> ClinicalRecord:
        """The clinical record as the generator may see it."""
        if self.cognition_shapes_picture:
            return self.clinical
        return self.clinical.without_cognition()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, with kind and version."""
        body = dataclasses.asdict(self)
        body["preset"] = self.preset.value
        body["regions"] = self.regions.value
        body["overridden_checks"] = list(self.overridden_checks)
        return {"version": REQUEST_VERSION, "kind": "synthesize", **body}


@dataclass(frozen=True)
class QuantifyRequest:
    """Everything that decides a measurement of a PET; equal requests give equal results.

    Attributes
    ----------
    pet
        Path of the PET (NIfTI or NRRD), or of the folder of a synthesis.
    t1
        Path of the T1-weighted MRI it belongs to.
    output
        Folder for the results.
    tracer
        Key of the tracer registry; empty for a synthetic PET, of which it is known.
    parcellation
        Path of a FreeSurfer, FastSurfer or SynthSeg parcellation of the T1, or None for the atlas.
    mask
        Path of a brain mask on the T1's grid.
    space
        Folder ``space/`` of an earlier result on the same T1.
    register
        Whether a PET that lies beside the T1 may be moved onto it.
    reference
        Reference region; None for the tracer's own.
    database
        Folder or name of a normative database, or None.
    clinical
        Age and sex, at which the normals are taken.
    gtm_fwhm_mm
        Resolution of the scanner in mm: then partial-volume corrected means stand beside.
    pattern
        Path of the user's regional pattern, with which z is correlated, or None.
    regions
        How the atlas is laid onto the MRI, as in `SynthesisRequest`.
    device
        Where deepbet runs.
    overridden_checks
        Names from `checks.OVERRIDABLE_OF_MEASURING`, as in `SynthesisRequest`.
    """

    pet: str
    t1: str
    output: str
    tracer: str = ""
    parcellation: str | None = None
    mask: str | None = None
    space: str | None = None
    register: bool = False
    reference: str | None = None
    database: str | None = None
    clinical: ClinicalRecord = field(default_factory=ClinicalRecord)
    gtm_fwhm_mm: float | None = None
    pattern: str | None = None
    regions: Regions = Regions.DEFORMABLE
    device: str = "auto"
    overridden_checks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.reference is not None and self.reference not in REFERENCE_BITS:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The reference region {self.reference!r} is not known.",
                f"Choose one of {', '.join(REFERENCE_BITS)}, or leave it out.",
            )
        if self.gtm_fwhm_mm is not None and not 0.0 < self.gtm_fwhm_mm <= 20.0:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"A resolution of {self.gtm_fwhm_mm:g} mm is no PET scanner's.",
                "Give the scanner's full width at half maximum, about 4 to 8 mm.",
            )
        names = _checked_names(self.overridden_checks, OVERRIDABLE_OF_MEASURING)
        object.__setattr__(self, "overridden_checks", names)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, with kind and version."""
        body = dataclasses.asdict(self)
        body["regions"] = self.regions.value
        body["overridden_checks"] = list(self.overridden_checks)
        return {"version": REQUEST_VERSION, "kind": "quantify", **body}


Request = SynthesisRequest | QuantifyRequest


def _checked_names(names: Iterable[str], allowed: Mapping[str, str]) -> tuple[str, ...]:
    if unknown := sorted(set(names) - set(allowed)):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"These checks cannot be overridden: {', '.join(unknown)}.",
            f"Those that can are {', '.join(allowed)}.",
        )
    return tuple(sorted(set(names)))


def _check_count(name: str, value: int | None, low: int, high: int) -> None:
    if value is not None and (isinstance(value, bool) or not low <= value <= high):
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The number of {name} {value} is outside {low} to {high}."
            if name != "seed"
            else f"The seed {value} is outside {low} to {high}.",
            "Give a number in this range.",
        )


def request_from_dict(body: Any) -> SynthesisRequest:
    """Build a request for a synthesis from its JSON form.

    Raises
    ------
    PETSynthError
        When the version or kind is not ours, a field is unknown or has the wrong type.
    """
    return _from_dict(body, "synthesize", SynthesisRequest, _synthesis)


def quantify_request_from_dict(body: Any) -> QuantifyRequest:
    """Build a request for a measurement from its JSON form; errors as `request_from_dict`."""
    return _from_dict(body, "quantify", QuantifyRequest, _measurement)


def _synthesis(values: dict[str, Any]) -> SynthesisRequest:
    preset = Preset(values.pop("preset", Preset.BALANCED.value))
    regions = Regions(values.pop("regions", Regions.DEFORMABLE.value))
    return SynthesisRequest(**values, preset=preset, regions=regions)


def _measurement(values: dict[str, Any]) -> QuantifyRequest:
    regions = Regions(values.pop("regions", Regions.DEFORMABLE.value))
    return QuantifyRequest(**values, regions=regions)


R = TypeVar("R", SynthesisRequest, QuantifyRequest)


def _from_dict(body: Any, expected: str, form: type[R], make: Callable[[dict[str, Any]], R]) -> R:
    if not isinstance(body, dict):
        words = "Its form is described in Resources/docs/request.md."
        raise _unreadable("The request is not a JSON object.", words)
    values = dict(body)
    version, kind = values.pop("version", None), values.pop("kind", None)
    if version != REQUEST_VERSION:
        raise _unreadable(
            f"The request has version {version!r}, this release reads {REQUEST_VERSION}.",
            "Write the request with the same release that runs it.",
        )
    if kind != expected:
        raise _unreadable(f"The request kind {kind!r} is not known.", f"Use kind {expected}.")
    allowed = {f.name for f in dataclasses.fields(form)}
    if unknown := sorted(set(values) - allowed):
        raise _unreadable(
            f"The request has unknown fields: {', '.join(unknown)}.",
            f"Known fields are {', '.join(sorted(allowed))}.",
        )
    try:
        _check_types(values)
        values["clinical"] = ClinicalRecord(**values.get("clinical", {}))
        return make(values)
    except (TypeError, ValueError) as problem:
        raise _unreadable(
            f"The request cannot be read: {problem}.", "Correct the field."
        ) from problem


def _unreadable(text: str, hint: str) -> PETSynthError:
    return PETSynthError(ErrorCode.PROTOCOL, text, hint)


_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("t1", "output", "tracer", "model", "device", "pet"), (str,)),
    **dict.fromkeys(("flair", "mask", "pet_scanner", "parcellation"), (str, type(None))),
    **dict.fromkeys(("space", "reference", "database", "pattern"), (str, type(None))),
    **dict.fromkeys(("samples", "steps"), (int, type(None))),
    "gtm_fwhm_mm": (int, float, type(None)),
    "seed": (int,),
    **dict.fromkeys(("cognition_shapes_picture", "register"), (bool,)),
    "clinical": (dict,),
    **dict.fromkeys(("preset", "regions"), (str,)),
    "overridden_checks": (list,),
}


def _check_types(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if not isinstance(value, _TYPES[name]):
            msg = f"field {name} has type {type(value).__name__}"
            raise TypeError(msg)
    if isinstance(values.get("gtm_fwhm_mm"), bool):
        msg = "field gtm_fwhm_mm has type bool"
        raise TypeError(msg)
    if not all(isinstance(name, str) for name in values.get("overridden_checks", [])):
        msg = "field overridden_checks holds something else than names"
        raise TypeError(msg)
    for name, value in values.get("clinical", {}).items():
        expected = (str, type(None)) if name == "sex" else (int, float, type(None))
        if not isinstance(value, expected) or isinstance(value, bool):
            msg = f"clinical field {name} has type {type(value).__name__}"
            raise TypeError(msg)


def read_request(path: Path) -> Request:
    """Read a request of either kind from a JSON file (UTF-8)."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The request file {path} cannot be read ({problem.strerror}).",
            "Check the path.",
        ) from problem
    except ValueError as problem:
        raise PETSynthError(
            ErrorCode.PROTOCOL,
            f"The request file {path} is not valid JSON.",
            "Check it with a JSON viewer.",
        ) from problem
    if isinstance(body, dict) and body.get("kind") == "quantify":
        return quantify_request_from_dict(body)
    return request_from_dict(body)
