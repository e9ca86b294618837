"""Card Input: the images, the sample case, the lights."""

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.checks import OVERRIDABLE

from .Context import gate
from .Lights import Lights

_SEPARATOR = ","


class InputCard:
    """Shows and checks what is synthesized from.

    Parameters
    ----------
    context
        `Context.Context`.
    onSample
        Called when the user asks for the sample case.
    """

    TITLE = "Input"

    def __init__(self, context, onSample):
        self._context = context
        ui = context.ui
        self._checked = None
        self.lights = Lights(ui, self.override, self.withoutFlair)
        ui.loadSampleButton.connect("clicked(bool)", lambda: onSample())
        self._tips = {
            widget: widget.toolTip for widget in (ui.t1wSelector, ui.flairSelector, ui.maskSelector)
        }

    def refresh(self):
        """Follow the parameter node and the run."""
        context, ui = self._context, self._context.ui
        parameters = context.parameters
        t1 = None if parameters is None else parameters.input.t1w
        locked = context.locked
        busy = _("The values are those of the run. Wait for it or cancel it.")
        first = _("Choose a T1w image first.")
        gate(ui.t1wSelector, not locked, busy, self._tips[ui.t1wSelector])
        for widget in (ui.flairSelector, ui.maskSelector):
            free = t1 is not None and not locked
            gate(widget, free, busy if locked else first, self._tips[widget])
        folded = ui.inputCard.collapsed
        for widget in (ui.sampleLabel, ui.loadSampleButton):
            widget.setVisible(t1 is None and not folded)
        ui.lightsWidget.setVisible(t1 is not None and not folded)
        self._check(t1)

    @property
    def reason(self):
        """Why a run cannot start, or an empty string."""
        parameters = self._context.parameters
        if parameters is None or parameters.input.t1w is None:
            return _("Choose a T1w image, or load the sample case.")
        return self.lights.reason

    @property
    def summary(self):
        """What the folded card says."""
        parameters = self._context.parameters
        if parameters is None or parameters.input.t1w is None:
            return ""
        nodes = (parameters.input.t1w, parameters.input.flair)
        return " + ".join(node.GetName() for node in nodes if node is not None)

    def withoutFlair(self):
        """Go on without the FLAIR."""
        self._context.parameters.input.flair = None

    def overridden(self):
        """Names of the checks whose red light the user overrode for this T1w."""
        given = self._context.parameters.input.overridden
        return {name for name in given.split(_SEPARATOR) if name in OVERRIDABLE}

    def override(self, name):
        """Use the T1w although the check ``name`` is red; the result will say so."""
        names = sorted(self.overridden() | {name})
        self._context.parameters.input.overridden = _SEPARATOR.join(names)
        self._checked = None
        self.refresh()

    def _check(self, t1):
        """Look at the images again when they changed; below 100 ms."""
        parameters = self._context.parameters
        if t1 is None:
            self._checked = None
            self.lights.show([], set())
            return
        flair = parameters.input.flair
        key = (_state(t1), _state(flair), parameters.input.overridden)
        if key == self._checked:
            return
        if self._checked is not None and self._checked[0][0] != key[0][0]:
            parameters.input.overridden = ""  # was said about another image
            key = (*key[:2], "")
        self._checked = key
        findings = Scene.quickFindings(self._context.environment, t1, flair)
        if flair is None:
            findings = [finding for finding in findings if finding.name != "flair"]  # grey
        self.lights.show(findings, self.overridden())


def _state(node):
    """Changes when the node, its voxels or its place change."""
    if node is None:
        return None
    image = node.GetImageData()
    voxels = 0 if image is None else image.GetMTime()
    return node.GetID(), voxels, node.GetSpacing(), node.GetTransformNodeID()
