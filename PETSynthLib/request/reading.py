"""Requests from their JSON form: which kind, which fields, of which types."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..clinical import ClinicalRecord
from ..errors import ErrorCode, PETSynthError
from .choices import (
    EXPORT,
    PROJECT,
    QUANTIFY,
    REQUEST_VERSION,
    SYNTHESIZE,
    Preset,
    Regions,
)
from .export import ExportRequest
from .project import ProjectRequest
from .quantify import QuantifyRequest
from .synthesis import SynthesisRequest

Request = SynthesisRequest | QuantifyRequest | ProjectRequest | ExportRequest


def request_from_dict(body: Any) -> SynthesisRequest:
    """Build a request for a synthesis from its JSON form.

    Raises
    ------
    PETSynthError
        When the version or kind is not ours, a field is unknown or has the wrong type.
    """
    return _from_dict(body, SYNTHESIZE, SynthesisRequest, _synthesis)


def quantify_request_from_dict(body: Any) -> QuantifyRequest:
    """Build a request for a measurement from its JSON form; errors as `request_from_dict`."""
    return _from_dict(body, QUANTIFY, QuantifyRequest, _measurement)


def project_request_from_dict(body: Any) -> ProjectRequest:
    """Build a request for a surface projection; errors as `request_from_dict`."""
    return _from_dict(body, PROJECT, ProjectRequest, lambda values: ProjectRequest(**values))


def export_request_from_dict(body: Any) -> ExportRequest:
    """Build a request for an export from its JSON form; errors as `request_from_dict`."""
    return _from_dict(body, EXPORT, ExportRequest, lambda values: ExportRequest(**values))


def _synthesis(values: dict[str, Any]) -> SynthesisRequest:
    preset = Preset(values.pop("preset", Preset.BALANCED.value))
    regions = Regions(values.pop("regions", Regions.DEFORMABLE.value))
    return SynthesisRequest(**values, preset=preset, regions=regions)


def _measurement(values: dict[str, Any]) -> QuantifyRequest:
    regions = Regions(values.pop("regions", Regions.DEFORMABLE.value))
    return QuantifyRequest(**values, regions=regions)


R = TypeVar("R", SynthesisRequest, QuantifyRequest, ProjectRequest, ExportRequest)


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
        if "clinical" in allowed:
            values["clinical"] = ClinicalRecord(**values.get("clinical", {}))
        return make(values)
    except (TypeError, ValueError) as problem:
        raise _unreadable(
            f"The request cannot be read: {problem}.", "Correct the field."
        ) from problem


def _unreadable(text: str, hint: str) -> PETSynthError:
    return PETSynthError(ErrorCode.PROTOCOL, text, hint)


_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("t1", "output", "tracer", "model", "device", "pet", "palette"), (str,)),
    **dict.fromkeys(("result", "subject", "study"), (str,)),
    **dict.fromkeys(("flair", "mask", "pet_scanner", "parcellation"), (str, type(None))),
    **dict.fromkeys(("space", "reference", "database", "pattern"), (str, type(None))),
    **dict.fromkeys(("transform", "find_on", "source_dicom"), (str, type(None))),
    **dict.fromkeys(("samples", "steps"), (int, type(None))),
    "gtm_fwhm_mm": (int, float, type(None)),
    "seed": (int,),
    **dict.fromkeys(("cognition_shapes_picture", "register", "deidentify"), (bool,)),
    "clinical": (dict,),
    **dict.fromkeys(("preset", "regions"), (str,)),
    **dict.fromkeys(("overridden_checks", "formats", "objects"), (list,)),
}


def _check_types(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if not isinstance(value, _TYPES[name]):
            msg = f"field {name} has type {type(value).__name__}"
            raise TypeError(msg)
    if isinstance(values.get("gtm_fwhm_mm"), bool):
        msg = "field gtm_fwhm_mm has type bool"
        raise TypeError(msg)
    for name in ("overridden_checks", "formats", "objects"):
        if not all(isinstance(one, str) for one in values.get(name, [])):
            msg = f"field {name} holds something else than names"
            raise TypeError(msg)
    for name, value in values.get("clinical", {}).items():
        expected = (str, type(None)) if name == "sex" else (int, float, type(None))
        if not isinstance(value, expected) or isinstance(value, bool):
            msg = f"clinical field {name} has type {type(value).__name__}"
            raise TypeError(msg)


def read_request(path: Path) -> Request:
    """Read a request of any kind from a JSON file (UTF-8)."""
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
    kind = body.get("kind") if isinstance(body, dict) else None
    return _READERS.get(str(kind), request_from_dict)(body)


_READERS: Mapping[str, Callable[[Any], Request]] = {
    QUANTIFY: quantify_request_from_dict,
    PROJECT: project_request_from_dict,
    EXPORT: export_request_from_dict,
}
"""Beside the synthesis, which also answers what is no request at all."""
