"""What can be trained, by name. A method is one file here and one folder in ``generate/``."""

from __future__ import annotations

from ...errors import ErrorCode, PETSynthError
from .bbdm import BBDMMethod
from .cyclegan import CycleGANMethod
from .ddpm import DDPMMethod
from .flow import FlowMethod
from .interface import TrainingMethod
from .pasta import PastaMethod
from .pix2pix import Pix2PixMethod
from .rela import RelaMethod
from .swinunetr import SwinUNETRMethod
from .unet import UNetMethod
from .unetr import UNETRMethod

METHODS: tuple[type[TrainingMethod], ...] = (
    FlowMethod,
    PastaMethod,
    RelaMethod,
    UNetMethod,
    UNETRMethod,
    SwinUNETRMethod,
    Pix2PixMethod,
    CycleGANMethod,
    BBDMMethod,
    DDPMMethod,
)


def method_named(name: str) -> type[TrainingMethod]:
    """The method called ``name``.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` when there is none.
    """
    for method in METHODS:
        if method.name == name:
            return method
    raise PETSynthError(
        ErrorCode.BAD_REQUEST,
        f"There is no method {name!r} to train.",
        f"Choose one of {', '.join(m.name for m in METHODS)}.",
    )
