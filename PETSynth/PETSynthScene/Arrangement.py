"""Which view arrangement is on: making the views of ours, switching to one, going back."""

from __future__ import annotations

import slicer

from .Environment import SceneEnvironment
from .Exploratory import keepTogether
from .Layouts import propertiesOf, registerLayouts, slicesOf, titles, viewIdOf
from .Legends import renewLegendsIn
from .Planes import followPlanes

PREVIOUS_LAYOUT = "PETSynth.PreviousLayout"
_SLICES = "vtkMRMLSliceNode"


def switchTo(env: SceneEnvironment, layout: int) -> None:
    """Switch to one of our layouts and remember the user's own."""
    node = env.layoutNode
    if node is None:
        return
    registerLayouts(node)
    before = node.GetViewArrangement()
    if before not in titles():
        node.SetAttribute(PREVIOUS_LAYOUT, str(before))
    node.SetViewArrangement(layout)
    keepTogether(env)


def previousLayout(env: SceneEnvironment) -> int | None:
    """The layout before ours; None when none of ours is on."""
    node = env.layoutNode
    if node is None or node.GetViewArrangement() not in titles():
        return None
    value = node.GetAttribute(PREVIOUS_LAYOUT)
    return int(value) if value else None


def restoreLayout(env: SceneEnvironment) -> None:
    """Back to the layout the user had before ours; no exploratory middle stays alone in it."""
    layout = previousLayout(env)
    if layout is not None:
        env.layoutNode.SetViewArrangement(layout)
        keepTogether(env)


def missingViews(env: SceneEnvironment, layout: int) -> list[str]:
    """Names of the slice views of a layout that have not been made yet."""
    names = [name for row in slicesOf(layout) for name in row]
    return [name for name in names if env.node(viewIdOf(name)) is None]


def makeView(env: SceneEnvironment, layout: int, name: str) -> None:
    """Make one slice view before its layout is on: all at once they would take too long.

    Slicer's layout manager makes the view for the node and keeps it hidden until the layout is on.
    A view that is there is left alone.
    """
    if env.layoutNode is None or env.node(viewIdOf(name)) is not None:
        return
    # As the layout logic would make it; it does not touch a view that is there.
    plane, label, colour = propertiesOf(layout, name)
    node = env.scene.CreateNodeByClass("vtkMRMLSliceNode")  # it knows the scene's orientations
    node.UnRegister(None)
    node.SetSingletonTag(name)
    node.SetLayoutName(name)
    node.SetName(name)
    node.SetOrientation(plane)
    node.SetLayoutLabel(label)
    node.SetLayoutColor(*(int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)))
    env.scene.AddNode(node)


class LayoutWatcher:
    """Follows the layout node, whoever changes it, e.g. Slicer's own layout menu.

    An exploratory tracer's middle goes with its low and high; views that were made later than a
    legend get that legend, and later than a tilt of the planes that tilt.

    Parameters
    ----------
    env
        The scene. The watcher belongs to who owns the views.
    """

    def __init__(self, env: SceneEnvironment) -> None:
        self.env = env
        self._observed: list[tuple[object, int]] = []
        self._known: set[str] = set()

    def start(self) -> None:
        """Begin to watch; a second call changes nothing."""
        layoutNode, scene = self.env.layoutNode, self.env.scene
        if self._observed or layoutNode is None:
            return
        self._known = self._views()
        ended = slicer.vtkMRMLScene.EndBatchProcessEvent
        self._observed = [
            (node, node.AddObserver(event, lambda *_: self.follow()))
            for node, event in ((layoutNode, "ModifiedEvent"), (scene, ended))
        ]
        self.follow()

    def stop(self) -> None:
        """Stop watching."""
        for node, tag in self._observed:
            node.RemoveObserver(tag)  # type: ignore[attr-defined]
        self._observed = []

    def follow(self) -> None:
        """See to what the present layout shows."""
        if self.env.scene.IsBatchProcessing():
            return  # a scene is being loaded or closed; its end comes here
        views = self._views()
        fresh, self._known = views - self._known, views
        for viewId in sorted(fresh):
            renewLegendsIn(self.env, viewId)
        followPlanes(self.env, {viewId for viewId in fresh if viewId.startswith(_SLICES)})
        keepTogether(self.env)

    def _views(self) -> set[str]:
        return {
            node.GetID() for name in (_SLICES, "vtkMRMLViewNode") for node in self.env.nodes(name)
        }
