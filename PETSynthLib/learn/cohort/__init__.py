"""A simulated cohort with known truth, written as a BIDS data set.

`people` draws who is scanned, `anatomy` makes a brain, `mri` renders it, `uptake` and `pet` make
its PET, `posterior` works out what could be known of it at best, `bids` writes the files and
`simulate` walks through a cohort. Every number stands in `parameters`.
"""

from .parameters import CONFIGURATIONS, SITES
from .simulate import Cohort, CohortRequest, check_cohort, simulate_cohort

__all__ = [
    "CONFIGURATIONS",
    "SITES",
    "Cohort",
    "CohortRequest",
    "check_cohort",
    "simulate_cohort",
]
