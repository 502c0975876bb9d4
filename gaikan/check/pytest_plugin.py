"""`pytest --gaikan-run DIR --gaikan-baseline FILE`: the check as one test per variant.

pytest loads this wherever gaikan is installed: nothing is imported until the options are given.
"""

from dataclasses import dataclass, field
from pathlib import Path

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
    """Compares, and adds a test for each variant and for each kind of finding."""
    run, baseline = (config.getoption(f"--gaikan-{name}") for name in ("run", "baseline"))
    if run is None and baseline is None:
        return
    if run is None or baseline is None:
        raise pytest.UsageError("--gaikan-run and --gaikan-baseline go together")
    from gaikan.errors import GaikanError

    try:
        tests = _compare(run, baseline)
    except GaikanError as error:
        raise pytest.UsageError(str(error)) from None
    for name, sentences in tests.items():
        test = Check.from_parent(session, name=f"gaikan[{name}]")
        test.said = sentences
        items.append(test)


@dataclass
class Said:
    """Sentences about what is wrong, and about what cannot be told."""

    failures: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def _compare(run: Path, baseline: Path) -> dict[str, Said]:
    """What the check says, by variant and by kind of finding."""
    from gaikan.check.baseline import Baseline
    from gaikan.check.check_tables import sentence
    from gaikan.check.frozen_file import read_frozen
    from gaikan.check.outcome import Settings, check
    from gaikan.check.run_answers import CheckedRun, lots

    tested = CheckedRun.read(run)
    held = Baseline.read(baseline)
    frozen = read_frozen(baseline, held.frozen)
    outcome = check(tested, lambda: lots(tested), held, frozen, Settings())
    by_name = {line.variant: Said() for line in outcome.lines}
    for line in outcome.worse:
        by_name[line.variant].failures.append(sentence(line))
    for line in outcome.inconclusive:
        by_name[line.variant].unsure.append(f"{line.verdict}: {sentence(line)}")
    for finding in outcome.findings:
        by_name.setdefault(finding.kind, Said()).failures.append(finding.text)
    return by_name


class Check(pytest.Item):
    """The test of one variant, or of one kind of finding."""

    said: Said

    def runtest(self) -> None:
        """Fails with what is worse; skips where that cannot be told."""
        if self.said.failures:
            pytest.fail("\n".join(self.said.failures), pytrace=False)
        if self.said.unsure:
            pytest.skip("\n".join(self.said.unsure))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Path, line and name that a report of pytest shows."""
        return self.path, None, self.name
