"""Alignment: the gates, the order of the methods, and the child process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from preprocess_heads import displacement_mm, made_head, template_to_native

from PETSynthLib.checks import Verdict
from PETSynthLib.errors import Cancelled, ErrorCode, PETSynthError
from PETSynthLib.preprocess import align as align_module
from PETSynthLib.preprocess import greedy as greedy_module
from PETSynthLib.preprocess.align import (
    Gates,
    align,
    dice,
    gates_of,
    normalised_mutual_information,
)
from PETSynthLib.preprocess.greedy import GreedyFailed, child_environment, greedy_affine
from PETSynthLib.preprocess.steps import Steps
from PETSynthLib.progress import Silent
from PETSynthLib.volume import Volume

TRUE = template_to_native()


@pytest.fixture(scope="module")
def head():
    t1, mask = made_head(TRUE)
    return t1.volume, mask.volume


GOOD = {"determinant": 0.7, "stretch": 1.1, "dice": 0.96, "nmi": 1.05}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"determinant": -0.7}, "mirrored"),
        ({"determinant": 0.3}, "size"),
        ({"determinant": 1.3}, "size"),
        ({"determinant": 18.0}, "size"),
        ({"stretch": 1.6}, "stretched"),
        ({"dice": 0.7}, "overlaps"),
        ({"nmi": 1.005}, "look like"),
    ],
)
def test_each_gate_closes_alone(change, word):
    assert Gates(**GOOD).failures == []
    failures = Gates(**{**GOOD, **change}).failures
    assert len(failures) == 1
    assert word in failures[0]


def test_the_true_alignment_passes_and_wrong_ones_do_not(head):
    t1, brain = head
    assert gates_of(TRUE, t1, brain).failures == []
    # 0.9 cubed: this head's brain has 73 % of the template's volume.
    assert gates_of(TRUE, t1, brain).determinant == pytest.approx(0.729)
    back_to_front = TRUE @ np.diag([-1.0, -1.0, 1.0, 1.0])
    assert gates_of(back_to_front, t1, brain).failures
    mirrored = TRUE @ np.diag([-1.0, 1.0, 1.0, 1.0])
    assert "mirrored" in gates_of(mirrored, t1, brain).failures[0]
    assert gates_of(np.diag([0.0, 0.0, 0.0, 1.0]), t1, brain).failures


def test_dice_of_two_halves_that_share_a_quarter():
    first, second = np.zeros(8, bool), np.zeros(8, bool)
    first[:4], second[2:6] = True, True
    assert dice(first, second) == 0.5
    assert dice(~(first | ~first), ~(first | ~first)) == 0.0


def test_mutual_information_of_the_same_and_of_unrelated_images():
    rng = np.random.default_rng(2)
    image = rng.random((30, 30, 30)).astype(np.float32)
    other = rng.random((30, 30, 30)).astype(np.float32)
    inside = np.ones(image.shape, bool)
    assert normalised_mutual_information(image, 5.0 - image, inside) == pytest.approx(2.0, abs=1e-6)
    assert normalised_mutual_information(image, other, inside) < 1.02


def test_greedys_answer_is_used_when_it_passes(head, monkeypatch):
    answers = [TRUE, np.eye(4)]
    monkeypatch.setattr(align_module, "greedy_affine", lambda *_: answers.pop(0))
    steps = Steps()
    transform, findings = align(*head, Silent(), steps)
    assert np.allclose(transform.inverse, TRUE)
    assert [f.verdict for f in findings] == [Verdict.GREEN]
    assert steps.records[0]["outcome"]["gates"]["dice"] > 0.95


@pytest.fixture(scope="module")
def searched_once():
    """SimpleITK's search, run for the first that asks: it gets the same images from everybody."""
    search = align_module._itk_multi_start
    found = {}

    def once(template, moving, *rest):
        key = moving.data.tobytes()
        if key not in found:
            found[key] = search(template, moving, *rest)
        return found[key]

    return once


@pytest.mark.parametrize("how", ["missing", "wrong"])
def test_simpleitk_takes_over_when_greedy_is_missing_or_wrong(
    head, monkeypatch, searched_once, how
):
    monkeypatch.setattr(align_module, "_itk_multi_start", searched_once)

    def greedy(*_):
        if how == "missing":
            raise GreedyFailed("picsl-greedy is not installed")
        return np.diag([2.6, 2.6, 2.6, 1.0])

    monkeypatch.setattr(align_module, "greedy_affine", greedy)
    monkeypatch.setattr(align_module, "PITCHES_DEG", (0.0,))
    steps = Steps()
    transform, findings = align(*head, Silent(), steps)
    assert displacement_mm(transform.inverse, TRUE) < 1.0
    assert findings[0].name == "alignment_method"
    assert [s["name"] for s in steps.records] == ["alignment", "alignment, second method"]


def test_what_cannot_be_aligned_is_refused_in_words(head, monkeypatch):
    t1, brain = head
    rng = np.random.default_rng(0)
    noise = t1.with_data(rng.random(t1.shape))
    block = np.zeros(t1.shape)
    block[20:90, 50:70, 20:90] = 1
    monkeypatch.setattr(align_module, "PITCHES_DEG", (0.0,))
    monkeypatch.setattr(align_module, "greedy_affine", lambda *_: np.eye(4))
    with pytest.raises(PETSynthError) as caught:
        align(noise, brain.with_data(block), Silent(), Steps())
    assert caught.value.code is ErrorCode.ALIGNMENT
    assert "could not be aligned" in caught.value.text


SMALL = Volume(np.zeros((8, 8, 8)), np.eye(4))


def child_that(monkeypatch, program):
    """Let the child be ``python -c program``."""
    popen = subprocess.Popen

    def start(command, **kwargs):
        return popen([sys.executable, "-c", program], **kwargs)

    monkeypatch.setattr(greedy_module.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(greedy_module.subprocess, "Popen", start)


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "print('garbage')",
        "import sys; sys.stdin.read(); sys.exit(3)",
        "print('{\"matrix\": [[1, 2], [3, 4]]}')",
        "print('{\"matrix\": null}')",
    ],
)
def test_a_child_that_dies_or_babbles_is_a_failure_not_a_crash(monkeypatch, program):
    child_that(monkeypatch, program)
    with pytest.raises(GreedyFailed):
        greedy_affine(SMALL, SMALL, "", Silent())


def test_a_child_that_hangs_is_killed(monkeypatch):
    child_that(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(greedy_module, "TIME_LIMIT_S", 0.5)
    with pytest.raises(GreedyFailed, match="took more than"):
        greedy_affine(SMALL, SMALL, "", Silent())


class CancelsSoon(Silent):
    """Cancels half a second after the child was registered."""

    def __init__(self):
        super().__init__()
        self.cancelled = False

    def on_cancel(self, action):
        def cancel():
            self.cancelled = True
            action()

        timer = threading.Timer(0.5, cancel)
        timer.start()
        return timer.cancel

    def check(self):
        if self.cancelled:
            raise Cancelled


def test_cancelling_kills_the_child_at_once(monkeypatch):
    child_that(monkeypatch, "import time; time.sleep(60)")
    begun = time.perf_counter()
    with pytest.raises(Cancelled):
        greedy_affine(SMALL, SMALL, "", CancelsSoon())
    assert time.perf_counter() - begun < 5.0


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setattr(greedy_module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(GreedyFailed, match="not installed"):
        greedy_affine(SMALL, SMALL, "", Silent())


def test_the_child_finds_this_very_package_from_anywhere(tmp_path):
    folder = tmp_path / "Ordner mit Umläuten"
    folder.mkdir()
    program = "import PETSynthLib.preprocess.greedy_process as g; print(g.__file__)"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=child_environment(),
        capture_output=True,
        check=True,
    )
    found = Path(answer.stdout.decode().strip())
    assert found.parent.samefile(Path(greedy_module.__file__).parent)


@pytest.mark.slow
def test_greedy_finds_a_turned_head_twice_the_same(head):
    pytest.importorskip("picsl_greedy")
    first, findings = align(*head, Silent(), Steps())
    assert [f.verdict for f in findings] == [Verdict.GREEN]
    assert displacement_mm(first.inverse, TRUE) < 0.5
    again, _ = align(*head, Silent(), Steps())
    assert (first.matrix == again.matrix).all()
