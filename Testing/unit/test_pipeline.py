"""The walk as a whole: the template brain as scan, its own transform, the atlas as generator."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from export_case import generated, lopsided
from scipy import ndimage

from PETSynthLib import pipeline
from PETSynthLib.assets import atlas_volume, region_names
from PETSynthLib.checks import Finding, Verdict
from PETSynthLib.clinical import ClinicalRecord
from PETSynthLib.errors import Cancelled, ErrorCode, PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, LoadedGenerator, load_generator
from PETSynthLib.pipeline import synthesize
from PETSynthLib.preprocess import NativeToTemplate, Prepared, greedy, warp
from PETSynthLib.preprocess.input_features import FEATURES, InputStatistics
from PETSynthLib.progress import STAGES, Silent
from PETSynthLib.quantify.regions import template_regions
from PETSynthLib.request import Regions, SynthesisRequest
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, on_grid

COARSE = warp.OPTIONS.replace("100x50x10", "60x15x0")
NOTE = Finding("alignment", 0.9, "0.8", Verdict.AMBER, "The alignment is so-so.")


class Told(Silent):
    """Notes the stages; stops at ``stop_at``."""

    def __init__(self, stop_at: str = "") -> None:
        super().__init__()
        self.stages: list[str] = []
        self.stop_at = stop_at

    def stage(self, key: str) -> None:
        self.stages.append(key)
        if key == self.stop_at:
            raise Cancelled


class Preparing:
    """Stands in for preprocessing: the scan is the template, nothing is to be done."""

    def __init__(self) -> None:
        self.asked: dict = {}

    def __call__(self, t1, **asked):
        self.asked = asked
        asked["progress"].finding(NOTE)
        inside = atlas_volume("template_brain").mask
        scale = np.percentile(t1.volume.data[inside], 97)
        head = t1.volume.with_data(t1.volume.data / scale)
        return Prepared(
            t1=on_grid(np.where(inside, np.clip(head.data, 0, 1.6), 0), asked["grid"]),
            brain=on_grid(inside, asked["grid"]),
            flair=None,
            native_brain=t1.volume.with_data(inside),
            native_t1=head,
            transform=NativeToTemplate(np.eye(4)),
            findings=[NOTE],
            steps=[
                {"name": "nothing", "version": "1", "parameters": {}, "seconds": 0.0, "outcome": {}}
            ],
            sources={"t1_sha256": t1.sha256, "flair_sha256": None, "mask_sha256": None},
            t1_to_flair=None,
        )


class Noting:
    """A generator that notes what it was given."""

    def __init__(self, loaded: LoadedGenerator) -> None:
        self.loaded = loaded
        self.given: list = []

    def generate(self, inputs, effort, progress):
        self.given.append((inputs.clinical, effort))
        factor = 1.0 if inputs.clinical.mmse is None else 0.9
        made = self.loaded.generator.generate(inputs, replace(effort, samples=0), progress)
        hot = atlas_volume("regions").data > 0
        return replace(made, mean=made.mean.with_data(np.where(hot, factor, 1) * made.mean.data))


class HotLeft:
    """A generator whose left hemisphere comes out half as hot again."""

    def __init__(self, generator) -> None:
        self.generator = generator

    def generate(self, inputs, effort, progress):
        made = self.generator.generate(inputs, effort, progress)
        data = made.mean.data.copy()
        data[:48] *= 1.5  # the template grid runs from left to right
        return replace(made, mean=made.mean.with_data(data))


@pytest.fixture
def noting():
    """The atlas generator, declared to read the MMSE."""
    loaded = load_generator("atlas", "cpu")
    bundle = replace(loaded.bundle, config={**loaded.bundle.config, "uses": ["age", "mmse"]})
    return Noting(LoadedGenerator(bundle, loaded.generator))


@pytest.fixture(scope="module")
def t1(tmp_path_factory) -> Path:
    """The template's T1 as a file, stored left-handed as many scanners do."""
    volume = atlas_volume("template_t1")
    affine = volume.affine.copy()
    affine[0] = [-2, 0, 0, 95]
    path = tmp_path_factory.mktemp("scan") / "T1 für Übung.nii.gz"
    nib.save(nib.Nifti1Image(volume.data[::-1], affine), path)
    return path


@pytest.fixture
def request_(t1, tmp_path):
    return SynthesisRequest(str(t1), str(tmp_path), model="atlas", regions=Regions.AFFINE)


def walk(request, folder, progress=None, **options):
    options.setdefault("prepare", Preparing())
    return synthesize(request, folder, progress or Told(), **options)


def until(stage, request, folder, **options):
    """Walk as far as ``stage``: what follows is not looked at."""
    with pytest.raises(Cancelled):
        walk(request, folder, Told(stop_at=stage), **options)


@pytest.fixture(scope="module")
def walked(t1, tmp_path_factory):
    """Outcome, folder and what was told of one walk with a left hemisphere too hot."""
    folder, told = tmp_path_factory.mktemp("walked"), Told()
    loaded = load_generator("atlas", "cpu")
    lopsided = LoadedGenerator(loaded.bundle, HotLeft(loaded.generator))
    request = SynthesisRequest(str(t1), str(folder), model="atlas", regions=Regions.AFFINE)
    return walk(request, folder, told, load_generator=lambda *_: lopsided), folder, told


def test_the_walk_passes_every_stage_and_writes_every_file(walked):
    outcome, folder, told = walked
    assert told.stages == [key for key, _ in STAGES]
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {
        "fdg_synth_suvr.nii.gz",
        "fdg_synth_sd.nii.gz",
        "fdg_synth.json",
        "fdg_synth.png",
        "fdg_synth_ssp.png",
        "fdg_synth_regions.tsv",
        "report.html",
        "space/space.json",
    } <= names
    assert outcome.table.value("thalamusproper").mean > 0
    assert NOTE in told.findings


def test_the_pet_lies_on_the_grid_of_the_file_and_left_is_where_it_was(walked, t1):
    outcome, folder, _ = walked
    stored = nib.load(t1)
    pet = nib.load(folder / "fdg_synth_suvr.nii.gz")
    assert pet.shape == stored.shape
    np.testing.assert_allclose(pet.affine, stored.affine, atol=1e-5)
    brain = atlas_volume("template_brain").mask[::-1]
    values = pet.get_fdata()
    right_of_file, left_of_file = values[:40][brain[:40]], values[-40:][brain[-40:]]
    assert pet.affine[0, 0] < 0  # the first voxels of this file lie on the right
    assert left_of_file.mean() > 1.3 * right_of_file.mean()
    assert values[0, 0, 0] == 0.0
    left, right = (outcome.table.value("precuneus", side).mean for side in "LR")
    assert left > 1.3 * right


def test_the_record_names_the_scan_by_digest_and_not_by_its_folder(walked, t1):
    outcome, folder, _ = walked
    (source,) = outcome.record.sources
    assert (source.role, source.name) == ("T1", t1.name)
    assert len(source.sha256) == 64
    sidecar = (folder / "fdg_synth.json").read_text(encoding="utf-8")
    assert source.sha256 in sidecar
    assert str(t1.parent) not in sidecar


def test_preprocessing_is_told_the_model_s_grid_the_device_and_the_earlier_space(
    request_, tmp_path
):
    preparing = Preparing()
    request = replace(request_, device="cpu")
    until("generate", request, tmp_path, prepare=preparing, previous_space=Path("old"))
    assert preparing.asked["grid"].same_as(load_generator("atlas", "cpu").bundle.grid)
    assert preparing.asked["device"] == "cpu"
    assert preparing.asked["space"] == Path("old")
    assert preparing.asked["flair"] is None


def test_a_model_without_suvr_is_refused_before_anything_is_prepared(request_, tmp_path):
    atlas, preparing = load_generator("atlas", "cpu"), Preparing()
    bundle = replace(atlas.bundle, config={**atlas.bundle.config, "suvr_known": False})
    with pytest.raises(PETSynthError, match="atlas are no SUVR"):
        walk(
            request_,
            tmp_path,
            prepare=preparing,
            load_generator=lambda *_: LoadedGenerator(bundle, atlas.generator),
        )
    assert not preparing.asked


PERSON = ClinicalRecord(age=70, mmse=20)


def test_a_score_is_kept_from_the_picture_unless_the_user_says_so(request_, noting, tmp_path):
    until(
        "export",
        replace(request_, clinical=PERSON),
        tmp_path,
        load_generator=lambda *_: LoadedGenerator(noting.loaded.bundle, noting),
    )
    # The person, then the average person of the same age.
    assert [clinical for clinical, _ in noting.given] == 2 * [ClinicalRecord(age=70)]


def test_a_picture_shaped_by_a_score_has_the_image_only_values_beside_it(
    request_, noting, tmp_path
):
    walk(
        replace(request_, clinical=PERSON, cognition_shapes_picture=True, samples=2),
        tmp_path,
        load_generator=lambda *_: LoadedGenerator(noting.loaded.bundle, noting),
    )
    (shaped, effort), (image_only, image_only_effort), (average, _) = noting.given
    assert (shaped, image_only) == (PERSON, ClinicalRecord(age=70))
    assert average == ClinicalRecord(age=70)
    assert (effort.samples, image_only_effort.samples) == (2, 0)
    table = (tmp_path / "fdg_synth_regions.tsv").read_text(encoding="utf-8")
    assert "image_only" in table.splitlines()[0]
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "partly drawn from the cognitive scores" in report


def test_a_model_that_reads_no_score_is_not_run_again_without_it(request_, tmp_path):
    noting = Noting(load_generator("atlas", "cpu"))
    until(
        "export",
        replace(request_, clinical=PERSON, cognition_shapes_picture=True),
        tmp_path,
        load_generator=lambda *_: LoadedGenerator(noting.loaded.bundle, noting),
    )
    assert [clinical for clinical, _ in noting.given] == [PERSON, ClinicalRecord(age=70)]


def test_nothing_is_added_to_the_average_person_when_the_brain_is_the_template(request_, tmp_path):
    walk(request_, tmp_path)
    own, average = (
        nib.load(tmp_path / f"fdg_synth_{part}.nii.gz") for part in ("suvr", "expected")
    )
    assert np.array_equal(own.affine, average.affine)
    assert own.shape == average.shape
    # The fake preparation hands on the template's own brain.
    assert np.array_equal(own.get_fdata(), average.get_fdata())
    assert own.get_fdata().max() > 1.0


def test_the_average_person_is_measured_where_it_was_drawn_on_the_template():
    drawn = generated(lopsided(), "fdg", 0)
    table = pipeline._on_template(drawn, 2.0)
    labels = atlas_volume("regions").data
    for name, side, label in (("middletemporal", "L", 14), ("middletemporal", "R", 55)):
        assert region_names()[label] == (name, side)
        (row,) = (r for r in table.regions if (r.region, r.side) == (name, side))
        assert row.mean == pytest.approx(2.0 * drawn.mean.data[labels == label].mean(), rel=1e-5)


def test_an_unknown_tracer_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(PETSynthError) as caught:
        walk(SynthesisRequest("/nowhere.nii", str(tmp_path), tracer="nonsense"), tmp_path)
    assert caught.value.code is ErrorCode.UNSUPPORTED_TRACER


def test_a_tracer_the_model_does_not_know_is_refused_before_the_long_steps(
    request_, noting, tmp_path
):
    config = {**noting.loaded.bundle.config, "tracers": ["pib"]}
    bundle = replace(noting.loaded.bundle, config=config)
    preparing = Preparing()
    with pytest.raises(PETSynthError) as caught:
        walk(
            request_,
            tmp_path,
            prepare=preparing,
            load_generator=lambda *_: LoadedGenerator(bundle, noting),
        )
    assert caught.value.code is ErrorCode.UNSUPPORTED_TRACER
    assert preparing.asked == {}


def test_a_model_that_needs_a_flair_is_refused_without_one_before_the_long_steps(
    request_, noting, tmp_path
):
    config = {**noting.loaded.bundle.config, "needs": ["flair"]}
    bundle = replace(noting.loaded.bundle, config=config)
    preparing = Preparing()
    with pytest.raises(PETSynthError, match="cannot do without a FLAIR") as caught:
        walk(
            request_,
            tmp_path,
            prepare=preparing,
            load_generator=lambda *_: LoadedGenerator(bundle, noting),
        )
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert preparing.asked == {}


@pytest.mark.parametrize("needs", [[], ["flair"]])
def test_the_average_person_has_a_flair_where_the_model_needs_one(needs):
    given = []

    class Seeing:
        def generate(self, inputs, effort, progress):
            assert (effort.samples, effort.steps) == (0, 7)
            given.append(inputs)

    loaded = load_generator("atlas", "cpu")
    bundle = replace(loaded.bundle, config={**loaded.bundle.config, "needs": needs})
    template = atlas_volume("template_t1")
    inputs = GeneratorInput(template, template, template, tracer("fdg"), ClinicalRecord(age=70))
    pipeline._average_person(LoadedGenerator(bundle, Seeing()), inputs, Effort(4, 7), Told())
    (average,) = given
    assert (average.flair is not None) == bool(needs)
    if needs:
        grey, white = (atlas_volume(name).data > 0.95 for name in ("template_gm", "template_wm"))
        bright, dark = (np.median(average.flair.data[m]) for m in (grey, white))
        assert dark < bright <= 1.05
        assert not average.flair.data[~average.brain.mask].any()


def test_a_t1_unlike_those_the_model_learnt_from_stops_unless_overridden(
    request_, noting, tmp_path
):
    black = InputStatistics(100, np.zeros(len(FEATURES)), 0.01 * np.eye(len(FEATURES)))
    config = {
        **noting.loaded.bundle.config,
        "trained_on": "real pairs",
        "input_statistics": black.as_dict(),
    }
    loaded = LoadedGenerator(replace(noting.loaded.bundle, config=config), noting)
    with pytest.raises(PETSynthError) as caught:
        walk(request_, tmp_path, load_generator=lambda *_: loaded)
    assert caught.value.check == "t1_intensities"
    assert noting.given == []
    told = Told(stop_at="restore")
    allowed = replace(request_, overridden_checks=("t1_intensities",))
    with pytest.raises(Cancelled):
        walk(allowed, tmp_path, told, load_generator=lambda *_: loaded)
    (finding,) = (f for f in told.findings if f.name == "t1_intensities")
    assert finding.overridden


def test_the_pictures_own_checks_are_told_and_recorded(walked):
    _, folder, told = walked
    checks = {"t1_intensities", "grey_over_white", "pons_over_cerebellum", "model_spread"}
    assert checks <= {finding.name for finding in told.findings}
    sidecar = json.loads((folder / "fdg_synth.json").read_text())
    names = [row["name"] for row in sidecar["InputQC"]]
    assert all(names.count(name) == 1 for name in checks)


@pytest.mark.parametrize("stage", [key for key, _ in STAGES])
def test_a_cancel_at_any_stage_ends_the_walk_there(request_, tmp_path, stage):
    told = Told(stop_at=stage)
    with pytest.raises(Cancelled):
        walk(request_, tmp_path, told)
    assert told.stages[-1] == stage


class TestRegions:
    """The table's regions: by the affine when asked, bent onto the brain otherwise."""

    @pytest.mark.slow
    def test_the_bent_atlas_lies_closer_to_a_bent_brain(self, bent):
        folder, told, truth = bent
        affine = template_regions().data[truth > 0] == truth[truth > 0]
        labels = np.asarray(nib.load(folder / "space/regions.nii.gz").dataobj)
        deformable = labels[truth > 0] == truth[truth > 0]
        assert deformable.mean() > affine.mean() + 0.15
        (finding,) = (f for f in told.findings if f.name == "deformable_alignment")
        assert finding.verdict is Verdict.GREEN
        sidecar = json.loads((folder / "fdg_synth.json").read_text(encoding="utf-8"))
        assert sidecar["Regions"] == {"source": "atlas, deformable"}
        assert "deformable alignment" in {step["name"] for step in sidecar["Preprocessing"]}
        assert finding.as_dict() in sidecar["InputQC"]

    @pytest.mark.slow
    def test_a_second_run_takes_the_stored_one_and_gives_the_same_table(
        self, bent, tmp_path, monkeypatch
    ):
        folder, _, _ = bent
        monkeypatch.setattr(warp, "OPTIONS", COARSE)
        request = SynthesisRequest(str(folder / "T1.nii.gz"), str(tmp_path), model="atlas")
        told = Told()
        walk(request, tmp_path, told, fit_warp=never, previous_space=folder / "space")
        assert "deformable_alignment" in {finding.name for finding in told.findings}
        for name in ("fdg_synth_regions.tsv", "space/regions.nii.gz", "space/warp.nii.gz"):
            assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name

    def test_asked_for_the_affine_nothing_is_bent_and_it_is_said(self, walked):
        outcome, folder, told = walked
        assert outcome.record.regions_source == "atlas, affine"
        assert not (folder / "space" / "warp.nii.gz").exists()
        assert "deformable_alignment" not in {finding.name for finding in told.findings}

    def test_without_greedy_the_affine_has_to_do_and_amber_says_so(
        self, request_, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(greedy.importlib.util, "find_spec", lambda *_: None)
        told = Told()
        outcome = walk(replace(request_, regions=Regions.DEFORMABLE), tmp_path, told)
        (finding,) = (f for f in told.findings if f.name == "deformable_alignment")
        assert finding.verdict is Verdict.AMBER
        assert "because picsl-greedy is not installed" in finding.sentence
        assert outcome.record.regions_source == "atlas, affine"
        assert finding in outcome.record.findings
        report = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "picsl-greedy is not installed" in report


def never(*_):
    raise AssertionError("the warp is stored")


@pytest.fixture(scope="module")
def bent(tmp_path_factory):
    """Folder and findings of one walk with the real warp, and where the regions truly lie."""
    pytest.importorskip("picsl_greedy")
    folder, told = tmp_path_factory.mktemp("bent"), Told()
    x, y, z = np.indices(CANONICAL.shape) * (2.0 * np.pi / 40.0)
    where = np.indices(CANONICAL.shape) + 2.0 * np.stack([np.sin(y), np.sin(z), np.sin(x)])
    inside = atlas_volume("template_brain").mask

    def bend(name, order):
        return ndimage.map_coordinates(atlas_volume(name).data, where, order=order) * inside

    nib.save(nib.Nifti1Image(bend("template_t1", 1), CANONICAL.affine), folder / "T1.nii.gz")
    truth = ndimage.map_coordinates(template_regions().data, where, order=0) * inside
    request = SynthesisRequest(str(folder / "T1.nii.gz"), str(folder), model="atlas")
    with pytest.MonkeyPatch.context() as patch:
        # The coarse levels alone take a second and find waves of 80 mm.
        patch.setattr(warp, "OPTIONS", COARSE)
        walk(request, folder, told)
    return folder, told, truth
