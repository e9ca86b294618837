"""Card Tracer and model: what is made, by which model, with how much effort."""

import random

import qt
from slicer.i18n import tr as _

from PETSynthLib.errors import PETSynthError
from PETSynthLib.tracers import all_tracers

from . import Messages, Models
from .Context import choose, gate, quiet
from .Parameters import LARGEST_SEED, Preset, Tracer
from .Request import makeRequest
from .Timing import expectedSeconds


class TracerCard:
    """Fills the lists from the registries and keeps the notes true.

    Parameters
    ----------
    context
        `Context.Context`.
    onChosen
        Called after a choice that the parameter node does not tell by itself.
    """

    TITLE = "Tracer and model"

    def __init__(self, context, onChosen):
        self._context = context
        self._onChosen = onChosen
        self.models = []
        ui = context.ui
        editable = (
            ui.tracerComboBox, ui.presetComboBox, ui.modelComboBox, ui.scannerComboBox,
            ui.samplesSpinBox, ui.stepsSpinBox, ui.seedSpinBox, ui.keepSamplesCheckBox,
            ui.modelMenuButton, ui.newSeedButton,
        )  # fmt: skip
        self._tips = {widget: widget.toolTip for widget in editable}
        self._fillTracers()
        self._makeMenu()
        ui.tracerComboBox.connect("currentIndexChanged(int)", lambda _index: self._onTracer())
        ui.modelComboBox.connect("currentIndexChanged(int)", lambda _index: self._onModel())
        ui.samplesSpinBox.connect("valueChanged(int)", lambda _value: self._onEffort())
        ui.stepsSpinBox.connect("valueChanged(int)", lambda _value: self._onEffort())
        ui.newSeedButton.connect("clicked(bool)", lambda: self._onNewSeed())
        ui.modelNoteLabel.connect("linkActivated(QString)", lambda _target: self.openModelCard())
        self.reloadModels()

    # --- what others ask -----------------------------------------------------------------------

    @property
    def model(self):
        """The chosen `Models.Model`, or None when it is not installed here."""
        name = self._context.parameters.run.modelId
        return next((model for model in self.models if model.name == name), None)

    def request(self):
        """The library's request of this moment, without files."""
        parameters = self._context.parameters
        usesScanner = self.model is not None and "pet_scanner" in self.model.uses
        return makeRequest(
            parameters.patient, parameters.run, self._context.settings.device, usesScanner
        )

    @property
    def seconds(self):
        """Expected seconds of a run, or None before the first."""
        return expectedSeconds(self.request())

    @property
    def reason(self):
        """Why a run cannot start, or an empty string."""
        if self._context.parameters is None:
            return ""
        if self.model is None:
            name = self._context.parameters.run.modelId
            return _("The model {name} is not installed here. Choose another.").format(name=name)
        tracer = self._context.parameters.run.tracer
        if tracer.key not in self.model.tracers:
            text = _("{model} was not trained for {tracer}. Choose another model.")
            return text.format(model=self.model.name, tracer=tracer.label())
        return ""

    @property
    def summary(self):
        """What the folded card says."""
        if self._context.parameters is None:
            return ""
        run = self._context.parameters.run
        title = run.modelId if self.model is None else self.model.title
        return ", ".join([run.tracer.label(), _(run.preset.label()), title])

    # --- following the parameter node ----------------------------------------------------------

    def refresh(self):
        """Follow the parameter node and the run."""
        context, ui = self._context, self._context.ui
        if context.parameters is None:
            return
        run = context.parameters.run
        choose(ui.tracerComboBox, run.tracer.name)
        choose(ui.modelComboBox, run.modelId)
        self._showEffort(run)
        self._showTracers()
        self._showPresets()
        self._showNotes(run)
        self._gate(run)

    def _gate(self, run):
        busy = _("The values are those of the run. Wait for it or cancel it.")
        ui = self._context.ui
        free = not self._context.locked
        reasons = dict.fromkeys(self._tips, "")
        if len(self.models) < 2:
            reasons[ui.modelComboBox] = _("Only one model is installed.")
        if self.model is None or "pet_scanner" not in self.model.uses:
            reasons[ui.scannerComboBox] = _("This model knows no scanners.")
        if not self.samples(run):
            none = _("There are no samples: choose Balanced, Best, or a number of samples.")
            for widget in (ui.seedSpinBox, ui.newSeedButton, ui.keepSamplesCheckBox):
                reasons[widget] = none
        for widget, tip in self._tips.items():
            reason = reasons[widget]
            gate(widget, free and not reason, reason if free else busy, tip)

    def samples(self, run):
        """Number of samples that a run makes."""
        if run.preset == Preset.CUSTOM or self.model is None:
            return run.samples
        return self.model.presets[run.preset.name.lower()]["samples"]

    def _showEffort(self, run):
        """The numbers of samples and steps: the preset's, or the user's own."""
        ui = self._context.ui
        samples, steps = run.samples, run.steps
        if run.preset != Preset.CUSTOM and self.model is not None:
            preset = self.model.presets[run.preset.name.lower()]
            samples, steps = preset["samples"], preset["steps"]
        with quiet(ui.samplesSpinBox, ui.stepsSpinBox):
            ui.samplesSpinBox.setValue(samples)
            ui.stepsSpinBox.setValue(steps)

    def _showTracers(self):
        combo, model = self._context.ui.tracerComboBox, self.model
        for index in range(combo.count):
            key = combo.itemData(index)
            if key is None:
                continue
            missing = model is not None and key.lower() not in model.tracers
            item = combo.model().item(index)
            item.setEnabled(not missing)
            item.setToolTip(_("not in this model") if missing else "")

    def _showPresets(self):
        """Presets with their numbers and seconds; the items stay, only their words change."""
        combo, model = self._context.ui.presetComboBox, self.model
        if model is None:
            return
        parameters = self._context.parameters
        with quiet(combo):
            for index, preset in enumerate(Preset):
                if index >= combo.count:
                    break
                words = _(preset.label())
                if preset is not Preset.CUSTOM:
                    samples = model.presets[preset.name.lower()]["samples"]
                    many = _("mean + 1 sample") if samples == 1 else _("mean + {n} samples")
                    kind = many if samples else _("mean only")
                    request = makeRequest(
                        parameters.patient,
                        _WithPreset(parameters.run, preset),
                        self._context.settings.device,
                        usesScanner=False,
                    )
                    time = Messages.seconds(expectedSeconds(request))
                    words = f"{words}: {kind.format(n=samples)}, {time}"
                combo.setItemText(index, words)

    def _showNotes(self, run):
        ui, model = self._context.ui, self.model
        notes = {
            "simulation": _("Trained on <b>simulated pairs only</b>; not validated on patients."),
            "population atlas": _(
                "Not a trained model: <b>population averages</b> laid onto this MRI."
            ),
            "real pairs": _("Trained on pairs of real MRI and PET."),
        }
        note = self.reason if model is None else notes[model.trainedOn]
        card = ' <a href="card">{words}</a>'.format(words=_("Model card"))
        ui.modelNoteLabel.setText(note if model is None else note + card)
        exploratory = all_tracers()[run.tracer.key].exploratory
        ui.exploratoryLabel.setVisible(exploratory and not ui.tracerCard.collapsed)
        if exploratory:
            text = _(
                "⚠ Exploratory: MRI does not determine {tracer}. The result is shown as "
                "low | middle | high. No positive or negative reading is given."
            )
            ui.exploratoryLabel.setText(text.format(tracer=run.tracer.label()))

    # --- what the user does --------------------------------------------------------------------

    def _onTracer(self):
        name = self._context.ui.tracerComboBox.currentData
        if name is not None and self._context.parameters is not None:
            self._context.parameters.run.tracer = Tracer[name]
            self._onChosen()

    def _onModel(self):
        name = self._context.ui.modelComboBox.currentData
        if name is not None and self._context.parameters is not None:
            self._context.parameters.run.modelId = name
            self._onChosen()

    def _onEffort(self):
        """Both numbers become the user's: the one not edited keeps what it showed."""
        parameters, ui = self._context.parameters, self._context.ui
        if parameters is not None:
            parameters.run.samples = ui.samplesSpinBox.value
            parameters.run.steps = ui.stepsSpinBox.value
            parameters.run.preset = Preset.CUSTOM

    def _onNewSeed(self):
        self._context.parameters.run.seed = random.randint(1, LARGEST_SEED)

    # --- lists and menu ------------------------------------------------------------------------

    def reloadModels(self):
        """Read the installed models again."""
        self.models = Models.installedModels()
        combo = self._context.ui.modelComboBox
        with quiet(combo):
            combo.clear()
            for model in self.models:
                words = _("{title} (built in)") if model.builtIn else "{title}"
                combo.addItem(words.format(title=model.title), model.name)

    def _fillTracers(self):
        """FDG first; the others under a heading that says what they are."""
        combo = self._context.ui.tracerComboBox
        registry = all_tracers()
        with quiet(combo):
            combo.clear()
            heading = False
            for tracer in Tracer:
                facts = registry[tracer.key]
                if facts.exploratory and not heading:
                    heading = True
                    combo.addItem(_("Exploratory: MRI does not determine these"))
                    combo.model().item(combo.count - 1).setEnabled(False)
                combo.addItem(f"{facts.label}: {facts.long_name.split(', ', 1)[1]}", tracer.name)

    def _makeMenu(self):
        button = self._context.ui.modelMenuButton
        self._menu = qt.QMenu(button)
        for words, action in (
            (_("Model card"), self.openModelCard),
            (_("Add a model folder…"), self._onAdd),
            (_("Open models folder"), self.openModelsFolder),
            (_("Verify"), self._onVerify),
            (_("Remove"), self._onRemove),
        ):
            entry = self._menu.addAction(words)
            entry.triggered.connect(lambda _checked=False, action=action: action())
        button.setMenu(self._menu)

    def openModelCard(self):
        """Show the chosen model's card."""
        if self.model is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self.model.card)))

    def openModelsFolder(self):
        """Show the folder of the user's own models, made when missing."""
        folder = Models.userFolder()
        folder.mkdir(parents=True, exist_ok=True)
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def _onAdd(self):
        title = _("Folder of a model")
        folder = qt.QFileDialog.getExistingDirectory(self._context.ui.tracerCard, title)
        if folder:
            self._tryWith(lambda: Models.addModel(folder), _("The model {name} was added."))

    def _onVerify(self):
        if self.model is not None:
            verified = _("The model's files are as they were made ({name}…).")
            self._tryWith(lambda: Models.verify(self.model)[:12], verified)

    def _onRemove(self):
        model = self.model
        if model is None or model.builtIn:
            text = _("A model that came with PETSynth cannot be removed.")
            self._context.controller.tell(Messages.Message(Messages.Kind.PLAIN, text))
            return

        def remove():
            Models.removeModel(model)
            self._context.parameters.run.modelId = "flow"
            return model.name

        self._tryWith(remove, _("The model {name} was removed."))

    def _tryWith(self, action, words):
        try:
            name = action()
        except (PETSynthError, OSError) as problem:
            message = Messages.Message(Messages.Kind.RED, str(problem))
        else:
            message = Messages.Message(Messages.Kind.GREEN, words.format(name=name))
        self.reloadModels()
        self._context.controller.tell(message)
        self._onChosen()


class _WithPreset:
    """A `RunPack` as it would be with another preset."""

    def __init__(self, run, preset):
        self._run = run
        self.preset = preset

    def __getattr__(self, name):
        return getattr(self._run, name)
