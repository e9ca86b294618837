"""The group Surface map (SSP) of the card Quantify, and the button SSP of the card View."""

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export.policy import has_surface_z
from PETSynthLib.request import ProjectRequest

from . import Messages
from .Context import gate
from .Controller import State
from .Parameters import SspDirection, SspMap, SspPalette
from .ProjectOrder import ProjectOrder


class SurfaceControls:
    """Shows a PET on the brain surface and changes how; computes nothing.

    Parameters
    ----------
    context
        `Context.Context`.
    quantify
        `QuantifyCard.QuantifyCard`: the PET, its normals, its measurement.
    refresh
        Brings the panel up to date.
    """

    def __init__(self, context, quantify, refresh):
        self._context = context
        self._quantify = quantify
        self._refresh = refresh
        self._shown = None
        self._made = self._then = None
        ui = context.ui
        self._maps = {
            SspMap.UPTAKE: "uptake",
            SspMap.SPREAD: "sd",
            SspMap.GLOBAL: "GLB",
            SspMap.THALAMUS: "THL",
            SspMap.CEREBELLUM: "CBL",
            SspMap.PONS: "PNS",
        }
        editable = (
            ui.sspMapComboBox, ui.sspDirectionComboBox, ui.sspPaletteComboBox,
            ui.sspThresholdSlider, ui.sspHatchCheckBox, ui.sspShowButton, ui.sspPageButton,
            ui.sspLayoutButton,
        )  # fmt: skip
        self._tips = {widget: widget.toolTip for widget in editable}
        ui.sspShowButton.connect("clicked(bool)", lambda: self.show())
        ui.sspPageButton.connect("clicked(bool)", lambda: self.showPage())
        ui.sspLayoutButton.connect("clicked(bool)", lambda: self.showResult())
        context.launcher.imported.connect(self._onImported)
        context.controller.finished.connect(self._onFinished)

    @property
    def nodes(self):
        """What is in the scene of the chosen PET on the surface, or None."""
        pet = self._quantify.pet
        return None if pet is None else Scene.surfaceOf(self._context.environment, pet)

    @property
    def reason(self):
        """Why the PET cannot be laid on the surface, or an empty string."""
        pet = self._quantify.pet
        if pet is not None and self._quantify.synthetic:
            return ""  # its folder holds all that is needed, also without its T1w
        return self._quantify.reason

    # --- following -----------------------------------------------------------------------------

    def refresh(self):
        """Follow the parameter node, the scene and the run."""
        if self._context.parameters is None:
            return
        nodes = self.nodes
        self._follow(nodes)
        self._paint(nodes)
        self._gate(nodes)

    def _follow(self, nodes):
        """Another surface brings its own look: as it was saved, or what its tracer begins with."""
        model = None if nodes is None else nodes.models.get("L")
        key = None if model is None else model.GetID()
        if key == self._shown:
            return
        self._shown = key
        if model is None:
            return
        ssp = self._context.parameters.ssp
        look = Scene.lookOfSurface(nodes) or Scene.lookDefault(nodes)
        ssp.map = next(one for one, name in self._maps.items() if name == look.shown)
        ssp.direction = SspDirection[look.direction.upper()]
        ssp.palette = SspPalette[look.palette.upper()]
        ssp.threshold, ssp.hatch = look.threshold, look.hatch

    def _look(self, nodes):
        """What the controls say; of a map that this surface has not, its uptake."""
        ssp = self._context.parameters.ssp
        shown = self._maps[ssp.map]
        return Scene.SurfaceLook(
            shown if shown in self._there(nodes) else "uptake",
            ssp.threshold,
            ssp.direction.name.lower(),
            ssp.palette.name.lower(),
            ssp.hatch,
        )

    def _there(self, nodes):
        return {"uptake", *nodes.references, *(["sd"] if nodes.spread else [])}

    def _paint(self, nodes):
        if nodes is None or not nodes.models:
            return
        look = self._look(nodes)
        if look != Scene.lookOfSurface(nodes):
            Scene.paintSurface(self._context.environment, nodes, look)

    def _gate(self, nodes):
        ui, context = self._context.ui, self._context
        first = _("Click Show SSP views first.")
        only = _("An exploratory tracer is shown as low, middle and high on one page only.")
        surface = nodes is not None and bool(nodes.models)
        why = "" if surface else first if nodes is None else only
        z = surface and self._look(nodes).isZ
        noZ = _("z needs normals of this tracer and model that this PET may be held against.")
        notZ = _("Only maps of z have a threshold.")
        busy = _("Wait for the run or cancel it.") if context.locked else ""
        reasons = {
            ui.sspMapComboBox: why,
            ui.sspPaletteComboBox: why,
            ui.sspDirectionComboBox: why or ("" if z else notZ),
            ui.sspThresholdSlider: why or ("" if z else notZ),
            ui.sspHatchCheckBox: why
            or ("" if z and nodes.uncertain else _("No uncertainty of z is known here.")),
            ui.sspShowButton: busy or (only if nodes is not None and not surface else self.reason),
            ui.sspPageButton: busy or self.reason,
            ui.sspLayoutButton: busy or self._noPet(),
        }
        for widget, reason in reasons.items():
            gate(widget, not reason, reason, self._tips[widget])
        there = self._there(nodes) if surface else set(self._maps.values())
        for index, name in enumerate(self._maps.values()):
            item = ui.sspMapComboBox.model().item(index)
            item.setEnabled(name in there)
            item.setToolTip("" if name in there else noZ)

    def _noPet(self):
        if self._context.parameters.view.result is None and self._quantify.pet is None:
            return _("There is no PET yet: click Synthesize, or choose one in Quantify.")
        return "" if self._context.parameters.view.result is not None else self.reason

    # --- what the user does --------------------------------------------------------------------

    def showResult(self):
        """The button of the card View: the surface of the result it shows."""
        result = self._context.parameters.view.result
        if result is not None:
            self._context.parameters.quantify.pet = result
        self.show()

    def show(self):
        """The eight views; of an exploratory tracer the page. First lays the PET onto the surface.

        A surface of other voxels than the PET has now is made again.
        """
        self._ready(self._show)

    def showPage(self):
        """The composed page of the direction chosen."""
        self._ready(self._showPage)

    def run(self, **changes):
        """Lay the chosen PET onto the surface once more.

        Parameters
        ----------
        changes
            Replace fields of the request.
        """
        self._start(self._show, **changes)

    def _ready(self, then):
        nodes = self.nodes
        pet, environment = self._quantify.pet, self._context.environment
        if nodes is not None:
            parts = [*nodes.models.values(), *nodes.pages.values()]
            if all(Scene.belongsTo(environment, part, pet) for part in parts):
                then(nodes)
                return
        self._start(then)

    def _start(self, then, **changes):
        context, quantify = self._context, self._quantify
        if context.controller.busy or self.reason:
            return
        if quantify.synthetic:
            self._launch(then, None, **changes)
            return
        measured = Scene.quantificationOf(context.environment, quantify.pet)
        if measured is None:
            # Only a measurement knows how an acquired PET lies.
            quantify.run(then=lambda made: self._launch(then, made.table, **changes))
            return
        self._launch(then, measured.table, **changes)

    def _launch(self, then, table, **changes):
        quantify = self._quantify
        fields = {
            "tracer": "" if quantify.synthetic else quantify.tracer.key,
            "palette": self._context.parameters.ssp.palette.name.lower(),
            **self._normals(),
        }
        request = ProjectRequest(pet="", output="", **{**fields, **changes})
        self._then = then
        tableId = None if table is None else table.GetID()
        self._context.launcher.begin(ProjectOrder(quantify.pet.GetID(), tableId, request))

    def _normals(self):
        """Database and person as the measurement takes them, where z may be shown at all."""
        quantify = self._quantify
        chosen = None if quantify.reason else quantify.normals.chosen
        if chosen is None:
            return {}
        if not has_surface_z(quantify.tracer, quantify.synthetic, chosen.meta.n):
            return {}
        measured = quantify.order().request
        return {"database": measured.database, "clinical": measured.clinical}

    def _onImported(self, made, order):
        if isinstance(order, ProjectOrder):
            self._made = made

    def _onFinished(self, state):
        made, then = self._made, self._then
        self._made = None
        if made is None:
            return  # a run of somebody else
        self._then = None
        if state is State.DONE and then is not None:
            self._follow(made)
            then(made)

    def _show(self, nodes):
        if not nodes.models:
            self._showPage(nodes)
            return
        self._paint(nodes)
        self._try(lambda: Scene.showSurface(self._context.environment, nodes))

    def _showPage(self, nodes):
        part = f"ssp-{self._context.parameters.ssp.direction.name.lower()}"
        part = part if part in nodes.pages else "ssp"
        self._try(lambda: Scene.showPage(self._context.environment, nodes, part))

    def _try(self, show):
        try:
            show()
        except PETSynthError as problem:
            message = Messages.Message(Messages.Kind.RED, f"{problem.text} {problem.hint}")
            self._context.controller.tell(message)
        self._refresh()
