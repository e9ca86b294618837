"""Running a bundle of `bbdm` or `ddpm`: one network, asked at each step of a draw."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ..progress import Progress
from .bundle import Bundle
from .condition import images_and_facts
from .device import Placement, keep_big_buffers, place
from .draws import FEWEST, answer_of, seeds_of
from .interface import Effort, Generated, GeneratorInput
from .standardisation import suvr_line
from .timed import TimedUNet, build_timed

Model = Callable[[Tensor, float], Tensor]
"""``model(x, t)``: the network's own output at time t in 0..1."""
Sampler = Callable[[Model, Tensor, int, torch.Generator, dict[str, Any]], Tensor]
"""``sampler(model, t1, steps, generator, facts)``: one PET (1, 1, I, J, K), network scale."""


@dataclass(frozen=True, eq=False)
class DrawnGenerator:
    """A loaded bundle of a diffusion method (see `Generator`)."""

    bundle: Bundle
    network: TimedUNet
    placement: Placement
    sampler: Sampler

    @torch.inference_mode()
    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        started = time.perf_counter()
        facts = self.bundle.facts
        images, known = images_and_facts(inputs, facts)
        label = [np.float32(t == inputs.tracer.key) for t in facts["tracer_order"]]
        told = np.concatenate([known, label]).astype(np.float32)
        device = self.placement.device
        shown = torch.from_numpy(images)[None].to(device)
        vector = torch.from_numpy(told)[None].to(device)
        line = suvr_line(facts, inputs.tracer.key, inputs.pet_scanner)
        seeds, drawn = seeds_of(effort, FEWEST), []
        for k, seed in enumerate(seeds):
            progress.step(k, len(seeds))
            generator = torch.Generator().manual_seed(seed)
            with self.placement.autocast():
                model = told_model(self.network, shown, vector)
                values = self.sampler(model, shown[:, :1], effort.steps, generator, facts)
            drawn.append(line.to_suvr(values[0, 0].float().cpu().numpy()) * inputs.brain.mask)
        progress.step(len(seeds), len(seeds))
        details = {
            **self.placement.as_dict(),
            **({"standardised_for": line.scanner} if line.scanner else {}),
            "steps": effort.steps,
            "seconds": round(time.perf_counter() - started, 3),
        }
        return answer_of(np.stack(drawn), inputs, effort, self.bundle, details)


def told_model(network: TimedUNet, images: Tensor, told: Tensor) -> Model:
    """The network with everything but the noisy picture and the time filled in."""

    def model(x: Tensor, t: float) -> Tensor:
        out: Tensor = network(x, torch.full((len(x),), t, device=x.device), images, told)
        return out

    return model


def load_drawn(bundle: Bundle, device: str, sampler: Sampler) -> DrawnGenerator:
    """Load the weights of ``bundle`` (float16 on disk) onto ``device``."""
    keep_big_buffers()
    placement = place(device)
    network = build_timed(bundle.facts)
    network.load_state_dict({k: v.float() for k, v in load_file(bundle.weights).items()})
    network.to(placement.device).eval()
    return DrawnGenerator(bundle, network, placement, sampler)
