"""The run button and what lies below it: progress, stage, message box, details."""

import html

import qt
from slicer.i18n import tr as _

from . import Messages
from .Context import gate, quiet
from .Controller import State
from .Icons import pixmap
from .Remedies import Remedy

IGNORE_CLICKS_S = 0.5
"""After a change of its role the button ignores clicks: a double click must not cancel."""
_SHAPES = {
    Messages.Kind.GREEN: "green",
    Messages.Kind.AMBER: "amber",
    Messages.Kind.RED: "red",
}


class RunArea:
    """Shows the controller; tells clicks.

    Parameters
    ----------
    context
        `Context.Context`.
    onRun
        Called when the user clicks Synthesize.
    onRemedy
        Called with the `Remedy` of a message's button or link.
    now
        Monotonic clock in seconds.
    """

    def __init__(self, context, onRun, onRemedy, now):
        self._context = context
        self._onRun = onRun
        self._onRemedy = onRemedy
        self._now = now
        self._roleChanged = -IGNORE_CLICKS_S
        self._role = "run"
        self._message = None
        self.prefix = ""
        """Words before the stage, e.g. "Case 2 of 3"."""
        ui = context.ui
        ui.runButton.connect("clicked(bool)", lambda: self.click())
        ui.messageButton1.connect("clicked(bool)", lambda: self._clickRemedy(0))
        ui.messageButton2.connect("clicked(bool)", lambda: self._clickRemedy(1))
        ui.messageLabel.connect("linkActivated(QString)", lambda _target: self._clickLink())
        self._previewTip = ui.previewCheckBox.toolTip

    def click(self):
        """The one button: Synthesize, or Cancel."""
        if self._now() - self._roleChanged < IGNORE_CLICKS_S:
            return
        if self._context.controller.busy:
            self._context.controller.cancel()
        elif self._context.ui.runButton.enabled:
            self._onRun()

    def refresh(self, reason, ready):
        """Follow the controller.

        Parameters
        ----------
        reason
            Why a run cannot start; empty when it can.
        ready
            What the stage line says when nothing runs and nothing hinders.
        """
        controller, ui = self._context.controller, self._context.ui
        state = controller.state
        self._showButton(state, reason)
        working = state in (State.CHECKING, State.RUNNING)
        ui.progressBar.setVisible(controller.busy)
        self._showProgress(controller, state)
        ui.stageLabel.setText(self._stage(controller, state, reason, ready))
        forms = self._context.launcher.kind == "synthesize"
        ui.previewCheckBox.setVisible(working and forms)
        self.showMessage(controller.notice)
        ui.detailsGroup.setVisible(controller.run is not None)
        self._showLog(controller.log.text)

    def showMessage(self, message):
        """Show a `Messages.Message`, or hide the box."""
        ui = self._context.ui
        ui.messageFrame.setVisible(message is not None)
        if message == self._message:
            return
        self._message = message
        if message is None:
            return
        shape = _SHAPES.get(message.kind)
        ui.messageIcon.setPixmap(qt.QPixmap() if shape is None else pixmap(shape))
        text = html.escape(message.text)
        if message.link is not None:
            text += f' <a href="link">{html.escape(message.link[1])}</a>'
        ui.messageLabel.setText(text)
        for number, button in enumerate((ui.messageButton1, ui.messageButton2)):
            there = number < len(message.buttons)
            button.setVisible(there)
            if there:
                button.setText(message.buttons[number][1])
                button.setToolTip(TIPS[message.buttons[number][0]])

    def _clickRemedy(self, number):
        if self._message is not None and number < len(self._message.buttons):
            self._onRemedy(self._message.buttons[number][0])

    def _clickLink(self):
        if self._message is not None and self._message.link is not None:
            self._onRemedy(self._message.link[0])

    def _showButton(self, state, reason):
        button = self._context.ui.runButton
        role, words = "run", _("Synthesize")
        if state in (State.CHECKING, State.RUNNING):
            role, words = "cancel", _("Cancel")
        elif state is State.CANCELLING:
            role, words = "wait", _("Cancelling…")
        elif state is State.IMPORTING:
            role, words = "wait", _("Importing…")
        if role != self._role:
            self._role, self._roleChanged = role, self._now()
        button.setText(words)
        if role == "run":
            gate(button, not reason, reason, _("Make the synthetic PET (Ctrl+Return)."))
        else:
            stop = _("Stop within a second; nothing is added (Esc).")
            gate(button, role == "cancel", _("Wait a moment."), stop)

    def _showProgress(self, controller, state):
        bar, forecast = self._context.ui.progressBar, controller.forecast
        if state in (State.CHECKING, State.CANCELLING) or forecast is None:
            bar.setRange(0, 0)
            return
        bar.setRange(0, 100)
        if state is State.IMPORTING:
            bar.setValue(100)
            bar.setFormat("%p %")
            return
        bar.setValue(round(forecast.fraction * 100))
        left = forecast.left
        if left is None:
            bar.setFormat("%p %")
        else:
            words = _("about {seconds} s left").format(seconds=left)
            if forecast.longer:
                words = _("{left}, longer than expected").format(left=words)
            bar.setFormat(f"%p %, {words}")
        bar.setToolTip(_("Elapsed {seconds} s.").format(seconds=round(forecast.elapsed)))

    def _stage(self, controller, state, reason, ready):
        if state is State.CHECKING:
            words = _("Starting the worker…")
        elif state is State.RUNNING:
            words = _runningWords(controller)
        elif state is State.CANCELLING:
            words = _("Stopping…")
        elif state is State.IMPORTING:
            words = self._context.launcher.order.adding()
        else:
            return reason or ready
        return f"{self.prefix}{words}"

    def _showLog(self, text):
        area = self._context.ui.detailsText
        if area.plainText != text:
            with quiet(area):
                area.setPlainText(text)
            bar = area.verticalScrollBar()
            bar.setValue(bar.maximum)


def _runningWords(controller):
    stage, step = controller.stage, controller.step
    if stage is None:
        return _("Starting the worker…")
    label = STAGES.get(stage.id, stage.label)
    words = _("Step {index} of {count}: {label}").format(
        index=stage.index, count=stage.count, label=label
    )
    if step is not None and step.stage == stage.id and step.total > 1:
        part = _("{done} of {total}").format(done=min(step.step + 1, step.total), total=step.total)
        words = f"{words}, {part}"
    return words


STAGES = {
    "read": _("reading and checking the images"),
    "preprocess": _("preparing the MRI (brain mask, alignment)"),
    "generate": _("generating the PET"),
    "restore": _("returning to the T1w grid"),
    "warp": _("bending the atlas onto the MRI"),
    "align": _("laying the PET on the MRI"),
    "quantify": _("measuring regions"),
    "export": _("writing the results"),
}
"""The library's stages in words; an unknown one keeps the worker's own."""

TIPS = {
    Remedy.INSTALL: _("Installs what is missing, then starts the run."),
    Remedy.CHOOSE_BACKEND: _("Opens Advanced, where another Python can be named."),
    Remedy.CHOOSE_PYTORCH: _(
        "Opens the module PyTorch Utils, where the kind of PyTorch is chosen."
    ),
    Remedy.WHEEL_FOLDER: _("Opens Advanced, where a folder of wheels can be named."),
    Remedy.REPAIR: _("Removes the partly installed PyTorch."),
    Remedy.COPY_REPORT: _("Copies the message and the log to the clipboard."),
    Remedy.COPY_DIAGNOSIS: _("Copies everything a bug report needs to the clipboard."),
    Remedy.RETRY: _("Starts the same run again."),
    Remedy.RETRY_ON_CPU: _("Starts the same run on the CPU; the setting stays as it is."),
    Remedy.RETRY_FAST: _("Sets Quality to Fast and starts again."),
    Remedy.CHOOSE_MASK: _("Goes to the brain mask selector."),
    Remedy.MASK_AUTOMATIC: _("Sets the brain mask to automatic and starts again."),
    Remedy.CHOOSE_T1W: _("Goes to the T1w selector."),
    Remedy.CHOOSE_FLAIR: _("Goes to the FLAIR selector."),
    Remedy.WITHOUT_FLAIR: _("Leaves the FLAIR out and starts again."),
    Remedy.CHOOSE_MODEL: _("Goes to the list of models."),
    Remedy.BUILT_IN_MODEL: _("Chooses the model that came with PETSynth."),
    Remedy.OPEN_MODELS: _("Opens the folder of your own models."),
    Remedy.CHOOSE_JOB_FOLDER: _("Opens Advanced, where another job folder can be named."),
    Remedy.CHOOSE_TRACER: _("Goes to the list of tracers."),
    Remedy.RUN_ALL_THE_SAME: _("Starts the run with the memory there is; it may be slow or fail."),
    Remedy.USE_ANYWAY: _("Overrides this check and starts again; the result will say so."),
    Remedy.SHOW_DETAILS: _("Opens the worker's log."),
    Remedy.SHOW_DATA: _("Opens the module Data."),
    Remedy.ACCEPT_ALIGNMENT: _("You looked at both and found them aligned."),
    Remedy.CHOOSE_ACQUIRED: _("Goes to the selector of the acquired PET."),
    Remedy.QUANTIFY: _("Measures the PET as it is now."),
    Remedy.CHOOSE_PET: _("Goes to the list of PETs."),
    Remedy.ALIGN_COPY: _("Measures a copy that is moved onto the T1w; the PET itself stays."),
    Remedy.OTHER_REFERENCE: _("Takes the tracer's next reference region and measures again."),
    Remedy.OPEN_EXPORT: _("Shows the exported files in the system's file manager."),
    Remedy.CHOOSE_EXPORT_FOLDER: _("Goes to the folder of the card Export."),
    Remedy.NEW_STUDY: _("Exports again; the DICOM files start a study of their own."),
    Remedy.INSTALL_DICOM: _("Installs what writes DICOM, then exports."),
    Remedy.ADD_NORMALS: _("Asks for the folder of a normative database and copies it."),
}
