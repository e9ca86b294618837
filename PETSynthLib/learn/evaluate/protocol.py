"""A protocol: what was fixed before the judged subjects existed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...errors import ErrorCode, PETSynthError
from ...tracers import all_tracers


@dataclass(frozen=True)
class Protocol:
    """The part of a protocol file that the evaluation obeys.

    Attributes
    ----------
    name
        File name and version.
    sha256
        Of the file: a report shows which protocol it followed.
    primary
        Tracers of the primary family.
    """

    name: str
    sha256: str
    primary: tuple[str, ...]


def read_protocol(path: Path) -> Protocol:
    """Read a protocol such as ``Testing/benchmark/v1.yaml``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when it is missing, no YAML, or names no known primary tracer.
    """
    try:
        raw = path.read_bytes()
        body: Any = yaml.safe_load(raw)
        primary = tuple(body["primary"]["tracers"])
        version = body["version"]
        unknown = sorted(set(primary) - set(all_tracers()))
        if unknown or not primary:
            msg = f"unknown tracers {unknown}" if unknown else "no primary tracer"
            raise ValueError(msg)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as problem:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The protocol {path.name} cannot be read ({type(problem).__name__}).",
            "Give a file like Testing/benchmark/v1.yaml.",
        ) from problem
    return Protocol(f"{path.name}, version {version}", hashlib.sha256(raw).hexdigest(), primary)
