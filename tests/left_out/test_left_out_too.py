"""Runs end well whatever is left out of them: the other half of the cases."""

from pathlib import Path

import pytest
from browser import chromium, complaints, show
from left_out import Case, Walk, in_file, nonsense

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
    walk = Walk(case, tmp_path, capsys)
    walk.bench()
    walk.report()
    walk.time()
    walk.pick()
    walk.export()
    walk.check()
    pages.append(walk.out / "report.html")


def test_their_pages_open_in_a_browser(pages: list[Path], tmp_path: Path) -> None:
    with chromium(tmp_path) as browser:
        for page in pages:
            show(browser, page)
            assert not complaints(browser)
            body = browser.find_element("tag name", "body").text
            assert not nonsense(body), nonsense(body)
