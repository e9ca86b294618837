"""Marks in the views: every view that shows something synthetic says so, and tells left from right.

A slice that shows a PET of ours says in its upper right corner how fine the picture is.

The text follows the attribute of what is shown, not its name. It is drawn by our own actors in the
view's renderer, so that Slicer's own annotations do not overwrite it.

What changes is looked at once a turn of the event loop, however many events there were. A view that
is drawn before that looks at itself first, so no frame goes without its mark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
import vtk

from PETSynthLib.export import marks
from PETSynthLib.export.policy import release
from PETSynthLib.tracers import all_tracers

from .Attributes import COGNITION, EVIDENCE, TRACER, WHAT_IF, Role, isSynthetic, roleOf
from .CornerActors import Drawn, Letters, Said
from .Environment import SceneEnvironment
from .Layouts import FUSED_VIEWS, slicesOf, titles
from .Reading import resolutionText
from .Slices import layersOf
from .SurfaceViews import isPageOnly, lettersOfView, nameOfView
from .Volumes import numpyMatrix

ACQUIRED_TEXT = "ACQUIRED PET"
FORMING = "preview, still forming"
_PLACES = {
    Role.LOW: "low (10 %)",
    Role.PET: "middle",
    Role.HIGH: "high (90 %)",
    Role.SAMPLE: "one sample",
}
_LETTERS = (("R", "L"), ("A", "P"), ("S", "I"))

_VIEWS = ("vtkMRMLSliceNode", "vtkMRMLViewNode")
_WATCHED = (
    *_VIEWS,
    "vtkMRMLSliceCompositeNode",
    "vtkMRMLScalarVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLModelNode",
    # Not those of volumes: dragging a window must not redraw the marks.
    "vtkMRMLSegmentationDisplayNode",
    "vtkMRMLModelDisplayNode",
    "vtkMRMLVolumeRenderingDisplayNode",
    # Turning a view of the brain surface moves left and right.
    "vtkMRMLCameraNode",
)

OUR_VIEWS = frozenset(
    name for layout in titles() for row in slicesOf(layout) for name in row
) - set(FUSED_VIEWS)
"""Slice views of our own: these tell left from right whatever they show."""


def wordsOf(node: Any) -> str:
    """What a view says of one node it shows; empty for what is neither ours nor acquired."""
    if roleOf(node) is Role.ALIGNED:
        return ACQUIRED_TEXT
    if not isSynthetic(node):
        return ACQUIRED_TEXT if roleOf(node) in (Role.SURFACE, Role.PAGE) else ""
    lines = [marks.CORNER]
    role = roleOf(node)
    tracer = all_tracers().get(node.GetAttribute(TRACER) or "")
    if role is Role.PREVIEW:
        lines.append(FORMING)
    if tracer is not None and tracer.exploratory and role in _PLACES:
        lines.append(f"{_PLACES[role]}: {marks.AMBIGUOUS}")
    lines.append(_evidence(node))
    if node.GetAttribute(WHAT_IF):
        lines.append(f"{marks.SENSITIVITY}: {node.GetAttribute(WHAT_IF)}")
    if node.GetAttribute(COGNITION):
        lines.append(node.GetAttribute(COGNITION))
    return "\n".join(line for line in lines if line)


def _evidence(node: Any) -> str:
    """The first words of the release policy's banner, e.g. that it is a demonstration."""
    try:
        banner = release(node.GetAttribute(EVIDENCE) or "", False).banner
    except KeyError:
        return ""
    words = banner.split(" - ")[0]
    return "" if words in marks.CORNER else words


class CornerMarks:
    """Watches a scene and keeps the marks of its views.

    Parameters
    ----------
    env
        The scene.
    rendererOf
        View node -> its ``vtkRenderer``, or None while the view is not there.
    requestRender
        Called with a view node whose marks have changed; by default the renderer's window renders.
    later
        Calls a function soon, from the event loop; by default at once.
    """

    def __init__(
        self,
        env: SceneEnvironment,
        rendererOf: Callable[[Any], Any],
        requestRender: Callable[[Any], None] | None = None,
        later: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.env = env
        self._rendererOf = rendererOf
        self._requestRender = requestRender
        self._later = later or (lambda function: function())
        self._sceneTags: list[int] = []
        self._nodeTags: dict[str, tuple[Any, int]] = {}
        self._drawn: dict[str, Drawn] = {}
        self._stale: set[str] = set()
        self._allStale = False
        self._called = False

    def start(self) -> None:
        """Begin to watch; a second call changes nothing."""
        if self._sceneTags:
            return
        scene, events = self.env.scene, slicer.vtkMRMLScene
        self._sceneTags = [
            scene.AddObserver(events.NodeAddedEvent, self._onAdded),
            scene.AddObserver(events.NodeRemovedEvent, self._onRemoved),
            # Of an import or a close: what came and went in between was not looked at.
            scene.AddObserver(events.EndBatchProcessEvent, lambda *_: self.viewsChanged()),
        ]
        self.refresh()

    def stop(self) -> None:
        """Stop watching and take the marks away."""
        for tag in self._sceneTags:
            self.env.scene.RemoveObserver(tag)
        for node, tag in self._nodeTags.values():
            node.RemoveObserver(tag)
        for drawn in self._drawn.values():
            drawn.remove()
        self._sceneTags, self._nodeTags, self._drawn = [], {}, {}
        self._stale, self._allStale = set(), False

    def refresh(self) -> None:
        """Look at all nodes and views again, now."""
        self._watch()
        views = self._views()
        for viewId in set(self._drawn) - {view.GetID() for view in views}:
            self._drawn.pop(viewId).remove()
        self._stale, self._allStale = set(), False
        for view in views:
            self._draw(view)

    def viewsChanged(self) -> None:
        """Views may have come or got another renderer: see to them before they are drawn."""
        for view in self._views():
            self._drawnOf(view)
        self._lookAtAll()

    def textOf(self, viewNode: Any) -> str:
        """What the view has to say; empty when it shows nothing synthetic or acquired."""
        shown = (
            self._inSlice(viewNode)
            if viewNode.IsA("vtkMRMLSliceNode")
            else self._inThreeD(viewNode)
        )
        # A set of lines: three synthetic nodes in one view say it once.
        lines = [line for node in shown for line in wordsOf(node).splitlines()]
        return "\n".join(dict.fromkeys(lines))

    def lettersOf(self, sliceNode: Any) -> Letters:
        """Letters of the left, right, lower and upper edge of a slice view, e.g. R L P A."""
        axes = numpyMatrix(sliceNode.GetSliceToRAS())
        right, up = _letters(axes[:3, 0]), _letters(axes[:3, 1])
        return right[1], right[0], up[1], up[0]

    def resolutionOf(self, viewNode: Any) -> str:
        """How fine the pictures of a slice view are; empty where none of ours is shown."""
        if not viewNode.IsA("vtkMRMLSliceNode"):
            return ""
        told = [resolutionText(volume) for volume in self._volumesOf(viewNode)]
        return "\n".join(dict.fromkeys(text for text in told if text))

    # --- what a view shows ------------------------------------------------------------------------
    def _inSlice(self, sliceNode: Any) -> list[Any]:
        return self._volumesOf(sliceNode) + [
            node
            for node in self._structures()
            if any(
                display.GetVisibility()
                and display.GetVisibility2D()
                and display.IsDisplayableInView(sliceNode.GetID())
                for display in _displays(node)
            )
        ]

    def _volumesOf(self, sliceNode: Any) -> list[Any]:
        for composite in self.env.nodes("vtkMRMLSliceCompositeNode"):
            if composite.GetLayoutName() == sliceNode.GetLayoutName():
                return layersOf(self.env, composite)
        return []

    def _inThreeD(self, viewNode: Any) -> list[Any]:
        shown = [
            volume
            for sliceNode in self.env.nodes("vtkMRMLSliceNode")
            if sliceNode.GetSliceVisible() and sliceNode.IsDisplayableInThreeDView(viewNode.GetID())
            for volume in self._volumesOf(sliceNode)
        ]
        for node in [*self._structures(), *self.env.nodes("vtkMRMLScalarVolumeNode")]:
            # Of a volume only volume rendering reaches a 3D view; its 2D look does not.
            if wordsOf(node) and any(
                display.GetVisibility()
                and not display.IsA("vtkMRMLVolumeDisplayNode")
                and display.GetVisibility3D()
                and not display.IsA("vtkMRMLColorLegendDisplayNode")
                and display.IsDisplayableInView(viewNode.GetID())
                for display in _displays(node)
            ):
                shown.append(node)
        return shown

    def _structures(self) -> list[Any]:
        nodes = self.env.nodes("vtkMRMLSegmentationNode") + self.env.nodes("vtkMRMLModelNode")
        return [node for node in nodes if wordsOf(node)]

    # --- watching and drawing ---------------------------------------------------------------------
    def _views(self) -> list[Any]:
        return [view for name in _VIEWS for view in self.env.nodes(name)]

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onAdded(self, _scene: Any, _event: str, node: Any) -> None:
        if self.env.scene.IsBatchProcessing():
            return
        if node is not None and any(node.IsA(name) for name in _VIEWS):
            self._drawnOf(node)  # it may be drawn before the event loop turns
        self._lookAtAll()

    def _onRemoved(self, *_: Any) -> None:
        if not self.env.scene.IsBatchProcessing():
            self._lookAtAll()

    def _onNode(self, caller: Any, _event: str) -> None:
        if not self.env.scene.IsBatchProcessing() and not self._allStale:
            self._stale.update(view.GetID() for view in self._concerned(caller))
            self._callLater()

    def _lookAtAll(self) -> None:
        self._allStale = True
        self._callLater()

    def _callLater(self) -> None:
        if not self._called:
            self._called = True
            self._later(self._catchUp)

    def _catchUp(self) -> None:
        """What has changed since the last turn of the event loop."""
        self._called = False
        if not self._sceneTags:
            return  # stopped in the meantime
        if self._allStale:
            self.refresh()
            return
        stale, self._stale = self._stale, set()
        for viewId in stale:
            view = self.env.node(viewId)
            if view is not None:
                self._draw(view)

    def _beforeFrame(self, viewId: str) -> None:
        """A view is being drawn: what it has to say must not wait for the event loop."""
        if self._allStale or viewId in self._stale:
            view, drawn = self.env.node(viewId), self._drawn.get(viewId)
            if view is not None and drawn is not None:
                self._stale.discard(viewId)
                drawn.say(*self._said(view))

    def _concerned(self, node: Any) -> list[Any]:
        """Views whose marks a change of ``node`` may change; scrolling touches one slice only."""
        threeD = self.env.nodes("vtkMRMLViewNode")
        if node.IsA("vtkMRMLViewNode"):
            return [node]
        if node.IsA("vtkMRMLCameraNode"):
            return [view for view in threeD if view.GetLayoutName() == node.GetLayoutName()]
        if node.IsA("vtkMRMLSliceNode"):
            return [node, *threeD]
        slices = self.env.nodes("vtkMRMLSliceNode")
        if node.IsA("vtkMRMLSliceCompositeNode"):
            return [s for s in slices if s.GetLayoutName() == node.GetLayoutName()] + threeD
        return slices + threeD

    def _watch(self) -> None:
        present = {node.GetID(): node for name in _WATCHED for node in self.env.nodes(name)}
        for nodeId, (node, tag) in list(self._nodeTags.items()):
            if present.get(nodeId) is not node:
                node.RemoveObserver(tag)
                del self._nodeTags[nodeId]
        for nodeId, node in present.items():
            if nodeId not in self._nodeTags:
                tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onNode)
                self._nodeTags[nodeId] = (node, tag)

    def _drawnOf(self, view: Any) -> Drawn | None:
        """The annotations of a view, made when missing; None while it has no renderer."""
        viewId, renderer = view.GetID(), self._rendererOf(view)
        drawn = self._drawn.get(viewId)
        if drawn is not None and drawn.renderer is not renderer:
            self._drawn.pop(viewId).remove()
            drawn = None
        if drawn is None and renderer is not None:
            drawn = Drawn(renderer, lambda: self._beforeFrame(viewId))
            self._drawn[viewId] = drawn
        return drawn

    def _said(self, view: Any) -> Said:
        """Words, letters, resolution and name of a view."""
        text = self.textOf(view)
        letters = self._lettersOf(view, bool(text))
        return text, letters, self.resolutionOf(view), nameOfView(self.env, view)

    def _lettersOf(self, view: Any, marked: bool) -> Letters | None:
        name = view.GetLayoutName()
        if not view.IsA("vtkMRMLSliceNode"):
            edges = lettersOfView(self.env, view)
            return None if edges is None else (*edges, "", "")
        if not (marked or name in OUR_VIEWS) or isPageOnly(self.env, name):
            return None
        return self.lettersOf(view)

    def _draw(self, view: Any) -> None:
        drawn = self._drawnOf(view)
        if drawn is None or not drawn.say(*self._said(view)):
            return
        if self._requestRender is not None:
            self._requestRender(view)
        else:
            drawn.renderer.GetRenderWindow().Render()


def _displays(node: Any) -> list[Any]:
    found = (node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes()))
    return [display for display in found if display is not None]


def _letters(direction: np.ndarray) -> tuple[str, str]:
    """Letters of a direction in RAS and of its opposite."""
    axis = int(np.argmax(np.abs(direction)))
    plus, minus = _LETTERS[axis]
    return (plus, minus) if direction[axis] > 0 else (minus, plus)
