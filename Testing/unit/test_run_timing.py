"""The forecast of the time left, on a clock that the test winds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from PETSynthLib.progress import STAGES
from PETSynthLib.request import Preset, QuantifyRequest, Regions, SynthesisRequest
from PETSynthLib.run.timing import (
    DEFAULT_SECONDS,
    StageClock,
    expected_seconds,
    quantify_timing_key,
    remember_seconds,
    timing_key,
)

EXPECTED = dict.fromkeys((key for key, _ in STAGES), 10.0)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def a_clock():
    clock = Clock()
    return clock, StageClock(EXPECTED, clock)


def test_every_stage_has_an_expected_duration():
    assert set(DEFAULT_SECONDS) == {key for key, _ in STAGES}


def test_before_the_start_all_stages_are_left():
    _, stages = a_clock()
    assert stages.eta(0.0) == 70.0


def test_the_rest_of_a_stage_is_its_expectation_minus_what_it_took():
    clock, stages = a_clock()
    stages.begin("read")
    clock.now += 4.0
    assert stages.eta(0.0) == pytest.approx(6.0 + 60.0)


def test_a_slower_computer_makes_the_stages_to_come_longer():
    clock, stages = a_clock()
    stages.begin("read")
    clock.now += 20.0  # twice the expected 10 s
    stages.begin("preprocess")
    assert stages.eta(0.0) == pytest.approx(2 * 60.0)


def test_half_of_the_steps_done_counts_half_the_measurement():
    clock, stages = a_clock()
    stages.begin("export")
    clock.now += 8.0
    # Expected 2 s more; measured 8 s for the first half, so 8 s more; half of each.
    assert stages.eta(0.5) == pytest.approx(5.0)


def test_a_finished_last_stage_leaves_nothing():
    clock, stages = a_clock()
    stages.begin("export")
    clock.now += 25.0
    assert stages.eta(1.0) == 0.0


def test_an_overdue_stage_never_gives_a_negative_time():
    clock, stages = a_clock()
    stages.begin("export")
    clock.now += 99.0
    assert stages.eta(0.0) == 0.0


def test_the_stages_are_measured():
    clock, stages = a_clock()
    stages.begin("read")
    clock.now += 1.5
    stages.begin("export")
    clock.now += 2.5
    stages.finish()
    assert stages.seconds == {"read": 1.5, "export": 2.5}
    assert stages.total == 4.0


def test_measured_seconds_replace_the_defaults_of_the_same_kind_of_run(tmp_path):
    file = tmp_path / "new" / "timings.json"
    remember_seconds(file, "flow|fast", {"read": 1.234, "generate": 60.0})
    expected = expected_seconds(file, "flow|fast")
    assert (expected["read"], expected["generate"]) == (1.23, 60.0)
    assert expected["export"] == DEFAULT_SECONDS["export"]
    assert expected_seconds(file, "atlas|fast") == DEFAULT_SECONDS


@pytest.mark.parametrize(
    "content", ["", "[]", '{"k": 1}', '{"k": {"read": "x"}}', '{"k": {"read": NaN}}']
)
def test_a_damaged_record_falls_back_to_the_defaults(tmp_path, content):
    file = tmp_path / "timings.json"
    file.write_text(content, encoding="utf-8")
    assert expected_seconds(file, "k") == DEFAULT_SECONDS


def test_the_kind_of_a_run_names_no_folder_of_the_user():
    request = SynthesisRequest(
        "t1", "out", model="/home/Jane Doe/my-model", preset=Preset.FAST, samples=3
    )
    assert timing_key(request) == "my-model|fast|auto|3|deformable"


def test_measurements_with_and_without_bending_are_timed_apart():
    request = QuantifyRequest("p.nii", "t.nii", "out")
    affine = replace(request, regions=Regions.AFFINE)
    assert quantify_timing_key(affine) != quantify_timing_key(request)
