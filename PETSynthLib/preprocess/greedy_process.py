"""A child process that runs one picsl-greedy registration: ``python -m ...greedy_process``.

A process of its own because greedy holds Python's lock for seconds (nobody could cancel), writes
to the terminal from C++, and may take the process down with it. Reads an ``.npz`` from stdin
(``fixed``, ``fixed_affine``, ``moving``, ``moving_affine``, ``options``), writes JSON to stdout:
``{"matrix": 4x4}``, fixed RAS mm to moving RAS mm.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

import numpy as np

from ..volume import Volume
from .itk import image_of


def register(fixed: Volume, moving: Volume, options: str) -> list[list[float]]:
    """The matrix greedy finds; ``options`` as on greedy's command line."""
    from picsl_greedy import Greedy3D

    greedy = Greedy3D()
    images: dict[str, Any] = {
        "fixed": image_of(fixed),
        "moving": image_of(moving),
        "affine": None,
    }
    greedy.execute(f"-i fixed moving -a {options} -o affine", out=sys.stderr, **images)
    return [[float(number) for number in row] for row in np.asarray(greedy["affine"])]


def main() -> None:
    """Read the images, register, write the matrix."""
    # Whatever C++ prints goes to stderr; only the answer goes to the real stdout.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as sent:
        fixed = Volume(sent["fixed"], sent["fixed_affine"])
        moving = Volume(sent["moving"], sent["moving_affine"])
        options = str(sent["options"])
    answer.write(json.dumps({"matrix": register(fixed, moving, options)}).encode("ascii"))
    answer.close()


if __name__ == "__main__":
    main()
