"""The outcome of a check in words: rows for a terminal, Markdown for a pull request."""

import math

from gaikan.check.noise import FEWEST_SEEDS
from gaikan.check.outcome import CheckOutcome
from gaikan.check.verdicts import POWER, TWO_SIDED, Line
from gaikan.evaluation.statistics import LEVEL
from gaikan.evaluation.verdict_names import INCONCLUSIVE, RAISE
from gaikan.report.markdown_table import Rows, markdown

HEADER = ["variant", "baseline", "now", "difference", "interval", "verdict"]
SHORT = ["variant", "base", "now", "change", "interval", "verdict"]  # for 80 columns


def by_figure(lines: list[Line]) -> dict[str, Rows]:
    """By figure, the rows of its table under `HEADER` or `SHORT`, in the order of the lines."""
    tables: dict[str, Rows] = {}
    for line in lines:
        cells = [line.variant, value(line, line.before), value(line, line.now)]
        cells += [_signed(line, line.difference), _interval(line), _verdict(line)]
        tables.setdefault(line.figure, []).append(cells)
    return tables


def _verdict(line: Line) -> str:
    """The verdict; of an inconclusive line how far its figure may be from what it shows."""
    if line.verdict != INCONCLUSIVE:
        return line.verdict
    half_width = value(line, (line.high - line.low) / 2)
    return f"cannot tell, ±{half_width}" if half_width else "cannot tell"


def value(line: Line, number: float) -> str:
    """A number in the unit of its line: a share in percent, a ratio as it is; empty for NaN."""
    if math.isnan(number):
        return ""
    return f"{number:.2f}" if line.ratio else f"{100 * number:.1f}"


def _signed(line: Line, number: float) -> str:
    text = value(line, abs(number))
    sign = "-" if number < 0 and float(text) else "+"
    return text and sign + text


def _interval(line: Line) -> str:
    low = _signed(line, line.low)
    return f"{low} to {_signed(line, line.high)}" if low else ""


def sentence(line: Line) -> str:
    """What happened to a figure."""
    change = f"{value(line, line.before)} -> {value(line, line.now) or 'not measured'}"
    interval = _interval(line)
    return f"{line.variant}: {line.figure} {change}" + (
        f" ({_signed(line, line.difference)}; {_level(line)} {interval})" if interval else ""
    )


def _level(line: Line) -> str:
    return f"{100 * (LEVEL if line.ratio else TWO_SIDED):.0f} %"


def power(outcome: CheckOutcome) -> str:
    """How large a drop of accuracy has to be for such a run to find it; empty without accuracy."""
    lines = [line for line in outcome.lines if line.figure == "accuracy"]
    told = sorted((x for x in lines if x.detectable > 0), key=lambda line: line.detectable)
    if not told:
        unchanged = lines and all(line.low == line.high == 0 for line in lines)
        return "No decision turned right or wrong." if unchanged else ""
    least, most = (f"{value(x, x.detectable)} ({x.variant})" for x in (told[0], told[-1]))
    return (
        f"In {100 * POWER:.0f} % of cases this run would find a drop of accuracy of {least} to "
        f"{most} points."
    )


def headline(outcome: CheckOutcome) -> str:
    """The result in one line."""
    variants = len({line.variant for line in outcome.lines})
    unsure = [finding for finding in outcome.findings if finding.kind == INCONCLUSIVE]
    if outcome.passed:
        open_lines = f", {len(outcome.inconclusive)} lines inconclusive" if unsure else ""
        return f"passed: {variants} variants, none worse by more than noise explains{open_lines}"
    if not outcome.worse and all(f.allowed or f in unsure for f in outcome.findings):
        return "INCONCLUSIVE: nothing is shown to be worse; --allow-inconclusive passes that"
    n = len(reasons(outcome))
    return f"FAILED: {n} {'reason' if n == 1 else 'reasons'}"


def reasons(outcome: CheckOutcome) -> list[str]:
    """Why the check failed, one sentence per reason."""
    changed = [finding.text for finding in outcome.findings if not finding.allowed]
    return changed + [sentence(line) for line in outcome.worse]


def remarks(outcome: CheckOutcome) -> list[str]:
    """What was allowed, which baselines can be raised, and how the runs were compared."""
    sentences = [f"allowed: {finding.text}" for finding in outcome.findings if finding.allowed]
    raised = [line for line in outcome.lines if line.verdict == RAISE]
    sentences += [f"baseline can be raised: {sentence(line)}" for line in raised]
    return [*sentences, *outcome.notes, *filter(None, [power(outcome)])]


def caption(outcome: CheckOutcome) -> str:
    """What the columns and verdicts mean."""
    percent, points = f"{100 * (1 - LEVEL):.0f} %", 100 * outcome.settings.margin
    margin = f"{points:g} point{'' if points == 1 else 's'}"
    return (
        f"Test figures in %, mean over seeds; {100 * TWO_SIDED:.0f} % interval of each difference "
        f"alone. WORSE: by more than {margin}, and by more than noise explains (one-sided t test, "
        f"Holm-corrected over all lines, {percent}). same: the interval lies within {margin} each "
        "way; cannot tell, inconclusive: it does not, or a side has fewer than "
        f"{FEWEST_SEEDS} seeds and so none."
    )


def as_markdown(outcome: CheckOutcome) -> str:
    """The summary for a pull request: the first table open, the others folded."""
    parts = [f"### gaikan check {headline(outcome)}"]
    for points in (reasons(outcome), remarks(outcome)):
        if points:
            parts.append("\n".join(f"- {point}" for point in points))
    for i, (figure, rows) in enumerate(by_figure(outcome.lines).items()):
        table = markdown(HEADER, rows)
        opened = " open" if i == 0 else ""
        parts.append(f"<details{opened}><summary>{figure}</summary>\n\n{table}\n\n</details>")
    parts.append(caption(outcome))
    now, before = map(_short, outcome.commits)
    parts.append(f"Commit {now}, baseline of {before}.")
    return "\n\n".join(parts) + "\n"


def _short(commit: str | None) -> str:
    """The first ten digits of a commit, and its `-dirty` if it has that."""
    if commit is None:
        return "unknown"
    name, _, dirty = commit.partition("-")
    return name[:10] + (f"-{dirty}" if dirty else "")
