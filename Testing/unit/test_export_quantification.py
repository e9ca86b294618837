"""What may be said of a measured PET: the table of the release policy, and no way around it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from normative_case import database
from quantify_case import HERE, pet_volume, prepared, regions, uptake

from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.export import marks
from PETSynthLib.export.nifti import write_acquired, write_pet
from PETSynthLib.export.policy import ACQUIRED_ONLY, NO_DATABASE, Grounds, judged, release
from PETSynthLib.export.quantification import Quantification, QuantifiedRow, ScaleLine, row_of
from PETSynthLib.export.quantification_files import (
    cells,
    header_lines,
    record,
    write_quantification,
    write_table,
)
from PETSynthLib.export.record import Source
from PETSynthLib.export.shown import ShownRow
from PETSynthLib.normative.pattern import Similarity
from PETSynthLib.normative.score import RegionScore
from PETSynthLib.preprocess.pet_alignment import PetAlignment
from PETSynthLib.preprocess.transform import NativeToTemplate
from PETSynthLib.progress import Silent
from PETSynthLib.quantify import RegionValue
from PETSynthLib.quantify.native_suvr import measure_native_reference
from PETSynthLib.read import Scan
from PETSynthLib.tracers import tracer

BUNDLE = "b" * 64
SCORE = RegionScore("cuneus.L", 1.2, 1.5, -20.0, 3.4, 0.1, True)
PATTERN = Similarity("mine", "0" * 64, 0.62, 34)
SCALE = ScaleLine("centiloid", 34.0, "CL", True, "amyloid_composite", "cerebellum_whole", "", "x")


def grounds(**changes) -> Grounds:
    return Grounds("fdg", "pons", **changes)


def refusal(evidence: str, where: Grounds) -> str:
    with pytest.raises(PETSynthError) as caught:
        judged(release(evidence, exploratory=False), where)
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert caught.value.exit_status == 2
    return caught.value.text


class TestJudged:
    def test_acquired_pet_with_its_database_keeps_z_and_scales(self) -> None:
        found, reasons = judged(release("acquired", False), grounds(database=database()))
        assert set(found.withheld) == {"Braak stage"} == set(reasons)

    def test_without_a_database_there_is_no_z(self) -> None:
        found, reasons = judged(release("acquired", False), grounds())
        assert {"z-score", "percentile"} < set(found.withheld)
        assert reasons["z-score"] == NO_DATABASE

    def test_fewer_than_twenty_normals_carry_no_z(self) -> None:
        found, reasons = judged(release("acquired", False), grounds(database=database(15)))
        assert "z-score" in found.withheld
        assert "15 people" in reasons["z-score"]

    @pytest.mark.parametrize("evidence", ["simulation", "population atlas", "real pairs"])
    def test_no_synthetic_pet_carries_a_scale(self, evidence: str) -> None:
        made = grounds(bundle_sha256=BUNDLE, database=database(bundle=BUNDLE), simulated=True)
        found, reasons = judged(release(evidence, False), made)
        assert {"Centiloid", "CenTauR", "cut-off marker", "Braak stage"} <= set(found.withheld)
        assert reasons["Centiloid"] == ACQUIRED_ONLY
        assert "z-score" not in found.withheld

    @pytest.mark.parametrize("evidence", ["simulation", "population atlas"])
    def test_a_demonstration_model_judges_nobody_who_exists(self, evidence: str) -> None:
        made = grounds(bundle_sha256=BUNDLE, database=database(bundle=BUNDLE))
        assert "demonstration model" in refusal(evidence, made)

    def test_a_demo_database_is_for_simulated_people(self) -> None:
        demo = database(demo=True)
        assert "is a demonstration" in refusal("acquired", grounds(database=demo))
        found, _ = judged(release("acquired", False), grounds(database=demo, simulated=True))
        assert "z-score" not in found.withheld

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"tracer": "pib"}, "is of FDG, the PET of PiB"),
            ({"reference_region": "cerebellum_grey"}, "is divided by pons"),
            ({"bundle_sha256": BUNDLE}, "is of acquired PET, this PET is synthetic"),
        ],
    )
    def test_a_database_of_something_else_is_refused(self, changes, words) -> None:
        where = replace(grounds(database=database()), **changes)
        assert words in refusal("real pairs" if "bundle_sha256" in changes else "acquired", where)

    def test_a_database_of_another_bundle_is_refused(self) -> None:
        made = grounds(bundle_sha256="c" * 64, database=database(bundle=BUNDLE), simulated=True)
        assert "another model" in refusal("real pairs", made)


def shown(region: str = "cuneus", side: str = "L") -> ShownRow:
    value = RegionValue(region, side, 5.0, 1.2, 0.1, 1.2, 1.4)
    return ShownRow(region, side, 5.0, value, "", "", None)


@pytest.fixture(scope="module")
def plain() -> Quantification:
    """An acquired FDG PET without normals."""
    pet = pet_volume(uptake())
    reference, findings = measure_native_reference(pet, regions(), "pons")
    policy, reasons = judged(release("acquired", False), grounds())
    t1 = Scan(pet_volume(uptake()), pet.grid, [], "0" * 64, {})
    return Quantification(
        tracer=tracer("fdg"),
        release=policy,
        withheld=reasons,
        simulated=False,
        pet=pet,
        native_t1=prepared(t1).native_t1,
        transform=HERE,
        rows=(QuantifiedRow(shown()),),
        headline=1,
        slice_mm=4.0,
        alignment=PetAlignment(np.eye(4), False, 0.4, 0.95, "The PET lies within 0.4 mm."),
        reference=reference,
        regions_source="atlas, deformable",
        scales=(),
        database=None,
        flags="",
        direction="",
        expected=None,
        fill_threshold=2.0,
        gtm=None,
        model=None,
        findings=tuple(findings),
        sources=(Source("PET", "pet.nii.gz", "1" * 64),),
        steps=(),
    )


def judged_one(plain: Quantification) -> Quantification:
    """The same with normals."""
    policy, reasons = judged(release("acquired", False), grounds(database=database()))
    return replace(
        plain,
        release=policy,
        withheld=reasons,
        database=database().meta,
        flags="1 region is flagged.",
        direction="decrease",
        rows=(row_of(shown(), template={}, scores={"cuneus.L": SCORE}, fill={}, gtm={}),),
    )


class TestNoWriterCanBeGiven:
    """Every writer takes a `Quantification`; these cannot be made."""

    @pytest.mark.parametrize(
        "score",
        [
            SCORE,
            replace(SCORE, percentile=None, flagged=False),
            replace(SCORE, z=None, flagged=False),
            replace(SCORE, z=None, percentile=None),
        ],
    )
    def test_z_percentile_or_flag_that_are_withheld(self, plain, score) -> None:
        with pytest.raises(ValueError, match="withheld"):
            replace(plain, rows=(QuantifiedRow(shown(), score=score),), database=database().meta)

    def test_a_fill_state_that_is_withheld(self, plain) -> None:
        with pytest.raises(ValueError, match="fill states"):
            replace(plain, rows=(QuantifiedRow(shown(), fill_state=12.0),))

    def test_scores_without_a_database(self, plain) -> None:
        score = replace(SCORE, z=None, percentile=None, flagged=False)
        with pytest.raises(ValueError, match="without a database"):
            replace(plain, rows=(QuantifiedRow(shown(), score=score),))

    def test_a_demonstration_database_on_a_person(self, plain) -> None:
        with pytest.raises(ValueError, match="demonstration"):
            replace(judged_one(plain), database=database(demo=True).meta)
        assert replace(judged_one(plain), database=database(demo=True).meta, simulated=True)

    def test_a_synthetic_pet_as_an_acquired_one(self, plain) -> None:
        with pytest.raises(ValueError, match="disagree on its mark"):
            replace(plain, pet=replace(plain.pet, synthetic=True))

    def test_scales_of_a_synthetic_pet(self, plain) -> None:
        policy, reasons = judged(release("real pairs", False), grounds(bundle_sha256=BUNDLE))
        made = replace(
            plain, release=policy, withheld=reasons, pet=replace(plain.pet, synthetic=True)
        )
        with pytest.raises(ValueError, match="scales are withheld"):
            replace(made, scales=(SCALE,))
        with pytest.raises(ValueError, match="partial-volume"):
            replace(made, gtm={"fwhm_mm": 6.0})
        with pytest.raises(ValueError, match="a pattern beside a marked PET"):
            replace(made, pattern=PATTERN)

    def test_a_pattern_is_in_header_and_record_when_there_is_z(self, plain) -> None:
        without = judged_one(plain)
        made = replace(without, pattern=PATTERN)
        assert PATTERN.sentence() in header_lines(made)
        assert record(made, {})["Pattern"] == PATTERN.as_dict()
        assert record(without, {})["Pattern"] is None, "off by default"

    def test_a_pattern_without_z(self, plain) -> None:
        with pytest.raises(ValueError, match="a pattern is compared with z"):
            replace(plain, pattern=PATTERN)

    def test_a_number_beside_a_hidden_value(self, plain) -> None:
        hidden = replace(shown(), value=None, instead="not informative")
        with pytest.raises(ValueError, match="hidden value"):
            replace(plain, rows=(QuantifiedRow(hidden, template=1.2),))
        row = row_of(hidden, template={"cuneus.L": 1.0}, scores={}, fill={}, gtm={})
        assert replace(plain, rows=(row,)).rows[0].template is None


def test_a_volume_is_written_with_the_marks_it_has_and_by_no_other_writer(tmp_path, plain) -> None:
    with pytest.raises(ValueError, match="must not be written"):
        write_pet(tmp_path / "a.nii.gz", plain.pet, plain.pet.grid)
    with pytest.raises(ValueError, match="without its marks"):
        write_acquired(tmp_path / "b.nii.gz", replace(plain.pet, synthetic=True), plain.pet.grid)
    assert not list(tmp_path.iterdir())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_a_table_without_normals_has_no_number_in_their_columns(tmp_path, plain) -> None:
    write_table(tmp_path / "t.tsv", plain)
    (row,) = rows_of(tmp_path / "t.tsv")
    assert row["synthetic"] == "FALSE"
    assert (row["suvr"], row["ml"]) == ("1.2000", "5.0000")
    assert {row[c] for c in ("z", "percentile", "flag", "expected", "fill_state_percent")} == {
        "n/a"
    }


def test_normals_fill_their_columns(tmp_path, plain) -> None:
    write_table(tmp_path / "t.tsv", judged_one(plain))
    (row,) = rows_of(tmp_path / "t.tsv")
    assert (row["z"], row["flag"], row["difference_percent"]) == ("3.4000", "yes", "-20.0000")


def test_composites_are_not_flagged(plain) -> None:
    row = QuantifiedRow(shown("frontal_lobe", "both"), score=replace(SCORE, flagged=False))
    assert cells(row)["flag"] is None


def test_the_header_says_alignment_reference_normals_and_what_was_overridden(plain) -> None:
    lines = "\n".join(header_lines(plain))
    assert "The PET lies within 0.4 mm." in lines
    assert "reference pons (atlas, affine)" in lines
    assert f"Normals: none, {NO_DATABASE}." in lines
    over = replace(plain.findings[0], overridden=True, name="pet_coverage")
    made = replace(plain, findings=(over,))
    assert "Overridden by the user: pet_coverage." in header_lines(made)
    assert record(made, {})["OverriddenByUser"] == ["pet_coverage"]


def test_every_check_has_value_limit_verdict_and_sentence(plain) -> None:
    for check in record(plain, {})["Checks"]:
        assert {"name", "value", "limit", "verdict", "sentence"} <= set(check)
        assert check["sentence"].endswith((".", "?"))


def report(path, copy: str) -> None:
    """Stands for the writer of the report, which has tests of its own."""
    path.write_text(copy, encoding="utf-8")


def test_the_files_of_an_acquired_pet(tmp_path, plain) -> None:
    (tmp_path / "space").mkdir()
    t1 = Scan(plain.native_t1, plain.pet.grid, [], "0" * 64, {})
    written = write_quantification(tmp_path, plain, t1, regions(), report, Silent(), json.dumps)
    assert list(written) == [
        "space/regions.nii.gz",
        "space/reference.nii.gz",
        "space/pet_to_t1.tfm",
        "fdg_acquired_suvr.nii.gz",
        "fdg_acquired_regions.tsv",
        "report.html",
        "fdg_acquired_suvr.json",
    ]
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("FDG PET")
    body = json.loads((tmp_path / "fdg_acquired_suvr.json").read_text(encoding="utf-8"))
    assert body["Synthetic"] is False
    assert set(body["Outputs"]) == set(list(written)[:-1])


def test_a_synthetic_pet_is_not_copied_and_its_files_are_marked(tmp_path, plain) -> None:
    (tmp_path / "space").mkdir()
    policy, reasons = judged(release("simulation", False), grounds(bundle_sha256=BUNDLE))
    made = replace(plain, release=policy, withheld=reasons, pet=replace(plain.pet, synthetic=True))
    t1 = Scan(plain.native_t1, plain.pet.grid, [], "0" * 64, {})
    written = write_quantification(tmp_path, made, t1, regions(), report, Silent(), json.dumps)
    own = [name for name in written if not name.startswith("space/")]
    assert own == ["fdg_synth_regions.tsv", "report.html", "fdg_synth_quantification.json"]
    assert rows_of(tmp_path / own[0])[0]["synthetic"] == "TRUE"
    body = json.loads((tmp_path / own[2]).read_text(encoding="utf-8"))
    assert body["Synthetic"] is True
    assert body["Banner"].startswith("DEMONSTRATION")
    assert header_lines(made)[0] == body["Banner"]


def synthetic(plain: Quantification, exploratory: bool) -> Quantification:
    policy, reasons = judged(release("simulation", exploratory), grounds(bundle_sha256=BUNDLE))
    return replace(plain, release=policy, withheld=reasons, pet=replace(plain.pet, synthetic=True))


def test_the_text_to_copy_carries_every_mark(plain) -> None:
    lines = header_lines(synthetic(plain, exploratory=False))
    assert any(line.startswith("SYNTHETIC FDG PET, ") for line in lines)
    assert marks.NOT_ACQUIRED in lines
    assert f"{marks.AMBIGUOUS}." not in lines
    assert f"{marks.AMBIGUOUS}." in header_lines(synthetic(plain, exploratory=True))
    acquired = "\n".join(header_lines(plain))
    for mark in (marks.WORD, marks.NOT_ACQUIRED, marks.AMBIGUOUS, marks.SIMULATED):
        assert mark not in acquired
    assert header_lines(replace(plain, simulated=True))[0] == marks.SIMULATED


def test_the_way_of_an_earlier_pet_is_replaced_by_that_of_one_that_was_not_moved(
    tmp_path, plain
) -> None:
    old = np.eye(4)
    old[0, 3] = 9.0
    (tmp_path / "space").mkdir()
    NativeToTemplate(old).write(tmp_path / "space" / "pet_to_t1.tfm")
    t1 = Scan(plain.native_t1, plain.pet.grid, [], "0" * 64, {})
    write_quantification(tmp_path, plain, t1, regions(), report, Silent(), json.dumps)
    found = NativeToTemplate.read(tmp_path / "space" / "pet_to_t1.tfm")
    assert np.allclose(found.matrix, np.eye(4))


def test_a_parcellation_is_another_pipeline(plain) -> None:
    ours = record(replace(plain, regions_source="atlas, deformable"), {})["Pipeline"]
    theirs = record(replace(plain, regions_source="parcellation"), {})["Pipeline"]
    assert theirs == f"{ours}, parcellation"
