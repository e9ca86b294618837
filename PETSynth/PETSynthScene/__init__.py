"""PETSynth in a Slicer scene: nodes, folders, views and marks.

These adapters take the scene in a `SceneEnvironment`. They import ``slicer`` (the MRML classes) and
``vtk``, never ``qt`` or ``ctk``, and use neither ``slicer.app`` nor ``slicer.modules`` nor
``slicer.mrmlScene``; so they run on bare ``slicer-core`` as they run in the desktop application.
"""

from .Arrangement import (
    LayoutWatcher,
    makeView,
    missingViews,
    previousLayout,
    restoreLayout,
    switchTo,
)
from .Attributes import Role, isSynthetic, roleOf
from .Colours import mapOf, windowOf
from .Compare import (
    alignmentOf,
    compareWithAcquired,
    comparisonOf,
    isRescaled,
    showCompare,
)
from .Corner import CornerMarks
from .Environment import SceneEnvironment
from .Exporting import ExportedInputs, exportInputs
from .Importing import (
    ResultNodes,
    headline,
    importResult,
    listResults,
    notices,
    ownVolumes,
    resultOf,
)
from .Inputs import (
    PatientFacts,
    chooseT1,
    findFlairCandidates,
    findT1Candidates,
    patientFacts,
    samePatient,
)
from .Layouts import COMPARE, EXPECTED, FUSED, TRIPTYCH, registerLayouts, slicesOf
from .Layouts import titles as layoutTitles
from .Lights import quickFindings
from .Preview import loadPreview, placePreview, previewNode, removePreview, showPreview
from .Views import (
    defaultLook,
    opacity,
    resultLayout,
    setColours,
    setLegendVisible,
    setOpacity,
    setOutlinesVisible,
    setWindow,
    showExpected,
    showFused,
    shown,
    showResult,
    showTriptych,
)

__all__ = [
    "COMPARE",
    "EXPECTED",
    "FUSED",
    "TRIPTYCH",
    "CornerMarks",
    "ExportedInputs",
    "LayoutWatcher",
    "PatientFacts",
    "ResultNodes",
    "Role",
    "SceneEnvironment",
    "alignmentOf",
    "chooseT1",
    "compareWithAcquired",
    "comparisonOf",
    "defaultLook",
    "exportInputs",
    "findFlairCandidates",
    "findT1Candidates",
    "headline",
    "importResult",
    "isRescaled",
    "isSynthetic",
    "layoutTitles",
    "listResults",
    "loadPreview",
    "makeView",
    "mapOf",
    "missingViews",
    "notices",
    "opacity",
    "ownVolumes",
    "patientFacts",
    "placePreview",
    "previewNode",
    "previousLayout",
    "quickFindings",
    "registerLayouts",
    "removePreview",
    "restoreLayout",
    "resultLayout",
    "resultOf",
    "roleOf",
    "samePatient",
    "setColours",
    "setLegendVisible",
    "setOpacity",
    "setOutlinesVisible",
    "setWindow",
    "showCompare",
    "showExpected",
    "showFused",
    "showPreview",
    "showResult",
    "showTriptych",
    "shown",
    "slicesOf",
    "switchTo",
    "windowOf",
]
