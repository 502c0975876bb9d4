"""Picks for people: a short table for a terminal, and `picks.md`."""

import math

from gaikan.language.words import say
from gaikan.report.installed_blocks import as_installed
from gaikan.report.markdown_page import markdown
from gaikan.report.markdown_table import Rows, measured, percent
from gaikan.report.picks_blocks import overview, reasons
from gaikan.report.unseen_modes_said import unseen_counted
from gaikan.run_folder.picks_file import PickedCandidate, PicksFile, Quality, StagePicks
from gaikan.selection.bundles import installing
from gaikan.selection.constraint_words import digits, measured_value, worded


def page(picks: PicksFile) -> str:
    """`picks.md`."""
    parts = [f"# {say('s_pick').en}", markdown(overview(picks)).rstrip()]
    parts += [say("no_ok").en] * (picks.ok is None)
    for name, stage in picks.stages.items():
        blocks = [*reasons(name, stage), *as_installed(name, stage)]
        parts += [f"## {name}", markdown(blocks).rstrip()]
    return "\n\n".join(parts) + "\n"


def verdict_lines(picks: PicksFile) -> list[str]:
    """A sentence a stage: what to install, and what it does on test; or what comes nearest."""
    return [f"{name}: {_verdict(stage)}" for name, stage in picks.stages.items()]


def _verdict(stage: StagePicks) -> str:
    pick, miss = stage.pick, stage.nearest_miss
    if pick is None and miss is None:
        return f"install nothing yet: {stage.why.en}"
    if pick is None:
        assert miss is not None
        nearest = f"{miss.variant} in {miss.place.en}"
        if miss.hopeless is not None:
            return f"nothing qualifies; nearest: {nearest}, and {miss.hopeless.en}"
        gives = say("listed", texts=tuple(miss.would_have_to_give)).en
        return f"nothing qualifies; nearest: {nearest} qualifies with {gives}"
    said = [f"install {pick.variant}: {of_parts(pick.test.accuracy, pick.test.n)} parts right"]
    said += _defects_said(stage, pick.test)
    rates = [each.escape_rate for each in pick.unseen if each.split == "test"]
    if rates and any(each.name == "unseen_escape" for each in stage.constraints):
        said.append(f"up to {percent(max(rates))} % of a failure mode left out of training")
    if pick.test.overkill_rate is not None:
        said.append(f"{percent(pick.test.overkill_rate)} % of good parts rejected")
    return ", ".join([*said, measured_value("p50_ms", pick.timing.p50_ms).en])


def of_parts(share: float, n: int) -> str:
    """A share of `n` parts as a count that never says more: 97 of 100, 998 of 1000, 36 of 36."""
    total = min(n, 100 if share < 0.99 else 1000)
    return f"{math.floor(total * share + 1e-9)} of {total}"


def _defects_said(stage: StagePicks, test: Quality) -> list[str]:
    """The promise on defects that pass, or what test has shown where nothing is promised."""
    if test.escape_rate is None:
        return []
    seen = f"{percent(test.escape_rate)} % of defects pass"
    ceiling = next((each.max for each in stage.constraints if each.name == "escape_bound"), None)
    if stage.contradicted is not None:
        return [f"{seen} on test, which contradicts the ceiling"]
    if ceiling is None or stage.promise is None or stage.promise.lots is None:
        return [f"{seen} (no promise for new lots)"]
    return [f"at most {worded('escape_bound', ceiling)} of defects pass"]


def short_rows(picks: PicksFile) -> tuple[list[str], Rows]:
    """Two lines for each stage that has a pick, which fit a terminal of 80 columns.

    Where no class means good, one line of what is right.
    """
    if picks.ok is None:
        return _right_rows(picks)
    header = ["stage", "on", "escapes", "%", "at most", "overkill", "%", "p50 ms"]
    rows = []
    for name, stage in picks.stages.items():
        if stage.pick is None:
            continue
        p50 = digits(stage.pick.timing.p50_ms)
        rows.append([name, "validation", *_figures(stage.pick.validation), p50])
        rows.append(["", "test", *_figures(stage.pick.test), ""])
        if stage.promise is not None and stage.promise.lots is None:
            rows[-2][4] = "not promised"
    return measured(header, rows)


def _right_rows(picks: PicksFile) -> tuple[list[str], Rows]:
    header = ["stage", "right on validation", "on test", "balanced on test", "p50 ms"]
    rows = []
    for name, stage in picks.stages.items():
        if stage.pick is not None:
            seen, test = stage.pick.validation, stage.pick.test
            shares = (seen.accuracy, test.accuracy, test.balanced_accuracy)
            rows.append([name, *map(percent, shares), digits(stage.pick.timing.p50_ms)])
    return measured(header, rows)


def _figures(figures: Quality) -> list[str]:
    """Counts and shares of one part of the data."""
    escapes, overkills = (
        f"{n}/{total}" if total else ""
        for n, total in (
            (figures.escapes, figures.defects),
            (figures.overkills, figures.goods),
        )
    )
    return [
        escapes,
        percent(figures.escape_rate),
        percent(figures.escape_bound),
        overkills,
        percent(figures.overkill_rate),
    ]


def _asked(name: str, side: str, seen: Quality) -> str:
    """How many parts a person is asked about."""
    goods = f"{seen.good_asks} of {seen.goods} good {side} parts ({percent(seen.ask_rate)} %)"
    return f"{name}: asked about {goods} and {seen.defect_asks} of {seen.defects} defective ones"


def _unseen_lines(pick: PickedCandidate) -> list[str]:
    """What became of failure modes that training had not seen, a line a side."""
    lines = []
    for side in ("validation", "test"):
        modes = [mode for mode in pick.unseen if mode.split == side]
        if modes:
            lines.append(f"left out of training, {side}: {unseen_counted(modes).en}")
    return lines


def short_lines(picks: PicksFile) -> list[str]:
    """What verdict and short table leave out: where a pick runs, its promise, what it needs."""
    lines = []
    for name, stage in picks.stages.items():
        pick = stage.pick
        if pick is not None:
            border = "no threshold"
            if pick.threshold is not None:
                border = f"good where the ok margin exceeds {pick.threshold:.4g}"
            where = f"{name}: seed {pick.seed} in {pick.place.en}; {border}"
            if pick.ask_level is None:
                lines.append(where)
            else:
                level = f"where its novelty p-value is {pick.ask_level:.3g} or less"
                lines.append(f"{where}; then asked about {level}")
                lines.append(_asked(name, "validation", pick.validation))
                lines.append(_asked(name, "test", pick.test))
            lines += [f"{name}: {line}" for line in _unseen_lines(pick)]
            if stage.promise is not None:
                lines.append(f"{name}: escape ceiling {stage.promise.headline.en}")
            asked = any(each.name == "runtimes" for each in stage.constraints)
            if asked or pick.device == "cuda":
                lines.append(f"{name}: {installing(pick.label).en}")
        if stage.asking is not None:
            lines.append(f"{name}: {stage.asking.en}")
        if stage.beyond is not None:
            lines.append(f"{name}: {stage.beyond.en}")
    return lines


def warning_lines(picks: PicksFile) -> list[str]:
    """What speaks against relying on a pick, a line each."""
    lines = [
        f"{name}: warning: {words.en}"
        for name, stage in picks.stages.items()
        for words in stage.warnings
    ]
    return [*lines, *[say("no_ok").en] * (picks.ok is None)]
