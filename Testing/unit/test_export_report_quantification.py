"""The report of a measured PET: its own banner, and judgements only where the policy lets them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_case import GREEN, lopsided, pet_on, record, table_of
from normative_case import database
from PIL import Image
from report_case import Reader

from PETSynthLib.assets import atlas_volume
from PETSynthLib.errors import PETSynthError
from PETSynthLib.export import marks, ssp
from PETSynthLib.export import report_quantification as module
from PETSynthLib.export.policy import NORMATIVE, release
from PETSynthLib.export.quantification import Quantification, QuantifiedRow, ScaleLine
from PETSynthLib.export.record import Source
from PETSynthLib.export.report import report_html
from PETSynthLib.export.report_quantification import (
    quantification_content,
    write_quantification_report,
)
from PETSynthLib.export.shown import shown_rows
from PETSynthLib.normative.regression import Person
from PETSynthLib.normative.score import RegionScore, normals
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.preprocess.pet_alignment import PetAlignment
from PETSynthLib.quantify.native_suvr import NativeReference
from PETSynthLib.quantify.scales import OURS
from PETSynthLib.restore.reference import Reference
from PETSynthLib.volume import CANONICAL, Volume

SCORE = RegionScore("thalamusproper", 1.2, 1.5, -20.0, 2.4, 0.8, True, (1.3, 1.7))
SCALE = ScaleLine("centiloid", 34.2, "CL", True, "r", "pons", "A caution.", "a paper")
COPY = "Facts only."


def measured(key: str = "fdg", evidence: str = "acquired", **changes: object) -> Quantification:
    """The lop-sided PET, measured, the thalamus beside normals."""
    data = atlas_volume("template_brain").data * lopsided()
    pet = replace(pet_on(CANONICAL, data, key), synthetic=evidence != "acquired")
    table = table_of(pet, pet)
    policy = release(evidence, record(key).tracer.exploratory)
    rows = [QuantifiedRow(row) for row in shown_rows((*table.headline, *table.regions), 1.0, {})]
    return replace_in(
        Quantification(
            tracer=record(key).tracer,
            release=policy,
            withheld=dict.fromkeys(policy.withheld, "not carried"),
            simulated=False,
            pet=pet,
            native_t1=Volume(atlas_volume("template_t1").data, CANONICAL.affine),
            transform=NativeToTemplate(np.eye(4)),
            rows=tuple(rows),
            headline=len(table.headline),
            slice_mm=1.0,
            alignment=PetAlignment(np.eye(4), False, 0.4, 0.8, "The PET lies on its T1."),
            reference=NativeReference(Reference("pons", 5000.0, 8.0, 12.0), None, 1.0, "atlas"),
            regions_source="atlas, deformable",
            scales=(),
            database=None,
            flags="",
            direction="decrease",
            expected=None,
            fill_threshold=2.0,
            gtm=None,
            model=None,
            findings=(GREEN,),
            sources=(Source("PET", "pet <1>.nii.gz", 64 * "a"),),
            steps=(),
        ),
        **changes,
    )


def replace_in(quantification: Quantification, **changes: object) -> Quantification:
    """`dataclasses.replace`; ``score`` goes to the first row of the thalamus."""
    score = changes.pop("score", None)
    if score is not None:
        rows = tuple(
            replace(row, score=score) if row.shown.region == "thalamusproper" else row
            for row in quantification.rows
        )
        changes = {"database": database().meta, "rows": rows, **changes}
    return replace(quantification, **changes)


def read(quantification: Quantification) -> Reader:
    """Its page, without pictures."""
    return Reader(report_html(quantification_content(quantification, COPY)))


def test_an_acquired_pet_has_its_own_banner_and_no_mark_of_a_synthetic_one():
    page = read(measured())
    assert page.texts[0] == marks.ACQUIRED
    assert "SYNTHETIC" not in page.words
    assert marks.ACQUIRED_RIBBON in page.texts
    assert "The PET lies on its T1." in page.words


def test_a_simulated_acquired_pet_says_that_nobody_was_scanned():
    assert read(measured(simulated=True)).texts[:2] == [marks.SIMULATED, marks.ACQUIRED]


def test_a_synthetic_pet_keeps_its_banner_and_its_unit():
    page = read(measured(evidence="simulation"))
    assert page.texts[0] == marks.DEMONSTRATION
    assert f"{marks.QUANTITY}, reference pons = 1" in page.texts
    for judgement in NORMATIVE:
        assert page.words.count(judgement) == 1  # named as not given


def test_a_region_beside_the_normals_by_hand():
    page = read(measured(score=SCORE, flags="1 region is flagged."))
    row = page.row("Thalamus")
    assert row[4:6] == ["2.4 flagged", "1"]
    assert "90 % interval" not in page.row("Region")
    assert page.named("rect", class_="normal")
    assert "1 region is flagged." in page.texts
    assert "A positive z is a decrease." in page.words


def test_scales_carry_their_caution_and_their_source():
    texts = read(measured("pib", scales=(SCALE,))).texts
    assert texts[texts.index("Centiloid") + 1] == "34.2 CL. A caution. Equation: a paper."


def test_the_whole_report_is_drawn_with_z_pages_where_there_are_normals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ssp, "render_page", lambda *_: Image.new("RGB", (8, 8)))
    person = Person(70.0, "F")
    made = measured(score=SCORE)
    expected = replace(made.pet, quantity="expected")
    write_quantification_report(
        tmp_path / "report.html",
        replace(made, expected=expected),
        COPY,
        normals(database(), person),
    )
    page = Reader((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert len(page.named("img")) == 5  # slices, difference, uptake, decrease, increase
    assert {"Uptake", "Decrease", "Increase", "Beside the mean of the normals"} <= set(page.texts)
    assert ["Thalamus", "1.20", "1.50", "-0.30", "-20 %"] in page.rows


def test_normals_beside_a_pet_that_must_not_be_judged_are_refused(tmp_path: Path):
    path = tmp_path / "report.html"
    with pytest.raises(PETSynthError):
        write_quantification_report(
            path,
            measured(evidence="simulation"),
            COPY,
            normals(database(), Person(70.0, "F")),
        )
    assert not path.exists()


def test_an_exploratory_synthetic_pet_is_not_shown_by_its_middle_alone(tmp_path: Path):
    write_quantification_report(
        tmp_path / "report.html", measured("pib", evidence="simulation"), COPY
    )
    page = Reader((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not page.named("img")
    assert page.row("Thalamus")


def test_the_surface_shows_the_uncertainty_and_low_and_high_where_the_pet_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[tuple] = []

    def pages(projection, *rest):
        seen.append((projection.sd, rest[-2]))
        return {}

    monkeypatch.setattr(module, "ssp_pages", pages)
    made = measured("pib", evidence="simulation")
    sd = replace(made.pet, quantity="sd")
    unsure = {("precuneus", "L")}
    write_quantification_report(tmp_path / "r.html", made, COPY, sd=sd, unsure=unsure)
    assert seen == 2 * [(sd, unsure)]


def test_a_cut_off_of_our_atlas_does_not_hold_for_a_parcellation(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(module, "cutoffs_that_hold", lambda *a: asked.append(a[2]) or ())
    for source in ("atlas, deformable", "parcellation"):
        quantification_content(measured(regions_source=source), COPY)
    assert asked == [OURS, f"{OURS}, parcellation"]
