"""The two DEMO databases from an empty folder: simulate normals, measure them, build, check.

``python Testing/benchmark/demo_databases.py WORK -o OUT`` makes "FDG simulated-acquired DEMO" and
"FDG simulated-synthetic DEMO". Every step is a ``petsynth`` command and is printed before it runs;
what is finished is kept: run it again to go on.

Normals are simulated people whom the clinician calls normal, who are, and who have no focal lesion.
The first of them make the databases, the others check them (``check-<kind>.txt``), nobody both.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from PETSynthLib.preprocess.transform import NativeToTemplate

SEED, TRACER = 4201, "fdg"
VERSION = "1.0.0"
KINDS = ("acquired", "synthetic")
NORMAL = "none"
"""The hidden cause of people who have none."""
WHOLE = 0
"""Where the focal lesion of people lies who have none."""
SPARE = 1.4
"""So many more people are simulated: some are called normal and are not."""


def petsynth(*words: object, keep: Path | None = None) -> str:
    """Run a ``petsynth`` command; a failure ends the script.

    Parameters
    ----------
    keep
        File for what it prints; written of a command that fails too.
    """
    command = [str(word) for word in words]
    print(f"$ petsynth {shlex.join(command)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "PETSynthLib", *command],
        check=False,
        capture_output=keep is not None,
        text=True,
    )
    if keep is not None:
        keep.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        raise SystemExit(done.stderr or done.returncode)
    return done.stdout or ""


def normals(cohort: Path) -> list[dict[str, str]]:
    """Rows of the participants who are normal in truth, not only by their diagnosis.

    Nor do they have a focal lesion: some simulated people of every diagnosis do.
    """
    with (cohort / "participants.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    found = []
    for row in rows:
        name = row["participant_id"]
        hidden = cohort / "derivatives" / "simulation" / name / f"{name}_latents.json"
        truth = json.loads(hidden.read_text(encoding="utf-8"))
        if truth["latents"]["aetiology"] == NORMAL and truth["focal"]["label"] == WHOLE:
            found.append(row)
    return found


def one_transform(result: Path, out: Path) -> Path:
    """Write PET to template as one transform: registration and alignment of a measured PET."""
    matrices = [
        NativeToTemplate.read(result / "space" / name).matrix
        for name in ("native_to_template.tfm", "pet_to_t1.tfm")
    ]
    NativeToTemplate(np.asarray(matrices[0] @ matrices[1])).write(out)
    return out


def measure(work: Path, cohort: Path, row: dict[str, str], model: str) -> dict[str, dict[str, str]]:
    """One person's PET from its MRI and its acquired one; the rows of both tables."""
    name = row["participant_id"]
    t1 = cohort / name / "anat" / f"{name}_T1w.nii.gz"
    synthetic, acquired = work / "synthetic" / name, work / "acquired" / name
    if not (synthetic / "result.json").is_file():
        petsynth(
            "synthesize", t1, "--tracer", TRACER, "--model", model, "--preset", "fast",
            "--age", row["age"], "--sex", row["sex"], "--regions", "affine", "-o", synthetic, "-q",
        )  # fmt: skip
    pet = next((cohort / name / "pet").glob("*_trc-18FFDG_pet.nii.gz"))
    if not (acquired / "result.json").is_file():
        petsynth(
            "quantify", pet, "--t1", t1, "--tracer", TRACER, "--register",
            "--space", synthetic / "space", "--regions", "affine", "-o", acquired, "-q",
        )  # fmt: skip
    whole = one_transform(acquired, acquired / "pet_to_template.tfm")
    person = {"subject": name, "age": row["age"], "sex": row["sex"]}
    return {
        "acquired": {**person, "pet": str(pet), "transform": str(whole)},
        "synthetic": {**person, "pet": str(synthetic), "transform": ""},
    }


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    """A table of healthy people for ``petsynth normative``."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for people and their PET")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the databases")
    parser.add_argument("--people", type=int, default=60, help="normals of each database")
    parser.add_argument("--fresh", type=int, default=200, help="normals who check them")
    parser.add_argument("--model", default="flow")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    # The tables hold paths, and a table's relative ones start at the table.
    chosen.work, chosen.out = chosen.work.resolve(), chosen.out.resolve()
    wanted, cohort = chosen.people + chosen.fresh, chosen.work / "bids"
    petsynth(
        "simulate", cohort, "--subjects", round(SPARE * wanted), "--seed", SEED,
        "--tracers", TRACER, "--diagnosis", "CN", "--jobs", chosen.jobs,
    )  # fmt: skip
    people = normals(cohort)[:wanted]
    if len(people) < wanted:
        raise SystemExit(f"Only {len(people)} of the simulated people are normal; raise SPARE.")
    with ThreadPoolExecutor(chosen.jobs) as pool:
        measured = list(
            pool.map(lambda row: measure(chosen.work, cohort, row, chosen.model), people)
        )
    failed = []
    for kind in KINDS:
        rows = [one[kind] for one in measured]
        table = write_table(chosen.work / f"{kind}.csv", rows[: chosen.people])
        fresh = write_table(chosen.work / f"{kind}-fresh.csv", rows[chosen.people :])
        name = f"ndb-{TRACER}_kind-{kind}-demo_v{VERSION}"
        tracer = ("--tracer", TRACER) if kind == "acquired" else ()
        if not (chosen.out / name).is_dir():
            petsynth(
                "normative", "build", table, *tracer, "--demo", "--version", VERSION,
                "-o", chosen.out,
            )  # fmt: skip
        try:
            petsynth(
                "normative", "check", chosen.out / name, "--people", fresh,
                keep=chosen.work / f"check-{kind}.txt",
            )  # fmt: skip
        except SystemExit as problem:
            failed.append(str(problem))
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
