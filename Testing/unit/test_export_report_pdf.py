"""The report on paper: every block of the page, and its marks on every sheet."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from report_case import ACQUIRED, content, png

from PETSynthLib.colour_maps import BANNER_BACK
from PETSynthLib.export import marks
from PETSynthLib.export.formats.report_blocks import (
    Blocks,
    Heading,
    Paragraph,
    Picture,
    Table,
    blocks_of,
)
from PETSynthLib.export.formats.report_pdf import HEIGHT, WIDTH, report_pdf
from PETSynthLib.export.report import report_html

LONG = Table("many", ["Region", "SUVR"], [[f"region {n}", f"{n / 100:.2f}"] for n in range(150)])


def pages_of(pdf: bytes) -> list[np.ndarray]:
    """The sheets: our PDF holds one JPEG a sheet."""
    pictures = re.findall(rb"/Filter\s*/DCTDecode.*?stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return [np.asarray(Image.open(BytesIO(found))) for found in pictures]


class TestBlocks:
    def test_the_page_is_read_in_its_order(self) -> None:
        found = blocks_of(report_html(content()))
        assert found.banner == [marks.DEMONSTRATION]
        assert found.ribbon == "stays in view"
        headings = [block.text for block in found.body if isinstance(block, Heading)]
        assert headings[:3] == ["FDG PET", "Checks of input and output", "Regions"]
        assert "All regions" in headings

    def test_tables_keep_head_cells_and_caption(self) -> None:
        found = blocks_of(report_html(content()))
        tables = [block for block in found.body if isinstance(block, Table)]
        regions = next(one for one in tables if one.head[:1] == ["Region"])
        assert regions.head[:4] == ["Region", "Side", "mL", "SUVR"]
        assert regions.rows[0][:4] == ["Thalamus", "both", "12.3", "1.50"]
        facts = next(one for one in tables if one.rows[0] == ["Model", "tiny"])
        assert facts.head == []

    def test_pictures_come_byte_for_byte_and_scripts_do_not_come(self) -> None:
        found = blocks_of(report_html(content()))
        pictures = [block.png for block in found.body if isinstance(block, Picture)]
        assert pictures[0] == png()
        assert len(pictures) == 3
        words = " ".join(b.text for b in found.body if isinstance(b, Paragraph | Heading))
        assert "Facts only.\nThalamus: 1.50" in words
        assert "Do not use for: children." in words
        for unseen in ("function", "addEventListener", "font:", "Copy this text"):
            assert unseen not in words


class TestPaper:
    def test_marks_are_on_every_sheet(self) -> None:
        pages = pages_of(report_pdf(Blocks([marks.COMPUTED], marks.CORNER, [LONG]), "x"))
        assert len(pages) > 2
        for page in pages:
            assert page.shape == (HEIGHT, WIDTH, 3)
            assert np.abs(page[4, WIDTH - 5].astype(int) - BANNER_BACK).max() < 12
            # Letters of the banner, and of the ribbon at the foot.
            assert (page[:40, 20:900, 0] > 200).sum() > 200
            assert (page[-60:-20, 60:700].sum(axis=2) < 500).sum() > 200

    def test_the_documents_properties_say_it_too(self) -> None:
        pdf = report_pdf(blocks_of(report_html(content())), "SYNTHETIC")
        assert marks.DEMONSTRATION.encode("utf-16-be") in pdf or b"DEMONSTRATION" in pdf
        assert pdf.startswith(b"%PDF")

    def test_equal_reports_are_equal_files(self) -> None:
        blocks = blocks_of(report_html(content()))
        assert report_pdf(blocks, "x") == report_pdf(blocks, "x")

    def test_a_report_without_a_banner_is_not_printed(self) -> None:
        with pytest.raises(ValueError, match="banner"):
            report_pdf(Blocks([], "ribbon", [Paragraph("words")]), "x")

    def test_an_acquired_pets_report_has_its_own_banner(self) -> None:
        page = report_html(content(ACQUIRED))
        assert blocks_of(page).banner == ["ACQUIRED"]

    @pytest.mark.parametrize("size", [(3000, 20), (20, 3000), (1, 1)])
    def test_a_picture_of_any_shape_fits_a_sheet(self, size: tuple[int, int]) -> None:
        stream = BytesIO()
        Image.new("RGB", size, (200, 0, 0)).save(stream, "PNG")
        blocks = Blocks(["banner"], "", [Heading(2, "above"), Picture(stream.getvalue())])
        assert len(pages_of(report_pdf(blocks, "x"))) == 1

    def test_words_without_blanks_and_ragged_rows_are_no_trouble(self) -> None:
        table = Table("", ["a", "b"], [["x" * 400, "y", "z"], ["only one"], []])
        pages = pages_of(report_pdf(Blocks(["banner"], "", [table, Paragraph("w" * 500)]), "x"))
        ink = (pages[0][200:-80].sum(axis=2) < 300).any(axis=0)
        assert not ink[-60:].any()
