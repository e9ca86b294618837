"""Whether nobody was scanned: the sample case, and images that a simulator drew and that say so.

Only these may be held against demonstration normals. A node keeps the word only as long as its
voxels are those that were loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PETSynthLib.export.meaning import says_simulated

from .Identity import digestOf

SAMPLE = "PETSynth.SampleVoxelsSha256"


def markSample(node: Any) -> None:
    """Remember that these voxels are the sample case's."""
    node.SetAttribute(SAMPLE, digestOf(node))


def isSimulated(node: Any) -> bool:
    """Whether a volume is the sample case, or was loaded from a file beside which it stands."""
    if node is None or node.GetImageData() is None:
        return False
    sample = node.GetAttribute(SAMPLE)
    if sample:
        return bool(sample == digestOf(node))
    storage = node.GetStorageNode()
    name = storage.GetFileName() if storage is not None else None
    return bool(name) and not node.GetModifiedSinceRead() and says_simulated(Path(name))


def tellSimulated(node: Any, image: Path) -> None:
    """Write the word beside the file of a volume, where the library looks for it."""
    if isSimulated(node):
        beside = image.with_name(f"{image.name.split('.')[0]}.json")
        beside.write_text(json.dumps({"Simulated": True}), encoding="utf-8")
