"""The eight views of the brain surface turn, move and zoom together, each from its own side.

Slicer links 3D views by giving all of them one camera (`vtkMRMLViewLinkLogic`), and eight times the
same side of a brain would be of no use; so these views are not linked in Slicer's sense.
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from .Environment import SceneEnvironment
from .Layouts import surfaceViewId
from .SurfaceViews import VIEW_OF, axesOf, centreOf, dressSurfaceViews, place, poseOf


class SurfaceLink:
    """Lets the eight views turn, move and zoom together, each from its own side.

    How a camera differs from the one of the page is told in its own directions (to the right, up,
    towards the reader) and given to the other seven.

    Parameters
    ----------
    env
        The scene. The link belongs to who owns the views.
    """

    def __init__(self, env: SceneEnvironment) -> None:
        self.env = env
        self._observed: dict[str, tuple[Any, int]] = {}
        self._tags: list[int] = []
        self._moving = False

    def start(self) -> None:
        """Begin to watch; a second call changes nothing."""
        if self._tags:
            return
        scene, events = self.env.scene, slicer.vtkMRMLScene
        self._tags = [
            scene.AddObserver(event, lambda *_: self._watch())
            for event in (
                events.NodeAddedEvent,
                events.NodeRemovedEvent,
                events.EndBatchProcessEvent,
            )
        ]
        self._watch()

    def stop(self) -> None:
        """Stop watching."""
        for tag in self._tags:
            self.env.scene.RemoveObserver(tag)
        for camera, tag in self._observed.values():
            camera.RemoveObserver(tag)
        self._tags, self._observed = [], {}

    def _watch(self) -> None:
        if self.env.scene.IsBatchProcessing() or self._moving:
            return
        self._moving = True
        try:
            # Slicer's layout menu makes the views too, in Slicer's own look.
            dressSurfaceViews(self.env)
        finally:
            self._moving = False
        present = {
            camera.GetID(): camera
            for camera in self.env.nodes("vtkMRMLCameraNode")
            if camera.GetLayoutName() in VIEW_OF
        }
        for nodeId, (camera, tag) in list(self._observed.items()):
            if present.get(nodeId) is not camera:
                camera.RemoveObserver(tag)
                del self._observed[nodeId]
        for nodeId, camera in present.items():
            if nodeId not in self._observed:
                tag = camera.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onCamera)
                self._observed[nodeId] = (camera, tag)

    def _onCamera(self, camera: Any, _event: str) -> None:
        if self._moving or self.env.scene.IsBatchProcessing() or not camera.GetLayoutName():
            return
        self._moving = True
        try:
            self._follow(camera)
        finally:
            self._moving = False

    def _follow(self, moved: Any) -> None:
        view = VIEW_OF[moved.GetLayoutName()]
        focus, axes = poseOf(moved)
        turn = axes @ axesOf(view).T
        shift = axes @ (focus - centreOf(view))
        halfHeight = moved.GetParallelScale()
        for camera, _ in self._observed.values():
            # Whenever a view changes it gives its field to its camera: the zoom would be lost.
            node = self.env.node(surfaceViewId(camera.GetLayoutName()))
            if node is not None:
                node.SetFieldOfView(halfHeight)
            if camera is moved:
                continue
            other = VIEW_OF[camera.GetLayoutName()]
            turned = turn @ axesOf(other)
            place(camera, centreOf(other) + shift @ turned, turned, halfHeight)
