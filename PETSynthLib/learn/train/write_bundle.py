"""A trained method as a bundle: weights, facts, model card, checksums."""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from ... import __version__
from ...clinical import FIELDS
from ...errors import ErrorCode, PETSynthError
from ...generate.bundle import BUNDLE_VERSION, check_config, write_checksums
from ..acquaintance import CALIBRATION, PEOPLE_KNOWN
from ..fingerprint import fingerprints
from ..methods.interface import Material, TrainingMethod
from .origin import origin_words
from .usual import usual_of

CARD = """# {name} {version}: {title}

{banner}
Research only, not for diagnosis.

- **Inputs**: T1; optional {uses}. Every clinical field may be missing.
- **Outputs**: SUVR of {tracers}: mean, voxel-wise standard deviation{samples}.
- **Target**: {target}.
- **Method**: {card}
- **Training**: {train} subjects (validated on {validation}), ages {ages}; {steps} steps, \
{minutes:.0f} minutes{resumed}, seed {seed}, PETSynth {petsynth}.
- **Intended use**: {use}. **Not for**: tumour, epilepsy focus, encephalitis, treatment selection, \
children, any statement about a person.
- **Intervals**: none until `petsynth calibrate` has fitted them on subjects of their own.
- **Licence**: {licence}.

## Figures on the validation subjects

They chose the training's best state: judge the model with `petsynth evaluate` on test subjects.

| | |
|---|---|
{rows}
"""
SIMULATED = "**Trained on simulated brains only.** What it draws says nothing about a patient."
TUNED = "**Trained on real pairs, then on simulated brains.** Shown as a simulated model is."
REAL = "**Trained on real pairs of the store named below.** Their consent and licence bind its use."

_ORIGIN = ("name", "sha256", "trained_on", "licence", CALIBRATION, PEOPLE_KNOWN)


def _banner(simulated: bool, origin: dict[str, Any] | None) -> str:
    """Never "simulated only" of a model that began on real people."""
    only = origin is None or origin["trained_on"] != "real pairs"
    return (SIMULATED if only else TUNED) if simulated else REAL


def _resumed(times: int) -> str:
    """The minutes of a run that was stopped are those of its last state."""
    if not times:
        return ""
    often = "once" if times == 1 else f"{times} times"
    return f" (continued {often}; what a kill had undone since the last checkpoint is not counted)"


def without_places(settings: Any) -> Any:
    """JSON-ready settings, files by their names: where they lay is nobody else's business."""
    if isinstance(settings, dict):
        return {key: without_places(value) for key, value in settings.items()}
    if isinstance(settings, list | tuple):
        return [without_places(value) for value in settings]
    if isinstance(settings, str) and PureWindowsPath(settings).is_absolute():
        return PureWindowsPath(settings).name
    if isinstance(settings, str) and Path(settings).is_absolute():
        return Path(settings).name
    return settings


def bundle_parts(
    method: TrainingMethod, material: Material, training: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """``config.json`` and model card of a trained method.

    Parameters
    ----------
    training
        ``name``, ``seed``, ``steps``, ``minutes``, ``resumed`` (how often), ``scores`` and
        ``settings`` of the run, and ``init``: what `origin_of` says. Where simulation and real
        pairs meet, the stricter label and licence hold.
    """
    store, body = material.store, method.bundle()
    ages = [s.clinical.age for s in material.train if s.clinical.age is not None]
    span = [float(np.min(ages)), float(np.max(ages))] if ages else None
    evidence = "simulation" if store.simulated else "real pairs"
    training = without_places(dict(training))
    origin = training.pop("init", None)
    licence = "Apache-2.0" if store.simulated else "that of the data"
    if origin is not None and store.simulated:
        licence = origin["licence"]
    seen = [] if origin is None else origin["fingerprints"]
    own = fingerprints(store, (*material.train, *material.validation))
    config = {
        "bundle_version": BUNDLE_VERSION,
        "name": training["name"],
        "version": "0.1.0",
        "method": method.name,
        "title": body["title"],
        "trained_on": evidence,
        "licence": licence,
        "grid": {
            "space": store.grid.name,
            "shape": list(store.grid.shape),
            "affine": store.grid.affine.tolist(),
        },
        "tracers": list(store.tracers),
        "uses": body["uses"],
        **({"needs": body["needs"]} if body.get("needs") else {}),
        **({"age_range": span} if span else {}),
        "presets": body["presets"],
        "target": material.words,
        "method_config": body["method_config"],
        "regional_sd_factor": {t: {} for t in store.tracers},
        **usual_of(material),
        "training": {
            **training,
            **({"init": {k: origin[k] for k in _ORIGIN if k in origin}} if origin else {}),
            "fingerprints": sorted({*own, *seen}),
        },
    }
    check_config(config)
    card = CARD.format(
        name=config["name"],
        version=config["version"],
        title=config["title"],
        banner=_banner(store.simulated, origin) + origin_words(origin),
        uses=", ".join(FIELDS[u].label if u in FIELDS else u for u in body["uses"]),
        tracers=", ".join(store.tracers),
        samples=", random samples" if body["presets"]["best"]["samples"] else "",
        target=material.words,
        card=body["card"],
        train=len(material.train),
        validation=len(material.validation),
        ages=f"{span[0]:.0f} to {span[1]:.0f}" if span else "unknown",
        steps=training["steps"],
        minutes=training["minutes"],
        resumed=_resumed(training["resumed"]),
        seed=training["seed"],
        petsynth=__version__,
        use="showing and teaching" if store.simulated else "research on similar cohorts",
        licence=config["licence"],
        rows="\n".join(f"| {k} | {v:.4f} |" for k, v in training["scores"].items()),
    )
    return config, card


def write_folder(
    folder: Path, config: dict[str, Any], card: str, tensors: dict[str, torch.Tensor]
) -> Path:
    """Write config, card, weights and checksums of a bundle beside ``folder``, then rename.

    Raises
    ------
    PETSynthError
        ``BAD_OUTPUT`` when it cannot be written; nothing half-written stays.
    """
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        save_file(plain, part / "model.safetensors")
        (part / "model.safetensors").chmod(0o644)
        text = json.dumps(config, indent=1, ensure_ascii=False) + "\n"
        (part / "config.json").write_text(text, encoding="utf-8")
        (part / "README.md").write_text(card, encoding="utf-8")
        write_checksums(part)
        if folder.exists():
            shutil.rmtree(folder)
        part.replace(folder)
    except OSError as problem:
        shutil.rmtree(part, ignore_errors=True)
        raise PETSynthError(
            ErrorCode.BAD_OUTPUT,
            f"The bundle {folder.name} could not be written ({problem.strerror or problem}).",
            "Free some space or choose another folder.",
        ) from problem
    return folder
