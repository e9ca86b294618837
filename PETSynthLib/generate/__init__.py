"""Generators: from MRI to PET on the template grid. A folder a method, a bundle a model."""

from .bundle import (
    Bundle,
    LoadedGenerator,
    find_bundle,
    list_bundles,
    load_generator,
    verify_bundle,
)
from .interface import Effort, Generated, Generator, GeneratorInput

__all__ = [
    "Bundle",
    "Effort",
    "Generated",
    "Generator",
    "GeneratorInput",
    "LoadedGenerator",
    "find_bundle",
    "list_bundles",
    "load_generator",
    "verify_bundle",
]
