"""The report in a real browser, on a desk and on a telephone: nothing missing, nothing too wide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium_case import Tab, browser, tab
from report_case import ACQUIRED, content, line, png

from PETSynthLib.export.report import write_report
from PETSynthLib.export.report_content import Picture

pytestmark = pytest.mark.skipif(
    browser() is None, reason="no Chromium on this machine: the report is not seen in a browser"
)
WIDTHS = (1280, 390)
LONG = "Mean over the region's voxels in the scan's own space. " * 3
WIDE_PICTURE = Picture(png(2266, 300), "surface", "Caption.")
REPORTS = {
    "synthetic": content(
        region_notes=(LONG,),
        regions=tuple(line(side=side) for side in ("both", "L", "R")),
        slices=Picture(png(1564, 900), "slices", LONG, png(700, 900)),
        surface={"ssp": WIDE_PICTURE},
        provenance=(("SHA-256 of a file with a long name.nii.gz", 64 * "a"),),
    ),
    "acquired": content(
        ACQUIRED,
        headline=(line(z=2.6, percentile=0.4, normal=(1.2, 1.8), flagged=True, expected=1.6),),
        surface={"ssp": WIDE_PICTURE, "ssp-decrease": WIDE_PICTURE},
        scales=(("Centiloid", "34 CL-like (uncalibrated). " + LONG),),
        flags="1 region is flagged.",
    ),
}


@pytest.fixture(scope="module")
def window(tmp_path_factory) -> Iterator[Tab]:
    """One browser for all tests of this file."""
    with tab(tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.fixture(params=REPORTS)
def page(request, tmp_path) -> Path:
    """A report on disk."""
    path = tmp_path / "report.html"
    write_report(path, REPORTS[request.param])
    return path


@pytest.mark.parametrize("width", WIDTHS)
def test_no_complaint_no_missing_picture_no_sideways_scrolling(window, page, width):
    window.complaints.clear()
    window.requested.clear()
    window.open(page, width)
    assert window.evaluate("innerWidth") == width
    # What is closed at first must fit as well.
    window.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    sizes = window.evaluate(
        "[...document.images].map(i => [i.complete && i.naturalWidth, i.clientWidth])"
    )
    assert len(sizes) >= 3
    assert all(natural > 0 and shown > 0 for natural, shown in sizes)
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert window.requested == []
    assert window.complaints == []


def test_a_telephone_gets_the_narrow_picture(window, tmp_path):
    write_report(tmp_path / "report.html", REPORTS["synthetic"])
    found = []
    for width in WIDTHS:
        window.open(tmp_path / "report.html", width)
        found.append(window.evaluate("document.images[0].naturalWidth"))
    assert found == [1564, 700]


def test_tables_and_wide_pictures_scroll_in_their_own_box(window, tmp_path):
    write_report(tmp_path / "report.html", REPORTS["synthetic"])
    window.open(tmp_path / "report.html", 390)
    for box in (".wide", ".scrolls"):
        inside = f"document.querySelector('{box}')"
        assert window.evaluate(f"{inside}.scrollWidth > {inside}.clientWidth")


def test_the_button_copies_the_text_without_a_network(window, page):
    window.open(page, 1280)
    window.call(
        "Network.emulateNetworkConditions",
        offline=True,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )
    copied = window.evaluate(
        """(async () => {
        let taken = null;
        document.addEventListener('copy', () => taken = String(getSelection()));
        Object.defineProperty(navigator, 'clipboard', {value: {
          writeText: async words => { taken = words; } }, configurable: true});
        const button = document.getElementById('copy-button');
        const shown = !button.hidden;
        button.click();
        await new Promise(done => setTimeout(done, 50));
        return [shown, taken, button.textContent];
        })()"""
    )
    assert copied == [True, "Facts only.\nThalamus: 1.50", "Copied"]


def test_without_a_clipboard_the_text_is_at_least_selected(window, page):
    window.open(page, 1280)
    found = window.evaluate(
        """(async () => {
        Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true});
        document.execCommand = () => false;
        document.getElementById('copy-button').click();
        await new Promise(done => setTimeout(done, 50));
        return [String(getSelection()), document.getElementById('copy-button').textContent];
        })()"""
    )
    assert found == ["Facts only.\nThalamus: 1.50", "Selected: press Ctrl+C"]


def test_a_script_that_slipped_in_would_not_run(window, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, REPORTS["synthetic"])
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<main>", "<script>var slipped = 1</script><main>"), "utf-8")
    window.open(path, 1280)
    assert window.evaluate("typeof slipped") == "undefined"
