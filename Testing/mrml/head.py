"""A small made-up head and the folder a finished job would leave for it.

The head is a box with a marker in its left side, so that left and right, front and back, up and
down can be told apart by hand in any orientation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import slicer

from PETSynthLib.assets import region_names
from PETSynthLib.export import marks
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.quantify.regions import labels_of
from PETSynthLib.tracers import tracer
from PETSynthScene.Volumes import setArray, vtkMatrix

SHAPE = (40, 48, 36)
SPACING_MM = 4.0
BRAIN = (slice(8, 32), slice(8, 40), slice(8, 28))
"""i (to the right), j (to the front), k (up) of the brain in canonical orientation."""
HOT = (slice(10, 14), slice(30, 36), slice(20, 25))
"""A hot spot: left, front, top."""
LEFT_TARGET = (slice(12, 18), slice(14, 20), slice(12, 24))
RIGHT_TARGET = (slice(24, 30), slice(14, 20), slice(12, 24))
PONS = (slice(19, 22), slice(18, 22), slice(9, 13))
UPTAKE = 1.2
HOT_UPTAKE = 2.0


def straight() -> np.ndarray:
    """ijkToRas of the head in canonical orientation, centred at the origin."""
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    affine[:3, 3] = -SPACING_MM * (np.array(SHAPE) - 1) / 2.0
    return affine


def turned(*degrees: float) -> np.ndarray:
    """Rotation about x, then y, then z, as 4x4."""
    turn = np.eye(4)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        a, b = (n for n in range(3) if n != axis)
        one = np.eye(4)
        one[a, a] = one[b, b] = np.cos(angle)
        one[a, b], one[b, a] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    return turn


def stored(data: np.ndarray, flips: tuple[int, ...], order: tuple[int, int, int]) -> np.ndarray:
    """Canonical voxels (I, J, K) in another storage order."""
    return np.transpose(np.flip(data, flips) if flips else data, order)


def storedAffine(
    affine: np.ndarray, flips: tuple[int, ...], order: tuple[int, int, int]
) -> np.ndarray:
    """ijkToRas of the same voxels after `stored`."""
    matrix = affine.copy()
    for axis in flips:
        matrix[:3, 3] += matrix[:3, axis] * (SHAPE[axis] - 1)
        matrix[:3, axis] *= -1
    return np.column_stack([matrix[:, list(order)], matrix[:, 3]])


def filled(*parts: tuple[Any, float]) -> np.ndarray:
    """float32 (I, J, K), zero but for the boxes given."""
    data = np.zeros(SHAPE, np.float32)
    for where, value in parts:
        data[where] = value
    return data


class Head:
    """A head in some storage order and place.

    Parameters
    ----------
    affine
        ijkToRas of the canonical voxels.
    flips, order
        How they are stored (see `stored`).
    """

    def __init__(
        self,
        affine: np.ndarray | None = None,
        flips: tuple[int, ...] = (),
        order: tuple[int, int, int] = (0, 1, 2),
    ) -> None:
        self.flips, self.order = flips, order
        self.affine = storedAffine(straight() if affine is None else affine, flips, order)
        self._canonical = straight() if affine is None else affine

    def ras(self, box: Any) -> np.ndarray:
        """Middle of a box of canonical voxels in the head's own RAS."""
        middle = [(s.start + s.stop - 1) / 2.0 for s in box]
        return (self._canonical @ [*middle, 1.0])[:3]

    def node(self, scene: Any, name: str = "Sample T1w") -> Any:
        """The T1 as volume node."""
        data = filled((BRAIN, 100.0), (HOT, 140.0))
        return self.volume(scene, name, data)

    def volume(self, scene: Any, name: str, data: np.ndarray) -> Any:
        """Canonical voxels as volume node."""
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        setArray(node, np.transpose(stored(data, self.flips, self.order)))
        node.SetIJKToRASMatrix(vtkMatrix(self.affine))
        node.CreateDefaultDisplayNodes()
        return node

    def write(self, path: Path, data: np.ndarray, kind: type = np.float32) -> None:
        """Canonical voxels as NIfTI, in the storage order and place of the head."""
        path.parent.mkdir(parents=True, exist_ok=True)
        voxels = stored(data, self.flips, self.order).astype(kind)
        image = nib.Nifti1Image(voxels, self.affine)
        image.set_sform(self.affine, 1)
        image.set_qform(self.affine, 1)
        nib.save(image, path)

    def result(
        self,
        folder: Path,
        key: str = "fdg",
        *,
        samples: int = 0,
        expected: bool = False,
        regions: bool = True,
        **sidecar: Any,
    ) -> Path:
        """The folder of a finished job."""
        pet = filled((BRAIN, UPTAKE), (HOT, HOT_UPTAKE))
        inside = filled((BRAIN, 1.0))
        volumes = {"suvr": pet, "sd": 0.1 * inside}
        if tracer(key).exploratory:
            volumes |= {"low10": 0.8 * pet, "high90": 1.2 * pet}
        if expected:
            volumes["expected"] = UPTAKE * inside
        volumes |= {f"sample-{n:02d}": pet + 0.01 * n * inside for n in range(1, samples + 1)}
        for part, data in volumes.items():
            self.write(folder / marks.file_name(key, part, ".nii.gz"), data)
        self.write(folder / "space" / "brain_mask.nii.gz", inside, np.uint8)
        if regions:
            target = tracer(key).target_region
            labels = filled(
                (LEFT_TARGET, labels_of(target, "L")[0]),
                (RIGHT_TARGET, labels_of(target, "R")[0]),
                (PONS, _label("brainstem")),
            )
            self.write(folder / "space" / "regions.nii.gz", labels, np.uint8)
            self.write(folder / "space" / "reference.nii.gz", filled((PONS, 1)), np.uint8)
        body = {
            "Tracer": key,
            "Banner": marks.DEMONSTRATION,
            "Evidence": "simulation",
            "Cognition": "",
            "Model": {"name": "tiny", "version": "1.0", "bundle_sha256": "a" * 64},
            "ConditioningVariables": {"Used": ["age"]},
            "Seeds": [7],
            "RequestSha256": "d" * 64,
            **marks.sidecar_fields(tracer(key)),
            **sidecar,
        }
        write_json(folder / marks.file_name(key, "", ".json"), body)
        result = {
            "version": 1,
            "tracer": key,
            "folder": str(folder),
            "headline_text": ["AD-like meta-ROI: 1.20 (1.10 to 1.30)"],
            "notices": [marks.DEMONSTRATION],
        }
        write_json(folder / "result.json", result)
        return folder


def write_json(path: Path, body: dict[str, Any]) -> None:
    """Write JSON as the job does."""
    path.write_text(json.dumps(body), encoding="utf-8")


def _label(name: str) -> int:
    return next(number for number, (region, _) in region_names().items() if region == name)


TO_TEMPLATE = turned(8, 0, 20) @ np.diag([1.1, 1.0, 0.9, 1.0])
GRID = np.array([[8.0, 0, 0, -80], [0, 8, 0, -100], [0, 0, 8, -80], [0, 0, 0, 1]])


def previewIn(folder: Path, head: Head, shape: tuple[int, int, int] = (21, 26, 21)) -> Path:
    """A preview as the worker leaves it in its hidden folder: one hot voxel where the head's is."""
    job = folder / ".job.partial-0a"
    (job / ".scratch").mkdir(parents=True, exist_ok=True)
    (job / "space").mkdir(exist_ok=True)
    NativeToTemplate(TO_TEMPLATE).write(job / "space" / "native_to_template.tfm")
    inTemplate = TO_TEMPLATE @ [*head.ras(HOT), 1.0]
    i, j, k = np.round(np.linalg.solve(GRID, inTemplate)[:3]).astype(int)
    data = np.ones(shape, np.float32)
    data[i, j, k] = 2.0
    path = job / ".scratch" / "fdg_synth_preview.nii.gz"
    nib.save(nib.Nifti1Image(data, GRID), path)
    return path


def linear(scene: Any, matrix: np.ndarray, name: str = "Align") -> Any:
    """A linear transform node, from the volume's space to the world."""
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
    node.SetMatrixTransformToParent(vtkMatrix(matrix))
    return node


def bending(scene: Any, shiftMm: float = 20.0) -> Any:
    """A non-linear transform: thin plates that push the upper front to the right."""
    import vtk

    corners = [(x, y, z) for x in (-90, 90) for y in (-100, 100) for z in (-80, 80)]
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for x, y, z in [*corners, (0, 30, 40)]:
        source.InsertNextPoint(x, y, z)
        target.InsertNextPoint(x + (shiftMm if (x, y, z) == (0, 30, 40) else 0), y, z)
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    spline.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode", "Bend")
    node.SetAndObserveTransformToParent(spline)
    return node


def worldOf(node: Any, index: np.ndarray) -> np.ndarray:
    """World position of voxel ``index`` (i, j, k) through all parent transforms."""
    import vtk

    from PETSynthScene.Volumes import ijkToRas

    own = (ijkToRas(node) @ [*index, 1.0])[:3]
    toWorld = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(
        node.GetParentTransformNode(), None, toWorld
    )
    return np.array(toWorld.TransformPoint(own))
