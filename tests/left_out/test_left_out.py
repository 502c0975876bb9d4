"""Runs end well whatever is left out of them."""

from pathlib import Path

import pytest
from left_out import Case, Walk, covering, open_all, possible_cases

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def pages() -> list[Path]:
    """Of the runs so far."""
    return []


@pytest.mark.parametrize("case", covering(), ids=lambda case: case.name)
def test_a_run_goes_through_every_command(
    case: Case,
    pages: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pages.append(Walk(case, tmp_path, capsys).through_every_command())


def test_their_pages_open_in_a_browser(pages: list[Path], tmp_path: Path) -> None:
    open_all(pages, tmp_path)


def test_every_two_things_meet_in_some_run() -> None:
    wanted = set().union(*(case.pairs for case in possible_cases()))
    assert set().union(*(case.pairs for case in covering())) == wanted
    assert len(covering()) < 16
