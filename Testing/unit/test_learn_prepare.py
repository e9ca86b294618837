"""A data set becomes a store: resumable, failures named, one brain from end to end."""

from __future__ import annotations

import errno
import io
import json
import shutil
import sys
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_case import GAIN, made_brain, made_pet, make_bids, make_session, moved, offset, pose
from PIL import Image
from preprocess_heads import scan_of

from PETSynthLib.assets import atlas_volume
from PETSynthLib.errors import ErrorCode, PETSynthError
from PETSynthLib.learn.prepare import PrepareRequest, grid_named, prepare_store, run
from PETSynthLib.learn.prepare.pages import judge
from PETSynthLib.learn.prepare.subject import Outcome, suvr, without_margin
from PETSynthLib.learn.regions import membership, region_index, region_keys, regional_means
from PETSynthLib.learn.store import Store, StoreWriter, open_store
from PETSynthLib.preprocess import NativeToTemplate
from PETSynthLib.read.dataset import Problem
from PETSynthLib.tracers import tracer
from PETSynthLib.volume import CANONICAL, Volume, on_grid


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, tuple[Problem, ...]]:
    """One simulated brain prepared; its second PET shows no brain stem.

    Only the alignment with the template is known instead of found (it has its own tests).
    """
    known = NativeToTemplate(np.linalg.inv(pose(0)))
    source = make_bids(tmp_path_factory.mktemp("bids"), subjects=1, tracers=("fdg", "pib"))
    _cut_off_the_bottom(source / "sub-0001/pet/sub-0001_trc-11CPIB_pet.nii")
    folder = tmp_path_factory.mktemp("store") / "new"
    with pytest.MonkeyPatch.context() as patch:
        # The package's name `prepare` is the function; the module is found here.
        module = sys.modules["PETSynthLib.preprocess.prepare"]
        patch.setattr(module, "align", lambda *_: (known, []))
        result = prepare_store(PrepareRequest(source, folder, shares={"train": 1.0}))
    assert (result.made, result.kept, result.failed) == (1, 0, 0)
    return open_store(folder), result.problems


def _cut_off_the_bottom(path: Path) -> None:
    image = nib.load(path)
    data = image.get_fdata(dtype=np.float32)[:, :, 23:].copy()  # a copy: the file is written over
    affine = image.affine.copy()
    affine[2, 3] += 23 * affine[2, 2]
    nib.save(nib.Nifti1Image(data, affine), path)


class TestOneBrain:
    def test_regional_suvr_survive_pose_gain_and_the_shift_of_the_pet(self, made) -> None:
        store, _ = made
        brain = made_brain(0)
        # What the store's lattice holds of the brain that was never moved.
        at_home = NativeToTemplate(np.eye(4))
        expected = at_home.to_template(made_pet(brain, "fdg"), store.grid)
        labels = at_home.to_template(brain.labels, store.grid, order=0).data.astype(np.uint8)
        wanted = regional_means(labels, expected.data)
        found = regional_means(store.regions(0), store.truth(0, "fdg"))
        large = [region_index(key) for key in ("frontal_lobe", "parietal_lobe", "striatum")]
        assert found[large] == pytest.approx(wanted[large], rel=0.03)
        acquired = regional_means(store.regions(0), store.pet(0, "fdg"))
        # The acquired PET is divided by its own mean in the atlas's pons, on this lattice.
        assert acquired[large] == pytest.approx(found[large], rel=0.02)
        assert acquired[large].max() < GAIN / 1000

    def test_left_stays_left(self, made) -> None:
        store, _ = made
        left = np.isin(store.regions(0), [36])  # caudate of the left hemisphere
        i = np.argwhere(left).mean(0)[0]
        assert store.grid.affine[0, 0] * i + store.grid.affine[0, 3] < -5.0

    def test_grey_matter_is_measured_in_millilitres_of_the_scan(self, made) -> None:
        store, _ = made
        native = abs(np.linalg.det(pose(0)[:3, :3])) * CANONICAL.voxel_ml
        labels = made_brain(0).territories
        for key in ("frontal_lobe", "temporal_lobe"):
            inside = membership()[region_index(key)][labels]
            true = float(made_brain(0).tissues.grey[inside].sum()) * native
            assert store.volumes[0, region_index(key)] == pytest.approx(true, rel=0.2)

    def test_a_pet_without_its_reference_region_is_named_and_the_rest_goes_on(self, made) -> None:
        store, problems = made
        assert store.subjects[0].tracers == ("fdg",)
        assert len(problems) == 1
        assert problems[0].text.startswith("PiB: Only ")
        assert "reference region (cerebellum grey)" in problems[0].text
        assert "PiB" in (store.folder / "failures.tsv").read_text()

    def test_the_row_says_who_it_is(self, made) -> None:
        subject = made[0].subjects[0]
        assert (subject.subject, subject.site, subject.scanner) == ("sub-0001", "south", "ge")
        assert (subject.clinical.age, subject.clinical.mmse) == (60.0, None)
        native_ml = abs(np.linalg.det(pose(0)[:3, :3])) * CANONICAL.voxel_ml
        true = float((made_brain(0).t1.data > 0).sum()) * native_ml
        assert subject.brain_ml == pytest.approx(true, rel=0.02)
        assert not subject.flair

    def test_what_the_simulation_knows_travels_with_the_store(self, made) -> None:
        store, _ = made
        assert store.simulated
        assert store.oracle(store.subjects[0]) is not None
        assert json.loads((store.folder / "oracle/sub-0001.json").read_text()) == {
            "focal_lesions": []
        }

    def test_there_is_a_picture_and_a_page(self, made) -> None:
        qc = made[0].folder / "qc"
        picture = Image.open(io.BytesIO((qc / "sub-0001.png").read_bytes())).convert("RGB")
        green = (np.asarray(picture) == (0, 235, 90)).all(-1)
        # The outline of the T1 runs over both rows, T1 and FDG.
        assert green[: picture.height // 2].sum() > 300
        assert green[picture.height // 2 :].sum() > 300
        assert 'src="sub-0001.png"' in (qc / "index.html").read_text()


def quick(task) -> Outcome:
    """Stands for the slow part: a row of ones."""
    session = task.session
    if session.name == "sub-0002":
        problem = Problem(session.name, "It is broken.", "Mend it.")
        return Outcome(task.row, False, 0.0, False, (), (problem,))
    shape = task.grid.shape
    arrays = {name: np.ones(shape) for name in ("t1", "brain", "pet_fdg")}
    StoreWriter(task.folder, task.facts, task.rows).write(task.row, arrays)
    qc = {"subject": session.name, "match": {"fdg": 0.95}, "findings": []}
    (task.folder / "qc" / f"{session.name}.json").write_text(json.dumps(qc))
    return Outcome(task.row, True, 1234.0, False, ("fdg",), ())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Names only: the images are empty files."""
    folder = tmp_path / "bids"
    for k in range(1, 5):
        for kind, name in (("anat", "T1w"), ("pet", "trc-18FFDG_pet")):
            path = folder / f"sub-{k:04d}" / kind / f"sub-{k:04d}_{name}.nii"
            path.parent.mkdir(parents=True)
            path.touch()
    return folder


class TestManySubjects:
    @pytest.fixture
    def request_(self, source: Path, tmp_path: Path) -> PrepareRequest:
        return PrepareRequest(source, tmp_path / "store")

    def test_a_subject_that_fails_is_listed_and_stops_nobody(self, request_, monkeypatch) -> None:
        monkeypatch.setattr(run, "prepare_subject", quick)
        result = prepare_store(request_)
        assert (result.made, result.failed) == (3, 1)
        assert [p.name for p in result.problems] == ["sub-0002"]
        lines = (request_.store / "failures.tsv").read_text().splitlines()
        assert lines[1] == "sub-0002\tIt is broken.\tMend it."
        store = open_store(request_.store)
        assert [s.subject for s in store.subjects] == ["sub-0001", "sub-0003", "sub-0004"]
        assert store.subjects[0].brain_ml == 1234.0

    def test_the_work_on_a_row_can_be_sent_to_other_processes(self, request_, monkeypatch) -> None:
        # What `run_tasks` does with two jobs, without the processes.
        asked = []

        def sent(function, tasks, jobs):
            asked.append((function, jobs))
            for task in tasks:
                result = quick(task)
                # Whatever goes to another process and back has to be sendable.
                for one in (function, task, result):
                    assert len(ForkingPickler.dumps(one)) > 0
                yield task, result

        monkeypatch.setattr(run, "run_tasks", sent)
        assert prepare_store(replace(request_, jobs=2)).made == 3
        assert asked == [(run.prepare_subject, 2)]

    def test_an_unexpected_failure_is_listed_too(self, request_, monkeypatch) -> None:
        def falls_over(task):
            if task.row == 0:
                raise ZeroDivisionError("a bug")
            return quick(task)

        monkeypatch.setattr(run, "prepare_subject", falls_over)
        result = prepare_store(request_)
        assert result.made == 2
        assert "ZeroDivisionError: a bug" in result.problems[0].text

    def test_an_interrupted_run_goes_on_where_it_was(self, request_, monkeypatch) -> None:
        seen = []

        def counted(task):
            seen.append(task.session.name)
            return quick(task)

        def stop(done: int, total: int) -> None:
            if done == 1:
                raise KeyboardInterrupt

        monkeypatch.setattr(run, "prepare_subject", counted)
        with pytest.raises(KeyboardInterrupt):
            prepare_store(request_, stop)
        result = prepare_store(request_)
        assert (result.made, result.kept, result.failed) == (2, 1, 1)
        assert seen == ["sub-0001", "sub-0002", "sub-0003", "sub-0004"]
        assert open_store(request_.store).subjects[0].brain_ml == 1234.0

    def test_a_full_disk_is_one_sentence_and_what_is_finished_stays(
        self, request_, monkeypatch
    ) -> None:
        def full(task):
            if task.row == 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            return quick(task)

        monkeypatch.setattr(run, "prepare_subject", full)
        with pytest.raises(PETSynthError, match="not enough free disk space") as caught:
            prepare_store(request_)
        assert caught.value.code is ErrorCode.BAD_OUTPUT
        assert "the same command continues" in caught.value.hint
        monkeypatch.setattr(run, "prepare_subject", quick)
        assert prepare_store(request_).kept == 1

    def test_other_settings_do_not_mix_into_a_store(self, request_, source, monkeypatch) -> None:
        monkeypatch.setattr(run, "prepare_subject", quick)
        prepare_store(request_)
        with pytest.raises(PETSynthError, match="other settings or from other data"):
            prepare_store(PrepareRequest(source, request_.store, grid=grid_named("2mm")))
        shutil.rmtree(source / "sub-0004")
        with pytest.raises(PETSynthError, match="other settings or from other data"):
            prepare_store(request_)

    def test_tracers_that_are_not_there_are_named(self, source, tmp_path) -> None:
        with pytest.raises(PETSynthError, match=r"no PET of the tracers wanted \(it has fdg\)"):
            prepare_store(PrepareRequest(source, tmp_path / "store", tracers=("pib",)))

    def test_when_nobody_could_be_prepared_the_first_reason_is_said(self, request_) -> None:
        # The images are empty files: every subject fails in earnest.
        with pytest.raises(PETSynthError, match="None of the 4 subjects could be prepared"):
            prepare_store(request_)
        assert (request_.store / "failures.tsv").read_text().count("sub-") >= 4


class TestSessions:
    def test_two_visits_are_two_rows_of_one_brain(self, tmp_path, monkeypatch) -> None:
        for session in ("1", "2"):
            make_session(tmp_path / "bids", 0, session=session, tracers=("fdg",))
        monkeypatch.setattr(run, "prepare_subject", quick)
        prepare_store(PrepareRequest(tmp_path / "bids", tmp_path / "store"))
        subjects = open_store(tmp_path / "store").subjects
        assert [s.subject for s in subjects] == ["sub-0001_ses-1", "sub-0001_ses-2"]
        assert {s.anatomy for s in subjects} == {"sub-0001"}
        assert len({s.split for s in subjects}) == 1


class TestPage:
    def test_the_least_usual_match_comes_first_whatever_the_tracers_level(self) -> None:
        # FDG always matches less than PiB; the odd one is PiB of "c".
        measures = [
            {"subject": s, "match": {"fdg": f, "pib": p}, "findings": []}
            for s, f, p in (
                ("a", 0.90, 0.97),
                ("b", 0.91, 0.98),
                ("c", 0.90, 0.92),
                ("d", 0.89, 0.97),
            )
        ]
        judged = judge(measures)
        assert judged[0].name == "c"
        assert "pib matches with 0.920, usual is 0.970" in judged[0].words
        assert judged[-1].words == ""

    def test_an_amber_finding_is_said(self) -> None:
        finding = {"name": "coverage", "verdict": "amber", "sentence": "The brain is cut."}
        body = {"subject": "a", "match": {"fdg": 0.95}, "findings": [finding]}
        assert judge([body])[0].words == "The brain is cut."


class TestGrids:
    @pytest.mark.parametrize("name", ["2mm", "3mm"])
    def test_named_grids_are_mirror_symmetric_and_hold_the_brain(self, name: str) -> None:
        grid = grid_named(name)
        corners = grid.corners()
        assert corners[:, 0].min() == -corners[:, 0].max()
        brain = atlas_volume("template_brain")
        points = np.argwhere(brain.mask) @ brain.affine[:3, :3].T + brain.affine[:3, 3]
        assert (points.min(0) >= corners.min(0) - 3).all()
        assert (points.max(0) <= corners.max(0) + 3).all()

    def test_a_grid_may_come_from_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "grid.json"
        path.write_text(json.dumps({"shape": [10, 11, 12], "affine": np.eye(4).tolist()}))
        assert grid_named(str(path)).shape == (10, 11, 12)
        with pytest.raises(PETSynthError, match="'4mm' is neither"):
            grid_named("4mm")


def test_suvr_divides_by_the_tracers_own_reference() -> None:
    image = np.full(CANONICAL.shape, 3.0)
    pet = suvr(on_grid(image, CANONICAL), tracer("fdg"))
    assert pet.data.max() == pytest.approx(1.0)
    assert not pet.synthetic
    with pytest.raises(PETSynthError, match="shows no uptake"):
        suvr(on_grid(0 * image, CANONICAL), tracer("fdg"))


def test_empty_space_around_a_stripped_brain_is_left_out_and_no_voxel_moves() -> None:
    data = np.zeros((60, 60, 60))
    data[30:40, 20:50, 31] = 5.0
    affine = moved((10.0, 20.0, 30.0), (1.0, 2.0, 3.0)) @ np.diag([2.0, 1.0, 3.0, 1.0])
    found = without_margin(scan_of(Volume(data, affine))).volume
    # 15 mm are 8 voxels of 2 mm (7.5 rounded), 15 of 1 mm (10 are there), 5 of 3 mm.
    assert found.shape == (10 + 16, 30 + 15 + 10, 1 + 10)
    inside = np.argwhere(found.data > 0).min(0)
    here = found.affine @ [*inside, 1.0]
    assert here == pytest.approx(affine @ [30.0, 20.0, 31.0, 1.0])
    noisy = Volume(data + 1.0, affine)
    assert without_margin(scan_of(noisy)).volume.shape == (60, 60, 60)


def test_the_made_pair_is_really_apart() -> None:
    # Guards the fixture: a PET that lies right already would test nothing.
    assert np.abs(offset(0)[:3, 3]).max() > 3.0
    assert len(region_keys()) > 80


def test_a_site_cannot_be_held_out_when_the_table_deals_the_splits(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    rows = "a,1.nii,1p.nii,A,train\nb,2.nii,2p.nii,B,test\n"
    table.write_text(f"subject,t1,pet_fdg,site,split\n{rows}", encoding="utf-8")
    request = PrepareRequest(table, tmp_path / "store", held_out_site="B")
    with pytest.raises(PETSynthError, match="the table's split column says already"):
        prepare_store(request)
    assert not (tmp_path / "store").exists()
