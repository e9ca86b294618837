"""What PASTA's networks see: the MRI in -1..1, one vector of what is known, a tracer label."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...clinical import FIELDS
from ..condition import clinical_vector, scanner_vector
from ..interface import GeneratorInput
from ..scaling import EMPTY, scaled_mri
from .network import ArmShape, DualArm


def images_of(
    t1: NDArray[np.float32], flair: NDArray[np.float32] | None, facts: dict[str, Any]
) -> list[Tensor]:
    """The MRI's volumes (I, J, K) that a network reads: T1, and FLAIR where it reads one.

    Parameters
    ----------
    flair
        None where it is missing or hidden: the network sees `EMPTY`.
    facts
        ``method_config`` of a bundle.
    """
    volumes = [scaled_mri(t1, facts["scaling"])]
    if facts["flair"]:
        empty = np.full_like(volumes[0], EMPTY)
        volumes.append(empty if flair is None else scaled_mri(flair, facts["scaling"]))
    return [torch.from_numpy(v) for v in volumes]


def tracer_label(tracer: str, facts: dict[str, Any]) -> NDArray[np.float32]:
    """(T,): which tracer; (0,) of a model that knows only one."""
    order: list[str] = facts["tracer_order"]
    if len(order) == 1:
        return np.zeros(0, np.float32)
    return np.asarray(np.eye(len(order), dtype=np.float32)[order.index(tracer)])


def known_vector(
    clinical: dict[str, float | None], scanner: str | None, tracer: str, facts: dict[str, Any]
) -> NDArray[np.float32]:
    """What the denoiser is told: clinical values and flags, scanner, tracer.

    A field whose scaling is not known (imported models) is as good as missing.
    """
    scaling: dict[str, list[float]] = facts["clinical_scaling"]
    told = {name: value if name in scaling else None for name, value in clinical.items()}
    parts = [
        clinical_vector(told, {name: scaling.get(name, [0.0, 1.0]) for name in FIELDS}),
        scanner_vector(scanner, facts),
        tracer_label(tracer, facts),
    ]
    return np.concatenate(parts).astype(np.float32)


def vector_length(facts: dict[str, Any]) -> int:
    """Length of `known_vector`."""
    tracers = len(facts["tracer_order"])
    return 2 * len(FIELDS) + len(facts["scanners"]) + (tracers if tracers > 1 else 0)


def channels_beside(slices: int, facts: dict[str, Any]) -> int:
    """Channels that the MRI's arm reads beside the T1: FLAIR slices, one plane a tracer."""
    tracers = len(facts["tracer_order"])
    return slices * int(facts["flair"]) + (tracers if tracers > 1 else 0)


def with_label(stacks: Tensor, label: Tensor) -> Tensor:
    """Stacks (N, C, H, W) with the tracer label (T,) or (N, T) as constant planes behind them."""
    planes = label.expand(len(stacks), -1)[:, :, None, None]
    return torch.cat([stacks, planes.expand(-1, -1, *stacks.shape[2:])], 1)


def build_pasta(facts: dict[str, Any]) -> DualArm:
    """The network that ``method_config`` of a bundle describes."""
    body = facts["network"]
    shape = {
        **body,
        "beside": channels_beside(body["slices"], facts),
        "clinical": vector_length(facts),
    }
    return DualArm(ArmShape.from_facts(shape))


def vector_of(inputs: GeneratorInput, facts: dict[str, Any]) -> NDArray[np.float32]:
    """`known_vector` of a request."""
    numbers = inputs.clinical.numbers()
    return known_vector(numbers, inputs.pet_scanner, inputs.tracer.key, facts)
