"""Reading comfort in the card View: planes, blink, inverted grey, scale to reference."""

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError

from . import Messages
from .Context import choose, gate, quiet

_PLANES = tuple(Scene.ReadingPlanes)


class ReadingControls:
    """Changes how a result is looked at; computes nothing.

    Parameters
    ----------
    context
        `Context.Context`.
    onBlink
        Called when the PET is to be hidden or shown (`hidden`).
    onWindow
        Called after the window of a result has changed.
    """

    def __init__(self, context, onBlink, onWindow):
        self._context = context
        self._onBlink = onBlink
        self._onWindow = onWindow
        self._nodes = None
        self._planes = None
        self.hidden = False
        """Whether the PET over the MRI is blinked off."""
        ui = context.ui
        self._widgets = (
            ui.planesComboBox, ui.blinkButton, ui.invertButton, ui.referenceScaleButton,
        )  # fmt: skip
        self._tips = {widget: widget.toolTip for widget in self._widgets}
        words = (_("Scanner axes (native)"), _("AC-PC"), _("Hippocampal axis"))
        for planes, text in zip(_PLANES, words, strict=True):
            ui.planesComboBox.addItem(text, planes.value)
        ui.planesComboBox.connect("currentIndexChanged(int)", lambda _index: self._onPlanes())
        ui.blinkButton.connect("clicked(bool)", lambda: self.blink())
        ui.invertButton.connect("clicked(bool)", lambda: self._onInvert())
        ui.referenceScaleButton.connect("clicked(bool)", lambda: self._onScale())

    def follow(self, nodes):
        """Another result is shown: its planes are those of its own head."""
        environment, before = self._context.environment, self._planes
        self._nodes, self.hidden = nodes, False
        tilted = before not in (None, Scene.ReadingPlanes.NATIVE)
        if nodes is None or not tilted or environment.scene.IsImporting():
            return
        known = not Scene.whyNoPlanes(nodes.pet)
        Scene.setPlanes(environment, nodes.pet, before if known else Scene.ReadingPlanes.NATIVE)

    def refresh(self, nodes, fused, locked):
        """Follow views and result.

        Parameters
        ----------
        nodes
            The chosen result, or None.
        fused
            Whether a PET lies over an MRI somewhere.
        locked
            Why nothing but blinking is possible now, or an empty string.
        """
        ui = self._context.ui
        pet = None if nodes is None else nodes.pet
        self._nodes = nodes
        self._planes = Scene.planesOn(self._context.environment, pet)
        choose(ui.planesComboBox, None if self._planes is None else self._planes.value)
        with quiet(ui.blinkButton, ui.invertButton):
            ui.blinkButton.setChecked(self.hidden)
            ui.invertButton.setChecked(nodes is not None and Scene.isInverted(nodes))
        none = _("There is no synthetic PET yet: click Synthesize.")
        reasons = dict.fromkeys(self._widgets, locked if nodes is not None else none)
        reasons[ui.blinkButton] = "" if fused else none
        if nodes is not None and not locked:
            if not self._tilted():
                reasons[ui.planesComboBox] = Scene.whyNoPlanes(nodes.pet)
            if nodes.reference is None:
                text = _("This result does not hold its reference region.")
                reasons[ui.referenceScaleButton] = text
        for widget, tip in self._tips.items():
            gate(widget, not reasons[widget], reasons[widget], tip)

    def _tilted(self):
        """Planes that were tilted can be brought back, whatever became of the result."""
        return self._planes is not Scene.ReadingPlanes.NATIVE

    def blink(self):
        """The PET over the MRI off, or on again."""
        self.hidden = not self.hidden
        self._onBlink()

    def stepPlanes(self):
        """The next planes; for the key."""
        combo = self._context.ui.planesComboBox
        if combo.enabled:
            combo.setCurrentIndex((combo.currentIndex + 1) % combo.count)

    def _onPlanes(self):
        chosen = self._context.ui.planesComboBox.currentData
        if self._nodes is None or chosen is None:
            return
        planes = Scene.ReadingPlanes(chosen)
        self._try(lambda: Scene.setPlanes(self._context.environment, self._nodes.pet, planes))
        self._planes = planes

    def _onInvert(self):
        nodes = self._nodes
        if nodes is not None:
            Scene.setInverted(self._context.environment, nodes, not Scene.isInverted(nodes))
            self._onWindow()

    def _onScale(self):
        nodes = self._nodes
        if nodes is None:
            return

        def scale():
            mean = Scene.scaleToReference(self._context.environment, nodes)
            region = nodes.tracer.reference_region.replace("_", " ")
            window = Scene.windowOf(nodes.pet)
            told = Messages.scaledToReference(region, mean, window, nodes.tracer.window)
            self._context.controller.tell(told)
            self._onWindow()

        self._try(scale)

    def _try(self, change):
        try:
            change()
        except PETSynthError as problem:
            text = f"{problem.text} {problem.hint}"
            self._context.controller.tell(Messages.Message(Messages.Kind.RED, text))
