"""The report: self-contained, and no failing claim is lost."""

from __future__ import annotations

from PETSynthLib.learn.evaluate.report import Report, html, markdown, tally
from PETSynthLib.learn.tidy import Claim, Figure, Section, Table

CLAIMS = (
    Claim("better than chance", True, "p = 0.001"),
    Claim("better than <everything>", False, "p = 0.7"),
    Claim("better than nothing", None, "3 people"),
)
REPORT = Report(
    title="Judged on SIMULATED subjects",
    banner=("SIMULATED SUBJECTS",),
    lead="A beside B.",
    sections=(
        Section(
            "Part",
            ("Words & numbers.",),
            CLAIMS,
            (Table("Errors", ("Who", "MAE"), (("a|b", "0.1"),)),),
            (Figure(b"\x89PNG", "a plot", "A caption."),),
        ),
    ),
)


def test_a_failing_claim_is_printed_at_the_top_and_in_its_place() -> None:
    page = html(REPORT)
    assert page.count("FAILS</span> better than &lt;everything&gt;") == 2
    assert page.count("HOLDS</span> better than chance") == 1
    assert page.count("UNDECIDED</span> better than nothing") == 1
    assert "p = 0.7" in page


def test_claims_are_counted_by_outcome() -> None:
    assert tally(CLAIMS) == "3 claims: 1 hold, 1 FAIL, 1 undecided"


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = html(REPORT)
    for forbidden in ("<script", "http://", "https://", 'src="/', "<link", "@import"):
        assert forbidden not in page
    assert 'src="data:image/png;base64,' in page


def test_words_are_escaped_and_the_title_says_simulated() -> None:
    page = html(REPORT)
    assert "<title>Judged on SIMULATED subjects</title>" in page
    assert "Words &amp; numbers." in page
    assert "<everything>" not in page


def test_the_markdown_holds_claims_and_tables() -> None:
    text = markdown(REPORT)
    assert "- **FAILS** better than <everything> (p = 0.7)" in text
    assert "| Who | MAE |\n|---|---|\n| a/b | 0.1 |" in text
    assert text.startswith("# Judged on SIMULATED subjects")
