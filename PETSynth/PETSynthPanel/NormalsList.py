"""The list of normals in the card Quantify, and the menu beside it."""

import qt
from slicer.i18n import tr as _

from PETSynthLib.errors import PETSynthError

from . import QuantifyMessages
from .Context import choose, gate, quiet
from .Normals import NONE, aboutNormals, addNormals, mayBeCompared, normalsFor


class NormalsList:
    """Offers the databases that a PET may be held against.

    Parameters
    ----------
    context
        `Context.Context`.
    refresh
        Brings the panel up to date.
    """

    def __init__(self, context, refresh):
        self._context = context
        self._refresh = refresh
        self._measured = None
        self._comparable = False
        self._databases = []
        self._tip = context.ui.normalsComboBox.toolTip
        context.ui.normalsComboBox.connect(
            "currentIndexChanged(int)", lambda _index: self._onChosen()
        )
        self._makeMenu()

    @property
    def chosen(self):
        """The database to compare with (`Normals.Normals`), or None.

        Without a choice of the user's it is the first, of a person whose age and sex are known.
        """
        wanted = self._context.parameters.quantify.normalsId
        if wanted == NONE or not self._databases or not (wanted or self._comparable):
            return None
        named = [one for one in self._databases if one.name == wanted]
        return (named or self._databases)[0]

    @property
    def missing(self):
        """Whether normals would be used if there were some."""
        allowed = self._measured is not None and mayBeCompared(self._measured)
        return allowed and not self._databases

    def offer(self, measured, person):
        """Offer what fits a PET.

        Parameters
        ----------
        measured
            `Normals.Measured`; None while the tracer is unknown.
        person
            `ClinicalRecord` of whom it shows.
        """
        combo = self._context.ui.normalsComboBox
        self._comparable = person.age is not None and person.sex is not None
        if measured != self._measured or not combo.count:
            self._measured = measured
            self._databases = [] if measured is None else normalsFor(measured)
            with quiet(combo):
                combo.clear()
                for one in self._databases:
                    combo.addItem(one.title, one.name)
                combo.addItem(_("none (SUVR only)"), NONE)
        chosen = self.chosen
        choose(combo, NONE if chosen is None else chosen.name)

    def gate(self, locked, busy):
        """Enable the list, or say why not."""
        why = busy if locked else self._why()
        some = bool(self._databases) and not locked
        needs = _("Normals need age and sex: tick them in Patient.")
        tip = self._tip if self._comparable else needs
        gate(self._context.ui.normalsComboBox, some, why, tip)

    def _why(self):
        if self._measured is None:
            return _("Choose a PET and its tracer first.")
        if not mayBeCompared(self._measured):
            return _(
                "This PET comes from a demonstration model: it says nothing about a person, so it "
                "is not held against normals."
            )
        return _("This computer has no normals for this tracer and reference; ⋮ adds some.")

    def _onChosen(self):
        name = self._context.ui.normalsComboBox.currentData or ""
        self._context.parameters.quantify.normalsId = name

    def _makeMenu(self):
        button = self._context.ui.normalsMenuButton
        self._menu = qt.QMenu(button)
        for words, action in (
            (_("About"), self.about),
            (_("Add folder…"), self.ask),
            (_("Build…"), self.build),
        ):
            entry = self._menu.addAction(words)
            entry.triggered.connect(lambda _checked=False, action=action: action())
        button.setMenu(self._menu)

    def about(self):
        """What the chosen database says of itself."""
        chosen = self.chosen
        text = _("No normals are chosen.") if chosen is None else aboutNormals(chosen)
        self._context.controller.tell(QuantifyMessages.told(text))

    def ask(self):
        """Let the user name the folder of a database."""
        title = _("Folder of a normative database")
        folder = qt.QFileDialog.getExistingDirectory(self._context.ui.quantifyCard, title)
        if folder:
            self.add(folder)

    def add(self, folder):
        """Copy a database to the user's own and choose it."""
        try:
            name = addNormals(folder)
        except PETSynthError as problem:
            said = QuantifyMessages.normalsFailed(f"{problem.text} {problem.hint}")
            self._context.controller.tell(said)
            return
        self._measured = None
        self._context.parameters.quantify.normalsId = name
        self._context.controller.dismiss()
        self._refresh()

    def build(self):
        """Databases are built on the command line: it takes forty people and more."""
        text = _(
            "A database is built from PETs of healthy people on the command line: petsynth "
            "normative build --help tells how. Add its folder here afterwards."
        )
        self._context.controller.tell(QuantifyMessages.told(text))
