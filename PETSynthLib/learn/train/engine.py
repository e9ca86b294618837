"""The training of any method: read `train` first; every line of it is one function's work."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from lightning_fabric import Fabric

from ...errors import Cancelled, ErrorCode, PETSynthError
from ..methods.interface import Batch, Player, Stage, TrainingMethod
from ..place import Place
from . import checkpoint
from .average import WeightAverage
from .clipping import GradientClip
from .config import TrainConfig
from .log import RunLog
from .schedule import Budget, budgets, learning_rate
from .stream import Stream

STATE_VERSION = 1


class Watcher(Protocol):
    """Who is told how the training goes (the command line's bar, tests)."""

    def preparing(self, words: str, done: int, total: int) -> None:
        """Something is computed before the first step."""

    def stepped(self, stage: str, step: int, share: float, loss: float) -> None:
        """A step is done; ``share`` of the whole budget is used, 0..1."""

    def validated(self, stage: str, step: int, score: float, best: bool) -> None:
        """A validation is done."""


@dataclass(eq=False)
class _Seat:
    """A player with what the engine keeps for it."""

    player: Player
    wrapped: Any
    optimiser: Any
    average: WeightAverage
    clip: GradientClip

    def state(self) -> dict[str, Any]:
        return {
            "network": self.player.network.state_dict(),
            "average": self.average.values,
            "optimiser": self.optimiser.state_dict(),
            "clip": self.clip.state(),
            "memory": {} if self.player.memory is None else self.player.memory.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.player.network.load_state_dict(state["network"])
        for name, value in state["average"].items():
            self.average.values[name].copy_(value)
        self.optimiser.load_state_dict(state["optimiser"])
        self.clip.restore(state["clip"])
        if self.player.memory is not None:
            self.player.memory.restore(state["memory"])


class Training:
    """One run of one method.

    Parameters
    ----------
    method
        Prepared: `TrainingMethod.use` was called.
    config
        Settings of the engine.
    fabric
        Launched.
    run
        Folder of the run; only the first process writes there.
    identity
        What a checkpoint must agree with to be resumed (method, data).
    watcher
        Is told of steps.
    stopping
        When set, the run ends after the present step, and can be resumed.
    spent
        Seconds of the budget that the preparation took.
    """

    def __init__(
        self,
        method: TrainingMethod,
        config: TrainConfig,
        fabric: Fabric,
        run: Path,
        identity: dict[str, Any],
        watcher: Watcher,
        stopping: threading.Event,
        spent: float = 0.0,
    ) -> None:
        self.method, self.config, self.fabric = method, config, fabric
        self.run, self.identity, self.watcher = run, identity, watcher
        self.stream = Stream(
            method,
            config.seed,
            config.batch,
            config.accumulate,
            fabric.global_rank,
            fabric.world_size,
        )
        self.budgets = budgets([s.share for s in method.stages], config)
        self.stage_index, self.step = 0, 0
        # Seconds of the present stage, of this and of earlier processes.
        self.before, self.started = spent, time.perf_counter()
        self.best: dict[str, float] = {}
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.seats: list[_Seat] = []
        self.log: RunLog | None = None
        self.steps_done, self.minutes_done = 0, 0.0
        self.resumed = 0
        # Where the stage's best score was found, and how many validations have passed since.
        self.best_place, self.waited = Place(0, 0.0, 0.0), 0
        self.stopping = stopping

    @property
    def stage(self) -> Stage:
        """The present stage."""
        return self.method.stages[self.stage_index]

    @property
    def seconds(self) -> float:
        """Seconds that the present stage has taken."""
        return self.before + time.perf_counter() - self.started

    def train(self, state: dict[str, Any] | None) -> None:
        """Run every stage to its end, from ``state`` of a checkpoint when there is one."""
        if state is not None:
            self.stage_index, self.step = state["stage"], state["step"]
            self.before, self.best = state["seconds"], dict(state["best"])
            self.sums, self.counted = dict(state["sums"]), state["counted"]
            self.steps_done, self.minutes_done = state["steps_done"], state["minutes_done"]
            self.resumed = state.get("resumed", 0) + 1
            self.best_place, self.waited = (
                Place(*state.get("best_place", (0, 0.0, 0.0))),
                state.get("waited", 0),
            )
        names = [s.name for s in self.method.stages]
        if self.fabric.is_global_zero:
            self.log = RunLog(self.run, names, self.stage_index, self.step)
        try:
            while self.stage_index < len(self.method.stages):
                for finished in self.method.stages[: self.stage_index]:
                    self.load_best(finished)
                self.sit_down()
                self.method.begin(self.stage)
                if state is not None:
                    for seat in self.seats:
                        seat.restore(state["players"][seat.player.name])
                    state = None
                    # What it took to sit down again was charged before.
                    self.started = time.perf_counter()
                self.run_stage(self.budgets[self.stage_index])
                self.load_best(self.stage)
                self.steps_done += self.step
                self.minutes_done += self.seconds / 60
                self.stage_index, self.step = self.stage_index + 1, 0
                self.before, self.started = 0.0, time.perf_counter()
                self.best_place, self.waited = Place(0, 0.0, 0.0), 0
        finally:
            if self.log is not None:
                self.log.close()

    def sit_down(self) -> None:
        """Set up the players of the stage."""
        self.seats = []
        for player in self.stage.players:
            optimiser = torch.optim.AdamW(
                player.parameters(),
                self.config.learning_rate * player.learning_rate,
                betas=player.betas,
                weight_decay=self.config.weight_decay,
                fused=self.fabric.device.type in ("cpu", "cuda"),
            )
            wrapped, prepared = self.fabric.setup(player, optimiser)
            average = WeightAverage(player.network, self.config.average)
            clip = GradientClip(self.config.clip, self.config.spike)
            self.seats.append(_Seat(player, wrapped, prepared, average, clip))

    def run_stage(self, budget: Budget) -> None:
        """Steps until the budget is used up, then a last validation and checkpoint."""
        while True:
            progress, stopping = self.agreed(budget.progress(self.step, self.seconds))
            place = self.place(progress)
            self.method.stand_at(self.stage, place)
            if stopping:
                self.save()
                raise Cancelled
            if progress >= 1.0:
                break
            loss = self.one_step(progress)
            self.step += 1
            share = sum(s.share for s in self.method.stages[: self.stage_index])
            self.watcher.stepped(
                self.stage.name, self.step, share + self.stage.share * min(progress, 1.0), loss
            )
            if self.step % self.config.log_every == 0:
                self.write_sums()
            if self.step % self.config.validate_every == 0:
                self.validate(self.place(progress))
            if self.step % self.config.checkpoint_every == 0:
                self.save()
        if self.step % self.config.validate_every or not self.step:
            self.validate(self.place(1.0))
        self.save()

    def place(self, progress: float) -> Place:
        """Where the stage stands after its steps so far."""
        whole = self.config.batch * self.config.accumulate * self.fabric.world_size
        epoch = self.step * whole / len(self.stage.subjects)
        return Place(self.step, epoch, min(progress, 1.0))

    def tired(self) -> bool:
        """Whether the stage shall end because nothing has become better."""
        patience = self.config.patience
        return patience is not None and self.waited >= patience

    def agreed(self, progress: float) -> tuple[float, bool]:
        """The first process's progress, and whether it was told to stop.

        Clocks and signals differ between processes, and all must stop at the same step.
        """
        told = (1.0 if self.tired() else progress, self.stopping.is_set())
        if self.fabric.world_size == 1:
            return told
        agreed: tuple[float, bool] = self.fabric.broadcast(told)
        return agreed

    def one_step(self, progress: float) -> float:
        """One update of every player; returns the first one's loss."""
        # Chance inside the networks (dropout) must not depend on how often the run was stopped.
        torch.manual_seed(hash((self.config.seed, self.stage_index, self.step)) % 2**31)
        parts: list[Batch] = [
            {k: v.to(self.fabric.device) for k, v in self.draw(part).items()}
            for part in range(self.config.accumulate)
        ]
        first, sums = math.nan, dict(self.sums)
        for turn, seat in enumerate(self.seats):
            peak = self.config.learning_rate * seat.player.learning_rate
            for group in seat.optimiser.param_groups:
                group["lr"] = learning_rate(self.config, peak, self.step, progress)
            seat.optimiser.zero_grad()
            for number, batch in enumerate(parts):
                more = number + 1 < len(parts)
                with self.fabric.no_backward_sync(seat.wrapped, enabled=more):
                    terms = seat.wrapped(batch)
                    self.fabric.backward(terms["loss"] / len(parts))
                for name, value in terms.items():
                    key = name if len(self.seats) == 1 else f"{seat.player.name}_{name}"
                    share = float(value.detach()) / len(parts)
                    self.sums[key] = self.sums.get(key, 0.0) + share
            # The gradient is shared by all processes, so all of them stop here or none.
            if not seat.clip.clip(seat.player.parameters()):
                self.sums = sums
                self.stop_at_nothing(seat.player, untouched=turn == 0)
            seat.optimiser.step()
            seat.average.update(self.step)
            first = float(terms["loss"].detach()) if math.isnan(first) else first
        self.counted += 1
        return first

    def draw(self, part: int) -> Batch:
        """The next batch."""
        return self.stream.draw(self.stage_index, self.stage, self.step, part)

    def stop_at_nothing(self, player: Player, *, untouched: bool) -> None:
        """The loss is no number: keep the state before this step and say so.

        Parameters
        ----------
        player
            Whose loss it is.
        untouched
            Whether no player has taken this step yet; else only the last checkpoint is whole.
        """
        if untouched:
            self.save()
        kept = "the state before it" if untouched else "the last checkpoint before it"
        whose = f"{self.method.name}'s {player.name}" if len(self.seats) > 1 else self.method.name
        raise PETSynthError(
            ErrorCode.TRAINING,
            f"The loss of {whose} became no number at step {self.step} of the stage "
            f"{self.stage.name}; {kept} is kept.",
            "Continue with --resume and a lower rate, e.g. --set train.learning_rate=0.0005.",
        )

    def write_sums(self) -> None:
        """Log the means since the last line, over all processes."""
        names = sorted(self.sums)
        values = torch.tensor(
            [self.sums[n] / self.counted for n in names], device=self.fabric.device
        )
        if self.fabric.world_size > 1:
            values = cast(torch.Tensor, self.fabric.all_reduce(values, reduce_op="mean"))
        self.sums, self.counted = {}, 0
        if self.log is not None:
            row = dict(zip(names, values.tolist(), strict=True))
            rate = self.seats[0].optimiser.param_groups[0]["lr"]
            self.write({**row, "learning_rate": rate})

    def write(self, values: dict[str, float]) -> None:
        """Put numbers into the log."""
        assert self.log is not None
        self.log.numbers(self.stage.name, self.step, self.seconds / 60, values)

    def validate(self, place: Place) -> None:
        """Score the averaged networks on validation subjects; keep the best ones.

        A validation counts against the patience only when the method agrees
        (`TrainingMethod.may_stop`).
        """
        if self.fabric.is_global_zero:
            subjects = self.method.material.validation[: self.config.validation_subjects]
            with contextlib.ExitStack() as averaged, torch.no_grad(), self.fabric.autocast():
                for seat in self.seats:
                    averaged.enter_context(seat.average.applied())
                    seat.player.eval()
                rows = [self.method.score(self.stage, s) for s in subjects]
                picture = self.method.preview(subjects[0])
            for seat in self.seats:
                seat.player.train()
            scores = {n: sum(r[n] for r in rows) / len(rows) for n in rows[0]}
            best = scores["score"] < self.best.get(self.stage.name, math.inf)
            if best or self.stage.name not in self.best:
                self.best[self.stage.name] = scores["score"]
                self.save_best()
                self.best_place, self.waited = place, 0
            elif self.method.may_stop(self.stage, self.best_place, place):
                self.waited += 1
            self.write({f"validation_{n}": v for n, v in scores.items()})
            assert self.log is not None
            self.log.picture(self.stage.name, self.step, picture)
            self.watcher.validated(self.stage.name, self.step, scores["score"], best)
        self.fabric.barrier()

    def save_best(self) -> None:
        """Keep the averaged networks of the stage."""
        state = {seat.player.name: seat.average.values for seat in self.seats}
        checkpoint.save(self.run / best_name(self.stage), {**self.identity, "players": state})

    def load_best(self, stage: Stage) -> None:
        """Put the best averaged networks of a finished stage into its players."""
        self.fabric.barrier()
        kept = checkpoint.load(self.run / best_name(stage))["players"]
        for player in stage.players:
            player.network.load_state_dict(kept[player.name])
            player.eval()

    def account(self) -> dict[str, Any]:
        """Steps, time and best scores so far: of the present stage, and of those before it.

        The time is that of the state: what was lost between a checkpoint and a kill is not in it.
        """
        return {
            "step": self.step,
            "steps_done": self.steps_done,
            "seconds": self.seconds,
            "minutes_done": self.minutes_done,
            "resumed": self.resumed,
            "best": self.best,
        }

    def save(self) -> None:
        """Write the checkpoint to resume from."""
        if self.fabric.is_global_zero:
            state = {
                "version": STATE_VERSION,
                **self.identity,
                **self.account(),
                "stage": self.stage_index,
                "sums": self.sums,
                "counted": self.counted,
                "best_place": dataclasses.astuple(self.best_place),
                "waited": self.waited,
                "players": {seat.player.name: seat.state() for seat in self.seats},
            }
            checkpoint.save_last(self.run, state)
        self.fabric.barrier()


def best_name(stage: Stage) -> str:
    """File with the best averaged networks of a stage."""
    return f"best-{stage.name}.pt"
