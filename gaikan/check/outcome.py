"""The whole check: what changed besides the figures, and the verdict on every figure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gaikan.check import frozen_networks, speed
from gaikan.check.baseline import Baseline
from gaikan.check.changes import Kind, changes, notes
from gaikan.check.differences import Lots, Pairing, differences, pairings
from gaikan.check.frozen_networks import FrozenNetworks
from gaikan.check.noise import FEWEST_SEEDS
from gaikan.check.run_answers import CheckedRun
from gaikan.check.verdicts import Line, judge
from gaikan.evaluation.verdict_names import INCONCLUSIVE, MISSING


@dataclass(frozen=True)
class Finding:
    """Something that changed, or cannot be told; the check fails unless its kind is allowed."""

    kind: Kind
    text: str
    allowed: bool


@dataclass(frozen=True)
class Settings:
    """What the options of `gaikan check` ask for."""

    margin: float = 0.01  # a share
    allowed: frozenset[Kind] = frozenset()
    latency: bool = False


@dataclass(frozen=True)
class CheckOutcome:
    """What the check found."""

    lines: list[Line]
    findings: list[Finding]
    notes: list[str]  # how it was compared, and what differs without failing
    settings: Settings
    commits: tuple[str | None, str | None]  # of the run, of the baseline

    @property
    def worse(self) -> list[Line]:
        """The lines that fail."""
        return [line for line in self.lines if line.fails]

    @property
    def inconclusive(self) -> list[Line]:
        """The lines that neither fail nor are shown to be the same."""
        return [line for line in self.lines if line.verdict == INCONCLUSIVE]

    @property
    def passed(self) -> bool:
        """Whether nothing is worse, and all else that was found is allowed."""
        return not self.worse and all(finding.allowed for finding in self.findings)


def check(
    tested: CheckedRun,
    lots: Lots,
    baseline: Baseline,
    frozen: FrozenNetworks | None,
    settings: Settings,
) -> CheckOutcome:
    """Compares a run with a baseline, and the code with its frozen networks.

    `lots` gives the lot of each test part, for what cannot be paired. Raises ConfigError where
    latency is asked for but the run or the baseline was not timed.
    """
    pairs = pairings(tested, baseline)
    lines = judge(differences(tested, baseline, pairs, lots), settings.margin)
    lines += speed.compare(tested.folder, baseline) if settings.latency else []
    inference = [] if frozen is None else list(frozen_networks.changed(frozen))
    changed: list[tuple[Kind, str]] = [("inference", sentence) for sentence in inference]
    changed += changes(tested, baseline)
    gone = [line.variant for line in lines if line.verdict == MISSING]
    changed += [("missing", f"{name}: not timed any more") for name in gone]
    unsure = [line.verdict for line in lines].count(INCONCLUSIVE)
    if unsure:
        changed.append((INCONCLUSIVE, _unsure(unsure, len(lines), pairs.values())))
    ways = Counter(pairing.how for pairing in pairs.values())
    how = [f"{n} variants {way}, {len(tested.actual)} test parts" for way, n in ways.items()]
    return CheckOutcome(
        lines,
        [Finding(kind, text, kind in settings.allowed) for kind, text in changed],
        [*how, *_of_inference(frozen, inference), *notes(tested, baseline)],
        settings,
        (tested.manifest.machine.commit, baseline.commit),
    )


def _of_inference(frozen: FrozenNetworks | None, changed: list[str]) -> list[str]:
    if frozen is None:
        return ["the baseline holds no frozen networks: inference is judged by trained ones alone"]
    names = ", ".join(network.name for network in frozen.networks)
    return [] if changed else [f"frozen networks {names}: all distances are as they were"]


def _unsure(unsure: int, n_lines: int, pairs: Iterable[Pairing]) -> str:
    """How many lines cannot be told, and what would help."""
    few = any(pairing.few_seeds for pairing in pairs)
    why = f"fewer than {FEWEST_SEEDS} seeds" if few else "a change beyond the margin not ruled out"
    more = "more seeds" if few else "more seeds, or more test parts,"
    return f"{unsure} of {n_lines} lines inconclusive: {why}; {more} would tell more"
