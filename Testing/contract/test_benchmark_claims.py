"""What the drivers of claims share: what holds, fails or could not be asked is printed as such."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("yaml")

import benchmark_case  # noqa: F401  (finds the benchmark's scripts)

claims = pytest.importorskip("claims")


def people(value: float, count: int = 8) -> dict[str, float]:
    return {f"sub-{k}": value + 0.001 * k for k in range(count)}


def test_a_difference_on_the_claimed_side_holds_and_any_other_does_not() -> None:
    held = {
        other: claims.compared("words", people(0.10), people(value), more=False).held
        for other, value in (("worse", 0.15), ("better", 0.05), ("same", 0.10))
    }
    assert held == {"worse": True, "better": False, "same": False}
    more = claims.compared("more", people(0.15), people(0.10), more=True)
    assert more.line() == "holds         more: +0.0500 (+0.0500 to +0.0500), n = 8"


def test_two_scans_of_one_brain_count_once_and_strangers_not_at_all() -> None:
    anatomy = {f"sub-{k}": f"brain-{k // 2}" for k in range(8)}
    other = {**people(0.1), "sub-99": 5.0}
    assert claims.compared("w", people(0.2), other, more=True, anatomy=anatomy).numbers.endswith(
        "n = 4"
    )
    assert claims.compared("w", people(0.2, 1), other, more=True).held is None


def test_the_page_counts_and_says_what_it_is(tmp_path: Path) -> None:
    asked = [claims.Claim(f"c{n}", held, "1") for n, held in enumerate((True, False, False, None))]
    claims.write_claims(tmp_path, "PASTA", "8 minutes", asked, ["A note."], arms=["a"])
    text = (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert "SIMULATED people, 8 minutes: budget-limited." in text
    assert "1 hold, 2 do not, 1 could not be asked." in text
    assert "| DOES NOT HOLD | c1 | 1 |" in text
    body = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert (len(body["claims"]), body["arms"], body["notes"]) == (4, ["a"], ["A note."])


def test_an_arm_that_is_there_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr(claims, "petsynth", lambda *words: seen.append(words))
    run = tmp_path / "run"
    claims.train_arm(run, tmp_path / "s", "unet", 8, "--set", "train.seed=1")
    assert seen[0][-3:] == (8, "--set", "train.seed=1")
    run.mkdir()
    (run / "config.yaml").write_text("")
    claims.train_arm(run, tmp_path / "s", "unet", 8)
    assert seen[1][-1] == "--resume"
    (run / "bundle").mkdir()
    assert claims.train_arm(run, tmp_path / "s", "unet", 8) == run / "bundle"
    assert len(seen) == 2
