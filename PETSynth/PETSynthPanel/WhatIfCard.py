"""Card What if: what another score changes in the picture. A habit of the model, no forecast."""

import json
from dataclasses import replace

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.clinical import COGNITION, FIELDS
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.finished import REQUEST
from PETSynthLib.request import request_from_dict

from . import Messages
from .Context import gate
from .Models import installedModels
from .Request import ALLELES
from .Timing import expectedSeconds
from .WhatIfOrder import WhatIfOrder, withScores

_FIELD = {"mmse": "SpinBox", "apoe4": "ComboBox", "adas13": "SpinBox"}


class WhatIfCard:
    """Asks the model once more, with the ticked scores.

    Parameters
    ----------
    context
        `Context.Context`.
    view
        `ViewCard.ViewCard`: which result it is about, and where the answer is shown.
    currentRequest
        The request that the cards describe now (`TracerCard.request`).
    """

    TITLE = "Model sensitivity (not a medical effect)"

    def __init__(self, context, view, currentRequest):
        self._context = context
        self._view = view
        self._currentRequest = currentRequest
        self._asked = (None, None)
        ui = context.ui
        self._tips = {}
        for name in COGNITION:
            for widget in (self._tick(name), self._field(name)):
                self._tips[widget] = widget.toolTip
        self._tips |= {b: b.toolTip for b in (ui.whatIfButton, ui.addedButton)}
        ui.whatIfButton.connect("clicked(bool)", lambda: self.run())
        ui.addedButton.connect("clicked(bool)", lambda: view.showExpected())
        context.launcher.imported.connect(self._onImported)

    @property
    def summary(self):
        """What the folded card says."""
        nodes = self._view.result
        if nodes is None:
            return _("after the first result")
        asked = Scene.whatIfsOf(nodes.pet)
        return asked[-1].words if asked else ""

    # --- following -----------------------------------------------------------------------------

    def refresh(self):
        """Follow the result, the parameter node and the run."""
        context, ui = self._context, self._context.ui
        if context.parameters is None:
            return
        nodes = self._view.result
        base, why = self._base(nodes)
        waiting = _("Wait for the run or cancel it.") if context.locked else ""
        for name in COGNITION:
            now = None if base is None else getattr(base.clinical_for_picture, name)
            text = _("unknown") if now is None else f"{now:g}"
            self._now(name).setText("" if base is None else _("now {value} →").format(value=text))
            reason = why or self._notRead(base, name) or waiting
            tick, field = self._tick(name), self._field(name)
            gate(tick, not reason, reason, self._tips[tick])
            free = not reason and tick.checked
            gate(field, free, reason or _("Tick the value first."), self._tips[field])
        reason = why or waiting or self._nothingNew(base)
        tip = self._tips[ui.whatIfButton]
        if not reason:
            seconds = Messages.seconds(expectedSeconds(withScores(base, self._scores(base))))
            tip = f"{tip} {seconds[:1].upper()}{seconds[1:]}."
        gate(ui.whatIfButton, not reason, reason, tip)
        reason = self._noMean(nodes)
        gate(ui.addedButton, not reason, reason, self._tips[ui.addedButton])
        self._tell(nodes)

    def _base(self, nodes):
        """The request the result was made by and "", or None and why nothing can be asked."""
        if nodes is None:
            return None, _("There is no synthetic PET yet: click Synthesize.")
        if nodes.exploratory:
            return None, _("An exploratory tracer is shown as low | middle | high only.")
        if not Scene.cognitionUsed(nodes.pet):
            return None, _(
                "This picture was drawn without cognitive scores, so none can change it. Let them "
                "shape the picture in Patient and synthesize again."
            )
        if nodes.t1 is None:
            return None, _("The T1w of this picture has left the scene.")
        key = (Scene.resultDigest(nodes.pet), self._currentRequest())
        # What was not found is looked for again: a run's folder is known a moment after its result.
        if self._asked[0] != key or self._asked[1] is None:
            self._asked = (key, self._requestOf(nodes.pet, key[1]))
        if self._asked[1] is None:
            return None, _(
                "The cards no longer hold the values this picture was made with. Set them again, "
                "or synthesize again."
            )
        return self._asked[1], ""

    def _requestOf(self, pet, current):
        """The request of a result: kept with it, else the cards' own if it is the same; or None."""
        folder = self._context.launcher.jobs.folderOf(Scene.resultDigest(pet))
        if folder is not None and (folder / REQUEST).is_file():
            try:
                body = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
                return request_from_dict(body)
            except (OSError, ValueError, PETSynthError):
                return None
        return current if Scene.isRequestOf(pet, current) else None

    def _notRead(self, base, name):
        model = next((m for m in installedModels() if m.name == base.model), None)
        if model is not None and name not in model.uses:
            text = _("The model {model} does not read {field}.")
            return text.format(model=model.name, field=FIELDS[name].label)
        return ""

    def _nothingNew(self, base):
        ticked = [name for name in COGNITION if self._tick(name).checked]
        if not ticked:
            return _("Tick a value first.")
        if not self._scores(base):
            return _("The ticked values are those of the picture.")
        return ""

    def _noMean(self, nodes):
        """As the layout it opens."""
        button = self._context.ui.expectedLayoutButton
        return "" if button.enabled else button.toolTip

    def _tell(self, nodes):
        asked = [] if nodes is None else Scene.whatIfsOf(nodes.pet)
        lines = []
        if asked:
            largest = Scene.largestChanges(asked[-1].table)
            lines = [asked[-1].words, *(f"{words}: {change}" for words, change in largest)]
        self._context.ui.whatIfResultLabel.setText("\n".join(lines))

    # --- asking --------------------------------------------------------------------------------

    def run(self, **changes):
        """Ask with the values of this moment.

        Parameters
        ----------
        changes
            Replace fields of the request, e.g. the device.
        """
        nodes = self._view.result
        base, why = self._base(nodes)
        if why or self._context.controller.busy or not self._scores(base):
            return
        scores = self._scores(base)
        mask = self._context.parameters.input.mask if base.mask else None
        ids = [None if node is None else node.GetID() for node in (nodes.t1, nodes.flair, mask)]
        order = WhatIfOrder(
            *ids,
            request=replace(withScores(base, scores), **changes),
            petId=nodes.pet.GetID(),
            words=self._words(base, scores),
        )
        self._context.launcher.begin(order)

    def _scores(self, base):
        """Field -> new value, of the ticked fields that differ from what the picture has."""
        if base is None:
            return {}
        values = self._context.parameters.whatIf
        wanted = {
            "mmse": float(values.mmse),
            "adas13": float(values.adas13),
            "apoe4": ALLELES[values.apoe4.name],
        }
        return {
            name: wanted[name]
            for name in COGNITION
            if self._tick(name).checked and getattr(base.clinical_for_picture, name) != wanted[name]
        }

    @staticmethod
    def _words(base, scores):
        """What is asked, e.g. "MMSE 24 to 29"; goes into names and corners."""
        parts = []
        for name, value in scores.items():
            now = getattr(base.clinical_for_picture, name)
            before = "unknown" if now is None else f"{now:g}"
            parts.append(f"{FIELDS[name].label} {before} to {value:g}")
        return ", ".join(parts)

    def _onImported(self, made, order):
        if isinstance(order, WhatIfOrder):
            pet = self._context.environment.node(order.petId)
            self._view.showChange(Scene.resultOf(self._context.environment, pet), made)

    # --- widgets -------------------------------------------------------------------------------

    def _tick(self, name):
        return getattr(self._context.ui, f"whatIf{name[:1].upper()}{name[1:]}CheckBox")

    def _now(self, name):
        return getattr(self._context.ui, f"whatIf{name[:1].upper()}{name[1:]}Now")

    def _field(self, name):
        return getattr(self._context.ui, f"whatIf{name[:1].upper()}{name[1:]}{_FIELD[name]}")
