"""PASTA's loss: one pass of the dual arm, and the cycle in which the arms exchange their roles.

A pass predicts x from its noisy form, conditioned by y:
``mean |x - xh| W + 0.1 mean |x - xc| W + (1 - SSIM(x, xh))``, xc being what the conditioner itself
makes of y (Li et al. 2026). CycleEx adds up four passes, each with a time of its own:
PET from MRI; MRI from the PET that came of it; MRI from PET; PET from the MRI that came of it.

The release normalises pictures that come out of one pass and go into the next a second time; here
they go in as they are, because predictions are in the networks' range already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ...generate.diffusion import Diffusion
from ...generate.pasta.inputs import with_label
from ...generate.pasta.network import DualArm
from ..losses.ssim import ssim
from .interface import Batch, Terms
from .region_weights import RegionWeights

DATA_RANGE = 2.0
"""The networks' range is [-1, 1]."""
PASSES = ("pet", "cycle_mri", "mri", "cycle_pet")
"""The passes of CycleEx in their order; without it there is only the first."""
Task = Literal["synthesis", "reconstruction"]


@dataclass(frozen=True)
class Balance:
    """Weights of a pass's further terms, and what the conditioner shall predict."""

    task: Task
    task_weight: float
    ssim_weight: float


class PastaNetworks(nn.Module):
    """Everything that PASTA's optimiser updates: the arms, and weights of regions if learnt."""

    def __init__(self, arms: DualArm, weights: RegionWeights) -> None:
        super().__init__()
        self.arms = arms
        self.weights = weights


def pass_loss(
    x: Tensor, hat: Tensor, own: Tensor, task: Tensor, weight: Tensor, terms: Balance
) -> dict[str, Tensor]:
    """The terms of one pass.

    Parameters
    ----------
    x, hat
        Picture (N, slices, I, J) and its prediction by the denoiser.
    own, task
        Prediction of the conditioner, and what it should have been.
    weight
        W (N, slices, I, J).

    Returns
    -------
    ``image``, ``task``, ``ssim`` (already weighted), scalars.
    """
    with torch.autocast(x.device.type, enabled=False):
        image = ((hat.float() - x).abs() * weight).mean()
        aside = ((own.float() - task).abs() * weight).mean()
        # A stack is a small volume: (N, 1, slices, I, J).
        alike = ssim(hat[:, None], x[:, None], DATA_RANGE).mean()
        return {
            "image": image,
            "task": terms.task_weight * aside,
            "ssim": terms.ssim_weight * (1 - alike),
        }


def cycle_loss(networks: PastaNetworks, batch: Batch, path: Diffusion, terms: Balance) -> Terms:
    """The loss of a batch: the sum over its passes, and the regulariser of learnt weights.

    Parameters
    ----------
    batch
        ``pet`` (N, S, I, J); ``mri`` (N, S + FLAIR, I, J), its first S channels the T1; ``labels``
        (N, S, I, J); ``label`` (N, T or 0); ``known`` (N, D); ``tracer`` (N,); ``noise``
        (N, P, S, I, J) and ``time`` (N, P) of the P passes: all four, or the first alone.
    path
        How noise is added.

    Returns
    -------
    ``loss``; ``image``, ``task``, ``ssim`` summed over the passes; the image error of each pass.
    """
    arms, pet, mri = networks.arms, batch["pet"], batch["mri"]
    slices = arms.shape.slices
    t1 = mri[:, :slices]
    label, known = batch["label"], batch["known"]
    weight = networks.weights(batch["labels"], batch["tracer"])
    found: dict[str, dict[str, Tensor]] = {}

    def noisy(x: Tensor, number: int) -> tuple[Tensor, Tensor]:
        t = batch["time"][:, number]
        return path.noisy(x, batch["noise"][:, number], t), t

    def pet_pass(number: int, seen: Tensor) -> Tensor:
        images = torch.cat([seen, mri[:, slices:]], 1)
        hat, own = arms.pet_from_mri(*noisy(pet, number), with_label(images, label), known)
        task = pet if terms.task == "synthesis" else seen
        found[PASSES[number]] = pass_loss(pet, hat, own, task, weight, terms)
        return hat.float()

    def mri_pass(number: int, seen: Tensor) -> Tensor:
        x, t = noisy(t1, number)
        beside = with_label(torch.cat([x, mri[:, slices:]], 1), label)
        hat, own = arms.mri_from_pet(beside, t, seen)
        task = t1 if terms.task == "synthesis" else seen
        found[PASSES[number]] = pass_loss(t1, hat, own, task, weight, terms)
        return hat.float()

    made_pet = pet_pass(0, t1)
    if batch["time"].shape[1] > 1:
        mri_pass(1, made_pet)
        pet_pass(3, mri_pass(2, pet))
    sums = {n: torch.stack([p[n] for p in found.values()]).sum() for n in found["pet"]}
    loss = torch.stack(list(sums.values())).sum() + networks.weights.penalty()
    each = {f"{name}_image": parts["image"] for name, parts in found.items()}
    return {"loss": loss, **sums, **each}
