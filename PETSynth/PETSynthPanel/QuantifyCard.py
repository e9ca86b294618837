"""Card Quantify: which PET, against what, and its regional values. Measures nothing itself."""

from dataclasses import replace

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.export.tables import region_words
from PETSynthLib.request import QUANTIFY, QuantifyRequest
from PETSynthLib.tracers import all_tracers

from . import QuantifyMessages
from .Context import choose, gate, quiet
from .Controller import State
from .Normals import Measured
from .NormalsList import NormalsList
from .QuantifyOrder import QuantifyOrder
from .QuantifyTable import QuantifyTable
from .Request import clinicalRecord
from .Signal import Signal


class QuantifyCard:
    """Starts measurements and shows the one that belongs to the chosen PET.

    Parameters
    ----------
    context
        `Context.Context`.
    refresh
        Brings the panel up to date.
    """

    TITLE = "Quantify"

    def __init__(self, context, refresh):
        self._context = context
        self._refresh = refresh
        self._result = None
        self._refused = None
        self._then = self._made = None
        self.normals = NormalsList(context, refresh)
        self.quantified = Signal()
        """A measurement is in the scene: `PETSynthScene.QuantifiedNodes`."""
        self.table = QuantifyTable(context)
        ui = context.ui
        editable = (
            ui.quantPetSelector, ui.quantTracerComboBox, ui.referenceComboBox, ui.regionsSelector,
            ui.quantifyButton,
        )  # fmt: skip
        self._tips = {widget: widget.toolTip for widget in editable}
        self._fillTracers()
        ui.quantTracerComboBox.connect("currentIndexChanged(int)", lambda _index: self._onTracer())
        ui.referenceComboBox.connect("currentIndexChanged(int)", lambda _index: self._onReference())
        ui.quantifyButton.connect("clicked(bool)", lambda: self.click())
        context.launcher.imported.connect(self._onImported)
        context.controller.finished.connect(self._onFinished)

    # --- what is chosen ------------------------------------------------------------------------

    @property
    def pet(self):
        """The PET to measure, or None."""
        parameters = self._context.parameters
        return None if parameters is None else parameters.quantify.pet

    @property
    def synthetic(self):
        """Whether a model computed it."""
        return Scene.isSynthetic(self.pet)

    @property
    def t1(self):
        """Its MRI: the one it was made from, or the T1w chosen in Input; None without."""
        if self.pet is None:
            return None
        if self.synthetic:
            return Scene.resultOf(self._context.environment, self.pet).t1
        return self._context.parameters.input.t1w

    @property
    def tracer(self):
        """Its tracer (`PETSynthLib.tracers.Tracer`), or None while nobody has named it."""
        key = self.pet.GetAttribute("PETSynth.Tracer") if self.pet is not None else None
        return all_tracers().get(key or "")

    @property
    def reference(self):
        """Key of the reference region; a synthetic PET keeps that of its synthesis."""
        tracer, chosen = self.tracer, self._context.parameters.quantify.reference
        if tracer is None:
            return ""
        allowed = (tracer.reference_region, *tracer.alternatives)
        return chosen if chosen in allowed and not self.synthetic else tracer.reference_region

    @property
    def reason(self):
        """Why nothing can be measured, or an empty string."""
        if self.pet is None:
            return _("Choose a PET, or synthesize one.")
        if self.tracer is None:
            return _("Choose the tracer of this PET.")
        if self.t1 is None and self.synthetic:
            return _("The T1w that this PET was made from has left the scene.")
        if self.t1 is None:
            return _("Choose the T1w of this PET in Input.")
        if self.t1 is self.pet:
            return _("PET and T1w are the same image.")
        person = self._person()
        if self.normals.chosen is not None and (person.age is None or person.sex is None):
            return _("Normals need age and sex: tick them in Patient, or choose no normals.")
        return ""

    @property
    def summary(self):
        """What the folded card says."""
        if self.table.nodes is not None:
            return self.table.nodes.pet.GetName()
        return _("synthetic or acquired PET")

    def _person(self):
        """What is known of the person of this PET: the card Patient is about the T1w in Input."""
        parameters = self._context.parameters
        if self.t1 is parameters.input.t1w:
            return clinicalRecord(parameters.patient)
        facts = Scene.patientFacts(self._context.environment, self.t1)
        return ClinicalRecord(age=facts.ageYears, sex=facts.sex)

    # --- following -----------------------------------------------------------------------------

    def refresh(self):
        """Follow the parameter node, the scene and the run."""
        if self._context.parameters is None:
            return
        self._followResult()
        self._hideParts()
        self._showTracer()
        self._offerReferences()
        self.normals.offer(self._measured(), self._person())
        self._showTable()
        self._gate()

    def _followResult(self):
        """A new result is the PET to measure, unless an acquired one was chosen."""
        parameters = self._context.parameters
        result = parameters.view.result
        key = None if result is None else result.GetID()
        if key != self._result:
            self._result = key
            if result is not None and (self.pet is None or self.synthetic):
                parameters.quantify.pet = result

    def _hideParts(self):
        """The list of PETs leaves out what belongs to a PET but is none."""
        model = self._context.ui.quantPetSelector.sortFilterProxyModel()
        own = Scene.ownVolumes(self._context.environment)
        parts = [node.GetID() for node in own if Scene.roleOf(node) is not Scene.Role.PET]
        if list(model.hiddenNodeIDs) != parts:
            model.hiddenNodeIDs = parts

    def _fillTracers(self):
        combo = self._context.ui.quantTracerComboBox
        with quiet(combo):
            for key, facts in all_tracers().items():
                combo.addItem(facts.label, key)
            combo.setCurrentIndex(-1)

    def _showTracer(self):
        ui = self._context.ui
        asked = self.pet is not None and not self.synthetic and not ui.quantifyCard.collapsed
        ui.quantTracerLabel.setVisible(asked)
        ui.quantTracerComboBox.setVisible(asked)
        choose(ui.quantTracerComboBox, None if self.tracer is None else self.tracer.key)

    def _offerReferences(self):
        combo, tracer = self._context.ui.referenceComboBox, self.tracer
        keys = [] if tracer is None else [tracer.reference_region, *tracer.alternatives]
        if self.synthetic:
            keys = keys[:1]
        if [combo.itemData(n) for n in range(combo.count)] != keys:
            with quiet(combo):
                combo.clear()
                for number, key in enumerate(keys):
                    words = region_words(key)
                    words = words[:1].upper() + words[1:]
                    usual = _("{region} (default for {tracer})")
                    text = usual.format(region=words, tracer=tracer.label) if not number else words
                    combo.addItem(text, key)
        choose(combo, self.reference)

    def _measured(self):
        """What decides which normals there are; None while the tracer is unknown."""
        if self.tracer is None:
            return None
        pet = self.pet
        simulated = Scene.isSimulated(pet) or (self.synthetic and Scene.isSimulated(self.t1))
        return Measured(
            self.tracer.key,
            self.reference,
            pet.GetAttribute("PETSynth.Evidence") or "acquired",
            pet.GetAttribute("PETSynth.ModelHash") or "",
            simulated,
        )

    def _showTable(self):
        environment, parameters = self._context.environment, self._context.parameters
        pet = self.pet
        nodes = None if pet is None else Scene.quantificationOf(environment, pet)
        wrong = pet is not None and nodes is None and self._holdsAnother(pet)
        if wrong and self._refused != pet.GetID():
            # Said once; afterwards it stands in the card.
            self._context.controller.tell(QuantifyMessages.wrongTable())
        self._refused = pet.GetID() if wrong else None
        self.table.show(nodes, QuantifyMessages.wrongTable().text if wrong else "")
        parameters.quantify.table = None if nodes is None else nodes.table

    def _holdsAnother(self, pet):
        """Whether a table is bound to this PET by reference, or was shown, but is not of it."""
        shown = self._context.parameters.quantify.table
        if shown is not None and shown.GetNodeReference("PETSynth.PET") is pet:
            return True
        return bool(Scene.quantificationsOf(self._context.environment, pet))

    def _gate(self):
        ui, context = self._context.ui, self._context
        mine = context.launcher.kind == QUANTIFY and context.controller.busy
        busy = _("Wait for the run or cancel it.")
        for widget in (ui.quantPetSelector, ui.quantTracerComboBox, ui.regionsSelector):
            gate(widget, not context.locked, busy, self._tips[widget])
        keeps = _("A synthetic PET keeps the reference of its synthesis: its uncertainty is known "
                  "for no other.")  # fmt: skip
        open_ = self.tracer is not None and not context.locked
        why = busy if context.locked else keeps if self.synthetic else _("Choose a PET first.")
        gate(
            ui.referenceComboBox,
            open_ and not self.synthetic,
            why,
            self._tips[ui.referenceComboBox],
        )
        self.normals.gate(context.locked, busy)
        if mine:
            working = context.controller.state in (State.CHECKING, State.RUNNING)
            ui.quantifyButton.setText(_("Cancel"))
            gate(ui.quantifyButton, working, _("Wait a moment."), _("Stop within a second."))
        else:
            ui.quantifyButton.setText(_("Quantify"))
            why = busy if context.locked else self.reason
            gate(ui.quantifyButton, not why, why, self._tips[ui.quantifyButton])

    # --- what the user does --------------------------------------------------------------------

    def click(self):
        """The button: Quantify, or Cancel while a measurement runs."""
        controller = self._context.controller
        if controller.busy:
            controller.cancel()
        else:
            self.run()

    def run(self, then=None, **changes):
        """Measure the chosen PET.

        Parameters
        ----------
        then
            Called with the `PETSynthScene.QuantifiedNodes` when they are there.
        changes
            Replace fields of the request.
        """
        context = self._context
        if context.controller.busy or self.reason:
            return
        if not Scene.samePatient(context.environment, self.t1, self.pet):
            context.controller.tell(QuantifyMessages.otherPatient())
            return
        self._then = then
        context.launcher.begin(self.order(**changes))

    def order(self, **changes):
        """The order of this moment."""
        regions, normals = self._context.parameters.quantify.regions, self.normals.chosen
        request = QuantifyRequest(
            pet="",
            t1="",
            output="",
            tracer="" if self.synthetic else self.tracer.key,
            reference=None if self.synthetic else self.reference,
            database=None if normals is None else str(normals.folder),
            clinical=self._person(),
            device=self._context.settings.device,
        )
        return QuantifyOrder(
            petId=self.pet.GetID(),
            t1Id=self.t1.GetID(),
            regionsId=None if regions is None else regions.GetID(),
            synthetic=self.synthetic,
            request=replace(request, **changes),
            noNormals=self.tracer.label if self.normals.missing else "",
        )

    def alignCopy(self):
        """Measure a copy of the PET that is moved onto the T1; the PET itself stays."""
        self.run(register=True)

    def otherReference(self):
        """Take the tracer's next reference region and measure again."""
        tracer = self.tracer
        keys = [tracer.reference_region, *tracer.alternatives]
        place = (keys.index(self.reference) + 1) % len(keys)
        self._context.parameters.quantify.reference = keys[place]
        self.run()

    def _onImported(self, made, order):
        if isinstance(order, QuantifyOrder):
            self._made = made

    def _onFinished(self, state):
        made, then = self._made, self._then
        self._made = self._then = None
        if made is not None and state is State.DONE:
            # Only now: whoever follows may start a run of its own.
            self.quantified.emit(made)
            if then is not None:
                then(made)

    def _onTracer(self):
        key = self._context.ui.quantTracerComboBox.currentData
        if self.pet is not None and key:
            self.pet.SetAttribute("PETSynth.Tracer", key)
            self._refresh()

    def _onReference(self):
        key = self._context.ui.referenceComboBox.currentData
        if key:
            self._context.parameters.quantify.reference = key
