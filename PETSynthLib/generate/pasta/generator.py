"""Running a `pasta` bundle: MRI in, the mean, spread and members of several draws out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ...errors import ErrorCode, PETSynthError
from ...progress import Progress
from ...volume import PLANES
from ..bundle import Bundle
from ..device import Placement, keep_big_buffers, place
from ..draws import FEWEST, answer_of, seeds_of
from ..interface import Effort, Generated, GeneratorInput
from ..scaling import suvr_of
from .inputs import build_pasta, images_of, tracer_label, vector_of
from .network import DualArm
from .sampling import Drawing, diffusion_of, draw_volumes

VERSION = 1
PREVIEWS = 4
"""Previews of a run at most."""


@dataclass(frozen=True, eq=False)
class PastaGenerator:
    """A loaded `pasta` bundle (see `Generator`).

    A diffusion knows no mean: mean and standard deviation are those of its draws, of which at least
    ``generate.draws`` of the bundle are made however few samples are asked for.
    """

    bundle: Bundle
    network: DualArm
    placement: Placement

    @torch.inference_mode()
    def generate(self, inputs: GeneratorInput, effort: Effort, progress: Progress) -> Generated:
        """See `Generator.generate`."""
        started = time.perf_counter()
        facts, device = self.bundle.facts, self.placement.device
        drawing = drawing_of(facts, effort)
        low, high = facts["suvr_range"][inputs.tracer.key]
        flair = None if inputs.flair is None else inputs.flair.data
        images = [image.to(device) for image in images_of(inputs.t1.data, flair, facts)]
        label = torch.from_numpy(tracer_label(inputs.tracer.key, facts)).to(device)
        known = torch.from_numpy(vector_of(inputs, facts)).to(device)
        shown = 0

        def report(done: int, total: int, so_far: Callable[[], Tensor]) -> None:
            nonlocal shown
            progress.step(done, total)
            if PREVIEWS * done // total > shown and done < total:
                shown = PREVIEWS * done // total
                suvr = suvr_of(so_far().cpu().numpy(), (low, high)) * inputs.brain.mask
                progress.preview(inputs.pet(suvr))

        with self.placement.autocast():
            drawn = draw_volumes(
                self.network, images, label, known, diffusion_of(facts), drawing, report
            )
        details = {
            **self.placement.as_dict(),
            "steps": drawing.steps,
            "stride": drawing.stride,
            "planes": list(drawing.planes),
            "seconds": round(time.perf_counter() - started, 3),
        }
        draws = suvr_of(drawn.float().cpu().numpy(), (low, high))
        return answer_of(draws, inputs, effort, self.bundle, details)


def drawing_of(facts: dict[str, Any], effort: Effort) -> Drawing:
    """What an effort means for a bundle's ``method_config``."""
    body = facts["generate"]
    return Drawing(
        steps=min(effort.steps, facts["diffusion"]["timesteps"] // body["every"]),
        seeds=seeds_of(effort, body["draws"]),
        stride=body["stride"],
        planes=tuple(body["planes"]),
        every=body["every"],
    )


def load_pasta(bundle: Bundle, device: str) -> PastaGenerator:
    """Load the weights of ``bundle`` (float16 on disk; imported ones float32) onto ``device``.

    Raises
    ------
    PETSynthError
        ``BUNDLE_DAMAGED`` when its version is another, its weights do not fit its description, or
        its stacks are thicker than its grid.
    """
    keep_big_buffers()
    placement = place(device)
    facts = bundle.facts
    if facts.get("version") != VERSION:
        raise _unusable(bundle, "was made by another version of pasta")
    body = facts["generate"]
    if body["draws"] < FEWEST or not 1 <= body["stride"] <= facts["network"]["slices"]:
        raise _unusable(bundle, "asks for too few draws, or for stacks that leave gaps")
    if not body["planes"] or set(body["planes"]) - set(PLANES):
        raise _unusable(bundle, "asks for planes that there are not")
    thinnest = min(bundle.grid.shape[PLANES[p]] for p in body["planes"])
    if facts["network"]["slices"] > thinnest:
        words = f"has stacks of {facts['network']['slices']} slices, its grid only {thinnest}"
        raise _unusable(bundle, words)
    try:
        network = build_pasta(facts)
        network.load_state_dict({k: v.float() for k, v in load_file(bundle.weights).items()})
    except (RuntimeError, ValueError) as problem:
        raise _unusable(bundle, "holds weights of another architecture") from problem
    network.to(placement.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    return PastaGenerator(bundle, network, placement)


def _unusable(bundle: Bundle, what: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BUNDLE_DAMAGED,
        f"The model {bundle.name} {what}.",
        "Train or import it again with this version of PETSynth.",
    )
