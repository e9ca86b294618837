"""The published checkpoints of PASTA: ``model`` or ``ema`` of a .pt file, read as numbers only.

What the file leaves out is asked for, never guessed: the SUVR that its per-scan scaling has thrown
away, and the mean and standard deviation by which its clinical facts were standardised. Without
them the bundle says so and does without. The architecture (width, levels, blocks, attention) is
read off the names and shapes of the weights.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...clinical import FIELDS
from ...generate.bundle import BUNDLE_VERSION
from ...generate.pasta.generator import VERSION
from ...generate.pasta.network import ArmShape, DualArm
from ...volume import PLANES
from ..methods.interface import presets_of
from ..prepare.grids import grid_named
from .interface import Foreign
from .weights import another, read_numbers, refused, require_weights

WHAT = "PASTA's dual arm"
CONTAINERS = {"model": "", "ema": "ema_model."}
"""Key of the file -> what its names begin with."""
ARMS = ("model.", "encoder.")
PUBLISHED_INPUTS = 9
"""Age, sex, education, MMSE, ADAS-Cog-13, APOE4; then whether each of the last three is known."""
PAPER_HEADS = 4
"""Shapes do not tell the number of attention heads; the paper's is taken."""
TRACER = "fdg"
STRIDE, DRAWS, PLANE = 5, 2, "axial"
PRESET_STEPS = (4, 25, 100)
EVERY = 10
"""The release was trained on every tenth timestep, 0 to 990, and is asked of no other."""
CARD = """# {name}: PASTA as published (Li et al., Medical Image Analysis 2026)

Imported from `{file}` (`{weights}`, {parameters:.1f} M parameters).
Research only, not for diagnosis.

- **Inputs**: T1 on the 1.5 mm grid of the paper{uses}.
- **Outputs**: FDG; mean and spread of draws, samples. No FLAIR, no scanner.
- **Scale**: {scale}
- **Clinical facts**: {clinical}
- **Grid**: {grid}
- **Trained on**: what its authors say (ADNI); whom exactly it has seen, the file does not say.
- **Licence**: that of the checkpoint (the authors' code is GPL-3.0; none of it is in PETSynth).
- **Intervals**: none until `petsynth calibrate` has fitted them.
"""
NO_SCALE = (
    "**no SUVR**. In training each scan was scaled by its own smallest and largest value, and what "
    "they were is lost. Its numbers are places in an unknown range. PETSynth can start a training "
    "from it, but draws, calibrates and judges nothing with it; import it again with `--option "
    "scale=LOW:HIGH` when the range is known."
)
SCALE = (
    "in training each scan was scaled by its own smallest and largest value; [{low:g}, {high:g}] "
    "SUVR, supplied at the import, stands for all of them. A scan of another range is off by that."
)
NO_CLINIC = (
    "**not used**: by which mean and standard deviation they were standardised, the file does not "
    "say (`--option clinical=FILE`). The network is told that nothing is known."
)


class PastaFormat:
    """A checkpoint of the PASTA release."""

    name = "pasta"
    words = "a published PASTA checkpoint (.pt)"
    options: dict[str, str] = {}  # noqa: RUF012
    optional: dict[str, str] = {  # noqa: RUF012
        "weights": "ema (averaged, the default) or model",
        "scale": "LOW:HIGH, the SUVR that stand for each scan's smallest and largest value",
        "clinical": "a JSON file {field: [mean, sd]} of its training people; a negative sd where "
        "its code runs the other way (sex: 0 female, 1 male)",
        "grid": "a JSON file with shape and affine, where it is not the paper's crop",
    }

    def read(self, file: Path, options: dict[str, str]) -> Foreign:
        """See `ForeignFormat.read`."""
        chosen = options.get("weights", "ema")
        if chosen not in CONTAINERS:
            raise refused(f"There are no weights {chosen!r}.", "Choose model or ema.")
        state = weights_of(file, chosen)
        shape = shape_of(file, state)
        require_arms(file, state, shape)
        grid = grid_named(options.get("grid", "pasta"))
        if shape.slices > (thick := grid.shape[PLANES[PLANE]]):
            raise refused(
                f"{file.name} makes stacks of {shape.slices} slices, thicker than the volume: the "
                f"grid has {thick} {PLANE} slices.",
                "Give another --option grid.",
            )
        scale = _scale(options["scale"]) if "scale" in options else None
        clinical = _scaling(Path(options["clinical"])) if "clinical" in options else {}
        facts = {
            "version": VERSION,
            "tracer_order": [TRACER],
            "scanners": [],
            "flair": False,
            "scaling": "paper",
            "suvr_range": {TRACER: list(scale or (0.0, 1.0))},
            "clinical_scaling": clinical,
            "network": {
                "slices": shape.slices,
                "width": shape.width,
                "multipliers": list(shape.multipliers),
                "res_blocks": shape.res_blocks,
                "attention": list(shape.attention),
                "heads": shape.heads,
                "conditions": list(shape.conditions),
                "fusion": shape.fusion,
                "dropout": shape.dropout,
            },
            "diffusion": {"timesteps": 1000, "offset": 0.008},
            "generate": {
                "stride": min(STRIDE, shape.slices),
                "planes": [PLANE],
                "draws": DRAWS,
                "every": EVERY,
            },
        }
        config = {
            "bundle_version": BUNDLE_VERSION,
            "name": "pasta-published",
            "version": "0.1.0",
            "method": "pasta",
            "title": "PASTA, published weights" + ("" if scale else " (no SUVR scale)"),
            "trained_on": "real pairs",
            "suvr_known": scale is not None,
            "licence": "that of the checkpoint",
            "grid": {
                "space": grid.name,
                "shape": list(grid.shape),
                "affine": grid.affine.tolist(),
            },
            "tracers": [TRACER],
            "uses": [name for name in FIELDS if name in clinical],
            "presets": presets_of(PRESET_STEPS, samples=(0, 1, 1)),
            "target": "acquired PET of real subjects, scaled scan by scan",
            "method_config": facts,
            "regional_sd_factor": {TRACER: {}},
        }
        numbers = sum(value.numel() for value in state.values()) / 1e6
        low, high = scale or (0.0, 1.0)
        known = ", ".join(FIELDS[name].label for name in FIELDS if name in clinical)
        card = CARD.format(
            name="pasta-published",
            file=file.name,
            weights=chosen,
            parameters=numbers,
            uses=f"; {known}" if known else "",
            scale=SCALE.format(low=low, high=high) if scale else NO_SCALE,
            clinical=f"standardised as supplied at the import: {known}." if known else NO_CLINIC,
            grid="supplied at the import."
            if "grid" in options
            else "the centre crop of the 1.5 mm MNI lattice; how the release lays its arrays on it "
            "is not in the file.",
        )
        return Foreign(config, {k: widened(k, v) for k, v in state.items()}, card)


def weights_of(file: Path, container: str) -> dict[str, Tensor]:
    """The state of both arms in a container of the file, float32.

    Raises
    ------
    PETSynthError
        ``TRAINING`` for a file that cannot be read as numbers, or lacks the container.
    """
    body = read_numbers(file)
    if not isinstance(body.get(container), dict):
        raise refused(
            f"{file.name} has no weights named {container!r}.",
            "Give a checkpoint of PASTA, or choose --option weights=model.",
        )
    prefix = CONTAINERS[container]
    state = {
        key.removeprefix(prefix): value.float()
        for key, value in body[container].items()
        if isinstance(value, Tensor) and str(key).startswith(tuple(prefix + arm for arm in ARMS))
    }
    if not state:
        raise refused(f"{file.name} holds no arms of PASTA.", "Give a checkpoint of PASTA.")
    return state


def shape_of(file: Path, state: dict[str, Tensor]) -> ArmShape:
    """The architecture of both arms, read off the names and shapes of one.

    Raises
    ------
    PETSynthError
        ``TRAINING`` when they are not PASTA's.
    """
    try:
        width, slices = state["model.input_blocks.0.0.weight"].shape[:2]
        count = 1 + max(
            int(match[1])
            for key in state
            if (match := re.match(r"model\.input_blocks\.(\d+)\.", key))
        )
        channels: list[list[int]] = [[]]
        attention = set()
        for i in range(1, count):
            block = f"model.input_blocks.{i}"
            if f"{block}.0.h_upd.op.weight" in state:
                channels.append([])
            else:
                channels[-1].append(len(state[f"{block}.0.out_layers.3.bias"]))
                if f"{block}.1.qkv.weight" in state:
                    attention.add(2 ** (len(channels) - 1))
        return ArmShape(
            slices=int(slices),
            width=int(width),
            multipliers=tuple(level[0] // int(width) for level in channels),
            res_blocks=len(channels[0]),
            attention=tuple(sorted(attention)),
            heads=PAPER_HEADS,
            clinical=PUBLISHED_INPUTS,
        )
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError) as problem:
        raise another(file, WHAT, f"its levels are unreadable ({problem})") from problem


def require_arms(file: Path, state: dict[str, Tensor], shape: ArmShape) -> None:
    """Refuse weights that are not exactly those of an architecture.

    Raises
    ------
    PETSynthError
        ``TRAINING`` naming the first that does not fit.
    """
    try:
        with torch.device("meta"):
            network = DualArm(shape)
    except (ValueError, RuntimeError, ZeroDivisionError) as problem:
        raise another(file, WHAT, f"no network can be built of it ({problem})") from problem
    require_weights(file, state, network, WHAT)


def widened(name: str, weight: Tensor) -> Tensor:
    """Weights on the published clinical inputs as weights on ours, which flag every field.

    Ours: six values, six flags. The published network has no flag for the first three.
    """
    if not name.endswith("tab_embed.0.weight"):
        return weight
    fields, flagged = len(FIELDS), PUBLISHED_INPUTS - len(FIELDS)
    ours = weight.new_zeros(len(weight), 2 * fields)
    ours[:, :fields] = weight[:, :fields]
    ours[:, 2 * fields - flagged :] = weight[:, fields:]
    return ours


def _scale(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(":"))
        if not (0 <= low < high and math.isfinite(high)):
            raise ValueError(text)
    except ValueError:
        raise refused(f"The scale {text!r} is no range.", "Write e.g. scale=0:2.2.") from None
    return low, high


def _scaling(path: Path) -> dict[str, list[float]]:
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        table = {name: [float(mean), float(sd)] for name, (mean, sd) in body.items()}
        numbers = [number for row in table.values() for number in row]
        if set(table) - set(FIELDS) or not all(map(math.isfinite, numbers)):
            raise ValueError("unknown field, or no number")
        if any(sd == 0 for _, sd in table.values()):
            raise ValueError("an sd of 0")
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise refused(
            f"The file {path.name} does not say how clinical facts are scaled ({problem}).",
            'Write e.g. {"age": [73.1, 7.4], "mmse": [27.5, 2.6]}; fields: ' + ", ".join(FIELDS),
        ) from problem
    return table
