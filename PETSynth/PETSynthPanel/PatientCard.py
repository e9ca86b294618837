"""Card Patient: what is known of the person. Without its tick a value is unknown, never 0."""

import html

from slicer.i18n import tr as _

import PETSynthScene as Scene

from .Context import gate
from .Models import installedModels

FIELDS = ("age", "sex", "education", "mmse", "adas13", "apoe4")
COGNITION = ("mmse", "adas13", "apoe4")
_WIDGETS = {
    "age": "ageSpinBox",
    "sex": "sexComboBox",
    "education": "educationSpinBox",
    "mmse": "mmseSpinBox",
    "adas13": "adas13SpinBox",
    "apoe4": "apoe4ComboBox",
}


class PatientCard:
    """Keeps ticks, fields and note in agreement with the parameter node."""

    TITLE = "Patient"

    def __init__(self, context):
        self._context = context
        self._note = ""
        ui = context.ui
        self._tips = {name: self._field(name).toolTip for name in FIELDS}
        self._tickTip = ui.ageKnownCheckBox.toolTip
        self._shapesTip = ui.cognitionShapesCheckBox.toolTip
        ui.patientNoteLabel.connect("linkActivated(QString)", lambda _target: self.useDicom())

    def refresh(self):
        """Follow the parameter node and the run."""
        context, ui = self._context, self._context.ui
        patient = None if context.parameters is None else context.parameters.patient
        if patient is None:
            return
        self._followT1()
        busy = _("The values are those of the run. Wait for it or cancel it.")
        folded = ui.patientCard.collapsed
        for name in FIELDS:
            known = getattr(patient, f"{name}Known")
            tick, field, unknown = self._tick(name), self._field(name), self._unknown(name)
            gate(tick, not context.locked, busy, self._tickTip)
            locked = busy if context.locked else _("Tick the box if the value is known.")
            gate(field, known and not context.locked, locked, self._tips[name])
            field.setVisible(known and not folded)
            unknown.setVisible(not known and not folded)
            unknown.setToolTip(locked)
        scores = [name for name in COGNITION if getattr(patient, f"{name}Known")]
        none = _("Tick a value of MMSE, ADAS-Cog-13 or APOE4 first.")
        reason = busy if context.locked else none
        free = bool(scores) and not context.locked
        gate(ui.cognitionShapesCheckBox, free, reason, self._shapesTip)
        ui.patientNoteLabel.setText(self._noteText(patient))

    @property
    def summary(self):
        """What the folded card says."""
        parameters = self._context.parameters
        patient = None if parameters is None else parameters.patient
        known = [n for n in FIELDS if patient is not None and getattr(patient, f"{n}Known")]
        if not known:
            return _("nothing known (optional)")
        words = []
        if patient.ageKnown:
            words.append(_("{age} y").format(age=patient.age))
        if patient.sexKnown:
            words.append(_(patient.sex.label()).lower())
        if patient.mmseKnown:
            words.append(_("MMSE {value}").format(value=patient.mmse))
        count = _("({known} of {all} known)").format(known=len(known), all=len(FIELDS))
        return " ".join([", ".join(words), count]).strip()

    def useDicom(self):
        """Take age and sex from the T1w's DICOM facts, where it has them."""
        parameters = self._context.parameters
        facts = self._facts()
        if facts is None:
            return
        patient = parameters.patient
        if facts.ageYears is not None and 18 <= facts.ageYears <= 110:
            patient.age = int(facts.ageYears)
            patient.ageKnown = True
        if facts.sex is not None:
            sexes = type(patient.sex)
            patient.sex = sexes.FEMALE if facts.sex == "F" else sexes.MALE
            patient.sexKnown = True

    def _followT1(self):
        """Another patient's T1w: their values, not those of the one before."""
        parameters = self._context.parameters
        t1 = parameters.input.t1w
        if t1 is None:
            return
        facts = self._facts()
        owner = t1.GetID() if facts is None or not facts.patientId else f"DICOM {facts.patientId}"
        before = parameters.patient.owner
        if owner == before:
            return
        if before:
            for name in FIELDS:
                setattr(parameters.patient, f"{name}Known", False)
            parameters.patient.cognitionShapes = False
            self._note = _("Other patient: values cleared.")
        else:
            self._note = ""
        parameters.patient.owner = owner
        self.useDicom()

    def _facts(self):
        t1 = self._context.parameters.input.t1w
        return None if t1 is None else Scene.patientFacts(self._context.environment, t1)

    def _noteText(self, patient):
        """The first sentence that applies."""
        if outside := self._outsideOfModel(patient):
            return outside
        if self._note:
            return self._note
        facts = self._facts()
        told = facts is not None and (facts.ageYears is not None or facts.sex is not None)
        if told and (changed := self._changed(patient, facts)):
            return changed
        if told:
            return _("Age and sex come from DICOM. No tick: unknown to the model.")
        return _("Nothing in DICOM. All values are optional.")

    def _changed(self, patient, facts):
        link = ' <a href="dicom">{words}</a>'.format(words=_("Use DICOM"))
        if patient.ageKnown and facts.ageYears is not None and patient.age != int(facts.ageYears):
            text = _("You changed age; DICOM says {age}.").format(age=int(facts.ageYears))
            return text + link
        female = patient.sex.name == "FEMALE"
        if patient.sexKnown and facts.sex is not None and female != (facts.sex == "F"):
            says = _("female") if facts.sex == "F" else _("male")
            return _("You changed sex; DICOM says {sex}.").format(sex=html.escape(says)) + link
        return ""

    def _outsideOfModel(self, patient):
        ages = self._ages()
        if not patient.ageKnown or ages is None or ages[0] <= patient.age <= ages[1]:
            return ""
        text = _("⚠ Age {age} is outside the model's range ({low:.0f} to {high:.0f}).")
        return text.format(age=patient.age, low=ages[0], high=ages[1])

    def _ages(self):
        name = self._context.parameters.run.modelId
        return next((m.ageRange for m in installedModels() if m.name == name), None)

    def _tick(self, name):
        return getattr(self._context.ui, f"{name}KnownCheckBox")

    def _field(self, name):
        return getattr(self._context.ui, _WIDGETS[name])

    def _unknown(self, name):
        return getattr(self._context.ui, f"{name}Unknown")
