"""The four lights of the Input card: what was found in the images, and what it means."""

import html

from slicer.i18n import tr as _

from PETSynthLib.checks import OVERRIDABLE, Finding, Verdict

from .Icons import pixmap
from .Later import later
from .Sentences import sentence

NAMES = ("sequence", "voxels", "coverage", "flair")
_WIDGET = {"sequence": "Sequence", "voxels": "Voxels", "coverage": "Coverage", "flair": "Flair"}
_LIGHT_OF = {
    "sequence": "sequence",
    "contrast_agent": "sequence",
    "t1_contrast": "sequence",
    "t1_intensities": "sequence",
    "t1_sides": "sequence",
    "t1_image": "voxels",
    "t1_right_angles": "voxels",
    "t1_slice_thickness": "voxels",
    "t1_anisotropy": "voxels",
    "coverage": "coverage",
    "region_coverage": "coverage",
    "reference_in_view": "coverage",
    "flair": "flair",
    "flair_match": "flair",
    "flair_slice_thickness": "flair",
}
"""Light of a check, by the check's name."""


class Lights:
    """Shows findings; knows which red one the user overrode.

    Parameters
    ----------
    ui
        The panel's widgets.
    onOverride
        Called with a check's name when the user clicks "Use anyway".
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
        """Show ``findings`` (one a light; a light without one is grey).

        Parameters
        ----------
        findings
            Of the quick look.
        overridden
            Names of the checks whose red light the user overrode.
        """
        self._findings = {_LIGHT_OF[finding.name]: finding for finding in findings}
        self._overridden = set(overridden) & set(OVERRIDABLE)
        self._draw()

    def warn(self, name, said, value=""):
        """A check of the worker was amber: its light, if it has one, turns amber too."""
        light = _LIGHT_OF.get(name)
        if light is not None:
            # Of an overridden one the worker's sentence says so.
            key = f"{name}.overridden" if name in self._overridden else ""
            self._findings[light] = Finding(name, value, "", Verdict.AMBER, said, key=key)
            self._draw()

    @property
    def stopping(self):
        """Findings that stop a run: red and not overridden."""
        return [
            finding
            for finding in self._findings.values()
            if finding.verdict is Verdict.RED and finding.name not in self._overridden
        ]

    @property
    def reason(self):
        """Why a run is stopped, in words; empty when it is not."""
        if not self.stopping:
            return ""
        finding = self.stopping[0]
        text = _("{light} stops the run: {finding}")
        return text.format(light=self._title(_LIGHT_OF[finding.name]), finding=_words(finding))

    def _draw(self):
        for name in NAMES:
            finding = self._findings.get(name)
            colour, text = self._look(name, finding)
            iconLabel = getattr(self._ui, f"light{_WIDGET[name]}Icon")
            iconLabel.setPixmap(pixmap(colour))
            label = self._label(name)
            label.setText(text)
            tip = "" if finding is None else f"{_words(finding)} {finding.limit}".strip()
            for widget in (iconLabel, label):
                widget.setToolTip(tip or _("Not looked at yet."))

    def _look(self, name, finding):
        if finding is None:
            grey = _("none: the T1w alone is used") if name == "flair" else _("not checked yet")
            return "grey", grey
        text = html.escape(_words(finding))
        if finding.verdict is not Verdict.RED:
            return finding.verdict.value, text
        if finding.name in self._overridden:
            return "amber", _("{finding} (overridden)").format(finding=text)
        link = '<a href="{action}:{name}">{words}</a>'
        if name == "flair":
            offer = link.format(action="withoutFlair", name=name, words=_("Remove FLAIR"))
        elif finding.name in OVERRIDABLE:
            offer = link.format(action="override", name=finding.name, words=_("Use anyway"))
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


def _words(finding):
    return sentence(finding.key, finding.value, finding.sentence)
