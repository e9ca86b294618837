"""Nothing leaves without its mark: every writer of the library is found, run, and its files read.

A function of ``export/`` that touches the disk and is not run here fails; a file that is not known
to carry its mark fails. A new writer therefore cannot be forgotten.
"""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from export_case import laid_on, prepared_on, record
from finished_case import GRID, STORED, measurement, pet, synthesis, t1_file
from marks_case import numbers, unmarked
from PIL import Image

import PETSynthLib
from PETSynthLib.export import ssp, write_results
from PETSynthLib.export.formats import WRITERS
from PETSynthLib.export.policy import DICOM_OBJECTS
from PETSynthLib.export.report_quantification import write_quantification_report
from PETSynthLib.progress import Silent
from PETSynthLib.quantify import quantify
from PETSynthLib.read import Scan
from PETSynthLib.request import FORMATS, OBJECTS, ExportRequest, ProjectRequest
from PETSynthLib.restore.restore import Restored
from PETSynthLib.run.cancellation import Cancellation
from PETSynthLib.run.export_job import run_export
from PETSynthLib.run.project_job import run_projection
from PETSynthLib.volume import Volume

EXPORT = Path(PETSynthLib.__file__).parent / "export"
TO_DISK = {"write_bytes", "write_text", "savez", "savez_compressed", "save_as", "tofile", "dump"}
NOT_OF_A_SYNTHETIC_PET = {
    "nifti.py:write_acquired": "refuses a synthetic PET, which has a test of its own",
}
OURS_ALONE = ("request.json", "result.json", ".bidsignore")
"""Files that hold nothing of a PET; result.json carries the mark as any JSON file does."""

SOP_CLASSES = tuple(f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("30", "66.4", "88.34", "7", "128"))
"""Parametric Map, Segmentation, Comprehensive 3D SR, Secondary Capture, PT."""

Place = tuple[str, str]
"""File below ``export/`` and name of a function."""


def writers() -> Iterator[Place]:
    """Every function of ``export/`` that touches the disk, or is called after writing."""
    for path in sorted(EXPORT.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (
                node.name.startswith("write_") or any(map(_writes, ast.walk(node)))
            ):
                yield path.relative_to(EXPORT).as_posix(), node.name


def _writes(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return name in TO_DISK or (name == "open" and bool({"w", "wb", "x"} & set(modes)))


@contextmanager
def noted() -> Iterator[set[Place]]:
    """Which functions of ``export/`` are entered meanwhile."""
    entered: set[Place] = set()
    root = str(EXPORT)

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(root):
            place = Path(frame.f_code.co_filename).relative_to(EXPORT).as_posix()
            entered.add((place, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(before)


def files_in(folder: Path) -> list[Path]:
    """Files that could be passed on; ``space/`` is the MRI's, and stays with its result."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name not in OURS_ALONE and path.parent.name != "space"
    )


def export(result: Path, output: Path, *formats: str) -> Path:
    request = ExportRequest(str(result), str(output), formats)
    run_export(request, lambda event: None, Cancellation())
    return output


def drawn(folder: Path) -> Path:
    """A synthesis with its own figure, pages and report, as the walk writes it."""
    folder.mkdir()
    prepared = prepared_on(GRID, np.eye(4))
    mean, sd = pet("fdg", "mean", 1.0), pet("fdg", "sd", 0.1)
    regions = laid_on(prepared)
    restored = Restored(mean=mean, sd=sd, samples=(), reference_factor=1.0, findings=[])
    table = quantify(mean, sd, regions.labels, {})
    scan = Scan(Volume(prepared.native_t1.data, GRID.affine), STORED, [], "c" * 64, {})
    write_results(folder, scan, prepared, restored, table, record(), Silent(), regions)
    return folder


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], set[Place]]:
    """Folders of all that was written about synthetic PET, and which functions wrote it."""
    base = tmp_path_factory.mktemp("all")
    t1 = t1_file(base / "t1" / "T1.nii.gz")
    with pytest.MonkeyPatch.context() as patch, noted() as entered:
        patch.setenv("PETSYNTH_HOME", str(base / "home"))
        # Pages are drawn in their own tests; here their files count.
        patch.setattr(ssp, "render_page", lambda *_: Image.new("RGB", (64, 64)))
        fdg = synthesis(base / "fdg", t1)
        pib = synthesis(base / "pib", t1, "pib", "simulation")
        measured = measurement(
            base / "measured",
            t1,
            evidence="simulation",
            z=True,
            write_report=write_quantification_report,
        )
        projected = base / "projected"
        run_projection(ProjectRequest(str(fdg), str(projected)), lambda event: None, Cancellation())
        folders = {
            "drawn": drawn(base / "drawn"),
            "measured": measured,
            "projected": projected,
            "fdg": export(fdg, base / "fdg-out", *WRITERS),
            "pib": export(pib, base / "pib-out", *WRITERS),
            "measured-out": export(
                measured, base / "measured-out", "bids", "labelmap", "csv", "report"
            ),
        }
    return folders, entered


@pytest.fixture(scope="module")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], set[Place]]:
    """The same of DICOM: every object of a model of real pairs, into a T1's study and without."""
    pytest.importorskip("highdicom", reason="the extra [dicom] is not installed")
    from dicom_case import finished, write

    base = tmp_path_factory.mktemp("dicom")
    folders = {}
    with noted() as entered:
        for name, key, deidentify in (("plain", "fdg", False), ("bare", "pib", True)):
            place = base / name
            place.mkdir()
            result = finished(place / "result", key=key, z="1.7000" if key == "fdg" else "")
            write(result, place, DICOM_OBJECTS, deidentify=deidentify)
            folders[name] = place / "out"
    return folders, entered


class TestEveryWriter:
    def test_every_file_of_every_format_carries_its_mark(
        self, everything: tuple[dict[str, Path], set[Place]]
    ) -> None:
        folders, _ = everything
        for folder in folders.values():
            found = files_in(folder)
            assert found
            assert {p.as_posix(): words for p in found if (words := unmarked(p))} == {}

    def test_every_format_has_written_something(
        self, everything: tuple[dict[str, Path], set[Place]]
    ) -> None:
        folders, _ = everything
        for name in WRITERS:
            assert files_in(folders["fdg"] / name), name
        assert set(WRITERS) | {"dicom"} == set(FORMATS)

    def test_every_dicom_object_and_each_number_in_it_carries_its_mark(
        self, dicom: tuple[dict[str, Path], set[Place]]
    ) -> None:
        folders, _ = dicom
        for folder in folders.values():
            found = files_in(folder)
            assert {_class(path) for path in found} == set(SOP_CLASSES)
            assert {p.name: words for p in found if (words := unmarked(p))} == {}
        assert set(DICOM_OBJECTS) == set(OBJECTS)

    def test_no_function_that_writes_has_been_left_out(
        self,
        everything: tuple[dict[str, Path], set[Place]],
        dicom: tuple[dict[str, Path], set[Place]],
    ) -> None:
        entered = everything[1] | dicom[1]
        forgotten = {f"{file}:{name}" for file, name in set(writers()) - entered}
        assert forgotten == set(NOT_OF_A_SYNTHETIC_PET)

    def test_a_writer_that_nobody_runs_is_found(self, tmp_path: Path, monkeypatch) -> None:
        shutil.copytree(EXPORT, tmp_path / "export")
        new = tmp_path / "export" / "formats" / "tiff.py"
        new.write_text("def save(path):\n    with path.open('wb') as f:\n        f.write(b'')\n")
        monkeypatch.setattr(sys.modules[__name__], "EXPORT", tmp_path / "export")
        assert ("formats/tiff.py", "save") in set(writers())

    def test_an_exploratory_tracers_images_left_together(
        self, everything: tuple[dict[str, Path], set[Place]]
    ) -> None:
        folders, _ = everything
        for name in ("nifti", "nrrd", "bids"):
            images = [p.name.lower() for p in files_in(folders["pib"] / name)]
            for part in ("low10", "suvr", "high90"):
                assert any(part in image for image in images), (name, part)


def _class(path: Path) -> str:
    import pydicom

    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPClassUID)


def _damage(old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(path.read_bytes().replace(old, new))


def _blank_nifti(path: Path) -> None:
    import nibabel as nib

    image = nib.load(path)
    image.header["descrip"] = b""
    nib.save(image, path)


def _blank_png(path: Path) -> None:
    Image.open(path).convert("RGB").save(path, "PNG")


def _blank_npz(path: Path) -> None:
    np.savez(path, a=np.zeros(2))


class TestTheTestItself:
    """Every check must see the mark that is missing."""

    @pytest.mark.parametrize(
        ("where", "pattern", "spoil"),
        [
            ("fdg", "nifti/*_suvr.nii.gz", _blank_nifti),
            ("fdg", "labelmap/*.nii.gz", _blank_nifti),
            ("fdg", "nrrd/*_suvr.nrrd", _damage(b"PETSynth.Synthetic:=1", b"PETSynth.Other:=1")),
            ("fdg", "labelmap/*.seg.nrrd", _damage(b"_Name:=SYN Precuneus", b"_Name:=Precuneus")),
            ("fdg", "nifti/*_suvr.json", _damage(b'"Synthetic": true', b'"Synthetic": false')),
            ("fdg", "csv/*.csv", _damage(b"TRUE", b"FALSE")),
            ("fdg", "bids/**/*_stat.tsv", _damage(b"synthetic\t", b"made\t")),
            ("fdg", "bids/**/*_dseg.tsv", _damage(b"SYN Precuneus", b"Precuneus")),
            ("fdg", "bids/README", _damage(b"SYNTHETIC", b"Some")),
            ("fdg", "bids/dataset_description.json", _damage(b"SYNTHETIC ", b"")),
            ("fdg", "labelmap/*.ctbl", _damage(b"SYN_Precuneus", b"Precuneus")),
            ("fdg", "report/*.html", _damage(b"SYNTHETIC", b"Some")),
            ("fdg", "report/*.pdf", _damage(b"/Subject", b"/Smudged")),
            ("drawn", "fdg_synth.png", _blank_png),
            ("projected", "*.npz", _blank_npz),
        ],
    )
    def test_a_lost_mark_is_seen(
        self,
        everything: tuple[dict[str, Path], set[Place]],
        tmp_path: Path,
        where: str,
        pattern: str,
        spoil: Callable[[Path], None],
    ) -> None:
        source = next(iter(everything[0][where].glob(pattern)))
        path = Path(shutil.copy(source, tmp_path / source.name))
        assert unmarked(path) == ""
        spoil(path)
        assert unmarked(path)

    def test_a_file_of_an_unknown_kind_is_no_marked_file(self, tmp_path: Path) -> None:
        (tmp_path / "x.tiff").write_bytes(b"SYNTHETIC")
        assert "nobody knows" in unmarked(tmp_path / "x.tiff")

    def test_one_harvested_number_without_its_word_is_seen(
        self, dicom: tuple[dict[str, Path], set[Place]], tmp_path: Path
    ) -> None:
        import pydicom

        source = next(p for p in files_in(dicom[0]["plain"]) if _class(p) == SOP_CLASSES[2])
        made = pydicom.dcmread(source)
        first = next(numbers(made))
        first.ConceptNameCodeSequence[0].CodeMeaning = "SUVR"
        made.save_as(tmp_path / source.name)
        assert unmarked(tmp_path / source.name) == "harvested"
