"""The training engine: exact resumption, processes, limits of time, and failures in a sentence."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file
from train_case import SMALL, Watching, losses, make_store, order

from PETSynthLib.cli import main
from PETSynthLib.errors import Cancelled, ErrorCode, PETSynthError
from PETSynthLib.generate import Effort, GeneratorInput, load_generator
from PETSynthLib.generate.bundle import write_checksums
from PETSynthLib.learn.acquaintance import Doubt, seen_by
from PETSynthLib.learn.methods.interface import (
    Batch,
    Material,
    Player,
    Stage,
    Terms,
    material_of,
)
from PETSynthLib.learn.methods.unet import UNetMethod
from PETSynthLib.learn.store import Store
from PETSynthLib.learn.train import checkpoint
from PETSynthLib.learn.train.average import WeightAverage
from PETSynthLib.learn.train.config import TrainConfig
from PETSynthLib.learn.train.run import train_method
from PETSynthLib.learn.train.schedule import Budget, budgets, learning_rate
from PETSynthLib.progress import Silent
from PETSynthLib.tracers import tracer

pytestmark = pytest.mark.torch
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_store(tmp_path_factory.mktemp("train") / "store", n=12)


@pytest.fixture(scope="module")
def whole(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    train_method(order("unet", run), store, Watching())
    return run


@pytest.fixture(scope="module")
def flow_run(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of two stages."""
    run = tmp_path_factory.mktemp("flow") / "run"
    train_method(order("flow", run), store, Watching())
    return run


def command(store: Store, run: Path, kill_at: int, *sets: str) -> list[str]:
    script = str(HERE / "train_case.py")
    return [script, str(store.folder), str(run), str(kill_at), *sets]


class TestResume:
    def test_a_killed_run_goes_on_as_if_nothing_had_happened(
        self, store: Store, whole: Path, tmp_path: Path
    ) -> None:
        run = tmp_path / "run"
        # Steps 6 and 7 are lost with the process; its table has rows of them already.
        killed = subprocess.run(
            [sys.executable, *command(store, run, 7)], cwd=HERE.parents[1], check=False, env=env()
        )
        assert killed.returncode == -9
        assert checkpoint.load(run / "last.pt")["step"] == 6
        train_method(order("unet", run, resume=True), store, Watching())
        assert losses(run) == losses(whole)
        config = json.loads((run / "bundle" / "config.json").read_text(encoding="utf-8"))
        assert config["training"]["resumed"] == 1
        card = (run / "bundle" / "README.md").read_text(encoding="utf-8")
        assert "continued once; what a kill had undone" in card
        assert "continued" not in (whole / "bundle" / "README.md").read_text(encoding="utf-8")
        ours, theirs = (torch.load(r / "best-mean.pt", weights_only=True) for r in (run, whole))
        for name, value in ours["players"]["mean"].items():
            assert torch.equal(value, theirs["players"]["mean"][name]), name

    def test_an_interrupted_run_keeps_the_step_it_was_at(
        self, store: Store, whole: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(Cancelled):
            train_method(order("unet", tmp_path / "r"), store, Watching(break_at=3))
        assert checkpoint.load(tmp_path / "r" / "last.pt")["step"] == 3
        train_method(order("unet", tmp_path / "r", resume=True), store, Watching())
        assert losses(tmp_path / "r") == losses(whole)

    def test_sitting_down_again_is_not_charged_twice(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [0.0]
        clock = SimpleNamespace(perf_counter=lambda: now[0])
        monkeypatch.setattr("PETSynthLib.learn.train.engine.time", clock)

        def slow(method: UNetMethod, stage: Stage) -> None:
            now[0] += 100.0

        monkeypatch.setattr(UNetMethod, "begin", slow)
        charged = []
        for resume, step in ((False, 1), (True, 2)):
            begun = order("unet", tmp_path / "r", resume=resume)
            with pytest.raises(Cancelled):
                train_method(begun, store, Watching(break_at=step))
            charged.append(checkpoint.load(tmp_path / "r" / "last.pt")["seconds"])
        assert charged[0] > 100.0  # a stage's beginning is part of it
        assert charged[1] == charged[0]

    def test_a_preparation_counts_when_the_process_ended_before_the_first_step(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [0.0]
        clock = SimpleNamespace(perf_counter=lambda: now[0])
        for module in ("prepared", "run", "engine"):
            monkeypatch.setattr(f"PETSynthLib.learn.train.{module}.time", clock)
        calls = []

        def slow(method: UNetMethod, tell: object) -> dict[str, object]:
            calls.append(method)
            now[0] += 100.0
            return {}

        def killed(method: UNetMethod, facts: dict[str, object]) -> None:
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(UNetMethod, "prepare", slow)
            patch.setattr(UNetMethod, "use", killed)
            with pytest.raises(MemoryError):
                train_method(order("unet", tmp_path / "r"), store, Watching())
        monkeypatch.setattr(UNetMethod, "prepare", slow)
        monkeypatch.setattr(UNetMethod, "use", lambda method, facts: None)
        begun = order("unet", tmp_path / "r", resume=True)
        with pytest.raises(Cancelled):
            train_method(begun, store, Watching(break_at=1))
        assert len(calls) == 1
        assert checkpoint.load(tmp_path / "r" / "last.pt")["seconds"] == 100.0

    def test_what_the_run_began_with_is_there_again(
        self, store: Store, flow_run: Path, tmp_path: Path
    ) -> None:
        # The residual's weights are in no checkpoint of the mean stage.
        run, first = tmp_path / "r", load_file(flow_run / "bundle" / "model.safetensors")
        begun = order("flow", run, init=str(flow_run / "bundle"))
        with pytest.raises(Cancelled):
            train_method(begun, store, Watching(break_at=1))
        train_method(order("flow", run, resume=True, max_minutes=0.0), store, Watching())
        second = load_file(run / "bundle" / "model.safetensors")
        for name in (n for n in first if n.startswith("residual.")):
            assert torch.equal(first[name], second[name]), name
        assert not torch.equal(first["mean.head.weight"], second["mean.head.weight"])

    def test_a_run_is_not_overwritten(self, store: Store, whole: Path) -> None:
        with pytest.raises(PETSynthError, match="already holds a training") as caught:
            train_method(order("unet", whole), store, Watching())
        assert caught.value.code is ErrorCode.BAD_OUTPUT

    def test_another_store_is_refused(self, whole: Path, tmp_path: Path) -> None:
        other = make_store(tmp_path / "other", n=12, shape=(8, 8, 8))
        with pytest.raises(PETSynthError, match="on other data"):
            train_method(order("unet", whole, resume=True), other, Watching())


def env() -> dict[str, str]:
    import os

    root = HERE.parents[1]
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}


class TestProcesses:
    @pytest.mark.slow
    def test_two_processes_are_one_with_twice_the_batch(self, store: Store, tmp_path: Path) -> None:
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
        two = tmp_path / "two"
        subprocess.run(
            [sys.executable, *launcher, *command(store, two, 0, "train.batch=1", "train.steps=4")],
            cwd=HERE.parents[1],
            check=True,
            env=env(),
            timeout=120,
        )
        one = tmp_path / "one"
        train_method(order("unet", one, "train.batch=2", "train.steps=4"), store, Watching())
        for (*place, value), (*same, other) in zip(losses(two), losses(one), strict=True):
            assert place == same
            assert float(value) == pytest.approx(float(other), rel=2e-4, abs=1e-6), place

    def test_accumulated_batches_are_one_batch(
        self, store: Store, whole: Path, tmp_path: Path
    ) -> None:
        sets = ("train.batch=1", "train.accumulate=2")
        train_method(order("unet", tmp_path / "r", *sets), store, Watching())
        for (*place, value), (*same, other) in zip(
            losses(tmp_path / "r"), losses(whole), strict=True
        ):
            assert place == same
            assert float(value) == pytest.approx(float(other), rel=2e-4, abs=1e-6), place


class TestLimits:
    @pytest.mark.parametrize("method", ["unet", "flow"])
    def test_no_time_at_all_still_gives_a_model_that_generates(
        self, store: Store, tmp_path: Path, method: str
    ) -> None:
        watching = Watching()
        folder = train_method(order(method, tmp_path / "r", max_minutes=0.0), store, watching)
        assert watching.steps == []
        loaded = load_generator(str(folder), "cpu")
        assert loaded.bundle.trained_on == "simulation"
        assert loaded.bundle.config["training"]["steps"] == 0
        pet = loaded.generator.generate(given(store), Effort(), Silent())
        assert pet.mean.shape == (16, 16, 16)
        assert np.isfinite(pet.mean.data).all()

    def test_time_ends_a_stage_and_the_next_one_gets_its_share(
        self, store: Store, tmp_path: Path
    ) -> None:
        watching = Watching()
        folder = train_method(
            order("flow", tmp_path / "r", "train.steps=1000000", max_minutes=0.1), store, watching
        )
        stages = [stage for stage, *_ in watching.steps]
        assert stages[0] == "mean"
        assert stages[-1] == "residual"
        assert load_generator(str(folder), "cpu").bundle.config["training"]["minutes"] < 1

    def test_the_stage_that_runs_out_first_decides(self) -> None:
        assert Budget(100, None).progress(25, 1e9) == 0.25
        assert Budget(100, 60.0).progress(25, 45.0) == 0.75
        assert Budget(100, 0.0).progress(0, 0.0) == 1.0
        parts = budgets([0.8, 0.2], TrainConfig(steps=1000, max_minutes=10.0))
        assert parts == [Budget(800, 480.0), Budget(200, 120.0)]

    def test_the_rate_warms_up_and_falls_along_a_cosine(self) -> None:
        config = TrainConfig(warm_up=4, final_rate=0.1)
        assert learning_rate(config, 2.0, 0, 0.0) == 0.5
        assert learning_rate(config, 2.0, 9, 0.0) == 2.0
        assert learning_rate(config, 2.0, 9, 0.5) == pytest.approx(1.1)
        assert learning_rate(config, 2.0, 9, 1.0) == pytest.approx(0.2)


def given(store: Store) -> GeneratorInput:
    subject = store.split("test")[0]
    material = material_of(store, "auto")
    return GeneratorInput(
        t1=material.volume(store.t1(subject.row)),
        brain=material.volume(store.brain(subject.row)),
        flair=None,
        tracer=tracer("fdg"),
        clinical=subject.clinical,
    )


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class Filling(Watching):
    """The disk is full from a step on: TensorBoard notices first."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int) -> None:
        super().__init__()
        self.patch, self.at = patch, at

    def stepped(self, stage: str, step: int, share: float, loss: float) -> None:
        """Fill the disk when it is time."""
        super().stepped(stage, step, share, loss)
        if step == self.at:
            self.patch.setattr("tensorboardX.record_writer.RecordWriter.flush", no_space)


class Rivals(UNetMethod):
    """Two players; the second one's loss is no number in the fourth step."""

    name = "rivals"

    def __init__(self, config: Any, material: Material, seed: int) -> None:
        super().__init__(config, material, seed)
        (stage,) = self.stages
        self.asked = 0
        second = Player("second", torch.nn.Linear(1, 1), self.second_loss)
        self.stages = (replace(stage, players=(*stage.players, second)),)

    def second_loss(self, batch: Batch) -> Terms:
        """The fourth time no number."""
        self.asked += 1
        return {"loss": self.stages[0].players[1].network.weight.sum() / (4 - self.asked) * 0}


class TestFailures:
    def test_a_loss_that_is_no_number_keeps_the_state_before_it(
        self, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = tmp_path / "run"
        sets = [f"--set={s}" for s in order("unet", run).sets]
        huge = [*sets, "--set=train.learning_rate=1e30", "--set=train.warm_up=0"]
        status = main(
            ["train", "--data", str(store.folder), "--method=unet", "-o", str(run), *huge]
        )
        assert status == 2
        told = capsys.readouterr().err
        assert "became no number at step" in told
        assert "--resume" in told
        kept = checkpoint.load(run / "last.pt")
        assert all(torch.isfinite(v).all() for v in kept["players"]["mean"]["network"].values())

    def test_a_player_whose_rival_has_moved_goes_back_to_the_last_checkpoint(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("PETSynthLib.learn.methods.METHODS", (Rivals,))
        monkeypatch.setitem(SMALL, "rivals", SMALL["unet"])
        run = tmp_path / "r"
        with pytest.raises(PETSynthError, match=r"at step 3 .* the last checkpoint before it is"):
            train_method(order("rivals", run), store, Watching())
        assert checkpoint.load(run / "last.pt")["step"] == 2

    def test_a_full_disk_is_one_sentence_and_the_run_goes_on_later(
        self, store: Store, whole: Path, tmp_path: Path
    ) -> None:
        run = tmp_path / "r"
        with pytest.MonkeyPatch.context() as patch:
            filling = Filling(patch, at=3)
            with pytest.raises(PETSynthError, match="record of the training") as caught:
                train_method(order("unet", run), store, filling)
        assert caught.value.code is ErrorCode.BAD_OUTPUT
        assert "No space left" in caught.value.text
        assert "--resume" in caught.value.hint
        assert checkpoint.load(run / "last.pt")["step"] == 2
        train_method(order("unet", run, resume=True), store, Watching())
        assert losses(run) == losses(whole)

    def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checkpoint.save_last(tmp_path, {"step": 1})
        checkpoint.save_last(tmp_path, {"step": 2})
        monkeypatch.setattr("os.fsync", no_space)
        with pytest.raises(PETSynthError, match=r"last\.pt could not be written \(No space left"):
            checkpoint.save_last(tmp_path, {"step": 3})
        assert checkpoint.load(tmp_path / "last.pt")["step"] == 2
        assert checkpoint.load(tmp_path / "previous.pt")["step"] == 1

    def test_computers_that_nobody_has_started_are_not_waited_for(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(PETSynthError, match="has started this training on 2 computers"):
            train_method(order("unet", tmp_path / "r", "train.nodes=2"), store, Watching())
        assert not (tmp_path / "r").exists()

    def test_a_damaged_checkpoint_is_one_sentence_and_the_one_before_it_serves(
        self, store: Store, whole: Path, tmp_path: Path
    ) -> None:
        import shutil

        run = tmp_path / "run"
        shutil.copytree(whole, run)
        last = run / "last.pt"
        last.write_bytes(last.read_bytes()[:1000])
        with pytest.raises(PETSynthError, match=r"^The checkpoint last\.pt is damaged\. Delete it"):
            train_method(order("unet", run, resume=True), store, Watching())
        last.unlink()
        train_method(order("unet", run, resume=True), store, Watching())
        assert losses(run) == losses(whole)

    def test_a_checkpoint_that_carries_code_is_not_run(self, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return print, ("never",)

        torch.save(Evil(), tmp_path / "last.pt")
        with pytest.raises(PETSynthError, match="damaged"):
            checkpoint.load(tmp_path / "last.pt")

    def test_another_network_than_the_checkpoint_s_is_named(
        self, store: Store, tmp_path: Path
    ) -> None:
        run = tmp_path / "run"
        with pytest.raises(Cancelled):
            train_method(order("unet", run), store, Watching(break_at=2))
        with pytest.raises(PETSynthError, match="does not fit the networks"):
            train_method(order("unet", run, "method.base=16", resume=True), store, Watching())

    def test_starting_from_another_method_is_refused(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(PETSynthError, match="is no unet"):
            train_method(order("unet", tmp_path / "r", init="flow"), store, Watching())


class TestPrecision:
    def test_bfloat16_trains_and_keeps_float32_weights(self, store: Store, tmp_path: Path) -> None:
        run = tmp_path / "r"
        train_method(order("unet", run, "train.precision=bf16", "train.steps=2"), store, Watching())
        state = checkpoint.load(run / "last.pt")["players"]["mean"]["network"]
        assert {v.dtype for v in state.values()} == {torch.float32}
        exact = tmp_path / "exact"
        train_method(order("unet", exact, "train.steps=2"), store, Watching())
        ours, theirs = losses(run), losses(exact)
        assert ours != theirs
        assert float(ours[0][3]) == pytest.approx(float(theirs[0][3]), rel=0.05, abs=0.02)


def test_starting_from_a_bundle_starts_with_its_weights(
    store: Store, whole: Path, tmp_path: Path
) -> None:
    watching = Watching()
    train_method(
        order("unet", tmp_path / "r", init=str(whole / "bundle"), max_minutes=0.0), store, watching
    )
    best = checkpoint.load(whole / "last.pt")["best"]["mean"]
    assert watching.scores[0][2] == pytest.approx(best, rel=0.01)  # float16 on disk


def test_the_average_moves_a_tenth_of_the_way_late_in_the_run() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(0.0)
    average = WeightAverage(network, 0.9)
    with torch.no_grad():
        network.weight.fill_(1.0)
    average.update(step=10**6)
    assert average.values["weight"].item() == pytest.approx(0.1)
    with average.applied():
        assert network.weight.item() == pytest.approx(0.1)
    assert network.weight.item() == 1.0


def test_the_table_and_the_pictures_are_there(whole: Path) -> None:
    names = {row[2] for row in losses(whole)}
    assert {"loss", "image", "spread", "learning_rate", "validation_score"} <= names
    assert sorted(p.name for p in (whole / "previews").iterdir()) == [
        "mean-0000004.png",
        "mean-0000008.png",
    ]
    assert list((whole / "tensorboard").glob("events.*"))


def test_a_model_that_began_on_real_people_says_so_and_remembers_them(
    store: Store, whole: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    shutil.copytree(whole / "bundle", first)
    config = json.loads((first / "config.json").read_text())
    config |= {"trained_on": "real pairs", "licence": "that of the data"}
    config["training"]["fingerprints"] = ["somebody"]
    config["calibration"] = {"fingerprints": ["measured"]}
    (first / "config.json").write_text(json.dumps(config))
    write_checksums(first)
    run = tmp_path / "r"
    train_method(order("unet", run, init=str(first), max_minutes=0.0), store, Watching())
    second = json.loads((run / "bundle" / "config.json").read_text())
    assert second["trained_on"] == "simulation"  # the stricter label decides what may be shown
    assert second["licence"] == "that of the data"
    assert "somebody" in second["training"]["fingerprints"]
    assert len(second["training"]["fingerprints"]) > 1
    assert second["training"]["init"]["name"] == "unet"
    seen = seen_by(second)
    assert {"somebody", "measured"} <= seen.everybody
    assert "measured" not in seen.trained  # may calibrate the second model again
    assert seen.doubt is None
    card = (run / "bundle" / "README.md").read_text()
    assert "simulated brains only" not in card
    assert "It began as unet" in card


def test_a_model_that_began_with_unknown_people_is_a_stranger_to_nobody(
    store: Store, whole: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    shutil.copytree(whole / "bundle", first)
    config = json.loads((first / "config.json").read_text())
    del config["training"]["fingerprints"]
    (first / "config.json").write_text(json.dumps(config))
    write_checksums(first)
    for name, init in (("second", first), ("third", tmp_path / "second" / "bundle")):
        run = tmp_path / name
        train_method(order("unet", run, init=str(init), max_minutes=0.0), store, Watching())
        config = json.loads((run / "bundle" / "config.json").read_text())
        assert seen_by(config).doubt is Doubt.ORIGIN, name
