"""What holds for every test of the library: one thread a process.

`make test` runs two processes of tests on two cores, and other programs run beside them. Threads of
BLAS and OpenMP wait for each other by spinning, so that a second thread which has no core costs far
more than it saves. Set before NumPy and PyTorch are loaded, and passed on to the processes that
tests start.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
