"""The folder that a finished surface projection leaves, and eight 3D views to look at it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from PIL import Image
from slicer_scene import SlicerScene
from vtk.util.numpy_support import vtk_to_numpy

from PETSynthLib.assets import asset
from PETSynthLib.export import marks
from PETSynthLib.export.surface_files import RECORD_VERSION, SURFACES
from PETSynthLib.project.references import REFERENCES
from PETSynthLib.project.surface import SIDES, surfaces
from PETSynthLib.tracers import tracer
from PETSynthScene.Layouts import SURFACE_VIEWS, surfaceViewId

LEFT_FRONTAL = np.array((-40.0, 42.0, 22.0))
"""RAS mm, in the left middle frontal gyrus."""
PAGE = (60, 40)
"""Width and height of a page, pixels."""


def peak(side: str, height: float = 5.0, sigma: float = 12.0) -> np.ndarray:
    """(V,) a Gaussian around `LEFT_FRONTAL`."""
    away = np.linalg.norm(surfaces()[side].vertices - LEFT_FRONTAL, axis=1)
    return height * np.exp(-(away**2) / (2.0 * sigma**2))


def folder_of_surface(
    folder: Path, key: str = "fdg", *, z: bool = False, synthetic: bool = True
) -> Path:
    """Uptake 1 (2 at the left frontal peak); z up to 5 there, reliable on the left only."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = tracer(key)
    stem = marks.file_name(key, "", "") if synthetic else key
    arrays: dict[str, np.ndarray] = {"description": np.array("made up")}
    for side in SIDES:
        uptake = 1.0 + peak(side, 1.0)
        arrays[f"uptake_{side}"] = uptake.astype(np.float32)
        arrays[f"depth_{side}"] = np.full(len(uptake), 4.5, np.float32)
        if synthetic:
            arrays[f"sd_{side}"] = (0.1 * uptake).astype(np.float32)
        for name in REFERENCES if z else ():
            values = peak(side).astype(np.float32)
            values[:3] = np.nan
            # A mirror-image increase, and a decrease that no normal explains on the medial wall.
            values[surfaces()[side].medial_wall] = 9.0
            arrays[f"z_{name}_{side}"] = values if side == "L" else -peak("L").astype(np.float32)
            if synthetic:
                arrays[f"reliable_{name}_{side}"] = np.full(len(uptake), side == "L")
    np.savez(folder / f"{stem}_ssp.npz", **arrays)
    parts = ["ssp", "ssp-decrease", "ssp-increase"] if z else ["ssp"]
    for part in parts:
        picture = np.zeros((PAGE[1], PAGE[0], 3), np.uint8)
        picture[:10, :15] = (255, 0, 0)  # the upper left corner
        Image.fromarray(picture).save(folder / f"{stem}_{part}.png")
    record = {
        "Version": RECORD_VERSION,
        "Tracer": key,
        "TracerLabel": facts.label,
        "ReferenceRegion": facts.reference_region,
        "FirstLines": [marks.DEMONSTRATION] if synthetic else [],
        "OnlyTogether": ["low10", "uptake", "high90"] if facts.exploratory and synthetic else [],
        "Surface": {"sha256": hashlib.sha256(asset(SURFACES).read_bytes()).hexdigest()},
        "Pages": parts,
    }
    (folder / f"{stem}_ssp.json").write_text(json.dumps(record), encoding="utf-8")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    body = {
        "kind": "project",
        "version": 1,
        "tracer": key,
        "files": files,
        "findings": [],
        "total_seconds": 6.6,
    }
    (folder / "result.json").write_text(json.dumps(body), encoding="utf-8")
    return folder


class ThreeDView:
    """One 3D view with Slicer's own managers, drawn off screen."""

    _MANAGERS = (
        "vtkMRMLCameraDisplayableManager",
        "vtkMRMLViewDisplayableManager",
        "vtkMRMLModelDisplayableManager",
    )

    def __init__(self, host: SlicerScene, name: str, size: int = 160) -> None:
        self.node = host.scene.GetNodeByID(surfaceViewId(SURFACE_VIEWS[name]))
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(host.logic)
        for manager in self._MANAGERS:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self.size = size
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(size, size)
        self.window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.SetRenderer(self.renderer)
        self._group.Initialize(factory, self.renderer)
        self._group.SetMRMLDisplayableNode(self.node)

    def picture(self) -> np.ndarray:
        """RGB, shape (size, size, 3), rows from top."""
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.Update()
        image = grab.GetOutput()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars())
        return pixels.reshape(self.size, self.size, -1)[::-1].copy()

    def seen(self, ras: Any) -> tuple[float, float]:
        """Where a world point appears, -1..1 to the right and up, by the view's own camera."""
        camera = self.renderer.GetActiveCamera()
        matrix = camera.GetCompositeProjectionTransformMatrix(1.0, -1, 1)
        x, y, _, w = matrix.MultiplyPoint([*ras, 1.0])
        return x / w, y / w

    def close(self) -> None:
        """Let go, in an order VTK survives."""
        self._group.SetMRMLDisplayableNode(None)
        self.window.Finalize()
