"""Explained variance and calibration of the simulator's oracle on one standard brain.

``python Testing/benchmark/oracle.py [PEOPLE]`` draws people as `petsynth simulate` does and asks
the oracle about each, without making their images: what `petsynth simulate --oracle-check` prints
of a whole cohort, in a second a person.
"""

from __future__ import annotations

import sys

import numpy as np

from PETSynthLib.cli.simulate import print_checks
from PETSynthLib.learn.cohort.parameters import CONFIGURATIONS
from PETSynthLib.learn.cohort.posterior import beliefs, regional
from PETSynthLib.learn.cohort.subject import draw_person, standard_brain
from PETSynthLib.learn.oracle import Oracle, check_oracles
from PETSynthLib.learn.regions import region_keys
from PETSynthLib.tracers import simulated_tracers

SEED = 4


def main(people: int, config: str) -> None:
    """Print the table for ``people`` of the configuration ``config``."""
    law, configuration, tracers = (
        standard_brain(2.0).law,
        CONFIGURATIONS[config],
        tuple(simulated_tracers()),
    )
    oracles = []
    for index in range(people):
        person = draw_person("clinic", config, np.random.default_rng([SEED, 0, index]))
        focal = np.array([person.focal.label]), np.array([person.focal.depth])
        truth = regional(person.people, focal, law, tracers, configuration)[0]
        known = beliefs(
            person.facts, person.shown, person.scores, law, tracers, configuration,
            (SEED, 4, index),
        )  # fmt: skip
        oracles.append(
            Oracle(tracers, region_keys(), truth, truth, law.regions, law.reference, known)
        )
    print_checks(check_oracles(oracles))


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 400,
        sys.argv[2] if len(sys.argv) > 2 else "default",
    )
