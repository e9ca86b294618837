"""Model bundles: a folder that holds every fact of a model, checked before it is believed.

``config.json`` (facts), ``model.safetensors`` (weights, absent for methods without any),
``README.md`` (model card) and ``SHA256SUMS`` (of all the others). Never a pickle.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.resources import as_file
from pathlib import Path
from typing import Any

import numpy as np

from ..assets import asset
from ..errors import ErrorCode, PETSynthError
from ..home import petsynth_home
from ..preprocess.input_features import InputStatistics
from ..request import Preset, SynthesisRequest
from ..tracers import all_tracers
from ..volume import CANONICAL, Grid
from .interface import Effort, Generator, GeneratorInput, information_set
from .scaled import ScaledGenerator

BUNDLE_VERSION = 1
METHODS = (
    "atlas",
    "bbdm",
    "cyclegan",
    "ddpm",
    "flow",
    "pasta",
    "pix2pix",
    "rela",
    "swinunetr",
    "unet",
    "unetr",
)
"""Packages beside this file; a bundle's ``method`` names one of them."""
EVIDENCE = ("simulation", "real pairs", "population atlas")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CHECKED = ("config.json", "README.md")

# Shipped bundles may lie in a zipped wheel: extracted files live as long as the process.
_extracted = ExitStack()


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model folder whose checksums and configuration have been verified.

    Attributes
    ----------
    folder
        Where the files are.
    config
        Content of ``config.json``.
    sha256
        Digest of ``SHA256SUMS``: names this model in every provenance.
    """

    folder: Path
    config: dict[str, Any]
    sha256: str

    @property
    def name(self) -> str:
        """Name of the model."""
        return str(self.config["name"])

    @property
    def version(self) -> str:
        """Version of the model."""
        return str(self.config["version"])

    @property
    def method(self) -> str:
        """Which package beside this file runs it."""
        return str(self.config["method"])

    @property
    def trained_on(self) -> str:
        """The evidence behind it: one of `EVIDENCE`."""
        return str(self.config["trained_on"])

    @property
    def suvr_known(self) -> bool:
        """Whether its numbers are SUVR; not those of an import whose scale nobody has told."""
        return bool(self.config.get("suvr_known", True))

    @property
    def tracers(self) -> tuple[str, ...]:
        """Keys of the tracers it can generate."""
        return tuple(self.config["tracers"])

    @property
    def uses(self) -> tuple[str, ...]:
        """Inputs beside the T1 that can change its picture."""
        return tuple(self.config["uses"])

    @property
    def needs(self) -> tuple[str, ...]:
        """Inputs beside the T1 that it cannot do without."""
        return tuple(self.config.get("needs", ()))

    @cached_property
    def grid(self) -> Grid:
        """The lattice it works on."""
        body = self.config["grid"]
        i, j, k = body["shape"]
        return Grid((i, j, k), np.array(body["affine"], dtype=np.float64), body["space"])

    @property
    def facts(self) -> dict[str, Any]:
        """What its method has to know to run it (``method_config``)."""
        facts: dict[str, Any] = self.config["method_config"]
        return facts

    @property
    def weights(self) -> Path:
        """Path of ``model.safetensors``."""
        return self.folder / "model.safetensors"

    def effort(self, request: SynthesisRequest) -> Effort:
        """The preset's samples and steps, unless the request names its own."""
        preset = self.config["presets"][request.preset.value]
        return Effort(
            samples=preset["samples"] if request.samples is None else request.samples,
            steps=preset["steps"] if request.steps is None else request.steps,
            seed=request.seed,
        )

    def judged_effort(self, samples: int = 0, seed: int = 0) -> Effort:
        """What it is calibrated and evaluated with: the steps of its best preset."""
        return Effort(samples, int(self.config["presets"][Preset.BEST.value]["steps"]), seed)

    @property
    def draws_samples(self) -> bool:
        """Whether it can make random samples beside the mean."""
        return int(self.config["presets"][Preset.BEST.value]["samples"]) > 0

    def regional_factors(self, inputs: GeneratorInput) -> dict[str, float]:
        """Region -> factor from mean voxel sd to sd of the region's mean, for what was given.

        A calibrated bundle has factors for each information set (`information_set`).
        """
        key = inputs.tracer.key
        sets = self.config.get("calibration", {}).get("sets", {})
        fitted = sets.get(information_set(inputs), {}).get(key)
        factors: dict[str, float] = (
            fitted["factor"] if fitted else self.config["regional_sd_factor"].get(key, {})
        )
        return factors

    def require_tracer(self, key: str) -> None:
        """Refuse a tracer that this model cannot generate."""
        if key not in self.tracers:
            raise PETSynthError(
                ErrorCode.UNSUPPORTED_TRACER,
                f"The model {self.name} cannot generate {key}.",
                f"Choose one of {', '.join(self.tracers)}, or another model.",
            )

    def suits(self, *, flair: bool) -> bool:
        """Whether the images are enough for it: a T1, with a FLAIR or without."""
        return flair or "flair" not in self.needs

    def require_images(self, *, flair: bool) -> None:
        """Refuse a scan without a FLAIR where the model never learnt to do without one."""
        if not self.suits(flair=flair):
            # Not BAD_FLAIR: whoever is told that may offer to go on without one.
            raise PETSynthError(
                ErrorCode.BAD_REQUEST,
                f"The model {self.name} cannot do without a FLAIR.",
                "Give the FLAIR of the same visit, or choose another model.",
            )


@dataclass(frozen=True, eq=False)
class LoadedGenerator:
    """A bundle and the generator that runs it."""

    bundle: Bundle
    generator: Generator


def _folders() -> Iterator[Path]:
    shipped = asset("bundles")
    if shipped.is_dir():
        root = _extracted.enter_context(as_file(shipped))
        yield from sorted(p for p in root.iterdir() if (p / "config.json").is_file())
    own = petsynth_home() / "bundles"
    if own.is_dir():
        yield from sorted(p for p in own.iterdir() if (p / "config.json").is_file())


def list_bundles() -> list[Path]:
    """Folders of the shipped bundles, then of the user's own (not verified)."""
    return list(_folders())


def find_bundle(name_or_path: str) -> Path:
    """The folder of a shipped or installed bundle by name, or of a bundle by path.

    Raises
    ------
    PETSynthError
        ``BUNDLE_MISSING`` when there is none.
    """
    for folder in _folders():
        if folder.name == name_or_path:
            return folder
    path = Path(name_or_path).expanduser()
    if path.is_dir() and (path / "config.json").is_file():
        return path
    names = ", ".join(folder.name for folder in _folders())
    raise PETSynthError(
        ErrorCode.BUNDLE_MISSING,
        f"There is no model {name_or_path!r}.",
        f"Choose one of {names}, or give the folder of a bundle.",
    )


def verify_bundle(folder: Path) -> Bundle:
    """Check every byte and every field of a bundle.

    Raises
    ------
    PETSynthError
        ``BUNDLE_DAMAGED`` with the first thing that is wrong.
    """
    sums = _checksums(folder)
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    if missing := sorted(set(sums) - present):
        raise _damaged(folder, f"lacks {missing[0]}")
    if extra := sorted(present - set(sums) - {"SHA256SUMS"}):
        raise _damaged(folder, f"holds {extra[0]}, which its SHA256SUMS does not name")
    for name, digest in sums.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise _damaged(folder, f"was changed or damaged: {name} has another checksum")
    for name in _CHECKED:
        if name not in sums:
            raise _damaged(folder, f"lacks {name}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        check_config(config)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise _damaged(folder, f"has an unusable config.json ({problem})") from problem
    digest = hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    return Bundle(folder, config, digest)


def _checksums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise _damaged(folder, "lacks a readable SHA256SUMS") from problem
    sums: dict[str, str] = {}
    for line in lines:
        match = re.fullmatch(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)", line)
        if match is None or match[2].startswith("."):
            raise _damaged(folder, "has a malformed SHA256SUMS")
        sums[match[2]] = match[1]
    return sums


def check_config(config: Any) -> None:
    """Check the form of a ``config.json``.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        Naming the field that is wrong.
    """
    if config["bundle_version"] != BUNDLE_VERSION:
        msg = f"bundle_version {config['bundle_version']!r} is not {BUNDLE_VERSION}"
        raise ValueError(msg)
    if not NAME.fullmatch(config["name"]):
        msg = f"name {config['name']!r} is not a plain lower-case name"
        raise ValueError(msg)
    for key, allowed in (("method", METHODS), ("trained_on", EVIDENCE)):
        if config[key] not in allowed:
            msg = f"{key} {config[key]!r} is not one of {', '.join(allowed)}"
            raise ValueError(msg)
    if not config["tracers"] or set(config["tracers"]) - set(all_tracers()):
        msg = f"tracers {config['tracers']!r} are not all in the registry"
        raise ValueError(msg)
    affine = np.array(config["grid"]["affine"], dtype=np.float64)
    if affine.shape != (4, 4) or config["grid"]["space"] != CANONICAL.name:
        msg = f"the grid is not a 4x4 affine in {CANONICAL.name}"
        raise ValueError(msg)
    for preset in Preset:
        numbers = config["presets"][preset.value]
        if not (0 <= numbers["samples"] <= 64 and 1 <= numbers["steps"] <= 100):
            msg = f"preset {preset.value} is out of range"
            raise ValueError(msg)
    for distances in config.get("healthy_to_ad", {}).values():
        if not all(float(d) > 0 for d in distances.values()):
            msg = "healthy_to_ad holds a distance that is not positive"
            raise ValueError(msg)
    if "input_statistics" in config:
        InputStatistics.from_dict(config["input_statistics"])
    if not all(float(f) > 0 for f in config.get("adaptation", {}).get("factor", {}).values()):
        msg = "adaptation holds a factor that is not positive"
        raise ValueError(msg)
    for ranges in config.get("output_ranges", {}).values():
        if not all(0.0 < float(low) < float(high) for low, high in ranges.values()):
            msg = "output_ranges holds a range that is none"
            raise ValueError(msg)
    for key in ("version", "title", "licence", "uses", "method_config", "regional_sd_factor"):
        config[key]


def _damaged(folder: Path, what: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BUNDLE_DAMAGED,
        f"The model bundle {folder.name} {what}.",
        "Install the bundle again; do not use this copy.",
    )


def load_generator(name_or_path: str, device: str) -> LoadedGenerator:
    """Find, verify and load a bundle.

    Parameters
    ----------
    name_or_path
        Name of a shipped or installed bundle, or the folder of one.
    device
        ``auto``, ``cpu``, ``cuda``, ``cuda:i``, ``mps`` or ``xpu``.

    Raises
    ------
    PETSynthError
        ``BUNDLE_MISSING``, ``BUNDLE_DAMAGED``, ``DEVICE`` or ``DEPENDENCY``.
    """
    bundle = verify_bundle(find_bundle(name_or_path))
    module = import_module(f"{__package__}.{bundle.method}")
    try:
        generator: Generator = module.load(bundle, device)
    except ImportError as problem:
        raise PETSynthError(
            ErrorCode.DEPENDENCY,
            f"The model {bundle.name} needs the package {problem.name}, which is not installed.",
            'Run pip install "petsynth[synth]", or use --model atlas, which needs no network.',
        ) from problem
    if factors := bundle.config.get("adaptation", {}).get("factor"):
        generator = ScaledGenerator(generator, factors)
    return LoadedGenerator(bundle, generator)


def write_checksums(folder: Path) -> None:
    """Write ``SHA256SUMS`` over every other file of a bundle."""
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and p.name != "SHA256SUMS")
    rows = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (folder / "SHA256SUMS").write_text("".join(rows), encoding="utf-8")
