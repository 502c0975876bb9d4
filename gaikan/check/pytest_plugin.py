"""pytest --gaikan-run DIR --gaikan-baseline FILE: one test a variant, for pipelines of their own.

Loaded by pytest wherever gaikan is installed: nothing is imported before the options are given.
"""

from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the two options."""
    group = parser.getgroup("gaikan")
    group.addoption("--gaikan-run", type=Path, help="folder that `gaikan bench` wrote")
    group.addoption("--gaikan-baseline", type=Path, help="what `gaikan check --update` wrote")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Compares, and adds a test for each variant and for each change beside the figures."""
    run, baseline = (config.getoption(f"--gaikan-{name}") for name in ("run", "baseline"))
    if run is None and baseline is None:
        return
    if run is None or baseline is None:
        raise pytest.UsageError("--gaikan-run and --gaikan-baseline go together")
    from gaikan.errors import GaikanError

    try:
        found = _compare(run, baseline)
    except GaikanError as error:
        raise pytest.UsageError(str(error)) from None
    for name, failures in found.items():
        items.append(Check.from_parent(session, name=f"gaikan[{name}]", failures=failures))


def _compare(run: Path, baseline: Path) -> dict[str, list[str]]:
    """Sentences about what is wrong, by variant and kind of change."""
    from gaikan.check.baseline import Baseline
    from gaikan.check.check_tables import sentence
    from gaikan.check.outcome import Settings, check
    from gaikan.check.run_answers import CheckedRun, lots

    tested = CheckedRun.read(run)
    outcome = check(tested, lambda: lots(tested), Baseline.read(baseline), Settings())
    found: dict[str, list[str]] = {line.variant: [] for line in outcome.lines}
    for line in outcome.worse:
        found[line.variant].append(sentence(line))
    for finding in outcome.findings:
        found.setdefault(finding.kind, []).append(finding.text)
    return found


class Check(pytest.Item):
    """The test of one variant."""

    def __init__(self, *, failures: list[str], **rest: Any) -> None:
        super().__init__(**rest)
        self.failures = failures

    def runtest(self) -> None:
        """Fails with what is worse."""
        if self.failures:
            pytest.fail("\n".join(self.failures), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it stands in a report."""
        return self.path, None, self.name
