"""NIfTI: the images bit for bit as they are, a JSON file beside each."""

from __future__ import annotations

from pathlib import Path

from ...progress import Progress
from ..finished import Finished
from .images import facts_of, images_of, write_facts


def write_nifti(finished: Finished, folder: Path, progress: Progress) -> list[Path]:
    """Write every image with its account.

    Parameters
    ----------
    finished
        A synthesis.
    folder
        Existing folder.
    progress
        Told after each image; may cancel.

    Returns
    -------
    The files.

    Raises
    ------
    PETSynthError
        ``BAD_REQUEST`` where no image may leave or there is none.
    """
    images = images_of(finished)
    written = []
    for number, (part, name) in enumerate(images.items()):
        progress.step(number, len(images))
        image = folder / name
        # The result's own bytes: the marks are in the header, the numbers are the same.
        image.write_bytes((finished.folder / name).read_bytes())
        facts = facts_of(finished, part)
        beside = write_facts(folder / f"{name.removesuffix('.nii.gz')}.json", facts)
        written += [image, beside]
    return written
