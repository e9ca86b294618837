"""A child process that runs one picsl-greedy registration: ``python -m ...greedy_process``.

A process of its own because greedy holds Python's lock for seconds (nobody could cancel), writes
to the terminal from C++, and may take the process down with it. Reads an ``.npz`` from stdin
(``fixed``, ``fixed_affine``, ``moving``, ``moving_affine``, ``options``, ``deform``), writes an
``.npz`` to stdout: ``matrix`` (4, 4), fixed RAS mm to moving RAS mm, or ``field`` (3, I, J, K),
what is added to a position of the fixed image, RAS mm.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..volume import Volume
from .itk import field_of, image_of


def register(fixed: Volume, moving: Volume, options: str) -> NDArray[np.float64]:
    """The matrix greedy finds; ``options`` as on greedy's command line."""
    return np.asarray(_run(fixed, moving, f"-a {options}"), dtype=np.float64)


def deform(fixed: Volume, moving: Volume, options: str) -> NDArray[np.float32]:
    """The displacement greedy finds, (3, I, J, K) RAS mm on the lattice of ``fixed``."""
    return field_of(_run(fixed, moving, options))


def _run(fixed: Volume, moving: Volume, options: str) -> Any:
    from picsl_greedy import Greedy3D

    greedy = Greedy3D()
    images: dict[str, Any] = {
        "fixed": image_of(fixed),
        "moving": image_of(moving),
        "found": None,
    }
    greedy.execute(f"-i fixed moving {options} -o found", out=sys.stderr, **images)
    return greedy["found"]


def main() -> None:
    """Read the images, register, write what was found."""
    # Whatever C++ prints goes to stderr; only the answer goes to the real stdout.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as sent:
        fixed = Volume(sent["fixed"], sent["fixed_affine"])
        moving = Volume(sent["moving"], sent["moving_affine"])
        options, deforms = str(sent["options"]), bool(sent["deform"])
    found = io.BytesIO()
    if deforms:
        np.savez(found, field=deform(fixed, moving, options))
    else:
        np.savez(found, matrix=register(fixed, moving, options))
    answer.write(found.getvalue())
    answer.close()


if __name__ == "__main__":
    main()
