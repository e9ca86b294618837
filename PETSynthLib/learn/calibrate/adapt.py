"""Adapting a model to a site with a few of its people: scanner, scale and intervals, no training.

What differs between sites is mostly the scanner's resolution and the level that its reconstruction
gives. So the site's scanner is described as a mixture of those the model was trained on, and every
tracer gets one factor (`site`). Then the intervals are calibrated anew (`calibrate`), a little
wider by what the fit has gained on its own people.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.torch import load_file

from ...errors import ErrorCode, PETSynthError
from ...export.policy import require_suvr
from ...generate import LoadedGenerator, load_generator
from ...generate.bundle import Bundle
from ...generate.condition import SITE_SCANNER
from ...progress import Silent
from ..methods.interface import Material, target_of
from ..regions import regional_means
from ..store import Store, Subject
from ..train.write_bundle import write_folder
from .calibrate import FEWEST, Calibrated, calibrate, require_free, require_strangers
from .site import Array, Cases, Site, fit_with_strangers, wider

TEST = "test"
SCANNERS_TOLD = "pet_scanner"

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Adapted:
    """What `adapt` wrote.

    Attributes
    ----------
    calibrated
        The new bundle and whom its intervals stand on.
    site
        Scanner and factors.
    before, after
        Tracer -> mean absolute error of regional means, SUVR; ``after`` on people held out of the
        fit.
    """

    calibrated: Calibrated
    site: Site
    before: dict[str, float]
    after: dict[str, float]


def adapt(
    store: Store, model: str, out: Path, *, device: str = "auto", tell: Tell = lambda *said: None
) -> Adapted:
    """Fit scanner and scale of a site, calibrate, and write a new bundle.

    Parameters
    ----------
    store
        People of the site with their PETs; all but the split `TEST` are used.
    model
        Name or folder of the bundle.
    out
        Folder of the new bundle; must not exist.

    Raises
    ------
    PETSynthError
        As `calibrate`; ``BAD_REQUEST`` for a model that was adapted before.
    """
    loaded = load_generator(model, device)
    bundle = loaded.bundle
    require_suvr(bundle.suvr_known, bundle.name)
    require_free(out)
    if "adaptation" in bundle.config:
        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"The model {bundle.name} is adapted to a site already.",
            "Adapt the model that it came from.",
        )
    splits = tuple(dict.fromkeys(s.split for s in store.subjects if s.split != TEST))
    people = [s for s in store.subjects if s.split != TEST and bundle.suits(flair=s.flair)]
    require_strangers(bundle, store, people)
    cases = look(loaded, store, people, tell)
    names = tuple(scanners_of(bundle))
    site, after = fit_with_strangers(cases, names)
    before = {t: c.error for t, c in cases.items()}
    honest = {t: wider(c, site, t, after[t]) for t, c in cases.items()}
    with TemporaryDirectory() as folder:
        plain = _write(Path(folder) / "adapted", bundle, site, cases)
        done = calibrate(
            store,
            str(plain),
            out,
            device=device,
            splits=splits,
            wider=honest,
            tell=lambda k, n: tell("Calibrating", k, n),
        )
    return Adapted(done, site, before, after)


def scanners_of(bundle: Bundle) -> list[str]:
    """Scanners that change what a model draws."""
    names: list[str] = bundle.facts.get("scanners", []) if SCANNERS_TOLD in bundle.uses else []
    return names


def look(
    loaded: LoadedGenerator, store: Store, people: Sequence[Subject], tell: Tell
) -> dict[str, Cases]:
    """Every tracer that enough people have, as the model draws it for each scanner.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when no tracer has `FEWEST` people or the grids differ.
    """
    bundle = loaded.bundle
    if not store.grid.same_as(bundle.grid):
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"The store {store.folder.name} and the model {bundle.name} lie on different grids.",
            "Prepare the people of the site on the model's grid.",
        )
    having = {t: [s for s in people if t in s.tracers] for t in bundle.tracers}
    enough = {t: who for t, who in having.items() if len({s.anatomy for s in who}) >= FEWEST}
    if not enough:
        most = max((len({s.anatomy for s in who}) for who in having.values()), default=0)
        raise PETSynthError(
            ErrorCode.BAD_DATA,
            f"Only {most} people of the site have a PET that {bundle.name} can generate.",
            f"At least {FEWEST} are needed: prepare more.",
        )
    aims_at_truth = "without its noise" in bundle.config.get("target", "")
    material = Material(store, target_of(store, "auto" if aims_at_truth else "acquired"), (), ())
    effort = loaded.bundle.judged_effort()
    asked = [*scanners_of(bundle), None]
    rows: dict[str, list[tuple[Array, Array]]] = {t: [] for t in enough}
    for number, subject in enumerate(people):
        tell("Drawing the people of the site", number, len(people))
        labels = store.regions(subject.row)
        # Scanner by scanner, all tracers of each: a generator keeps what it saw of the last MRI.
        drawn: dict[str, list[Array]] = {t: [] for t in enough if t in subject.tracers}
        for scanner in asked:
            for tracer, table in drawn.items():
                given = replace(material.inputs(subject, tracer), pet_scanner=scanner)
                made = loaded.generator.generate(given, effort, Silent())
                table.append(regional_means(labels, made.mean.data))
        for tracer, table in drawn.items():
            true = regional_means(labels, material.pet(subject, tracer))
            rows[tracer].append((np.stack(table), true))
    return {
        t: Cases(
            np.stack([made[:-1] for made, _ in rows[t]]),
            np.stack([made[-1] for made, _ in rows[t]]),
            np.stack([true for _, true in rows[t]]),
            tuple(s.anatomy for s in who),
        )
        for t, who in enough.items()
    }


def _write(folder: Path, bundle: Bundle, site: Site, cases: Mapping[str, Cases]) -> Path:
    """The bundle with scanner and factors, its old intervals taken away."""
    people = {t: len(set(c.people)) for t, c in cases.items()}
    facts = bundle.facts | ({SITE_SCANNER: site.scanner} if site.scanner else {})
    config = {k: v for k, v in bundle.config.items() if k != "calibration"} | {
        "name": f"{bundle.name[:55]}-adapted",
        "method_config": facts,
        "regional_sd_factor": {t: {} for t in bundle.tracers},
        "adaptation": {
            "of_bundle": bundle.sha256,
            "people": people,
            "scanner": site.scanner,
            "factor": site.factor,
        },
    }
    lines = (bundle.folder / "README.md").read_text(encoding="utf-8").rstrip()
    card = lines.partition("\n## Intervals")[0].rstrip() + "\n" + words_of(site, people)
    weights = load_file(bundle.weights) if bundle.weights.is_file() else {}
    return write_folder(folder, json.loads(json.dumps(config)), card, weights)


def words_of(site: Site, people: Mapping[str, int]) -> str:
    """The section of the model's card."""
    lines = [
        "",
        "## Adapted to a site",
        "",
        "Scale and scanner were fitted on a few people of one site, and hold there: "
        + ", ".join(f"{t} {n}" for t, n in people.items())
        + ".",
        "",
        "Factor on the SUVR: " + ", ".join(f"{t} {f:.3f}" for t, f in site.factor.items()) + ".",
    ]
    if site.scanner:
        shares = ", ".join(f"{name} {share:.2f}" for name, share in site.scanner.items())
        lines.append(f"Without a scanner named, the site's is meant: {shares}.")
    return "\n".join(lines) + "\n"
