"""Few-step distillation of `rela`: a student does in one step what its teacher does in several.

Progressive distillation (Salimans and Ho 2022, arXiv 2202.00512) in a single round: the student's
few steps are fixed; from the same noisy PET the teacher takes its small steps without chance to the
student's next one, and the student learns the clean picture that leads there in one step.
"""

from __future__ import annotations

import copy
import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...errors import ErrorCode, PETSynthError
from ...generate.rela.network import DiffusionUNet
from ...generate.rela.sampling import Known, predictor
from ...generate.samplers import ddim_step
from ...generate.schedules import trailing_steps
from ..store import Subject
from .figures import scores_of
from .interface import Batch, Example, Player, Terms

if TYPE_CHECKING:
    from .rela import RelaMethod

LARGEST_WEIGHT = 10.0
"""Of a step's squared error; noise hides the less, the more its picture must be right."""


class DistilPart:
    """Teacher and student.

    Attributes
    ----------
    steps
        The student's own, falling.
    """

    def __init__(self, method: RelaMethod) -> None:
        self.method = method
        config, total = method.config.distil, method.diffusion.total
        self.steps = trailing_steps(total, config.steps)
        fine = trailing_steps(total, config.steps * config.teacher_steps)
        bounds = [*self.steps, -1]
        self.legs = [[t for t in fine if now >= t > after] for now, after in pairwise(bounds)]
        self.teacher: DiffusionUNet | None = None

    def player(self) -> Player:
        """The student."""
        return Player("student", self.method.network, self.loss)

    def teach(self, network: DiffusionUNet) -> None:
        """Take a finished network as the teacher; the student begins as it."""
        self.teacher = copy.deepcopy(network).requires_grad_(False).eval()

    def begin(self) -> None:
        """A stage begins.

        Raises
        ------
        PETSynthError
            ``BAD_REQUEST`` when there is nobody to learn from.
        """
        if self.teacher is None:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                "A distillation needs a finished model of rela to learn from.",
                "Name it with --init BUNDLE.",
            )
        self.teacher.to(next(self.method.network.parameters()).device)

    def timed(self, example: Example, rng: np.random.Generator) -> Example:
        """The example at one of the student's steps: ``leg`` is its number."""
        leg = int(rng.integers(len(self.steps)))
        return {**example, "time": np.asarray(self.steps[leg]), "leg": np.asarray(leg)}

    def loss(self, batch: Batch) -> Terms:
        """Squared error of the student's clean picture, each example by its own teacher's leg."""
        method = self.method
        pet = method.space.encode(batch["pet"]).float()
        mri = method.space.see(batch["mri"]).float()
        t, told = batch["time"], batch.get("told")
        x = method.diffusion.noisy(pet, batch["noise"], t)
        aims = []
        for n, leg in enumerate(batch["leg"].tolist()):
            one = slice(n, n + 1)
            known = Known(mri[one], batch["tracer"][one], None if told is None else told[one])
            aims.append(self.aim(x[one], known, leg))
        said = method.network(torch.cat([x, mri], 1), t, batch["tracer"], told)
        with torch.autocast(pet.device.type, enabled=False):
            clean = method.diffusion.clean(x, said, t)
            share = method.diffusion.alphas.to(t.device)[t]
            weight = (share / (1 - share)).clamp(1.0, LARGEST_WEIGHT).float()
            off = (clean - torch.cat(aims)).square()
            loss = (weight * method.pieces.over_brain(off, batch["brain"])).mean()
        return {"loss": loss}

    @torch.no_grad()
    def aim(self, x: Tensor, known: Known, leg: int) -> Tensor:
        """The clean picture by which one step leads from ``x`` to where the teacher's many do."""
        assert self.teacher is not None
        method = self.method
        alphas = [*method.diffusion.alphas.tolist(), 1.0]
        fine = [*self.legs[leg], self.steps[leg + 1] if leg + 1 < len(self.steps) else -1]
        model = predictor(self.teacher, method.space, method.diffusion, known)
        shares = [alphas[t] for t in fine]  # -1 is the last: the data end
        y = x
        for i, t in enumerate(fine[:-1]):
            y = ddim_step(y, model(y, t), shares[i], shares[i + 1])
        noise = math.sqrt((1 - shares[-1]) / (1 - shares[0]))
        return (y - noise * x) / (math.sqrt(shares[-1]) - noise * math.sqrt(shares[0]))

    def score(self, subject: Subject) -> dict[str, float]:
        """Errors of the student's sample, brain and target region, SUVR."""
        method = self.method
        drawn = [method.sample(subject, t, self.steps) for t in method.tracers]
        return scores_of(method.material, subject, np.stack(drawn))
