"""What the views show of a run while it lasts: the emerging PET, brought in step by step."""

from pathlib import Path

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError

from .Controller import State
from .Later import Steps


class LiveView:
    """Makes the views of a run and shows its previews; no step takes Slicer for long.

    Parameters
    ----------
    context
        `Context.Context`.
    viewCard
        `ViewCard.ViewCard`: whether the layout may be switched, and the opacity.
    onShown
        Called after the first preview of a run stands in the views.
    holding
        ``with holding():`` the panel does not follow the scene: views bring nodes that change no
        card.
    """

    def __init__(self, context, viewCard, onShown, holding):
        self._context = context
        self._viewCard = viewCard
        self._onShown = onShown
        self._holding = holding
        self._steps = Steps()
        self._prepared = None
        self._path = None

    def follow(self):
        """Follow the run: as it starts, the views that it will need are made."""
        controller = self._context.controller
        run = controller.run
        if controller.state is not State.RUNNING or run is self._prepared:
            return
        self._prepared = run
        order = run.context.order
        if not order.show or not self._viewCard.mayPreviewSwitch():
            return
        environment = self._context.environment
        layout = Scene.resultLayout(order.request.tracer)
        for name in Scene.missingViews(environment, layout):
            self._add(lambda name=name: Scene.makeView(environment, layout, name))

    def onPreview(self, path):
        """A preview lies there; of several that wait, the newest is shown."""
        parameters, order = self._context.parameters, self._context.launcher.order
        if parameters is None or not order.show or not parameters.view.preview:
            return
        waits, self._path = self._path is not None, Path(path)
        if not waits:
            self._add(self._load)

    def clear(self):
        """The run is over: nothing of its previews stays, neither in the scene nor to come."""
        self._steps.clear()
        self._path = None
        if self._context.environment.scene is not None:
            Scene.removePreview(self._context.environment)

    def _add(self, step):
        def held():
            if self._context.controller.state is State.RUNNING:
                with self._holding():
                    step()

        self._steps.add(held)

    def _load(self):
        path, self._path = self._path, None
        context, order = self._context, self._context.launcher.order
        known = Scene.previewNode(context.environment) is not None
        try:
            node = Scene.loadPreview(context.environment, path, order.t1Id, order.request.tracer)
        except PETSynthError as problem:
            context.controller.log.add(f"preview: {problem}")  # the run goes on without it
            return
        # Of an exploratory tracer there is none: the first layout is the result's.
        if node is not None and not known:
            self._add(self._switch)
            self._add(self._place)

    def _switch(self):
        environment = self._context.environment
        if self._viewCard.mayPreviewSwitch():
            Scene.switchTo(environment, Scene.FUSED)
            self._viewCard.switchedOnce = True

    def _place(self):
        Scene.placePreview(self._context.environment, self._viewCard.opacity)
        self._viewCard.switchedOnce = True
        self._onShown()
