"""From a data set of MRI and PET pairs to a store. Read `run` first."""

from __future__ import annotations

from .grids import grid_named
from .run import Prepared, PrepareRequest, prepare_store

__all__ = ["PrepareRequest", "Prepared", "grid_named", "prepare_store"]
