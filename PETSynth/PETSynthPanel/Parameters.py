"""The parameter node: what belongs to the case and is saved with the scene.

What belongs to the computer (device, folders, interpreter) is in `Settings`. Enumerations are
stored by the names of their members: renaming one breaks saved scenes.
"""

from enum import Enum
from typing import Annotated, Union

from slicer import (
    vtkMRMLLabelMapVolumeNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLTableNode,
)
from slicer.parameterNodeWrapper import (
    Default,
    FloatRange,
    RangeBounds,
    WithinRange,
    parameterNodeWrapper,
    parameterPack,
)

LARGEST_SEED = 2**31 - 1


class Labelled(Enum):
    """An enumeration whose values are the words that a combo box shows."""

    def label(self):
        """Words for the combo box."""
        return self.value


class Tracer(Labelled):
    """Keys of the tracer registry, in capitals."""

    FDG = "FDG"
    PIB = "PiB"
    FLORBETAPIR = "Florbetapir"
    FLORTAUCIPIR = "Flortaucipir"
    PBR28 = "PBR28"

    @property
    def key(self):
        """The registry's key."""
        return self.name.lower()


class Preset(Labelled):
    """Quality; ``CUSTOM`` takes the numbers of samples and steps from the panel."""

    FAST = "Fast"
    BALANCED = "Balanced"
    BEST = "Best"
    CUSTOM = "Custom"


class Scanner(Labelled):
    """Manufacturer whose PET is imitated."""

    AVERAGE = "Average scanner"
    GE = "GE"
    PHILIPS = "Philips"
    SIEMENS = "Siemens"


class Sex(Labelled):
    """Sex as used by the model."""

    FEMALE = "Female"
    MALE = "Male"


class Apoe4(Labelled):
    """Number of APOE epsilon-4 alleles."""

    NONE = "0"
    ONE = "1"
    TWO = "2"


@parameterPack
class InputPack:
    """What is synthesized from."""

    t1w: vtkMRMLScalarVolumeNode
    flair: vtkMRMLScalarVolumeNode
    mask: Union[vtkMRMLLabelMapVolumeNode, vtkMRMLSegmentationNode, None]  # noqa: UP007
    overridden: str  # names of the checks that the user overrode for this T1w


@parameterPack
class PatientPack:
    """Clinical facts: a value counts only when its tick says that it is known."""

    ageKnown: bool
    age: Annotated[int, WithinRange(18, 110), Default(70)]
    sexKnown: bool
    sex: Sex
    educationKnown: bool
    education: Annotated[int, WithinRange(0, 30), Default(12)]
    mmseKnown: bool
    mmse: Annotated[int, WithinRange(0, 30), Default(28)]
    adas13Known: bool
    adas13: Annotated[float, WithinRange(0, 85), Default(10)]
    apoe4Known: bool
    apoe4: Apoe4
    cognitionShapes: bool
    owner: str  # whose values these are: a DICOM patient, or the T1w itself


@parameterPack
class RunPack:
    """What is made, and with how much effort."""

    tracer: Tracer
    preset: Annotated[Preset, Default(Preset.BALANCED)]
    modelId: Annotated[str, Default("flow")]
    scanner: Scanner
    samples: Annotated[int, WithinRange(0, 64), Default(4)]
    steps: Annotated[int, WithinRange(1, 1000), Default(4)]
    seed: Annotated[int, WithinRange(0, LARGEST_SEED), Default(1)]
    keepSamples: bool


@parameterPack
class ViewPack:
    """How the result is shown."""

    result: vtkMRMLScalarVolumeNode
    shown: Annotated[str, Default("mean")]
    colours: Annotated[str, Default("registry")]
    window: Annotated[FloatRange, RangeBounds(0, 10), Default(FloatRange(0, 2.2))]
    opacity: Annotated[float, WithinRange(0, 100), Default(50)]
    preview: Annotated[bool, Default(True)]
    outlines: Annotated[bool, Default(True)]
    acquiredPet: vtkMRMLScalarVolumeNode
    alignmentAccepted: bool


@parameterPack
class QuantifyPack:
    """What is measured, and with what."""

    pet: vtkMRMLScalarVolumeNode
    reference: str  # key of a reference region; empty for the tracer's own
    regions: Union[vtkMRMLLabelMapVolumeNode, vtkMRMLSegmentationNode, None]  # noqa: UP007
    normalsId: str  # name of a database; empty for the best match, "none" for none
    table: vtkMRMLTableNode


@parameterPack
class ExportPack:
    """What is exported."""

    parametricMap: Annotated[bool, Default(True)]
    nifti: Annotated[bool, Default(True)]
    nrrd: bool
    bids: bool
    dicomPet: bool
    dicomSeg: bool
    dicomSr: bool
    segNrrd: bool
    csv: Annotated[bool, Default(True)]
    report: Annotated[bool, Default(True)]
    sspPage: bool
    removeIdentity: bool


class SspMap(Labelled):
    """What the surface shows: uptake, its standard deviation, z against a reference."""

    UPTAKE = "Uptake"
    SPREAD = "Standard deviation, %"
    GLOBAL = "z, global mean"
    THALAMUS = "z, thalamus"
    CEREBELLUM = "z, cerebellum"
    PONS = "z, pons"


class SspDirection(Labelled):
    """Which deviations are painted."""

    DECREASE = "Decrease"
    INCREASE = "Increase"


class SspPalette(Labelled):
    """Colours of the surface."""

    CLASSIC = "Classic"
    UNIFORM = "Uniform"


@parameterPack
class SspPack:
    """How the surface is painted."""

    map: SspMap
    direction: SspDirection
    palette: SspPalette
    threshold: Annotated[float, WithinRange(0, 5), Default(2)]
    hatch: Annotated[bool, Default(True)]


@parameterPack
class WhatIfPack:
    """Scores that the model is asked about; only the ticked ones change."""

    mmseUsed: bool
    mmse: Annotated[int, WithinRange(0, 30), Default(29)]
    apoe4Used: bool
    apoe4: Apoe4
    adas13Used: bool
    adas13: Annotated[float, WithinRange(0, 85), Default(10)]


@parameterNodeWrapper
class PETSynthParameterNode:
    """Everything of the panel that is saved with the scene."""

    input: InputPack
    patient: PatientPack
    run: RunPack
    view: ViewPack
    quantify: QuantifyPack
    ssp: SspPack
    export: ExportPack
    whatIf: WhatIfPack
