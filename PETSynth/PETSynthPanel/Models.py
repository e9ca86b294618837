"""The installed models as the panel shows them; reads their cards, never their weights."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from PETSynthLib.errors import PETSynthError
from PETSynthLib.generate.bundle import list_bundles, verify_bundle
from PETSynthLib.home import petsynth_home


@dataclass(frozen=True)
class Model:
    """What a bundle's ``config.json`` says.

    Attributes
    ----------
    name, version, trainedOn, method
        Of the bundle.
    tracers, uses
        Keys of the tracers, and of the inputs that can change its picture.
    presets
        Preset -> ``samples`` and ``steps``.
    ageRange
        Ages it learned from, or None.
    folder
        Where it lies.
    builtIn
        Whether it came with PETSynth.
    """

    name: str
    version: str
    trainedOn: str
    method: str
    tracers: tuple
    uses: tuple
    presets: dict
    ageRange: tuple | None
    folder: Path
    builtIn: bool

    @property
    def title(self):
        """Name and version for the list."""
        return f"{self.name} {self.version}"

    @property
    def needsTorch(self):
        """Whether it runs networks."""
        return self.method != "atlas"

    @property
    def card(self):
        """The model card."""
        return self.folder / "README.md"


def userFolder():
    """Where the user's own models lie (may not exist yet)."""
    return petsynth_home() / "bundles"


def installedModels():
    """Every readable model, shipped ones first; a folder that cannot be read is left out."""
    models = []
    for folder in list_bundles():
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            models.append(_model(folder, config))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return models


def _model(folder, config):
    ages = config.get("age_range")
    return Model(
        name=str(config["name"]),
        version=str(config["version"]),
        trainedOn=str(config["trained_on"]),
        method=str(config["method"]),
        tracers=tuple(config["tracers"]),
        uses=tuple(config["uses"]),
        presets=dict(config["presets"]),
        ageRange=None if ages is None else (float(ages[0]), float(ages[1])),
        folder=Path(folder),
        builtIn=userFolder() not in Path(folder).parents,
    )


def addModel(folder):
    """Copy a verified bundle to the user's own models; returns its name.

    Raises
    ------
    PETSynthError
        When the folder is no bundle, is damaged, or its name is taken.
    """
    bundle = verify_bundle(Path(folder))
    if any(model.name == bundle.name for model in installedModels()):
        from PETSynthLib.errors import ErrorCode

        raise PETSynthError(
            ErrorCode.BAD_REQUEST,
            f"A model named {bundle.name} is installed already.",
            "Remove it first.",
        )
    shutil.copytree(folder, userFolder() / bundle.name)
    return bundle.name


def removeModel(model):
    """Delete a model of the user's own; one that came with PETSynth stays."""
    if not model.builtIn:
        shutil.rmtree(model.folder)


def verify(model):
    """Check every byte of a model; returns its digest or raises `PETSynthError`."""
    return verify_bundle(model.folder).sha256
