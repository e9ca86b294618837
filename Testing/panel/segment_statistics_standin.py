"""As much of Slicer's Segment Statistics as a plugin meets: keys, parameters, coded entries."""

from __future__ import annotations

from typing import Any, ClassVar

import slicer


class SegmentStatisticsPluginBase:
    """Holds the keys of a plugin and what the user asked for (a parameter of each key)."""

    def __init__(self) -> None:
        self.name = self.title = ""
        self.keys: list[str] = []
        self.defaultKeys: list[str] = []
        self.parameterNode: Any = None

    @staticmethod
    def createCodedEntry(
        codeValue: str, codingScheme: str, codeMeaning: str, returnAsString: bool = False
    ) -> Any:
        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning(codeValue, codingScheme, codeMeaning)
        return entry.GetAsString() if returnAsString else entry

    @staticmethod
    def createMeasurementInfo(
        name: str,
        title: str,
        description: str,
        units: str,
        quantityDicomCode: str | None = None,
        unitsDicomCode: str | None = None,
    ) -> dict[str, Any]:
        return {
            "name": name,
            "title": title,
            "description": description,
            "units": units,
            "DICOM.QuantityCode": quantityDicomCode,
            "DICOM.UnitsCode": unitsDicomCode,
        }

    def getMeasurementInfo(self, key: str) -> dict[str, Any] | None:
        raise NotImplementedError

    def setParameterNode(self, parameterNode: Any) -> None:
        """The module makes a check box for each key at once, with what the plugin says of it."""
        self.parameterNode = parameterNode
        for key in self.keys:
            assert "." not in key, "the module puts the name of the plugin and a dot before it"
            wanted = str(key in self.defaultKeys)
            parameterNode.SetParameter(f"{type(self).__name__}.{key}.enabled", wanted)
            assert self.getMeasurementInfo(key) is not None

    def getParameterNode(self) -> Any:
        return self.parameterNode

    def getRequestedKeys(self) -> list[str]:
        name = type(self).__name__
        return [
            key
            for key in self.keys
            if self.parameterNode.GetParameter(f"{name}.{key}.enabled") == "True"
        ]


def hardenedCopy(segmentation: Any) -> Any:
    """What the module asks plugins about in the place of a segmentation under a transform."""
    copy = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "_tmp_")
    copy.CopyContent(segmentation)
    copy.SetAndObserveTransformNodeID(segmentation.GetTransformNodeID())
    copy.HardenTransform()
    return copy


class SegmentStatisticsLogic:
    """Keeps the classes of its plugins."""

    registeredPlugins: ClassVar[list[type]] = []

    @classmethod
    def registerPlugin(cls, plugin: Any) -> None:
        assert isinstance(plugin, SegmentStatisticsPluginBase)
        cls.registeredPlugins.append(type(plugin))
