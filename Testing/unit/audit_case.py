"""A store of different brains and a model without weights, for the tests of the audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from store_case import case_grid, make_store

from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.learn.evaluate.predictor import Images
from PETSynthLib.learn.store import Store, Subject
from PETSynthLib.volume import Grid

SHAPE = (8, 8, 8)


def different_brains(folder: Path, n: int, shape: tuple[int, int, int] = SHAPE) -> Store:
    """A store whose T1s have nothing in common (those of `make_store` are one template)."""
    store = make_store(folder, n=n, shape=shape, tracers=("fdg",), seed=5)
    rng = np.random.default_rng(11)
    images = rng.uniform(0.2, 1.0, (n, *shape)) * np.load(folder / "brain.npy")
    np.save(folder / "t1.npy", images.astype(np.float16))
    return store


@dataclass(frozen=True)
class Bundle:
    """What the audit reads of a bundle."""

    config: dict[str, Any] = field(default_factory=dict)
    name: str = "painter"
    version: str = "0.1.0"
    sha256: str = "0" * 64
    grid: Grid = field(default_factory=lambda: case_grid(SHAPE))


@dataclass(frozen=True)
class Peeker:
    """A model that knows the true PET, and says how sure it is."""

    error: float = 0.0
    sd: float = 0.02
    label: str = "painter"
    seed: int = 0
    tracers: tuple[str, ...] = ("fdg",)
    fields: tuple[str, ...] = ("age", "sex", "mmse")
    information: tuple[str, ...] = ("mri", "both")
    draws_samples: bool = False
    bundle: Bundle = field(default_factory=Bundle)

    def images(
        self,
        store: Store,
        subject: Subject,
        tracer: str,
        clinical: ClinicalRecord,
        samples: int = 0,
        seed: int = 0,
        mri_of: Subject | None = None,
    ) -> Images:
        mean = store.truth(subject.row, tracer) + np.float32(self.error)
        sd, given = np.full_like(mean, self.sd), "both" if clinical.cognition() else "mri"
        return Images(mean, sd, (), {"fdg_ad_metaroi": 1.0}, 0.0, given)
