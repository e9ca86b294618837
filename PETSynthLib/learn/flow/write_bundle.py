"""Write a trained `flow` as a bundle folder: weights, facts, model card, checksums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ...clinical import FIELDS
from ...generate.bundle import BUNDLE_VERSION, check_config, write_checksums
from ...generate.flow.network import MeanNetwork, ResidualNetwork
from ..simulate.people import AGE_RANGE
from ..simulate.store import training_grid
from ..simulate.uptake import TRACERS
from .calibrate import Calibration
from .facts import FACTS

PRESETS = {
    "fast": {"samples": 0, "steps": 1},
    "balanced": {"samples": 1, "steps": 2},
    "best": {"samples": 16, "steps": 4},
}

CARD = """# flow {version}: synthetic PET from MRI, all tracers

**Trained on simulated brains only.** A demonstration: what it draws says nothing about a patient's
disease. Research only, not for diagnosis.

- **Inputs**: T1; optional T2-FLAIR, age, sex, education, MMSE, ADAS-Cog-13, APOE4, PET scanner.
  Every clinical field may be missing. Trained on ages {low:.0f} to {high:.0f}.
- **Outputs**: SUVR of FDG (pons), PiB (cerebellar grey), florbetapir (whole cerebellum),
  flortaucipir (inferior cerebellar grey), PBR28 (whole cerebellum): mean, voxel-wise standard
  deviation, random samples.
- **Method**: 2.5D mean network with a spread head; clinical facts enter through {severities}
  scalars a tracer; a rectified flow of the standardised residual on a 4 mm grid gives samples.
- **Training**: {mean} simulated anatomies for the mean, {residual} for residual and calibration,
  {test} for the figures below; {mean_steps} + {residual_steps} steps. One command:
  `{command}`. colin27 (the sample case) was never seen.
- **Intended use**: showing that the road works; teaching; a starting point for training on real
  pairs. **Not for**: tumour, epilepsy focus, encephalitis, treatment selection, under 50 years,
  children, any statement about a person.
- **Licence**: Apache-2.0.

## Figures on simulated test anatomies (not comparable with any published cohort)

| tracer | people | target error (SUVR) | of the population mean | r | 90 % interval covers |
|---|---|---|---|---|---|
{rows}

People are hidden states drawn for each anatomy with random gaps in the clinical fields. Amyloid,
tau and TSPO are hardly determined by MRI, here by construction and in life by evidence: their
intervals are wide, and that is the honest part.
"""


def write_bundle(
    folder: Path,
    mean: MeanNetwork,
    residual: ResidualNetwork,
    calibration: Calibration,
    training: dict[str, Any],
    version: str = "0.1.0",
) -> None:
    """Write the bundle to ``folder`` (weights in float16)."""
    grid = training_grid()
    config = {
        "bundle_version": BUNDLE_VERSION,
        "name": "flow",
        "version": version,
        "method": "flow",
        "title": "Mean network with residual flow, all tracers",
        "trained_on": "simulation",
        "licence": "Apache-2.0",
        "grid": {
            "space": grid.name,
            "shape": list(grid.shape),
            "affine": grid.affine.tolist(),
        },
        "tracers": list(TRACERS),
        "uses": ["flair", *FIELDS, "pet_scanner"],
        "age_range": list(AGE_RANGE),
        "presets": PRESETS,
        "target": "simulated PET of the chosen scanner without its noise",
        "method_config": FACTS,
        "regional_sd_factor": calibration.factor,
        "healthy_to_ad": calibration.distance,
        "metrics": calibration.metrics,
        "training": training,
    }
    check_config(config)
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, torch.Tensor] = {}
    for prefix, network in (("mean.", mean), ("residual.", residual)):
        for name, value in network.state_dict().items():
            tensors[prefix + name] = value.half().contiguous()
    save_file(tensors, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    rows = "\n".join(
        f"| {t} | {m['people']:.0f} | {m['target_mae']:.3f} | "
        f"{m['target_mae_of_population_mean']:.3f} | {m['target_r']:.2f} | "
        f"{100 * m['target_coverage_90']:.0f} % |"
        for t, m in calibration.metrics.items()
    )
    card = CARD.format(
        version=version,
        low=AGE_RANGE[0],
        high=AGE_RANGE[1],
        severities=FACTS["mean_network"]["severities"],
        rows=rows,
        **training["anatomies"],
        **{k: training[k] for k in ("mean_steps", "residual_steps", "command")},
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_checksums(folder)
