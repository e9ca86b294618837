"""Running a `rela` bundle: noise becomes PETs, and their mean and spread are the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ..bundle import Bundle
from ..condition import clinical_vector, scanner_vector
from ..device import Placement, keep_big_buffers, place
from ..diffusion import Diffusion
from ..draws import answer_of, seeds_of
from ..interface import Effort, Generated, GeneratorInput
from ..scaling import scaled_mri
from ..schedules import scaled_linear_alphas
from .network import DiffusionUNet, shape_from
from .sampling import Known, draw, steps_of
from .space import Space, build_space, padded, stacked
from .units import units_of


@dataclass(frozen=True, eq=False)
class RelaGenerator:
    """A loaded `rela` bundle (see `Generator`).

    Attributes
    ----------
    diffusion
        Schedule, and what the network says.
    sampler
        One of `sampling.SAMPLERS`.
    means
        See `units.units_of`.
    hidden
        Images that are not shown though they are given (``t1``, ``flair``): for measuring what
        each is worth. No request can ask for it.
    """

    bundle: Bundle
    network: DiffusionUNet
    space: Space
    diffusion: Diffusion
    placement: Placement
    sampler: str
    means: dict[str, NDArray[np.float32]]
    hidden: tuple[str, ...] = ()

    @torch.inference_mode()
    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        self.bundle.require_images(flair=inputs.flair is not None)
        started = time.perf_counter()
        steps = self.steps(effort.steps)
        seeds = seeds_of(effort, self.bundle.facts["sampler"]["draws"])
        known, total = self._known(inputs), len(seeds) * len(steps)

        def report(draw: int) -> Callable[[int, Tensor], None]:
            done = draw * len(steps)
            return lambda step, _: progress.step(done + step + 1, total)

        progress.step(0, total)
        drawn = [self.draw(inputs, known, seed, steps, report(k)) for k, seed in enumerate(seeds)]
        details = {
            **self.placement.as_dict(),
            "sampler": self.sampler,
            "steps": len(steps),
            "seconds": round(time.perf_counter() - started, 3),
        }
        return answer_of(np.stack(drawn), inputs, effort, self.bundle, details)

    def steps(self, asked: int) -> list[int]:
        """The steps of the schedule to be taken; a distilled network knows only its own."""
        own = self.bundle.facts["sampler"].get("timesteps")
        return list(own) if own else steps_of(self.sampler, self.diffusion, asked)

    def _known(self, inputs: GeneratorInput) -> Known:
        device = self.placement.device
        scaling = self.bundle.facts["scaling"]
        flair_data = None if inputs.flair is None else inputs.flair.data
        images = {"t1": inputs.t1.data, "flair": flair_data}
        t1, flair = (
            None if name in self.hidden or image is None else scaled_mri(image, scaling)
            for name, image in images.items()
        )
        mri = stacked(t1, flair, inputs.t1.shape)[None].to(device)
        label = self.bundle.facts["tracer_labels"][inputs.tracer.key]
        told = told_vector(inputs.clinical.numbers(), inputs.pet_scanner, 0.0, self.bundle.facts)
        with self.placement.autocast():
            seen = self.space.see(padded(mri, self.space.factor * self.network.multiple)).float()
        return Known(
            seen,
            torch.tensor([label], device=device),
            None if told is None else torch.from_numpy(told)[None].to(device),
        )

    def draw(
        self,
        inputs: GeneratorInput,
        known: Known,
        seed: int,
        steps: list[int],
        callback: Callable[[int, Tensor], None],
    ) -> NDArray[np.float32]:
        """One sample (I, J, K), SUVR; nothing outside the brain, of which the MRI says nothing."""
        parts = (self.network, self.space, self.diffusion)
        with self.placement.autocast():
            image = draw(*parts, known, self.sampler, steps, seed, callback)[0, 0]
        i, j, k = inputs.t1.shape
        units = units_of(self.bundle.facts, inputs.tracer.key, self.means)
        return units.suvr(image[:i, :j, :k].cpu().numpy()) * inputs.brain.mask


def told_vector(
    clinical: dict[str, float | None],
    scanner: str | None,
    blur_mm: float,
    facts: dict[str, Any],
) -> NDArray[np.float32] | None:
    """What the network is told beside images, time and tracer; None where that is nothing.

    Parameters
    ----------
    blur_mm
        Width (FWHM) by which the wanted PET is blurred beyond the scanner's own resolution: chance
        in training with ``blur_mm``, 0 in use.
    facts
        ``method_config``: ``told`` names the parts.
    """
    parts = []
    if "clinic" in facts["told"]:
        parts.append(clinical_vector(clinical, facts["clinical_scaling"]))
    if "scanner" in facts["told"]:
        parts += [scanner_vector(scanner, facts), np.array([blur_mm / 10.0], np.float32)]
    return np.concatenate(parts).astype(np.float32) if parts else None


def load_rela(bundle: Bundle, device: str) -> RelaGenerator:
    """Load the weights of ``bundle`` (float16 on disk) onto ``device``.

    Raises
    ------
    PETSynthError
        ``BUNDLE_DAMAGED`` when a tracer's label has no row in the embedding.
    """
    keep_big_buffers()
    placement = place(device)
    facts = bundle.facts
    shape = shape_from(facts["network"])
    labels = {key: facts["tracer_labels"].get(key) for key in bundle.tracers}
    for key, label in labels.items():
        if label is None or not 0 <= label < shape.classes:
            raise PETSynthError(
                ErrorCode.BUNDLE_DAMAGED,
                f"The model {bundle.name} has no label for the tracer {key} "
                f"(it says {label}; its embedding has {shape.classes} rows).",
                "Train or import the model again.",
            )
    network, space = DiffusionUNet(shape), build_space(facts["space"])
    weights = {k: v.float() for k, v in load_file(bundle.weights).items()}
    for prefix, part in (("network.", network), ("space.", space)):
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        part.load_state_dict(own)
        part.to(placement.device).eval()
    alphas = scaled_linear_alphas(**facts["schedule"])
    diffusion = Diffusion(alphas, facts["says"])
    means = {
        k.removeprefix("mean."): v.numpy() for k, v in weights.items() if k.startswith("mean.")
    }
    sampler = facts["sampler"]["name"]
    return RelaGenerator(bundle, network, space, diffusion, placement, sampler, means)
