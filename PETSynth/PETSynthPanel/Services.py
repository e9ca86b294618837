"""What works without the panel: layouts and marks of views, so that a saved scene opens right."""

import slicer

import PETSynthScene as Scene

from .Later import soon

_state = {"marks": None, "layouts": None, "surface": None, "stop": None}


def sceneEnvironment():
    """The environment of Slicer's own scene."""
    # Slicer without DICOM has no database.
    database = getattr(slicer, "dicomDatabase", None)
    return Scene.SceneEnvironment(slicer.mrmlScene, slicer.app.applicationLogic(), database)


def startServices():
    """Register the layouts and start the marks; a second call changes nothing."""
    layoutManager = slicer.app.layoutManager()
    if layoutManager is None or _state["marks"] is not None:
        return  # without windows there is nothing to mark
    environment = sceneEnvironment()
    if environment.layoutNode is not None:
        Scene.registerLayouts(environment.layoutNode)
    marks = Scene.CornerMarks(environment, rendererOf, scheduleRender, soon)
    _state["marks"] = marks
    layoutNode = environment.layoutNode
    if layoutNode is not None:
        # The layout manager hears of the change before us and has made its views by now.
        tag = layoutNode.AddObserver("ModifiedEvent", lambda *_: marks.viewsChanged())
        _state["stop"] = lambda: layoutNode.RemoveObserver(tag)
    _state["layouts"] = watcher = Scene.LayoutWatcher(environment)
    _state["surface"] = link = Scene.SurfaceLink(environment)
    marks.start()
    link.start()
    watcher.start()


def stopServices():
    """Take the marks away, e.g. before the module is read again."""
    if _state["marks"] is not None:
        _state["marks"].stop()
    if _state["stop"] is not None:
        _state["stop"]()
    if _state["layouts"] is not None:
        _state["layouts"].stop()
    if _state["surface"] is not None:
        _state["surface"].stop()
    _state.update(marks=None, layouts=None, surface=None, stop=None)


def rendererOf(viewNode):
    """The renderer of a view, or None while the view is not there."""
    view = _viewOf(viewNode)
    return None if view is None else view.renderWindow().GetRenderers().GetFirstRenderer()


def scheduleRender(viewNode):
    """Draw a view soon: an import changes its marks many times, and drawing blocks."""
    view = _viewOf(viewNode)
    if view is not None:
        view.scheduleRender()


def _viewOf(viewNode):
    layoutManager = slicer.app.layoutManager()
    if layoutManager is None:
        return None
    if viewNode.IsA("vtkMRMLSliceNode"):
        widget = layoutManager.sliceWidget(viewNode.GetLayoutName())
        return None if widget is None else widget.sliceView()
    view = None
    for index in range(layoutManager.threeDViewCount):
        candidate = layoutManager.threeDWidget(index).threeDView()
        if candidate.mrmlViewNode() is viewNode:
            view = candidate
    return view
