"""SUVR, interval and z in Slicer's Segment Statistics, where that module is there.

The plugin reads what was measured; it measures nothing, so that its numbers are those of the table.
"""

from slicer.i18n import tr as _

import PETSynthScene as Scene
from PETSynthLib.export import marks
from PETSynthLib.export.columns import NO_UNIT, RATIO, suvr_code, z_code

from .Services import sceneEnvironment

_registered = []


def registerPlugin():
    """Offer the plugin to Segment Statistics; returns its class, None without the module."""
    if _registered:
        return _registered[0]
    try:
        from SegmentStatistics import SegmentStatisticsLogic
        from SegmentStatisticsPlugins import SegmentStatisticsPluginBase
    except ImportError:
        return None  # a Slicer that was built without the module
    made = pluginClass(SegmentStatisticsPluginBase)
    known = SegmentStatisticsLogic.registeredPlugins
    # When the module was read again, an older class of that name is there.
    known[:] = [one for one in known if one.__name__ != made.__name__]
    SegmentStatisticsLogic.registerPlugin(made())
    _registered.append(made)
    return made


def pluginClass(base):
    """The plugin's class, below the ``SegmentStatisticsPluginBase`` of this Slicer."""

    class PETSynthSegmentStatisticsPlugin(base):
        """Regional values of a PET that PETSynth has measured."""

        def __init__(self):
            super().__init__()
            self.name = "PETSynth"
            self.title = _("PETSynth")
            self.keys = list(_measurements())
            self.defaultKeys = list(self.keys)

        def computeStatistics(self, segmentID):
            """Values of a segment by key; empty for a segment that PETSynth has not measured."""
            requested = self.getRequestedKeys()
            nodeId = self.getParameterNode().GetParameter("Segmentation")
            environment = sceneEnvironment()
            segmentation = environment.node(nodeId)
            if segmentation is None:
                return {}
            values = Scene.measuredOf(environment, segmentation, segmentID)
            return {key: value for key, value in values.items() if key in requested}

        def getMeasurementInfo(self, key):
            """Name, description, unit and codes of a measurement."""
            row = _measurements().get(key)
            if row is None:
                return None
            name, title, description, quantity, unit = row
            return self.createMeasurementInfo(
                name=name,
                title=title,
                description=description,
                units=unit.meaning,
                quantityDicomCode=self.createCodedEntry(
                    quantity.value, quantity.scheme, quantity.meaning, True
                ),
                unitsDicomCode=self.createCodedEntry(unit.value, unit.scheme, unit.meaning, True),
            )

    return PETSynthSegmentStatisticsPlugin


def _measurements():
    """Key -> name, title, description, quantity, unit; the quantities of a computed PET have keys
    of their own, so that no column mixes the two. Names are for programs, titles for the user."""
    low, high = marks.INTERVAL_BOUNDS
    computed, measured = suvr_code(True), suvr_code(False)
    calibrated, mean = _("Calibrated on the model's own errors."), _("Mean of the region.")
    disease = _("Positive in the direction of disease.")
    return {
        "synthetic_suvr": (marks.QUANTITY, _("Synthetic SUVR"), mean, computed, RATIO),
        "synthetic_low": (low, low, calibrated, computed, RATIO),
        "synthetic_high": (high, high, calibrated, computed, RATIO),
        "synthetic_z": (marks.Z_QUANTITY, _("Synthetic z"), disease, z_code(True), NO_UNIT),
        "suvr": ("SUVR", _("SUVR"), mean, measured, RATIO),
        "z": ("z", _("z"), disease, z_code(False), NO_UNIT),
    }
