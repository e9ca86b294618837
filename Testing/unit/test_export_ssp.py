"""The surface pages of one PET: marks, policy, low and high, names of the files."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from export_case import lopsided, pet_on, record
from PIL import Image

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks, ssp
from PETSynthLib.export.policy import release
from PETSynthLib.export.surface_maps import Projection, project
from PETSynthLib.export.tables import write_regions
from PETSynthLib.project.page import NARROW
from PETSynthLib.project.paint import Row
from PETSynthLib.project.references import REFERENCES
from PETSynthLib.project.surface import SIDES, surfaces
from PETSynthLib.project.zmaps import Normal
from PETSynthLib.quantify import RegionTable, RegionValue
from PETSynthLib.quantify.regions import labels_of
from PETSynthLib.volume import CANONICAL

COUNT = len(surfaces()["L"].vertices)
SIMULATION = release("simulation", exploratory=False)
ACQUIRED = release("acquired", exploratory=False)


def projected(key: str = "fdg", spread: float | None = 0.1) -> Projection:
    """The lop-sided PET, with 0.1 SUVR of spread everywhere."""
    sd = None
    if spread is not None:
        sd = pet_on(CANONICAL, np.full(CANONICAL.shape, spread, np.float32), key, "sd")
    return project(pet_on(CANONICAL, lopsided(), key), sd)


def normals(value: float = 1.0) -> dict[str, Normal]:
    """A mean of ``value`` with SD 0.1 for every reference."""
    return {
        key: Normal(
            {side: np.full(COUNT, value) for side in SIDES},
            {side: np.full(COUNT, 0.1) for side in SIDES},
        )
        for key in REFERENCES
    }


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Row], object]]:
    """What would have been drawn: rows and words of each page."""
    pages: list[tuple[list[Row], object]] = []

    def note(rows: list[Row], text: object, palette: str, fold: object) -> Image.Image:
        pages.append((list(rows), text))
        return Image.new("RGB", (8, 8))

    monkeypatch.setattr(ssp, "render_page", note)
    return pages


def test_a_synthetic_pet_gives_one_page_with_its_marks(drawn: list) -> None:
    pages = ssp.ssp_pages(projected(), SIMULATION)
    assert list(pages) == ["ssp"]
    ((rows, text),) = drawn
    assert [(row.label, row.kind) for row in rows] == [
        ("MRI", "anatomy"),
        ("PET", "uptake"),
        ("SD", "uncertainty"),
    ]
    assert text.mark == "SYNTHETIC"
    assert text.title.startswith("SYNTHETIC FDG PET")
    assert SIMULATION.banner in text.banner


def test_an_acquired_pet_carries_no_mark(drawn: list) -> None:
    ssp.ssp_pages(projected(spread=None), ACQUIRED)
    ((rows, text),) = drawn
    assert [row.label for row in rows] == ["MRI", "PET"]
    assert text.mark == ""
    assert "SYNTHETIC" not in text.title
    assert text.banner == ()


def test_with_normals_there_are_a_page_of_decreases_and_one_of_increases(drawn: list) -> None:
    pages = ssp.ssp_pages(projected(spread=None), ACQUIRED, normals(), "30 normals")
    assert list(pages) == ["ssp", "ssp-decrease", "ssp-increase"]
    (_, (decrease, text), (increase, _)) = drawn
    assert [row.label for row in decrease] == ["PET", "GLB", "THL", "CBL", "PNS"]
    assert "30 normals" in text.subtitle
    # The right temporal lobe has 0.7 of the pons: z = (1 - 0.7) / 0.1.
    assert decrease[4].right.max() == pytest.approx(3.0, abs=0.02)
    assert np.array_equal(increase[4].right, -decrease[4].right)


def test_a_z_smaller_than_the_models_own_spread_is_hatched(drawn: list) -> None:
    # z = 3 in the right temporal lobe; own uncertainty = spread / pons 1 / SD 0.1.
    for spread, hatched in ((0.1, False), (0.4, True)):
        drawn.clear()
        ssp.ssp_pages(projected(spread=spread), ACQUIRED, normals())
        row = next(row for row in drawn[1][0] if row.label == "PNS")
        assert row.hatched is not None
        assert row.hatched[1][row.right > 2.9].all() == hatched


def test_z_of_a_pet_whose_evidence_does_not_carry_it_is_refused() -> None:
    with pytest.raises(PETSynthError) as caught:
        ssp.ssp_pages(projected(), SIMULATION, normals())
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_an_exploratory_tracer_is_shown_only_as_low_middle_and_high(drawn: list) -> None:
    ssp.ssp_pages(projected("pib"), release("simulation", exploratory=True))
    ((rows, _),) = drawn
    assert [row.label for row in rows if row.kind == "uptake"] == ["Low", "Middle", "High"]
    low, middle, high = (row.left for row in rows if row.kind == "uptake")
    assert np.allclose(middle - low, 0.128, atol=1e-3)
    assert np.allclose(high - middle, 0.128, atol=1e-3)


def test_an_uneven_cerebellum_is_said_on_top(drawn: list) -> None:
    projection = projected()
    pet = projection.pet
    left = np.broadcast_to((np.arange(CANONICAL.shape[0]) < 48)[:, None, None], CANONICAL.shape)
    uneven = pet.with_data(np.where(left, 0.7, 1.0))
    ssp.ssp_pages(project(uneven, projection.sd), SIMULATION)
    assert any("cerebellum is lower on the left" in line for line in drawn[0][1].banner)


def test_uncertainty_is_hatched_where_the_interval_is_wider_than_healthy_to_ad(drawn: list) -> None:
    wide = RegionValue("precuneus", "L", 9.0, 1.5, 0.1, 1.5, 1.6, (1.2, 1.8))
    narrow = replace(wide, side="R", interval=(1.4, 1.6))
    table = RegionTable("fdg", "pons", 1.0, (), (wide, narrow), [])
    unsure = ssp.not_informative(table, {"precuneus": 0.4})
    assert unsure == {("precuneus", "L")}
    ssp.ssp_pages(projected(), SIMULATION, unsure=unsure)
    ((rows, text),) = drawn
    hatched = rows[-1].hatched
    left = surfaces()["L"]
    mine = np.isin(left.labels, labels_of("precuneus", "L")) & left.cortex
    assert np.array_equal(hatched[0], mine)
    assert mine.sum() > 300
    assert not hatched[1].any()
    assert ssp.UNSURE_WORDS in text.footer[0]


def test_a_composite_that_is_not_informative_hatches_all_its_members(drawn: list) -> None:
    ssp.ssp_pages(projected(), SIMULATION, unsure={("occipital_lobe", "both")})
    hatched = drawn[0][0][-1].hatched
    for side, mask in zip(SIDES, hatched, strict=True):
        named = set(surfaces()[side].labels[mask])
        assert named <= set(labels_of("occipital_lobe", side))
        assert len(named) == 4


def test_without_such_regions_nothing_is_hatched_or_said(drawn: list) -> None:
    ssp.ssp_pages(projected(), SIMULATION)
    ((rows, text),) = drawn
    assert rows[-1].hatched is None
    assert ssp.UNSURE_WORDS not in text.footer[0]


def test_the_regions_are_read_back_from_the_table_that_was_written(tmp_path) -> None:
    wide = RegionValue("precuneus", "L", 9.0, 1.5, 0.1, 1.5, 1.6, (1.2, 1.8))
    table = RegionTable("fdg", "pons", 1.0, (), (wide, replace(wide, side="R", interval=None)), [])
    path = tmp_path / "regions.tsv"
    write_regions(path, table, record(distances={"precuneus": 0.4}))
    assert ssp.read_not_informative(path) == {("precuneus", "L")}
    assert not ssp.read_not_informative(tmp_path / "none.tsv")


def test_the_uptake_of_the_references_stands_on_the_page(drawn: list) -> None:
    ssp.ssp_pages(projected(), SIMULATION)
    assert "pons 1.00" in drawn[0][1].subtitle


def test_a_narrow_page_leaves_the_anatomy_out(drawn: list) -> None:
    ssp.ssp_pages(projected(), SIMULATION, look=ssp.Look(fold=NARROW))
    assert [row.kind for row in drawn[0][0]] == ["uptake", "uncertainty"]


def test_files_of_a_synthetic_pet_say_synth_and_their_pictures_carry_the_word() -> None:
    files = ssp.ssp_files(ssp.ssp_pages(projected(), SIMULATION), "fdg", SIMULATION, ("png", "pdf"))
    assert list(files) == ["fdg_synth_ssp.png", "fdg_synth_ssp.pdf"]
    assert files["fdg_synth_ssp.pdf"].startswith(b"%PDF-")
    assert b"SYNTHETIC" in files["fdg_synth_ssp.pdf"].replace(b"\x00", b"")
    assert Image.open(BytesIO(files["fdg_synth_ssp.png"])).text["Comment"].startswith("SYNTHETIC")


def test_files_of_an_acquired_pet_do_not() -> None:
    files = ssp.ssp_files(ssp.ssp_pages(projected(spread=None), ACQUIRED), "fdg", ACQUIRED)
    assert list(files) == ["fdg_ssp.png"]
    assert "Comment" not in Image.open(BytesIO(files["fdg_ssp.png"])).text


def test_the_page_names_the_reference_of_the_pet_and_not_the_tracers_usual_one(drawn: list) -> None:
    projection = projected()
    pet = replace(projection.pet, reference_region="cerebellum_whole")
    ssp.ssp_pages(replace(projection, pet=pet), SIMULATION)
    assert drawn[0][1].subtitle.startswith("SUVR, reference whole cerebellum = 1")


def test_an_acquired_pet_of_nobody_says_so_on_top(drawn: list) -> None:
    ssp.ssp_pages(projected(spread=None), ACQUIRED, simulated=True)
    assert drawn[0][1].banner == (marks.SIMULATED,)


def test_an_exploratory_tracer_without_its_low_and_high_is_not_drawn() -> None:
    with pytest.raises(PETSynthError, match="only as low, middle and high") as caught:
        ssp.ssp_pages(projected("pib", spread=None), release("simulation", exploratory=True))
    assert caught.value.code is ErrorCode.BAD_DATA


def test_an_exploratory_tracer_has_no_z_of_its_middle_alone() -> None:
    policy = replace(release("real pairs", exploratory=True), withheld=())
    with pytest.raises(PETSynthError, match="may not be shown"):
        ssp.ssp_pages(projected("pib"), policy, normals())
