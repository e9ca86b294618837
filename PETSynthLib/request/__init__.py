"""The request: the only door into the library. Panel, command line, batch and tests build it."""

from .choices import (
    EXPORT,
    KINDS,
    PROJECT,
    QUANTIFY,
    REQUEST_VERSION,
    SCANNERS,
    SYNTHESIZE,
    Preset,
    Regions,
)
from .export import FORMATS, OBJECTS, ExportRequest
from .project import PALETTES, ProjectRequest
from .quantify import QuantifyRequest
from .reading import (
    Request,
    export_request_from_dict,
    project_request_from_dict,
    quantify_request_from_dict,
    read_request,
    request_from_dict,
)
from .synthesis import SynthesisRequest

__all__ = [
    "EXPORT",
    "FORMATS",
    "KINDS",
    "OBJECTS",
    "PALETTES",
    "PROJECT",
    "QUANTIFY",
    "REQUEST_VERSION",
    "SCANNERS",
    "SYNTHESIZE",
    "ExportRequest",
    "Preset",
    "ProjectRequest",
    "QuantifyRequest",
    "Regions",
    "Request",
    "SynthesisRequest",
    "export_request_from_dict",
    "project_request_from_dict",
    "quantify_request_from_dict",
    "read_request",
    "request_from_dict",
]
