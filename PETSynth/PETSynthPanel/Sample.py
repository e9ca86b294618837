"""The sample case: a real T1w MRI that comes with the library; nothing is downloaded."""

from pathlib import Path

import slicer

from PETSynthLib.assets import asset_path
from PETSynthScene import markSample

FILE = "sample/colin27_T1w.nii.gz"
NAME = "Sample T1w"
CATEGORY = "PETSynth"
SAMPLE_NAME = "PETSynthSampleT1w"


def loadSample():
    """Load the sample case; returns its volume."""
    with asset_path(FILE) as path:
        node = slicer.util.loadVolume(str(path), {"name": NAME})
    markSample(node)
    return node


def registerSample(thumbnail=None):
    """Offer the sample case in the module Sample Data."""
    try:
        import SampleData
    except ImportError:
        return  # a Slicer that was built without the module
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=SAMPLE_NAME,
        uris=None,
        fileNames=None,
        nodeNames=None,
        thumbnailFileName=str(thumbnail) if thumbnail and Path(thumbnail).is_file() else None,
        customDownloader=lambda _source: [loadSample()],
    )
