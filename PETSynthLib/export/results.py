"""All files of one synthesis, written into a folder in the order they depend on each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import Progress
from ..project.page import NARROW
from ..quantify import NativeRegions, RegionTable
from ..volume import PetVolume
from . import marks
from .figure import figure, figure_words
from .figure_parts import low_and_high
from .nifti import SCANNER_CODE, write_labels, write_pet
from .planes import places
from .record import Record
from .report import REPORT, write_report
from .report_content import UPTAKE_PAGE
from .report_pictures import Drawn, Expected, synthesis_report
from .sidecar import write_sidecar
from .ssp import Look, not_informative, page_png, ssp_pages
from .surface_maps import project
from .tables import write_regions

if TYPE_CHECKING:
    from ..preprocess import Prepared
    from ..read import Scan
    from ..restore import Restored


def write_results(
    folder: Path,
    t1: Scan,
    prepared: Prepared,
    restored: Restored,
    table: RegionTable,
    record: Record,
    progress: Progress,
    regions: NativeRegions,
    expected: Expected | None = None,
    image_only: RegionTable | None = None,
) -> dict[str, str]:
    """Write every output of a synthesis.

    Parameters
    ----------
    folder
        Existing folder; making it whole or not at all is the job runner's affair.
    t1
        The scan whose grid the volumes take.
    prepared, restored, table, record
        What the walk made.
    progress
        Told after each file; may cancel.
    regions
        Of the table, on the scan's canonical grid.
    expected
        What the model draws for an average brain of the same age and sex.
    image_only
        Regional values of a picture drawn without cognition.

    Returns
    -------
    File name -> SHA-256, in the order written. The sidecar names all but itself and the report.
    """
    key = record.tracer.key
    where = places(prepared.transform)
    drawn = Drawn(
        prepared.native_t1,
        restored.mean,
        restored.sd,
        expected,
        regions.labels,
        where,
    )
    # Drawn when their turn comes: who cancels before does not wait for them.
    picture = cache(lambda: figure(drawn.t1, drawn.mean, drawn.sd, where, figure_words(record)))
    surface = cache(lambda: _surface(prepared, restored, table, record))
    code = t1.header.get("sform_code") or t1.header.get("qform_code") or SCANNER_CODE

    def volume(pet: PetVolume) -> Callable[[Path], None]:
        return lambda path: write_pet(path, pet, t1.stored, code)

    jobs: list[tuple[str, Callable[[Path], object]]] = [
        (marks.file_name(key, part, ".nii.gz"), volume(pet))
        for part, pet in _volumes(restored, expected, record)
    ]
    reference = regions.references[record.tracer.reference_region]
    (folder / "space").mkdir(exist_ok=True)
    jobs += [
        (f"space/{part}.nii.gz", partial(write_labels, labels=map_, stored=t1.stored, code=code))
        for part, map_ in (("regions", regions.labels), ("reference", reference))
    ]
    jobs += [
        (
            marks.file_name(key, "regions", ".tsv"),
            lambda path: write_regions(path, table, record, image_only),
        ),
        (marks.file_name(key, "", ".png"), lambda path: path.write_bytes(picture())),
        (
            marks.file_name(key, UPTAKE_PAGE, ".png"),
            lambda path: path.write_bytes(surface()[UPTAKE_PAGE][0]),
        ),
        (
            marks.file_name(key, "", ".json"),
            lambda path: write_sidecar(path, record, table, dict(written)),
        ),
        (
            REPORT,
            lambda path: write_report(
                path, synthesis_report(drawn, picture(), surface(), table, record, image_only)
            ),
        ),
    ]
    written: dict[str, str] = {}
    for number, (name, write) in enumerate(jobs):
        progress.step(number, len(jobs))
        path = folder / name
        write(path)
        written[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    progress.step(len(jobs), len(jobs))
    return written


def _surface(
    prepared: Prepared, restored: Restored, table: RegionTable, record: Record
) -> dict[str, tuple[bytes, bytes]]:
    """Pages of the brain surface as PNG, wide and narrow, as ``petsynth ssp`` draws them."""
    to_template = prepared.transform.to_template
    projection = project(to_template(restored.mean), to_template(restored.sd))
    unsure = not_informative(table, record.distances)
    draw = partial(ssp_pages, projection, record.release, unsure=unsure)
    wide, narrow = draw(), draw(look=Look(fold=NARROW))
    return {part: (page_png(page), page_png(narrow[part])) for part, page in wide.items()}


def _volumes(
    restored: Restored, expected: Expected | None, record: Record
) -> list[tuple[str, PetVolume]]:
    """Volumes to write by their part of the file name.

    Of an exploratory tracer low and high always go along with the mean.
    """
    volumes = [("suvr", restored.mean), ("sd", restored.sd)]
    if record.release.triptych:
        low, high = low_and_high(restored.mean, restored.sd)
        volumes += [("low10", low), ("high90", high)]
    if expected is not None:
        volumes.append(("expected", expected.picture))
    return volumes + [
        (f"sample-{number:02d}", sample) for number, sample in enumerate(restored.samples, 1)
    ]
