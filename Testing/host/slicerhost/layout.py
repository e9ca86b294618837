"""`slicer.app.layoutManager()`: makes the views that the layout node's XML description names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import slicer
import vtk

from .scene import ApplicationScene
from .views import SliceView, ThreeDView

# Orientation of the three standard views when a layout gives none.
_STANDARD = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
FOUR_UP = 3  # vtkMRMLLayoutNode.SlicerLayoutFourUpView


class LayoutManager:
    """Follows the layout node, as `qSlicerLayoutManager` does.

    A view exists from the first layout that names it. Views of the current layout have
    ``IsMappedInLayout()``; the others keep their nodes.
    """

    def __init__(self, application: ApplicationScene) -> None:
        self._application = application
        self._slices: dict[str, SliceView] = {}
        self._threeD: dict[str, ThreeDView] = {}
        self._shown: str | None = None
        self._node = application.layoutNode
        self._node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._follow())
        application.scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded)
        self.setLayout(FOUR_UP)

    # --- what modules call ---------------------------------------------------------------------
    @property
    def layout(self) -> int:
        return self._node.GetViewArrangement()

    @layout.setter
    def layout(self, identifier: int) -> None:
        self.setLayout(identifier)

    def setLayout(self, identifier: int) -> None:
        self._node.SetViewArrangement(int(identifier))
        self._follow()

    def layoutLogic(self) -> Any:
        return self._application.layoutLogic

    def mrmlScene(self) -> Any:
        return self._application.scene

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._slices)

    def sliceWidget(self, name: str) -> SliceView | None:
        return self._slices.get(name)

    @property
    def threeDViewCount(self) -> int:
        return len(self._threeD)

    def threeDWidget(self, which: int | str) -> ThreeDView | None:
        views = list(self._threeD.values())
        if isinstance(which, str):
            return self._threeD.get(which)
        return views[which] if 0 <= which < len(views) else None

    @property
    def tableViewCount(self) -> int:
        return 0

    @property
    def plotViewCount(self) -> int:
        return 0

    def resetSliceViews(self) -> None:
        for view in self._slices.values():
            view.fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for view in self._threeD.values():
            view.resetFocalPoint()

    def mrmlSliceLogics(self) -> Any:
        return self._application.applicationLogic.GetSliceLogics()

    # --- the views -----------------------------------------------------------------------------
    def shownViews(self) -> list[SliceView | ThreeDView]:
        """The views of the current layout, in reading order (for tests and pictures)."""
        return [self._view(kind, tag) for kind, tag, _ in self._described()]

    def rows(self) -> list[list[SliceView | ThreeDView]]:
        """The views of the current layout by row, when it is a vertical layout of rows."""
        root = ET.fromstring(self._node.GetCurrentLayoutDescription())
        rows = []
        for item in root.findall("item"):
            views = [self._view(v.get("class"), v.get("singletontag")) for v in item.iter("view")]
            rows.append([v for v in views if v is not None])
        return rows

    def _described(self) -> list[tuple[str, str, dict[str, str]]]:
        text = self._node.GetCurrentLayoutDescription()
        if not text:
            return []
        views = []
        for element in ET.fromstring(text).iter("view"):
            properties = {p.get("name", ""): p.text or "" for p in element.iter("property")}
            views.append((element.get("class", ""), element.get("singletontag", ""), properties))
        return [v for v in views if v[0] in ("vtkMRMLSliceNode", "vtkMRMLViewNode")]

    def _view(self, kind: str | None, tag: str | None) -> Any:
        return (self._slices if kind == "vtkMRMLSliceNode" else self._threeD).get(tag or "")

    def _follow(self) -> None:
        description = self._node.GetCurrentLayoutDescription()
        if description == self._shown or self._application.scene.IsBatchProcessing():
            return
        self._shown = description
        mapped = []
        for kind, tag, properties in self._described():
            if kind == "vtkMRMLSliceNode":
                view = self._slices.get(tag) or self._newSlice(tag, properties)
            else:
                view = self._threeD.get(tag) or self._newThreeD(tag, properties)
            mapped.append(view)
        for view in [*self._slices.values(), *self._threeD.values()]:
            view.node.SetMappedInLayout(view in mapped)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, scene: Any, _event: str, node: Any) -> None:
        """A slice node gets its view at once, which stays hidden until a layout names it."""
        if scene.IsBatchProcessing() or not node.IsA("vtkMRMLSliceNode"):
            return
        tag = node.GetSingletonTag()
        if tag and tag not in self._slices and node.GetParentLayoutNode() is None:
            self._slices[tag] = SliceView(self._application, tag)
            self._slices[tag].node.SetMappedInLayout(False)

    def forgetOtherViews(self) -> None:
        """Only the views of the current layout are left, as when the application has just begun.

        Every view follows every node: those of layouts shown long ago would make each test slower
        than the one before.
        """
        shown = self.shownViews()
        for views in (self._slices, self._threeD):
            for name, view in list(views.items()):
                if view not in shown:
                    del views[name]
                    view.close()

    def _newSlice(self, tag: str, properties: dict[str, str]) -> SliceView:
        view = SliceView(self._application, tag)
        view.node.SetOrientation(properties.get("orientation") or _STANDARD.get(tag, "Axial"))
        if "viewlabel" in properties:
            view.node.SetLayoutLabel(properties["viewlabel"])
        if "viewgroup" in properties:
            view.node.SetViewGroup(int(properties["viewgroup"]))
        self._slices[tag] = view
        return view

    def _newThreeD(self, tag: str, properties: dict[str, str]) -> ThreeDView:
        view = ThreeDView(self._application, tag)
        if "viewlabel" in properties:
            view.node.SetLayoutLabel(properties["viewlabel"])
        self._threeD[tag] = view
        return view
