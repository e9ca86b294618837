"""As much of Slicer's Segment Statistics as a plugin meets: keys, parameters, coded entries."""

from __future__ import annotations

from typing import Any, ClassVar

import slicer


class SegmentStatisticsPluginBase:
    """Holds the keys of a plugin and what the user asked for (a parameter of each key)."""

    def __init__(self) -> None:
        self.name = ""
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
        description: str,
        units: str,
        quantityDicomCode: str | None = None,
        unitsDicomCode: str | None = None,
    ) -> dict[str, Any]:
        return {
            "name": name,
            "description": description,
            "units": units,
            "DICOM.QuantityCode": quantityDicomCode,
            "DICOM.UnitsCode": unitsDicomCode,
        }

    def setParameterNode(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        for key in self.keys:
            wanted = str(key in self.defaultKeys)
            parameterNode.SetParameter(f"{type(self).__name__}.{key}.enabled", wanted)

    def getParameterNode(self) -> Any:
        return self.parameterNode

    def getRequestedKeys(self) -> list[str]:
        name = type(self).__name__
        return [
            key
            for key in self.keys
            if self.parameterNode.GetParameter(f"{name}.{key}.enabled") == "True"
        ]


class SegmentStatisticsLogic:
    """Keeps the classes of its plugins."""

    registeredPlugins: ClassVar[list[type]] = []

    @classmethod
    def registerPlugin(cls, plugin: Any) -> None:
        assert isinstance(plugin, SegmentStatisticsPluginBase)
        cls.registeredPlugins.append(type(plugin))
