"""PETSynth: synthetic PET from brain MRI, with honest uncertainty.

The road of an image is `pipeline`: read that file first.
"""

__version__ = "0.1.0"
