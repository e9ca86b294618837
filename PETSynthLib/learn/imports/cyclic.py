"""The published Cyclic 2.5D checkpoint: a plain state dict of MONAI's 3D U-Net, T1 to one PET.

The file holds weights alone. What the PET's numbers mean (tracer, manufacturers' means and
spreads), how the T1 was scaled and which lattice it lay on must be known to whoever has it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch

from ... import __version__
from ...clinical import FIELDS
from ...errors import ErrorCode, PETSynthError
from ...generate.backbone import T1_FORMS
from ...generate.bundle import BUNDLE_VERSION, EVIDENCE
from ...generate.standardisation import POOLED
from ...generate.unet.plain import PlainUNet
from ...request import SCANNERS
from ...tracers import tracer as tracer_of
from ..methods.interface import presets_of
from ..prepare.grids import grid_named
from .interface import Foreign
from .weights import another, read_numbers, require_weights

WHAT = "the Cyclic 2.5D U-Net"
FIRST = re.compile(r"model\.(1\.submodule\.)*0\.conv\.weight")
CARD = """# cyclic 1: Cyclic 2.5D U-Net, {tracer}

Research only, not for diagnosis. Imported from {file} with PETSynth {version}.

- **Inputs**: T1 ({t1}). **Output**: SUVR of {tracer}, standardised by manufacturer.
- **Method**: 3D U-Net of channels {channels}, {parameters:,} parameters, float32 as published
  (Moon et al. 2026, doi 10.1002/hbm.70508).
- **Standard deviation**: it has none of its own; every voxel of the brain shows {spread:g}
  SUVR, which `petsynth calibrate` makes into intervals.
- **Licence**: that of the file, which its authors have not stated.
"""


class CyclicFormat:
    """See the module's docstring."""

    name = "cyclic"
    words = "state dict of the Cyclic 2.5D U-Net (Moon et al. 2026)"
    options: dict[str, str] = {  # noqa: RUF012
        "tracer": "the tracer it makes, e.g. flortaucipir",
        "grid": "the lattice it was trained on: 2mm, 3mm, or a JSON file with shape and affine",
        "t1": f"how its T1 was scaled: {', '.join(T1_FORMS)}",
        "standardisation": "mean and sd of the training SUVR, MEAN,SD, or a JSON file "
        '{"ge": [mean, sd], ..., "pooled": [mean, sd]}',
        "spread": "standard deviation in SUVR to show, since the model has none, e.g. 0.2",
        "evidence": f"what it was trained on: {' or '.join(EVIDENCE[:2])}",
    }
    optional: dict[str, str] = {}  # noqa: RUF012

    def read(self, file: Path, options: dict[str, str]) -> Foreign:
        """See `ForeignFormat.read`."""
        state = read_numbers(file)
        channels = _channels(state, file)
        tracer, grid = tracer_of(options["tracer"]), grid_named(options["grid"])
        table = _standardisation(options["standardisation"])
        spread = _number(options["spread"], "spread")
        for name, known in (("t1", T1_FORMS), ("evidence", EVIDENCE[:2])):
            if options[name] not in known:
                raise _refuse(name, f"It is one of {', '.join(known)}.")
        facts: dict[str, Any] = {
            "version": 1,
            "tracer_order": [tracer.key],
            "scanners": list(SCANNERS),
            "suvr_scale": {tracer.key: 1.0},
            "clinical_scaling": {name: [0.0, 1.0] for name in FIELDS},
            "standardisation": {tracer.key: table},
            "precision": "float32",
            "network": {
                "channels": channels,
                "inputs": "t1",
                "t1": options["t1"],
                "spread": spread / table[POOLED][1],
            },
        }
        config = {
            "bundle_version": BUNDLE_VERSION,
            "name": "cyclic",
            "version": "1",
            "method": "unet",
            "title": f"Cyclic 2.5D U-Net, {tracer.label}",
            "trained_on": options["evidence"],
            "licence": "not stated by its authors",
            "grid": {
                "space": grid.name,
                "shape": list(grid.shape),
                "affine": grid.affine.tolist(),
            },
            "tracers": [tracer.key],
            "uses": ["pet_scanner"],
            "presets": presets_of((1, 1, 1), samples=(0, 0, 0)),
            "target": "acquired PET; the standard deviation is a constant",
            "method_config": facts,
            "regional_sd_factor": {tracer.key: {}},
        }
        card = CARD.format(
            tracer=tracer.label,
            file=file.name,
            version=__version__,
            t1=options["t1"],
            channels=", ".join(map(str, channels)),
            parameters=sum(v.numel() for v in state.values()),
            spread=spread,
        )
        tensors = {f"backbone.{name}": value.float() for name, value in state.items()}
        return Foreign(config, tensors, card)


def _channels(state: dict[str, Any], file: Path) -> list[int]:
    """Channels of each level, from the shapes.

    Raises
    ------
    PETSynthError
        ``TRAINING`` when it is another network.
    """
    steps = [k for k in state if FIRST.fullmatch(k)]
    bottom = f"model.{'1.submodule.' * len(steps)}conv.weight"
    if not steps or bottom not in state or getattr(state[steps[0]], "ndim", 0) != 5:
        raise another(file, WHAT, "it has no strided convolutions of its names")
    levels = [*sorted(steps, key=len), bottom]
    channels = [int(state[name].shape[0]) for name in levels]
    with torch.device("meta"):
        network = PlainUNet(1, 1, tuple(channels))
    require_weights(file, state, network, WHAT)
    return channels


def _standardisation(words: str) -> dict[str, list[float]]:
    parts = words.split(",")
    if len(parts) == 2:
        table: Any = {POOLED: [_number(v, "standardisation") for v in parts]}
    else:
        try:
            table = json.loads(Path(words).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise _refuse("standardisation", "Give MEAN,SD or a readable JSON file.") from problem
    fits = (
        isinstance(table, dict)
        and POOLED in table
        and set(table) <= {*SCANNERS, POOLED}
        and all(isinstance(v, list) and len(v) == 2 and float(v[1]) > 0 for v in table.values())
    )
    if not fits:
        hint = f"It holds [mean, sd] with sd > 0 for {POOLED} and for any of {', '.join(SCANNERS)}."
        raise _refuse("standardisation", hint)
    return {name: [float(v) for v in row] for name, row in table.items()}


def _number(words: str, name: str) -> float:
    try:
        return float(words)
    except ValueError as problem:
        raise _refuse(name, "Give a number.") from problem


def _refuse(name: str, hint: str) -> PETSynthError:
    text = f"The option {name} of the format cyclic cannot be used."
    return PETSynthError(ErrorCode.BAD_REQUEST, text, hint)
