"""The four lights of the Input card: what was found in the images, and what it means."""

import html

from slicer.i18n import tr as _

from PETSynthLib.checks import Finding, Verdict

from .Icons import pixmap
from .Later import later

NAMES = ("sequence", "voxels", "coverage", "flair")
OVERRIDABLE = ("coverage",)
"""Only what the quick look guesses: the worker refuses CT, crooked axes and too thick slices."""
_WIDGET = {"sequence": "Sequence", "voxels": "Voxels", "coverage": "Coverage", "flair": "Flair"}
_OF_WORKER = {
    "t1_contrast": "sequence",
    "coverage": "coverage",
    "region_coverage": "coverage",
    "reference_in_view": "coverage",
    "flair_match": "flair",
}
"""Light that a warning of the worker turns amber, by the name of its check."""


class Lights:
    """Shows findings; knows which red one the user overrode.

    Parameters
    ----------
    ui
        The panel's widgets.
    onOverride
        Called with a light's name when the user clicks "Use anyway".
    onWithoutFlair
        Called when the user clicks "Remove FLAIR".
    """

    def __init__(self, ui, onOverride, onWithoutFlair):
        self._ui = ui
        self._findings = {}
        self._overridden = set()
        self._actions = {"override": onOverride, "withoutFlair": lambda _name: onWithoutFlair()}
        for name in NAMES:
            self._label(name).connect("linkActivated(QString)", self._onLink)

    def show(self, findings, overridden):
        """Show ``findings`` (one a light; a light without one is grey)."""
        self._findings = {finding.name: finding for finding in findings if finding.name in NAMES}
        self._overridden = set(overridden) & set(OVERRIDABLE)
        self._draw()

    def warn(self, name, sentence):
        """A check of the worker was amber: its light, if it has one, turns amber too."""
        light = _OF_WORKER.get(name, name)
        if light in NAMES:
            self._findings[light] = Finding(light, "", "", Verdict.AMBER, sentence)
            self._draw()

    @property
    def stopping(self):
        """Findings that stop a run: red and not overridden."""
        return [
            finding
            for name, finding in self._findings.items()
            if finding.verdict is Verdict.RED and name not in self._overridden
        ]

    @property
    def reason(self):
        """Why a run is stopped, in words; empty when it is not."""
        if not self.stopping:
            return ""
        finding = self.stopping[0]
        text = _("{light} stops the run: {finding}")
        return text.format(light=self._title(finding.name), finding=finding.sentence)

    def _draw(self):
        for name in NAMES:
            finding = self._findings.get(name)
            colour, text = self._look(name, finding)
            iconLabel = getattr(self._ui, f"light{_WIDGET[name]}Icon")
            iconLabel.setPixmap(pixmap(colour))
            label = self._label(name)
            label.setText(text)
            tip = "" if finding is None else f"{finding.sentence} {finding.limit}".strip()
            for widget in (iconLabel, label):
                widget.setToolTip(tip or _("Not looked at yet."))

    def _look(self, name, finding):
        if finding is None:
            grey = _("none: the T1w alone is used") if name == "flair" else _("not checked yet")
            return "grey", grey
        text = html.escape(finding.sentence)
        if finding.verdict is not Verdict.RED:
            return finding.verdict.value, text
        if name in self._overridden:
            return "amber", _("{finding} (overridden)").format(finding=text)
        link = '<a href="{action}:{name}">{words}</a>'
        if name == "flair":
            offer = link.format(action="withoutFlair", name=name, words=_("Remove FLAIR"))
        elif name in OVERRIDABLE:
            offer = link.format(action="override", name=name, words=_("Use anyway"))
        else:
            return "red", text
        return "red", f"{text} · {offer}"

    def _onLink(self, target):
        action, name = str(target).split(":", 1)
        # Not while the label that was clicked handles its own event.
        later(0, lambda: self._actions[action](name))

    def _label(self, name):
        return getattr(self._ui, f"light{_WIDGET[name]}")

    def _title(self, name):
        return getattr(self._ui, f"light{_WIDGET[name]}Name").text
