"""BIDS: a derivative of the T1's data set, valid by the standard's own validator.

Images lie on the T1 (``space-T1w``) and on the template, which is the symmetric one of 2009a.
Fields that only a scanner can know (dose, time, reconstruction) are absent: there are
none.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...progress import Progress
from ...read import Scan
from ...volume import CANONICAL
from .. import marks
from ..bids_dataset import DESCRIPTION, derivative_description
from ..finished import TOGETHER, Finished
from ..nifti import write_pet
from ..segments import Segment
from .bids_names import Person, person_of
from .csv_table import columns_of, database_of
from .images import facts_of, images_of, write_facts
from .labelmap import copy_labels, label_facts, regions_of

_MNI_CODE = 4
_DESC = {"suvr": "SUVR", "sd": "Std", "low10": "Low10", "high90": "High90", "expected": "Expected"}
_ON_TEMPLATE = TOGETHER
_RES = "2"
_IGNORED = "*_stat.tsv\n*_stat.json\n"
"""BIDS has no name for a table of regions yet."""


def write_bids(
    finished: Finished,
    folder: Path,
    final: Path,
    subject: str,
    deidentified: bool,
    progress: Progress,
) -> list[Path]:
    """Write a result as a BIDS derivative.

    Parameters
    ----------
    finished
        A synthesis; or a measurement, of which table and regions are written.
    folder
        Existing folder: the data set.
    final, subject, deidentified
        As `bids_names.person_of`.
    progress
        Told after each image; may cancel.

    Returns
    -------
    The files.

    Raises
    ------
    PETSynthError
        As `images.images_of` and `labelmap.write_labelmap`.
    """
    person = person_of(finished, final, subject, deidentified)
    made = [*_data_set(finished, folder, person)]
    place = folder / person.folder / "pet"
    place.mkdir(parents=True)
    begin = f"{person.entities}_trc-{finished.tracer.bids}"
    if finished.images:
        made += _images(finished, place, begin, person, progress)
    made += _table(finished, place, begin, person)
    anatomy = folder / person.folder / "anat"
    anatomy.mkdir()
    return made + _labels(finished, anatomy, person)


def _images(
    finished: Finished, place: Path, begin: str, person: Person, progress: Progress
) -> list[Path]:
    images = images_of(finished)
    made = []
    for number, (part, name) in enumerate(images.items()):
        progress.step(number, len(images))
        desc = f"desc-{marks.bids_label(_desc(part))}"
        own = place / f"{begin}_space-T1w_{desc}_pet"
        image = own.with_name(f"{own.name}.nii.gz")
        image.write_bytes((finished.folder / name).read_bytes())
        facts = {**_facts(finished, part, person), "SpatialReference": "orig"}
        made += [image, write_facts(own.with_name(f"{own.name}.json"), facts)]
        if part in _ON_TEMPLATE:
            there = place / f"{begin}_space-{CANONICAL.name}_res-{_RES}_{desc}_pet"
            made += _on_template(finished, finished.scan(part), part, there, person)
    return made


def _on_template(
    finished: Finished, scan: Scan, part: str, there: Path, person: Person
) -> list[Path]:
    image = there.with_name(f"{there.name}.nii.gz")
    pet = finished.transform.to_template(finished.pet_in(scan, part))
    write_pet(image, pet, CANONICAL, _MNI_CODE)
    facts = {
        **_facts(finished, part, person),
        "SpatialReference": f"{CANONICAL.name}, the symmetric ICBM152 template of 2009, version a",
        "Resolution": {_RES: "2 mm in each direction"},
    }
    return [image, write_facts(there.with_name(f"{there.name}.json"), facts)]


def _desc(part: str) -> str:
    return _DESC.get(part) or part.replace("-", "").capitalize()


def _facts(finished: Finished, part: str, person: Person) -> dict[str, Any]:
    facts = {**facts_of(finished, part), "SkullStripped": True, "Units": "unitless"}
    return {**facts, "Sources": [person.source]} if person.source else facts


def _table(finished: Finished, place: Path, begin: str, person: Person) -> list[Path]:
    desc = marks.bids_label("ROI") if finished.synthetic else "acquiredROI"
    table = place / f"{begin}_desc-{desc}_stat.tsv"
    table.write_bytes((finished.folder / finished.table_name).read_bytes())
    described: Mapping[str, Any] = {
        column.name: {
            "LongName": column.title,
            "Description": column.description,
            **({} if column.unit is None else {"Units": column.unit.value}),
        }
        for column in columns_of(finished)
    }
    facts = {
        **finished.marked_fields,
        "Banner": "\n".join(finished.first_lines),
        "ReferenceRegion": finished.reference_region,
        "Regions": finished.regions_source,
        "NotAvailable": dict(finished.withheld),
        "Database": database_of(finished),
        "ResultSha256": finished.digest,
        **({"Sources": [person.source]} if person.source else {}),
        **described,
    }
    return [table, write_facts(place / f"{begin}_desc-{desc}_stat.json", facts)]


def _labels(finished: Finished, place: Path, person: Person) -> list[Path]:
    desc = marks.bids_label("Regions") if finished.synthetic else "regions"
    name = f"{person.entities}_space-T1w_desc-{desc}_dseg"
    segments = regions_of(finished)
    image = copy_labels(finished, place / f"{name}.nii.gz")
    table = place / f"{name}.tsv"
    _label_table(table, segments)
    facts = {
        **label_facts(finished, segments),
        "SpatialReference": "orig",
        "Manual": False,
        **({"Sources": [person.source]} if person.source else {}),
    }
    return [image, table, write_facts(place / f"{name}.json", facts)]


def _label_table(path: Path, segments: tuple[Segment, ...]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(["index", "name", "color"])
        for one in segments:
            colour = "#{:02X}{:02X}{:02X}".format(*one.colour)
            writer.writerow([one.label, one.name, colour])


def _data_set(finished: Finished, folder: Path, person: Person) -> list[Path]:
    if finished.synthetic:
        name, words = f"{marks.title(finished.tracer)} and regions (PETSynth)", marks.NIFTI_COMMENT
    else:
        name, words = "Regions of acquired PET (PETSynth)", marks.ACQUIRED
    said = "\n".join(finished.first_lines)
    described = derivative_description(name, "petsynth export", person.links)
    readme = folder / "README"
    readme.write_text(
        f"{words}\n\n{said}\n\nThe tables *_stat.tsv are ours: BIDS has no name for "
        "regional values yet.\n",
        encoding="utf-8",
    )
    ignored = folder / ".bidsignore"
    ignored.write_text(_IGNORED, encoding="utf-8")
    return [write_facts(folder / DESCRIPTION, described), readme, ignored]
