"""NIfTI, NRRD, label maps and tables: the same numbers in the same place, each with its mark."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from finished_case import GRID, STORED, measurement, suvr, synthesis, t1_file
from quantify_case import regions

from PETSynthLib.assets import region_names
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.finished import Finished, read_finished
from PETSynthLib.export.formats.csv_table import write_csv
from PETSynthLib.export.formats.images import images_of
from PETSynthLib.export.formats.labelmap import write_labelmap
from PETSynthLib.export.formats.nifti import write_nifti
from PETSynthLib.export.formats.nrrd import write_nrrd_volumes
from PETSynthLib.export.meaning import says_synthetic
from PETSynthLib.export.nrrd import write_nrrd, write_pet_nrrd
from PETSynthLib.progress import Silent
from PETSynthLib.read import read_scan
from PETSynthLib.read.nrrd import parse_nrrd
from PETSynthLib.volume import Grid, PetVolume

POINT = np.array([-11.0, 5.0, 13.0])
"""A voxel of the canonical grid, left of the middle, RAS mm."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """Finished results by name."""
    folder = tmp_path_factory.mktemp("results")
    t1 = t1_file(folder / "T1.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PETSYNTH_HOME", str(folder / "home"))
        return {
            "fdg": read_finished(synthesis(folder / "fdg", t1)),
            "pib": read_finished(synthesis(folder / "pib", t1, "pib", "simulation")),
            "acquired": read_finished(measurement(folder / "acquired", t1)),
            "judged": read_finished(measurement(folder / "judged", t1, z=True)),
            "measured": read_finished(measurement(folder / "measured", t1, evidence="simulation")),
        }


def value_at(data: np.ndarray, affine: np.ndarray, point: np.ndarray = POINT) -> float:
    """The voxel that lies at a point, by the file's own affine."""
    index = np.linalg.solve(affine, [*point, 1.0])[:3]
    assert np.allclose(index, index.round(), atol=1e-6)
    return float(data[tuple(index.round().astype(int))])


def expected_there() -> float:
    i, j, k = np.linalg.solve(GRID.affine, [*POINT, 1.0])[:3].round().astype(int)
    return float(suvr()[i, j, k])


class TestImages:
    def test_nifti_is_bit_for_bit_the_results_own_with_an_account_beside(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        files = write_nifti(made["fdg"], tmp_path, Silent())
        assert sorted(p.name for p in files) == sorted(p.name for p in tmp_path.iterdir())
        for name in made["fdg"].images.values():
            assert (tmp_path / name).read_bytes() == (made["fdg"].folder / name).read_bytes()
            body = json.loads((tmp_path / name.replace(".nii.gz", ".json")).read_text("utf-8"))
            assert body["Synthetic"] is True
            assert body["TracerRadionuclide"] == "none"
        body = json.loads((tmp_path / "fdg_synth_sd.json").read_text("utf-8"))
        assert body["Image"] == "SYNTHETIC FDG PET, standard deviation of the ensemble"
        assert (body["Seeds"], body["Model"]["bundle_sha256"]) == ([7, 8], "a" * 64)
        assert body["ResultSha256"] == made["fdg"].digest

    def test_nrrd_lies_where_the_nifti_lies_with_the_same_numbers(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        write_nrrd_volumes(made["fdg"], tmp_path, Silent())
        mine = read_scan(tmp_path / "fdg_synth_suvr.nrrd", "PET")
        assert mine.stored.same_as(STORED)
        assert np.array_equal(mine.volume.data, suvr())
        theirs = sitk.ReadImage(str(tmp_path / "fdg_synth_suvr.nrrd"))
        index = theirs.TransformPhysicalPointToIndex((-POINT[0], -POINT[1], POINT[2]))
        assert theirs[index] == pytest.approx(expected_there(), abs=1e-7)
        assert theirs.GetMetaData("PETSynth.Synthetic") == "1"
        assert theirs.GetMetaData("PETSynth.Image").startswith("SYNTHETIC FDG PET")
        nifti = nib.load(made["fdg"].folder / "fdg_synth_suvr.nii.gz")
        assert value_at(np.asarray(nifti.dataobj), nifti.affine) == theirs[index]

    def test_equal_volumes_give_equal_nrrd(self, made: dict[str, Finished], tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            write_nrrd_volumes(made["fdg"], tmp_path / name, Silent())
        for path in (tmp_path / "a").iterdir():
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()

    def test_an_oblique_sheared_grid_survives_nrrd_to_the_last_bit(self, tmp_path: Path) -> None:
        affine = np.array(
            [[-0.9, 0.2, 0.1, 31.7], [0.1, 1.1, -0.3, -12.1], [0.05, 0.3, 1.3, 7.9], [0, 0, 0, 1.0]]
        )
        data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        write_nrrd(tmp_path / "x.nrrd", data, affine, {"Words": "two\nlines \\ and a slash"})
        content = (tmp_path / "x.nrrd").read_bytes()
        found = parse_nrrd(content, tmp_path / "x.nrrd", "PET")
        assert np.array_equal(found.affine, affine)
        assert np.array_equal(found.voxels, data)
        assert b"Words:=two\\nlines \\\\ and a slash\n" in content

    def test_low_middle_and_high_of_an_exploratory_tracer_leave_together_or_not_at_all(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        for write in (write_nifti, write_nrrd_volumes):
            names = {p.name.partition(".")[0] for p in write(made["pib"], tmp_path, Silent())}
            assert {"pib_synth_low10", "pib_synth_suvr", "pib_synth_high90"} <= names
        body = json.loads((tmp_path / "pib_synth_suvr.json").read_text("utf-8"))
        assert body["ShownOnlyTogether"] == ["low10", "suvr", "high90"]
        lonely = replace(made["pib"], images={"suvr": "pib_synth_suvr.nii.gz"})
        with pytest.raises(PETSynthError, match="only as low, middle and high"):
            images_of(lonely)

    @pytest.mark.parametrize("write", [write_nifti, write_nrrd_volumes])
    @pytest.mark.parametrize(
        ("which", "words"),
        [("acquired", "Images of an acquired PET are not exported"), ("measured", "no images")],
    )
    def test_images_that_are_not_ours_are_refused(
        self, made: dict[str, Finished], tmp_path: Path, write, which: str, words: str
    ) -> None:
        with pytest.raises(PETSynthError, match=words) as caught:
            write(made[which], tmp_path, Silent())
        assert caught.value.exit_status == 2
        assert not list(tmp_path.iterdir())

    def test_no_writer_of_marks_takes_an_acquired_pet(self, tmp_path: Path) -> None:
        acquired = PetVolume(
            suvr(), GRID.affine, tracer="fdg", reference_region="pons", synthetic=False
        )
        with pytest.raises(ValueError, match="acquired"):
            write_pet_nrrd(tmp_path / "x.nrrd", acquired, Grid(GRID.shape, GRID.affine), {})


class TestLabelmap:
    def test_the_voxels_are_those_of_the_result_and_the_header_is_marked(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        write_labelmap(made["fdg"], tmp_path)
        image = nib.load(tmp_path / "fdg_synth_regions.nii.gz")
        before = nib.load(made["fdg"].folder / "space" / "regions.nii.gz")
        assert np.array_equal(image.dataobj, before.dataobj)
        assert np.array_equal(image.affine, before.affine)
        assert image.get_data_dtype() == np.uint8
        assert bytes(image.header["descrip"]).startswith(b"Regions of a SYNTHETIC PET")
        assert b"SYNTHETIC PET" in image.header.extensions[0].get_content()

    def test_names_colours_and_codes_stand_in_table_and_account(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        write_labelmap(made["fdg"], tmp_path)
        label = next(n for n, one in region_names().items() if one == ("precuneus", "L"))
        rows = (tmp_path / "fdg_synth_regions.ctbl").read_text("utf-8").splitlines()
        assert rows[0].startswith("# SYNTHETIC PET")
        (mine,) = (row.split() for row in rows if row.startswith(f"{label} "))
        body = json.loads((tmp_path / "fdg_synth_regions.json").read_text("utf-8"))
        facts = body["Labels"][str(label)]
        assert mine[1] == "SYN_Precuneus_left"
        assert [int(part) for part in mine[2:5]] == facts["Colour"]
        assert facts["Code"]["meaning"] == "Parietal lobe"
        assert facts["Laterality"] == {"value": "7771000", "scheme": "SCT", "meaning": "Left"}
        assert body["Synthetic"] is True

    def test_the_segmentation_has_a_segment_a_region_in_the_same_place(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        write_labelmap(made["fdg"], tmp_path)
        path = tmp_path / "fdg_synth_regions.seg.nrrd"
        image = sitk.ReadImage(str(path))
        there = np.unique(regions(8.0).labels.data)
        fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
        names = [value for key, value in fields.items() if key.endswith("_Name")]
        assert len(names) == len(there) - 1
        assert all(name.startswith("SYN ") for name in names)
        assert says_synthetic(path)
        point = (-POINT[0], -POINT[1], POINT[2])
        i, j, k = np.linalg.solve(GRID.affine, [*POINT, 1.0])[:3].round().astype(int)
        found = image[image.TransformPhysicalPointToIndex(point)]
        assert found == regions(8.0).labels.data[i, j, k] != 0

    def test_voxels_beyond_the_normals_are_a_layer_of_their_own(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        write_labelmap(made["judged"], tmp_path)
        path = tmp_path / "fdg_acquired_regions.seg.nrrd"
        head = path.read_bytes().partition(b"\n\n")[0].decode()
        fields = dict(line.split(":=", 1) for line in head.splitlines() if ":=" in line)
        (number,) = (key.partition("_")[0] for key, v in fields.items() if v == "beyond_normals")
        assert fields[f"{number}_Name"] == "Decreased z > 2"
        assert fields[f"{number}_Layer"] == "1"
        # Voxels 5 to 7, 10, 11 of the canonical grid; the file runs backwards along two axes.
        i, j = STORED.shape[0] - 1, STORED.shape[1] - 1
        assert fields[f"{number}_Extent"] == f"{i - 7} {i - 5} {j - 10} {j - 10} 11 11"
        assert "kinds: list domain domain domain" in head
        assert "SYN" not in head
        image = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        assert image[..., 1].sum() == 3

    def test_without_z_nothing_lies_beyond(self, made: dict[str, Finished], tmp_path: Path) -> None:
        write_labelmap(made["acquired"], tmp_path)
        head = (tmp_path / "fdg_acquired_regions.seg.nrrd").read_bytes().partition(b"\n\n")[0]
        assert b"beyond" not in head
        assert b"dimension: 3" in head


class TestTable:
    def test_every_cell_is_that_of_the_result_digit_for_digit(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        for which in ("fdg", "judged"):
            table, _ = write_csv(made[which], tmp_path)
            with table.open(encoding="utf-8", newline="") as stream:
                rows = list(csv.reader(stream))
            before = (made[which].folder / made[which].table_name).read_text("utf-8")
            assert rows == [line.split("\t") for line in before.splitlines()]

    def test_the_first_column_says_whether_it_is_synthetic(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        for which, word in (("fdg", "TRUE"), ("measured", "TRUE"), ("acquired", "FALSE")):
            table, _ = write_csv(made[which], tmp_path)
            with table.open(encoding="utf-8", newline="") as stream:
                head, *rows = csv.reader(stream)
            assert head[0] == marks.TABLE_COLUMN[0]
            assert {row[0] for row in rows} == {word}

    def test_the_schema_names_every_column_with_unit_code_and_database(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        _, path = write_csv(made["judged"], tmp_path)
        schema = json.loads(path.read_text("utf-8"))
        assert [field["name"] for field in schema["fields"]] == list(made["judged"].table.columns)
        by_name = {field["name"]: field for field in schema["fields"]}
        assert by_name["suvr"]["unit"]["value"] == "{ratio}"
        assert by_name["z"]["quantity"]["value"] == "113071"
        assert by_name["region"]["type"] == "string"
        assert by_name["ml"]["unit"]["value"] == "mL"
        assert schema["database"]["n"] == 20
        assert (schema["missingValues"], schema["Synthetic"]) == (["n/a"], False)

    def test_the_schema_of_a_synthetic_pet_marks_its_quantities(
        self, made: dict[str, Finished], tmp_path: Path
    ) -> None:
        _, path = write_csv(made["measured"], tmp_path)
        schema = json.loads(path.read_text("utf-8"))
        by_name = {field["name"]: field for field in schema["fields"]}
        assert by_name["suvr"]["quantity"]["meaning"] == "Synthetic SUVR"
        assert schema["database"] is None
        assert schema["notices"][0].startswith("DEMONSTRATION MODEL")
        assert schema["withheld"]["Centiloid"] == "only acquired PET carries it"
