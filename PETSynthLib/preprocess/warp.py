"""The deformable step from an aligned head to the template: for tables, never for pictures.

An affine lays a brain on the template as a whole; gyri and ventricles still miss by millimetres.
The field found here is added after the affine. It moves labels and measures, and draws nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..assets import atlas_volume
from ..checks import Finding, Verdict
from ..progress import Progress
from ..request import Regions
from ..volume import CANONICAL, FloatArray, Volume
from .align import normalised_mutual_information
from .greedy import THREADS, GreedyFailed, greedy_deformation
from .prepare import aligned_head
from .prepared import Prepared
from .steps import Steps
from .transform import LPS, NativeToTemplate

OPTIONS = "-m NCC 2x2x2 -n 100x50x10 -s 2vox 1vox -noise 0"
"""Without the last, greedy adds noise from a clock-seeded generator, and two runs differ by up to
1 % in a region. It costs little likeness (1.169 instead of 1.181 on a simulated head)."""
FIELD, RECORD = "warp.nii.gz", "warp.json"
VERSION = 1
FRACTION_MM = 1.0 / 64.0
"""The field is rounded to this: a run that reads the stored one gives the same numbers."""
FOLDED = 0.001
"""Share of the brain in which space may be turned inside out."""
_GATES = ("folded_percent", "mean_mm", "largest_mm", "nmi_affine", "nmi")
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError),
    *(EOFError, IndexError, zlib.error),
)
ROUNDS = 12
"""Fixed-point steps for the way back; 8 leave 0.05 mm on made heads."""


@dataclass(frozen=True, eq=False)
class Warp:
    """From a scan to the template, bending.

    Attributes
    ----------
    affine
        Scan to aligned head.
    field
        (3, I, J, K) on `CANONICAL`: what is added to a position of the aligned head to come to the
        template, RAS mm. Zeros where only the affine is known.
    deformable
        Whether there is more than the affine.
    """

    affine: NativeToTemplate
    field: FloatArray
    deformable: bool = True

    def labels_to_native(self, maps: dict[str, Volume], native_brain: Volume) -> dict[str, Volume]:
        """Label maps (on `CANONICAL`) in a scan's own space, nearest neighbour.

        Parameters
        ----------
        native_brain
            Mask on the scan's grid; everything outside is 0.
        """
        brain = native_brain.mask
        to_index = np.linalg.inv(CANONICAL.affine) @ self.affine.matrix @ native_brain.affine
        voxels = np.stack(np.nonzero(brain)).astype(np.float64)
        aligned = to_index[:3, :3] @ voxels + to_index[:3, 3:]
        where = np.rint(aligned + self._at(aligned) / CANONICAL.spacing[0]).astype(np.intp)
        inside = ((where >= 0) & (where < np.array(CANONICAL.shape)[:, None])).all(axis=0)
        # One number a voxel, because every map is asked for it: three would take twice as long.
        index = np.ravel_multi_index(tuple(where), CANONICAL.shape, mode="clip")
        place = np.flatnonzero(brain)
        found = {}
        for name, labels in maps.items():
            data = np.zeros(brain.size, np.float32)
            data[place] = np.where(inside, labels.data.ravel()[index], 0.0)
            found[name] = native_brain.with_data(data.reshape(brain.shape))
        return found

    def brain_from_native(self, volume: Volume, to_source: NDArray[np.float64]) -> Volume:
        """An image on `CANONICAL`, inside the template's brain; linear, 0 elsewhere.

        Parameters
        ----------
        volume
            Image in any space.
        to_source
            4x4, RAS mm of the scan to RAS mm of ``volume``.
        """
        brain = atlas_volume("template_brain").mask
        goal = np.argwhere(brain).T.astype(np.float64)
        aligned = goal.copy()
        for _ in range(ROUNDS if self.deformable else 0):
            aligned = goal - self._at(aligned) / CANONICAL.spacing[0]
        to_voxel = np.linalg.inv(volume.affine) @ to_source @ self.affine.inverse @ CANONICAL.affine
        index = to_voxel[:3, :3] @ aligned + to_voxel[:3, 3:]
        data = np.zeros(CANONICAL.shape, np.float32)
        data[brain] = ndimage.map_coordinates(volume.data, index, order=1)
        return Volume(data, CANONICAL.affine, CANONICAL.name)

    def _at(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """The field (3, N) in mm at voxel positions (3, N) of `CANONICAL`."""
        if not self.deformable:
            return np.zeros_like(index)

        def along(part: FloatArray) -> FloatArray:
            return np.asarray(ndimage.map_coordinates(part, index, order=1, mode="nearest"))

        # SciPy lets other threads run while it samples.
        with ThreadPoolExecutor(len(self.field)) as pool:
            return np.stack(list(pool.map(along, self.field))).astype(np.float64)


def only_affine(affine: NativeToTemplate) -> Warp:
    """A warp that does not bend."""
    return Warp(affine, np.zeros((3, *CANONICAL.shape), np.float32), deformable=False)


def fit_warp(
    prepared: Prepared, progress: Progress, steps: Steps
) -> tuple[Warp, dict[str, float], Finding]:
    """Bend an aligned head onto the template; by the affine alone where that fails.

    Parameters
    ----------
    prepared
        Its ``t1`` may lie on any template grid.

    Returns
    -------
    warp, gates, finding
        `gates_of` it (empty for an affine alone), and what to say.
    """
    head = aligned_head(prepared, CANONICAL)
    template = atlas_volume("template_t1")
    moving = template.with_data(template.data * atlas_volume("template_brain").mask)
    reason = ""
    field = np.zeros((3, *CANONICAL.shape), np.float32)
    with steps.step(
        "deformable alignment", "picsl-greedy", {"options": OPTIONS, "threads": THREADS}
    ) as outcome:
        try:
            found = greedy_deformation(head, moving, OPTIONS, progress)
            field = np.asarray(np.rint(found / FRACTION_MM) * FRACTION_MM, dtype=np.float32)
            gates = gates_of(field, head)
            outcome |= gates
            reason = failure(gates)
        except GreedyFailed as problem:
            reason = str(problem)
        outcome["failed"] = reason
    if reason:
        return only_affine(prepared.transform), {}, affine_finding(reason)
    return Warp(prepared.transform, field), gates, warp_finding(gates)


Fit = Callable[[Prepared, Progress, Steps], tuple[Warp, dict[str, float], Finding]]


def atlas_warp(
    regions: Regions,
    prepared: Prepared,
    spaces: Iterable[Path],
    folder: Path,
    progress: Progress,
    steps: Steps,
    fit: Fit = fit_warp,
) -> tuple[Warp, list[Finding]]:
    """The atlas's way onto a brain as a request wants it, and what is to be said of it.

    From the first of ``spaces`` that holds it, or made; kept in ``folder``.

    Parameters
    ----------
    regions
        Affine: nothing is fitted, kept or said.
    prepared
        As `fit_warp`.
    spaces
        Folders ``space/`` of earlier results.
    folder
        ``space/`` of this one; exists.
    fit
        `fit_warp`, exchangeable: it takes long.
    """
    affine, sources = prepared.transform, prepared.sources
    if regions is Regions.AFFINE:
        return only_affine(affine), []
    stored = next(filter(None, (read_warp(one, affine, sources) for one in spaces)), None)
    if stored is None:
        warp, gates, finding = fit(prepared, progress, steps)
    else:
        warp, gates = stored
        finding = warp_finding(gates)
    write_warp(warp, sources, gates, folder)
    return warp, [finding]


def gates_of(field: FloatArray, aligned: Volume) -> dict[str, float]:
    """How plausible a field is: folds, size, and likeness before and after.

    Parameters
    ----------
    field
        (3, I, J, K) mm.
    aligned
        Brain-only T1 on `CANONICAL`.
    """
    brain = atlas_volume("template_brain").mask & (aligned.data > 0)
    size = np.linalg.norm(field[:, brain], axis=0)
    template = atlas_volume("template_t1").data
    index = np.indices(CANONICAL.shape, np.float32) + field / np.float32(CANONICAL.spacing[0])
    bent = ndimage.map_coordinates(template, index, order=1)
    return {
        "folded_percent": round(100.0 * float((jacobian(field)[brain] <= 0.0).mean()), 3),
        "mean_mm": round(float(size.mean()), 2),
        "largest_mm": round(float(size.max()), 2),
        "nmi_affine": round(normalised_mutual_information(aligned.data, template, brain), 4),
        "nmi": round(normalised_mutual_information(aligned.data, bent, brain), 4),
    }


def jacobian(field: FloatArray) -> NDArray[np.float64]:
    """(I, J, K) how much a small volume grows; not positive where space is folded."""
    step = CANONICAL.spacing[0]
    rows = [np.stack(np.gradient(part.astype(np.float64), step)) for part in field]
    return np.asarray(np.linalg.det(np.moveaxis(np.stack(rows), (0, 1), (-2, -1)) + np.eye(3)))


def failure(gates: dict[str, float]) -> str:
    """Why a field may not be used, or an empty string."""
    if gates["folded_percent"] > 100.0 * FOLDED:
        return "it folded the brain"
    if gates["nmi"] <= gates["nmi_affine"]:
        return "it did not come closer to the template"
    return ""


def warp_finding(gates: dict[str, float]) -> Finding:
    """A usable field as a check."""
    return Finding(
        "deformable_alignment",
        gates["mean_mm"],
        f"closer than the affine, at most {100 * FOLDED:g} % folded",
        Verdict.GREEN,
        f"The atlas was bent onto this brain, by {gates['mean_mm']:.1f} mm in the mean and "
        f"{gates['largest_mm']:.0f} mm at most.",
    )


def affine_finding(reason: str) -> Finding:
    """Regions by the affine alone."""
    return Finding(
        "deformable_alignment",
        "affine",
        "deformable",
        Verdict.AMBER,
        f"The regions were laid on by the affine alone because {reason}: small regions are off by "
        "millimetres.",
    )


def write_warp(warp: Warp, sources: dict[str, Any], gates: dict[str, Any], folder: Path) -> None:
    """Write a field and what it belongs to into ``folder``; nothing for an affine alone.

    The file is a displacement field as ITK knows it: NIfTI, five axes, LPS mm, from the aligned
    head to the template.
    """
    if not warp.deformable:
        return
    import nibabel as nib

    lps = warp.field * np.diag(LPS)[:3, None, None, None]
    image = nib.Nifti1Image(
        np.moveaxis(lps, 0, -1)[:, :, :, None, :].astype(np.float32), CANONICAL.affine
    )
    image.header.set_intent("vector")
    image.header.set_xyzt_units("mm")
    packed = gzip.compress(image.to_bytes(), 4, mtime=0)
    (folder / FIELD).write_bytes(packed)
    body = {**_belongs(warp.affine, sources), "field_sha256": _sha256(packed), "gates": gates}
    (folder / RECORD).write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def read_warp(
    folder: Path, affine: NativeToTemplate, sources: dict[str, Any]
) -> tuple[Warp, dict[str, Any]] | None:
    """The field in ``folder`` when it was made for this T1 and this affine, with its gates.

    None when it is another's, missing or damaged: then it is made again.
    """
    import nibabel as nib

    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        found, matrix = record.pop("gates"), record.pop("native_to_template_ras_mm")
        gates = {name: float(found[name]) for name in _GATES}
        digest, packed = record.pop("field_sha256"), (folder / FIELD).read_bytes()
        wanted = _belongs(affine, sources)
        # A text file between the two: the last digits of the affine may differ.
        if not np.allclose(matrix, wanted.pop("native_to_template_ras_mm"), atol=1e-6):
            return None
        if record != wanted or failure(gates) or digest != _sha256(packed):
            return None
        image: Any = nib.Nifti1Image.from_bytes(gzip.decompress(packed))
        lps = np.moveaxis(np.asarray(image.dataobj, dtype=np.float32)[:, :, :, 0, :], -1, 0)
        field = np.asarray(lps * np.diag(LPS)[:3, None, None, None], dtype=np.float32)
        if field.shape != (3, *CANONICAL.shape) or not np.isfinite(field).all():
            return None
        return Warp(affine, field), gates
    except (*_DAMAGE, nib.spatialimages.HeaderDataError, nib.filebasedimages.ImageFileError):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _belongs(affine: NativeToTemplate, sources: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "t1_sha256": sources["t1_sha256"],
        "native_to_template_ras_mm": affine.matrix.tolist(),
        "template": CANONICAL.name,
        "options": OPTIONS,
    }
