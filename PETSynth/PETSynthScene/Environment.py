"""What the adapters need of Slicer, handed to them instead of read from globals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer


@dataclass(frozen=True, eq=False)
class SceneEnvironment:
    """One scene and the logic around it.

    The same code then runs in the desktop application, in the test host and on bare
    ``slicer-core``, where ``slicer.app``, ``slicer.modules`` and ``slicer.mrmlScene`` are missing.

    Attributes
    ----------
    scene
        ``vtkMRMLScene``.
    applicationLogic
        ``vtkMRMLApplicationLogic`` that knows the slice logics, or None: slices are then not
        fitted to the image.
    dicomDatabase
        Slicer's ``ctkDICOMDatabase``, or None: nothing is then known of how a scan was made.
    """

    scene: Any
    applicationLogic: Any = None
    dicomDatabase: Any = None

    @property
    def subjectHierarchy(self) -> Any:
        """The scene's subject hierarchy node, made when missing."""
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)

    @property
    def layoutNode(self) -> Any:
        """The layout node, or None where nothing lays out views."""
        return self.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")

    def node(self, nodeId: str | None) -> Any:
        """The node of that ID, or None when there is none (any more)."""
        return self.scene.GetNodeByID(nodeId) if nodeId else None

    def nodes(self, className: str) -> list[Any]:
        """All nodes of a class (subclasses too), in the order of the scene."""
        found = self.scene.GetNodesByClass(className)
        found.UnRegister(None)  # GetNodesByClass hands over a reference that Python must return
        return [found.GetItemAsObject(i) for i in range(found.GetNumberOfItems())]
