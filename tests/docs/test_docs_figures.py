"""Blocks of the pages are filled by name, and filled again alike."""

import re
from pathlib import Path

import pytest
from docs_figures import BLOCK, as_code, fill, pages, table_of

PAGE = "a\n\n<!-- begin picks -->\n<!-- end -->\n\nb\n\n<!-- begin line -->\nold\n<!-- end -->\n"
BLOCKS = {"picks": "    $ gaikan pick", "line": r"    \1 and \g<0>"}


def test_a_block_is_filled_by_its_name_and_all_else_stays() -> None:
    filled = fill(PAGE, BLOCKS)
    assert filled == (
        "a\n\n<!-- begin picks -->\n\n    $ gaikan pick\n\n<!-- end -->\n\nb\n\n"
        "<!-- begin line -->\n\n    \\1 and \\g<0>\n\n<!-- end -->\n"
    )
    assert fill(filled, BLOCKS) == filled


def test_a_block_of_another_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="picks"):
        fill(PAGE, {"line": ""})


def test_every_marker_of_the_pages_has_its_end_and_something_in_it() -> None:
    assert any(BLOCK.search(page.read_text()) for page in pages())
    for page in pages():
        text = page.read_text()
        blocks = [found[0] for found in BLOCK.finditer(text)]
        assert len(blocks) == text.count("<!-- begin") == text.count("<!-- end"), page
        assert all(re.search(r"^(    \$ gaikan|\|)", block, re.MULTILINE) for block in blocks), page


def test_code_keeps_its_lines_and_ends_none_with_a_space() -> None:
    assert as_code(["$ gaikan pick", "", "a  b"]) == "    $ gaikan pick\n\n    a  b"


def test_the_first_rows_of_the_first_table_are_taken(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| a |\n|:--|\n| 1 |\n| 2 |\n\ntext\n\n# next\n\n| b |\n")
    assert table_of(page) == "| a |\n|:--|\n| 1 |\n| 2 |"
    assert table_of(page, 1) == "| a |\n|:--|\n| 1 |"
