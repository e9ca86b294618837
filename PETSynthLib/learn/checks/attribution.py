"""How much each clinical fact moved a number: occlusion and exact Shapley values.

A number is asked for with every subset of the facts known (the others missing, as the models were
trained to bear): 64 pictures for six facts. Shapley (1953): a fact's share is its effect averaged
over all orders in which the facts could become known; the shares add up to the whole effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from math import factorial

import numpy as np
from numpy.typing import NDArray

from ...clinical import ClinicalRecord

Array = NDArray[np.float64]


def told(record: ClinicalRecord, known: Sequence[str]) -> ClinicalRecord:
    """``record`` with only the fields ``known``."""
    return ClinicalRecord(
        **{f.name: getattr(record, f.name) for f in fields(record) if f.name in known}
    )


def every_subset(
    record: ClinicalRecord, players: Sequence[str], value: Callable[[ClinicalRecord], Array]
) -> Array:
    """``value`` of the record with each subset of ``players`` known.

    Returns
    -------
    Array (2^P, ...): in subset b, player i is known when bit i of b is set.
    """
    subsets = range(2 ** len(players))
    return np.stack(
        [value(told(record, [p for i, p in enumerate(players) if b >> i & 1])) for b in subsets]
    )


def shapley(values: Array) -> Array:
    """Shapley value (P, ...) of each player from the values (2^P, ...) of all subsets."""
    players = len(values).bit_length() - 1
    result = np.zeros((players, *values.shape[1:]))
    for b in range(len(values)):
        size = b.bit_count()
        for i in range(players):
            if not b >> i & 1:
                orders = factorial(size) * factorial(players - size - 1) / factorial(players)
                result[i] += orders * (values[b | 1 << i] - values[b])
    return result


def occlusion(
    record: ClinicalRecord, players: Sequence[str], value: Callable[[ClinicalRecord], Array]
) -> Array:
    """What the value loses (P, ...) when one of ``players`` alone is hidden."""
    whole = value(told(record, players))
    return np.stack(
        [whole - value(told(record, [p for p in players if p != hidden])) for hidden in players]
    )
