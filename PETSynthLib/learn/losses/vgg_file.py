"""Where the weights of VGG-16 come from: a named file, the user's own folder, or a download."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from ...errors import ErrorCode, PETSynthError
from ...home import petsynth_home

URL = "https://download.pytorch.org/models/vgg16-397923af.pth"
"""torchvision's published file (BSD-3-Clause), 528 MB; its name has the start of its SHA-256."""
DIGEST = "397923af"
STEM = "vgg16"
SUFFIXES = (".pth", ".pt", ".npz", ".safetensors")
WAIT_S = 30.0


def weights_folder() -> Path:
    """Folder in which weights of other networks are looked for."""
    return petsynth_home() / "weights"


def find_vgg(named: str | None, *, download: bool = False) -> Path:
    """The file of the weights.

    Parameters
    ----------
    named
        A path, or None: the first file ``vgg16*`` in `weights_folder`.
    download
        Whether the user agreed to fetch the published file when there is none.

    Raises
    ------
    PETSynthError
        ``BAD_DATA`` when there is none, with the three ways to get it.
    """
    if named is not None:
        path = Path(named).expanduser()
        if not path.is_file():
            raise _none(f"There is no file {path}.")
        return path
    folder = weights_folder()
    here = sorted(folder.glob(f"{STEM}*")) if folder.is_dir() else []
    if found := [p for p in here if p.suffix in SUFFIXES]:
        return found[0]
    if not download:
        raise _none("The perceptual loss needs the weights of VGG-16, and there are none.")
    return _fetch(folder / URL.rpartition("/")[2])


def _fetch(target: Path) -> Path:
    """Download the published file; a broken or another one is not kept."""
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with urlopen(URL, timeout=WAIT_S) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file)
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(DIGEST):
            raise _none(f"The file from {URL} is damaged or another one.")
        part.replace(target)
    except (URLError, OSError) as problem:
        reason = getattr(problem, "reason", None) or problem
        raise _none(f"The weights of VGG-16 could not be downloaded ({reason}).") from problem
    finally:
        part.unlink(missing_ok=True)
    return target


def _none(what: str) -> PETSynthError:
    return PETSynthError(
        ErrorCode.BAD_DATA,
        what,
        f"Either name the file (--set method.loss.vgg=FILE), or put {URL.rpartition('/')[2]} into "
        f"{weights_folder()}, "
        "or agree to its download of 528 MB (--set method.loss.download=true).",
    )
