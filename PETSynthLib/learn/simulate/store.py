"""A simulated cohort on disk: memory-mapped arrays, one file a kind.

``t1.npy``, ``flair.npy``   float16 (n, VIEWS, K, I, J): renderings, axial slices first
``basis.npy``               float16 (n, K, B, I, J): PET basis maps
``recorded.npy``            float64 (n, 5): what the MRI shows (`people.RECORDED`)
``scanner.npy``             int64 (n,): index into ``request.SCANNERS``
``territories.npy``         uint8 (n, I, J, K), ``grey.npy`` bool: for regional means
``done.npy``                bool (n,): which anatomies are finished
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from ...request import SCANNERS
from ...volume import CANONICAL, Grid
from .anatomy import Template, make_brain
from .mri import render_flair, render_t1
from .people import RECORDED, draw_people, draw_recorded
from .uptake import BASES, PSF_FWHM_MM, basis_maps

VIEWS = 2
"""Renderings an anatomy: different contrast, bias, noise."""


def training_grid() -> Grid:
    """The part of `CANONICAL` that holds every brain: 80 x 96 x 84 voxels of 2 mm."""
    affine = CANONICAL.affine.copy()
    affine[:3, 3] = (-79.0, -111.0, -81.0)
    return Grid((80, 96, 84), affine, CANONICAL.name)


@dataclass(frozen=True, eq=False)
class Cohort:
    """The arrays of a cohort folder (see the module's docstring)."""

    t1: NDArray[np.float16]
    flair: NDArray[np.float16]
    basis: NDArray[np.float16]
    recorded: NDArray[np.float64]
    scanner: NDArray[np.int64]
    territories: NDArray[np.uint8]
    grey: NDArray[np.bool_]
    done: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of anatomies."""
        return len(self.done)


def _layout(n: int) -> dict[str, tuple[type, tuple[int, ...]]]:
    i, j, k = training_grid().shape
    return {
        "t1": (np.float16, (n, VIEWS, k, i, j)),
        "flair": (np.float16, (n, VIEWS, k, i, j)),
        "basis": (np.float16, (n, k, len(BASES), i, j)),
        "recorded": (np.float64, (n, len(RECORDED))),
        "scanner": (np.int64, (n,)),
        "territories": (np.uint8, (n, i, j, k)),
        "grey": (np.bool_, (n, i, j, k)),
        "done": (np.bool_, (n,)),
    }


def open_cohort(folder: Path) -> Cohort:
    """The cohort in ``folder``, read-only."""
    names = _layout(0)
    return Cohort(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names})


def create(folder: Path, n: int) -> None:
    """Make the empty arrays of a cohort of ``n`` anatomies (kept when they are there)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (dtype, shape) in _layout(n).items():
        path = folder / f"{name}.npy"
        if not path.exists():
            open_memmap(path, mode="w+", dtype=dtype, shape=shape).flush()


def fill(folder: Path, part: int, parts: int, seed: int) -> None:
    """Simulate every ``parts``-th anatomy from ``part`` on; finished ones are skipped."""
    torch.set_num_threads(1)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _layout(0)}
    template = Template(training_grid())
    started = time.perf_counter()
    for index in range(part, len(arrays["done"]), parts):
        if arrays["done"][index]:
            continue
        for name, value in simulate_one(template, seed, index).items():
            arrays[name][index] = value
        arrays["done"][index] = True
        if index % 10 < parts:
            print(f"anatomy {index}: {time.perf_counter() - started:.0f} s", flush=True)


def simulate_one(template: Template, seed: int, index: int) -> dict[str, NDArray[np.generic]]:
    """Everything of anatomy ``index`` of the cohort ``seed``: same numbers, same bytes."""
    rng = np.random.default_rng([seed, index])
    recorded = draw_recorded(draw_people(1, rng), rng)[0]
    brain = make_brain(template, recorded, rng)
    scanner = int(rng.integers(len(SCANNERS)))
    maps = basis_maps(
        brain.tissues,
        brain.labels,
        brain.deep,
        brain.lesions,
        template.reference,
        PSF_FWHM_MM[SCANNERS[scanner]],
        template.grid.spacing[0],
    )
    t1 = torch.stack([render_t1(template, brain, rng) for _ in range(VIEWS)])
    flair = torch.stack([render_flair(template, brain, rng) for _ in range(VIEWS)])
    grey = brain.tissues[0] + brain.tissues[1] * brain.deep
    return {
        "t1": t1.permute(0, 3, 1, 2).half().numpy(),
        "flair": flair.permute(0, 3, 1, 2).half().numpy(),
        "basis": maps.permute(3, 0, 1, 2).half().numpy(),
        "recorded": recorded,
        "scanner": np.int64(scanner),
        "territories": brain.labels.to(torch.uint8).numpy(),
        "grey": (grey > 0.5).numpy(),
    }


def main() -> None:
    """``python -m PETSynthLib.learn.simulate.store OUT --subjects N --part P --parts Q``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, required=True)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2026)
    chosen = parser.parse_args()
    create(chosen.folder, chosen.subjects)
    fill(chosen.folder, chosen.part, chosen.parts, chosen.seed)


if __name__ == "__main__":
    main()
