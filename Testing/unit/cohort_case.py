"""One small simulated subject, made once for all tests of the simulator."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from PETSynthLib.learn.cohort import posterior
from PETSynthLib.learn.cohort.subject import Simulated, simulate_subject

SEED, INDEX, SPACING_MM = 11, 1, 2.0


# With more threads torch may round the last bit otherwise.
torch.set_num_threads(1)


@cache
def subject(config: str = "default", tracers: tuple[str, ...] = ("fdg", "pib")) -> Simulated:
    """Subject 1 of the cohort 11: its brain made at 2 mm, its oracle of fewer draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "PROPOSALS", 4000)
        patch.setattr(posterior, "RESAMPLED", 1000)
        return simulate_subject(SEED, INDEX, "clinic", config, tracers, SPACING_MM)
