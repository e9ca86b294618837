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
from .Attributes import Role, isSynthetic, resultDigest, roleOf, setResultDigest
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
from .ExportingPet import MeasuredImages, exportMeasured, exportRegions
from .Highlight import hideRegion, showAllRegions, showRegion
from .Identity import belongsTo, digestOf
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
    dicomFiles,
    findFlairCandidates,
    findT1Candidates,
    patientFacts,
    samePatient,
)
from .Layouts import (
    COMPARE,
    EXPECTED,
    FUSED,
    SSP,
    SSP_PAGE,
    TRIPTYCH,
    registerLayouts,
    slicesOf,
)
from .Layouts import titles as layoutTitles
from .Lights import quickFindings
from .Planes import ReadingPlanes, planesOn, setPlanes, whyNoPlanes
from .PlotAndTable import showChart, showTable
from .Preview import loadPreview, placePreview, previewNode, removePreview, showPreview
from .Quantified import (
    QuantifiedNodes,
    importQuantification,
    quantificationOf,
    quantificationsOf,
)
from .Reading import isInverted, scaleToReference, setInverted
from .RegionStatistics import measuredOf
from .RegionTable import headerOf, regionOfRow, shortTable
from .Returning import writeAgain
from .Simulated import isSimulated, markSample, tellSimulated
from .SurfaceLink import SurfaceLink
from .SurfaceLook import SurfaceLook, lookDefault, lookOfSurface, paintSurface
from .Surfaces import (
    SurfaceNodes,
    importSurface,
    surfaceHeader,
    surfaceIdentity,
    surfaceOf,
)
from .SurfaceViews import makeSurfaceViews, resetSurfaceViews, showPage, showSurface
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
from .WhatIf import (
    WhatIfNodes,
    cognitionUsed,
    importWhatIf,
    isRequestOf,
    largestChanges,
    showWhatIf,
    whatIfsOf,
)

__all__ = [
    "COMPARE",
    "EXPECTED",
    "FUSED",
    "SSP",
    "SSP_PAGE",
    "TRIPTYCH",
    "CornerMarks",
    "ExportedInputs",
    "LayoutWatcher",
    "MeasuredImages",
    "PatientFacts",
    "QuantifiedNodes",
    "ReadingPlanes",
    "ResultNodes",
    "Role",
    "SceneEnvironment",
    "SurfaceLink",
    "SurfaceLook",
    "SurfaceNodes",
    "WhatIfNodes",
    "alignmentOf",
    "belongsTo",
    "chooseT1",
    "cognitionUsed",
    "compareWithAcquired",
    "comparisonOf",
    "defaultLook",
    "dicomFiles",
    "digestOf",
    "exportInputs",
    "exportMeasured",
    "exportRegions",
    "findFlairCandidates",
    "findT1Candidates",
    "headerOf",
    "headline",
    "hideRegion",
    "importQuantification",
    "importResult",
    "importSurface",
    "importWhatIf",
    "isInverted",
    "isRequestOf",
    "isRescaled",
    "isSimulated",
    "isSynthetic",
    "largestChanges",
    "layoutTitles",
    "listResults",
    "loadPreview",
    "lookDefault",
    "lookOfSurface",
    "makeSurfaceViews",
    "makeView",
    "mapOf",
    "markSample",
    "measuredOf",
    "missingViews",
    "notices",
    "opacity",
    "ownVolumes",
    "paintSurface",
    "patientFacts",
    "placePreview",
    "planesOn",
    "previewNode",
    "previousLayout",
    "quantificationOf",
    "quantificationsOf",
    "quickFindings",
    "regionOfRow",
    "registerLayouts",
    "removePreview",
    "resetSurfaceViews",
    "restoreLayout",
    "resultDigest",
    "resultLayout",
    "resultOf",
    "roleOf",
    "samePatient",
    "scaleToReference",
    "setColours",
    "setInverted",
    "setLegendVisible",
    "setOpacity",
    "setOutlinesVisible",
    "setPlanes",
    "setResultDigest",
    "setWindow",
    "shortTable",
    "showAllRegions",
    "showChart",
    "showCompare",
    "showExpected",
    "showFused",
    "showPage",
    "showPreview",
    "showRegion",
    "showResult",
    "showSurface",
    "showTable",
    "showTriptych",
    "showWhatIf",
    "shown",
    "slicesOf",
    "surfaceHeader",
    "surfaceIdentity",
    "surfaceOf",
    "switchTo",
    "tellSimulated",
    "whatIfsOf",
    "whyNoPlanes",
    "windowOf",
    "writeAgain",
]
