"""The shipped `flow` and what hangs on it, from an empty folder (``make release-assets``).

``python Testing/benchmark/release.py WORK`` follows ``release.yaml``:

``model``        people simulated and prepared, `flow` trained
``calibration``  five hundred more people, who fit the intervals alone
``install``      the bundle takes its place among the assets
``databases``    the two DEMO databases, made anew with it (`demo_databases`)
``pictures``     the sample result of the README and the panel's screenshots

``--until model`` ends early. Every step is a ``petsynth`` command, printed before it runs; finished
steps are kept: run it again to go on.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from v1 import make_data, petsynth

from PETSynthLib.generate.bundle import verify_bundle

RECIPE = Path(__file__).with_name("release.yaml")
ROOT = Path(__file__).resolve().parents[2]
BUNDLES = ROOT / "PETSynthLib" / "assets" / "bundles"
DATABASES = ROOT / "PETSynthLib" / "assets" / "databases"
FIGURE = ROOT / "Resources" / "demo.png"


def model(work: Path, recipe: dict[str, Any], jobs: int) -> None:
    """The trained bundle, without intervals."""
    run = work / "run"
    if (run / "bundle").is_dir():
        return
    store = make_data(work, "train", recipe, jobs)
    words = [word for setting in recipe["settings"] for word in ("--set", setting)]
    resume = ["--resume"] if (run / "config.yaml").is_file() else []
    petsynth(
        "train", "--data", store, "--method", recipe["method"], "-o", run, *words,
        "--max-minutes", recipe["minutes"], *resume,
    )  # fmt: skip


def calibration(work: Path, recipe: dict[str, Any], jobs: int) -> None:
    """The same bundle with intervals."""
    if (work / "calibrated").is_dir():
        return
    store = make_data(work, "calibration", recipe, jobs)
    petsynth(
        "calibrate", "--data", store, "--model", work / "run" / "bundle", "-o", work / "calibrated"
    )


def install(work: Path, recipe: dict[str, Any], jobs: int) -> None:
    """Take the calibrated bundle over into the assets."""
    bundle = verify_bundle(work / "calibrated")
    size = sum(path.stat().st_size for path in bundle.folder.iterdir()) / 1e6
    if size > recipe["largest_mb"]:
        raise SystemExit(f"The bundle has {size:.1f} MB; {recipe['largest_mb']} are allowed.")
    place = BUNDLES / recipe["method"]
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(bundle.folder, place)


def databases(work: Path, recipe: dict[str, Any], jobs: int) -> None:
    """Both DEMO databases; the synthetic one belongs to the model."""
    script = Path(__file__).with_name("demo_databases.py")
    out = work / "databases"
    _python(script, work / "demo", "-o", out, "--model", recipe["method"], "--jobs", jobs)
    for made in out.iterdir():
        shutil.rmtree(DATABASES / made.name, ignore_errors=True)
        shutil.copytree(made, DATABASES / made.name)


def pictures(work: Path, recipe: dict[str, Any], jobs: int) -> None:
    """The README's figure, and the panel in the test host."""
    petsynth("demo", "-o", work / "demo-output")
    shutil.copyfile(work / "demo-output" / "fdg_synth.png", FIGURE)
    _python(ROOT / "Testing" / "host" / "screenshots.py", "-o", ROOT / "Resources" / "screenshots")


def _python(*words: object) -> None:
    command = [str(word) for word in words]
    print(f"$ python {' '.join(command)}", flush=True)
    if code := subprocess.run([sys.executable, *command], check=False).returncode:
        raise SystemExit(code)


STEPS: dict[str, Callable[[Path, dict[str, Any], int], None]] = {
    step.__name__: step for step in (model, calibration, install, databases, pictures)
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for people, runs and databases")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--until", default="pictures", choices=list(STEPS))
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    recipe = yaml.safe_load(chosen.recipe.read_text(encoding="utf-8"))
    for name, step in STEPS.items():
        print(f"== {name}", flush=True)
        step(chosen.work, recipe, chosen.jobs)
        if name == chosen.until:
            break


if __name__ == "__main__":
    main()
