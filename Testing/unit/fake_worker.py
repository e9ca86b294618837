"""The real worker with a stand-in for the synthesis; run as a process by the tests.

``python fake_worker.py BEHAVIOUR``
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import run_fakes

from PETSynthLib.pipeline import Outcome
from PETSynthLib.progress import Progress
from PETSynthLib.request import SynthesisRequest, request_from_dict
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.events import Result
from PETSynthLib.run.job import run_synthesis
from PETSynthLib.run.reporter import Sink
from PETSynthLib.run.worker import end_process, main


def fine(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    return run_fakes.walk(request, folder, progress, None)


def chatter(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    """A library that prints: from Python, from C, from a child, and looks like the protocol."""
    print("stray print", flush=True)
    os.write(1, b'{"v": 1, "type": "cancelled"}\n')
    subprocess.run([sys.executable, "-c", "print('child')"], check=True)
    return run_fakes.walk(request, folder, progress, None)


def polite(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    """Asks at every step whether to stop."""
    progress.stage("read")
    (folder / "half.txt").write_text("half", encoding="utf-8")
    while True:
        progress.step(1, 2)
        time.sleep(0.02)


def busy(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    """A native library that does not come back."""
    progress.stage("read")
    (folder / "half.txt").write_text("half", encoding="utf-8")
    time.sleep(60)
    return run_fakes.outcome()


def parent(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    """Waits for a child that cancel kills."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    progress.on_cancel(child.kill)
    (folder / "child.pid").write_text(str(child.pid), encoding="ascii")
    Path(request.t1).with_name("child.pid").write_text(str(child.pid), encoding="ascii")
    progress.stage("read")
    child.wait()
    raise RuntimeError("the child died")


def broken(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    raise KeyError(f"secret of {request.t1}")


def greedy(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")


def dying(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    os._exit(9)


def looks(request: SynthesisRequest, folder: Path, progress: Progress, _: Any) -> Outcome:
    """Shows a preview before it goes on."""
    progress.preview(run_fakes.preview())
    time.sleep(0.3)
    return run_fakes.walk(request, folder, progress, None)


def synthesize(body: dict[str, Any], sink: Sink, cancellation: Cancellation) -> Result:
    walk = globals()[sys.argv[1]]
    request = request_from_dict(body)
    return run_synthesis(request, sink, cancellation, walk, previews=True).event()


if __name__ == "__main__":
    end_process(main([], kinds={"synthesize": synthesize}))
