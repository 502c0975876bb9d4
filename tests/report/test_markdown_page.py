"""Names in Markdown."""

import pytest

from gaikan.language.words import plain
from gaikan.report.blocks import Bullets, Code, Table
from gaikan.report.markdown_page import markdown


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("<b>", "\\<b>"),
        ("a < b <= 3", "a < b <= 3"),
        ("[x](javascript:y)", "\\[x](javascript:y)"),
        ("\\<i>", "\\\\\\<i>"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_name_makes_no_markup_in_markdown(name: str, written: str) -> None:
    assert markdown([Bullets([plain(name)])]) == f"- {written}\n"


def test_a_name_cannot_break_a_table_or_leave_a_code_block() -> None:
    lines = markdown([Table([plain("a")], [["x | y"]])]).splitlines()
    assert lines[2] == "| x \\| y |"
    assert markdown([Code("name = '```'")]).startswith("````toml\n")
