"""Card View: layouts, opacity, which result, its colours and window, the acquired PET."""

import dataclasses

from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import FloatRange

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError

from . import Messages
from .Context import choose, gate, quiet
from .ReadingControls import ReadingControls

_COLOURS = ("nih", "heat", "inverse_grey", "uniform")


class ViewCard:
    """Changes how a result is shown; computes nothing."""

    TITLE = "View"

    def __init__(self, context):
        self._context = context
        self._result = None
        self._window = None
        self._acquired = None
        self._faded = None
        self.switchedOnce = False
        ui = context.ui
        buttons = (ui.fusedLayoutButton, ui.expectedLayoutButton, ui.compareLayoutButton)
        editable = (
            *buttons, ui.restoreLayoutButton, ui.opacitySlider, ui.resultSelector,
            ui.shownComboBox, ui.colourComboBox, ui.windowRange, ui.outlinesCheckBox,
            ui.acquiredPetSelector,
        )  # fmt: skip
        self._tips = {widget: widget.toolTip for widget in editable}
        self.reading = ReadingControls(context, self.refresh, self._onLook)
        ui.resultSelector.addAttribute("vtkMRMLScalarVolumeNode", "PETSynth.Role", "PET")
        ui.fusedLayoutButton.connect("clicked(bool)", lambda: self.showFused())
        ui.expectedLayoutButton.connect("clicked(bool)", lambda: self.showExpected())
        ui.compareLayoutButton.connect("clicked(bool)", lambda: self.showCompare())
        ui.restoreLayoutButton.connect("clicked(bool)", lambda: self.restoreLayout())
        ui.shownComboBox.connect("currentIndexChanged(int)", lambda _index: self._onShown())
        ui.colourComboBox.connect("currentIndexChanged(int)", lambda _index: self._onColours())

    # --- what is there -------------------------------------------------------------------------

    @property
    def result(self):
        """The chosen result as `PETSynthScene.ResultNodes`, or None."""
        parameters = self._context.parameters
        pet = None if parameters is None else parameters.view.result
        if pet is None:
            return None
        return Scene.resultOf(self._context.environment, pet)

    @property
    def opacity(self):
        """0..1; 0 while the PET is blinked off."""
        if self.reading.hidden:
            return 0.0
        return self._context.parameters.view.opacity / 100.0

    @property
    def summary(self):
        """What the folded card says."""
        return "" if self._hasResult() else _("after the first result")

    def mayPreviewSwitch(self):
        """Whether a preview or result may switch the layout: the first may, then one of ours is on.

        A user who chose another layout afterwards keeps it.
        """
        previous = Scene.previousLayout(self._context.environment)
        return not self.switchedOnce or previous is not None

    # --- following the parameter node ----------------------------------------------------------

    def refresh(self):
        """Follow the parameter node, the scene and the run."""
        context = self._context
        if context.parameters is None:
            return
        nodes = self.result
        self._hideOurs()
        self._followResult(nodes)
        self._fade()
        self._applyOpacity()
        if nodes is not None:
            self._applyWindow(nodes)
            Scene.setOutlinesVisible(nodes, context.parameters.view.outlines)
        self._followAcquired(nodes)
        self._gate(nodes)
        self._showLayout()

    def showNew(self, nodes):
        """A result has just come in: show it as its tracer may be shown."""
        view, environment = self._context.parameters.view, self._context.environment
        view.shown = "mean"
        self.reading.hidden = False
        if view.colours != "registry":
            Scene.setColours(environment, nodes, view.colours)
        view.result = nodes.pet
        # Of an exploratory tracer the middle alone in the user's views would say too much.
        switch = nodes.exploratory or self.mayPreviewSwitch()
        Scene.showResult(environment, nodes, self.opacity, switchLayout=switch)
        self.switchedOnce = True

    def showChange(self, nodes, found):
        """What another score changes has just come in (`Scene.WhatIfNodes`)."""
        view = self._context.parameters.view
        view.shown = f"change{len(Scene.whatIfsOf(nodes.pet)) - 1}"
        self._fillShown(nodes)
        switch = self.mayPreviewSwitch()
        Scene.showWhatIf(self._context.environment, nodes, found, self.opacity, switchLayout=switch)
        self.switchedOnce = True

    def forget(self):
        """The scene closes: the next one has its own PETs, and says which were accepted."""
        self._result = self._acquired = None

    def _followResult(self, nodes):
        key = None if nodes is None else nodes.pet.GetID()
        if key == self._result:
            return
        before, self._result = self._result, key
        self.reading.follow(nodes)
        environment = self._context.environment
        # The views of a loaded scene are as they were saved; a run shows its result by itself.
        settled = not (environment.scene.IsImporting() or self._context.controller.busy)
        if nodes is not None and before is not None and settled:
            self._context.parameters.view.shown = "mean"
            switch = nodes.exploratory or Scene.previousLayout(environment) is not None
            Scene.showResult(environment, nodes, self.opacity, switchLayout=switch)
        self._fillShown(nodes)
        self._fillColours(nodes)
        if nodes is not None:
            window = Scene.windowOf(nodes.pet)
            self._window = tuple(window)
            self._context.parameters.view.window = FloatRange(*window)
        lines = [] if nodes is None else [*Scene.notices(nodes.pet), *Scene.headline(nodes.pet)]
        self._context.ui.headlineLabel.setText("\n".join(lines))

    def _hideOurs(self):
        """The list of acquired PETs leaves out what we made: it is from no scanner."""
        model = self._context.ui.acquiredPetSelector.sortFilterProxyModel()
        ours = [node.GetID() for node in Scene.ownVolumes(self._context.environment)]
        if list(model.hiddenNodeIDs) != ours:
            model.hiddenNodeIDs = ours

    def _hasResult(self):
        return bool(Scene.listResults(self._context.environment))

    def _gate(self, nodes):
        ui = self._context.ui
        none = _("There is no synthetic PET yet: click Synthesize.")
        waiting = _("Wait for the run or cancel it.")
        locked = self._context.locked
        reasons = dict.fromkeys(self._tips, "" if nodes is not None else none)
        exploratory = nodes is not None and nodes.exploratory
        only = _("An exploratory tracer is shown as low | middle | high only.")
        if nodes is not None:
            if exploratory:
                for widget in (ui.expectedLayoutButton, ui.compareLayoutButton, ui.shownComboBox):
                    reasons[widget] = only
            elif nodes.expected is None:
                text = _("This model does not tell the mean of that age and sex.")
                reasons[ui.expectedLayoutButton] = text
            if not exploratory and self._context.parameters.view.acquiredPet is None:
                reasons[ui.compareLayoutButton] = _("Choose an acquired PET below first.")
            if not exploratory and ui.shownComboBox.count < 2:
                reasons[ui.shownComboBox] = _("This result has the mean only.")
            if nodes.regions is None:
                reasons[ui.outlinesCheckBox] = _("This result has no regions.")
        # The preview of a run can be faded, and its layout left, before there is a result.
        fused = Scene.opacity(self._context.environment) is not None
        reasons[ui.opacitySlider] = "" if fused else none
        previous = Scene.previousLayout(self._context.environment)
        nothing = _("None of PETSynth's layouts is on.")
        reasons[ui.restoreLayoutButton] = "" if previous is not None else nothing
        free = (ui.opacitySlider, ui.restoreLayoutButton)
        for widget, tip in self._tips.items():
            reason = reasons[widget] or (waiting if locked and widget not in free else "")
            gate(widget, not reason, reason, tip)
        self.reading.refresh(nodes, fused, waiting if locked else "")

    def _showLayout(self):
        ui, layoutNode = self._context.ui, self._context.environment.layoutNode
        now = None if layoutNode is None else layoutNode.GetViewArrangement()
        for button, layouts in (
            (ui.fusedLayoutButton, (Scene.FUSED, Scene.TRIPTYCH)),
            (ui.expectedLayoutButton, (Scene.EXPECTED,)),
            (ui.compareLayoutButton, (Scene.COMPARE,)),
            (ui.sspLayoutButton, (Scene.SSP, Scene.SSP_PAGE)),
        ):
            with quiet(button):
                button.setChecked(now in layouts)

    # --- layouts -------------------------------------------------------------------------------

    def showFused(self):
        """MRI, PET and fused; of an exploratory tracer low, middle and high."""

        def show(nodes):
            Scene.showResult(self._context.environment, self._asChosen(nodes), self.opacity)

        self._try(show)

    def showExpected(self):
        """PET, mean of that age and sex, difference."""
        self._try(lambda nodes: Scene.showExpected(self._context.environment, nodes))

    def showCompare(self):
        """Acquired, synthetic, difference: once the user has accepted the alignment."""
        view = self._context.parameters.view
        acquired = view.acquiredPet
        if acquired is None:
            return
        if not view.alignmentAccepted:
            self._context.controller.tell(Messages.acceptAlignment(acquired.GetName()))
            return

        def show(nodes):
            environment = self._context.environment
            Scene.compareWithAcquired(environment, nodes, acquired, accepted=True)
            Scene.showCompare(environment, nodes, acquired)

        self._try(show)

    def acceptAlignment(self):
        """The user looked at both images and found them aligned."""
        self._context.parameters.view.alignmentAccepted = True
        self._context.controller.dismiss()
        self.showCompare()

    def restoreLayout(self):
        """The layout before ours."""
        Scene.restoreLayout(self._context.environment)
        self.refresh()

    def _try(self, show):
        nodes = self.result
        if nodes is None:
            return
        try:
            show(nodes)
        except PETSynthError as problem:
            message = Messages.Message(Messages.Kind.RED, f"{problem.text} {problem.hint}")
            self._context.controller.tell(message)
        self.switchedOnce = True
        self.refresh()

    def _followAcquired(self, nodes):
        """Choosing an acquired PET opens Compare; another one, or another MRI, is looked at anew.

        What was accepted last is kept while the selector is empty: another PET must not inherit it.
        """
        view = self._context.parameters.view
        acquired = view.acquiredPet
        if acquired is None or nodes is None:
            return
        before, t1 = self._acquired, nodes.t1 or nodes.pet
        self._acquired = (acquired.GetID(), t1.GetID())
        # The first one of a scene that was loaded has been looked at when the scene says so.
        if before == self._acquired or (before is None and view.alignmentAccepted):
            return
        view.alignmentAccepted = False
        if before is None or before[0] != acquired.GetID():
            self.showCompare()

    # --- look ----------------------------------------------------------------------------------

    def changeOpacity(self, percent):
        """Fade the PET by so many percent."""
        view = self._context.parameters.view
        view.opacity = min(max(view.opacity + percent, 0.0), 100.0)

    def step(self, by):
        """The next or previous entry of Show."""
        combo = self._context.ui.shownComboBox
        if combo.enabled and combo.count:
            combo.setCurrentIndex((combo.currentIndex + by) % combo.count)

    def _fade(self):
        """Fading shows a PET that was blinked off."""
        now = self._context.parameters.view.opacity
        if self._faded is not None and now != self._faded:
            self.reading.hidden = False
        self._faded = now

    def _applyOpacity(self):
        environment = self._context.environment
        now = Scene.opacity(environment)
        if now is not None and abs(now - self.opacity) > 1e-6:
            Scene.setOpacity(environment, self.opacity)

    def _applyWindow(self, nodes):
        chosen = self._context.parameters.view.window
        window = (chosen.minimum, chosen.maximum)
        if window != self._window and window[0] < window[1]:
            self._window = window
            Scene.setWindow(self._context.environment, nodes, *window)

    def _fillShown(self, nodes):
        combo = self._context.ui.shownComboBox
        with quiet(combo):
            combo.clear()
            if nodes is None:
                return
            count = len(nodes.samples)
            mean = _("Mean of {n} samples").format(n=count) if count else _("Mean")
            combo.addItem(mean, "mean")
            if nodes.sd is not None and not nodes.exploratory:
                combo.addItem(_("Standard deviation"), "sd")
            for index in range(count):
                combo.addItem(_("Sample {n}").format(n=index + 1), f"sample{index}")
            for index, found in enumerate(Scene.whatIfsOf(nodes.pet)):
                words = _("Change (what if): {words}").format(words=found.words)
                combo.addItem(words, f"change{index}")
        if not choose(combo, self._context.parameters.view.shown):
            choose(combo, "mean")

    def _onShown(self):
        nodes, parameters = self.result, self._context.parameters
        chosen = self._context.ui.shownComboBox.currentData
        if nodes is None or chosen is None:
            return
        parameters.view.shown = chosen
        shown = self._asChosen(nodes)
        Scene.showFused(self._context.environment, shown, self.opacity, switchLayout=False)

    def _asChosen(self, nodes):
        """The result with what Show says in the place of its mean."""
        chosen = self._context.ui.shownComboBox.currentData
        if nodes.exploratory or chosen in (None, "mean"):
            return nodes
        if chosen == "sd":
            return dataclasses.replace(nodes, pet=nodes.sd)
        if chosen.startswith("change"):
            found = Scene.whatIfsOf(nodes.pet)[int(chosen.removeprefix("change"))]
            return dataclasses.replace(nodes, pet=found.change)
        return dataclasses.replace(nodes, pet=nodes.samples[int(chosen.removeprefix("sample"))])

    def _fillColours(self, nodes):
        combo = self._context.ui.colourComboBox
        words = {
            "nih": _("PET-DICOM rainbow"),
            "heat": _("PET-Heat"),
            "inverse_grey": _("Inverted grey"),
            "uniform": _("Uniform (safe for colour-blind eyes)"),
        }
        with quiet(combo):
            combo.clear()
            if nodes is None:
                return
            default = _("{tracer} default").format(tracer=nodes.tracer.label)
            combo.addItem(default, "registry")
            for name in _COLOURS:
                combo.addItem(words[name], name)
        self._chooseColours(nodes)

    def _chooseColours(self, nodes):
        """What the result is shown in, which may be another table than the last one chosen."""
        view = self._context.parameters.view
        now = Scene.mapOf(nodes.pet)
        default = nodes.tracer.colour_map
        if now is not None and now != (default if view.colours == "registry" else view.colours):
            view.colours = "registry" if now == default else now
        # A table of the user's own is no entry of the list.
        choose(self._context.ui.colourComboBox, None if now is None else view.colours)

    def _onColours(self):
        nodes, parameters = self.result, self._context.parameters
        name = self._context.ui.colourComboBox.currentData
        if nodes is None or name is None:
            return
        parameters.view.colours = name
        environment = self._context.environment
        if name != "registry":
            Scene.setColours(environment, nodes, name)
            return
        Scene.defaultLook(environment, nodes)
        self._onLook()

    def _onLook(self):
        """The colours or the window of the result were changed in the scene."""
        nodes = self.result
        window = Scene.windowOf(nodes.pet)
        self._window = tuple(window)
        self._context.parameters.view.window = FloatRange(*window)
        self._chooseColours(nodes)
        self.refresh()
