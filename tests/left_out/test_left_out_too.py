"""Runs end well whatever is left out of them: the other half of the cases."""

from pathlib import Path

import pytest
from left_out import Case, Walk, in_file, open_all

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def pages() -> list[Path]:
    """Of the runs so far."""
    return []


@pytest.mark.parametrize("case", in_file(1), ids=lambda case: case.name)
def test_a_run_goes_through_every_command(
    case: Case,
    pages: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pages.append(Walk(case, tmp_path, capsys).through_every_command())


def test_their_pages_open_in_a_browser(pages: list[Path], tmp_path: Path) -> None:
    open_all(pages, tmp_path)
