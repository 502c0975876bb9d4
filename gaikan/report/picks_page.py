"""Picks for people: a short table for a terminal, and `picks.md`."""

from gaikan.report.markdown_page import markdown
from gaikan.report.markdown_table import Rows, measured, percent
from gaikan.report.picks_blocks import overview, reasons
from gaikan.report.strings import say
from gaikan.run_folder.picks_file import PicksFile
from gaikan.selection.bundles import installing
from gaikan.selection.constraint_words import worded

_NO_OK = "No class means good (--ok): escapes are not known, and no stage limits them."


def page(picks: PicksFile) -> str:
    """`picks.md`."""
    parts = [f"# {say('s_pick').en}", markdown(overview(picks)).rstrip()]
    parts += [_NO_OK] * (picks.ok is None)
    for name, stage in picks.stages.items():
        parts += [f"## {name}", markdown(reasons(name, stage)).rstrip()]
    return "\n\n".join(parts) + "\n"


def short_rows(picks: PicksFile) -> tuple[list[str], Rows]:
    """One line a stage, which fits a terminal of 80 columns."""
    header = ["stage", "pick", "p50 ms", "acc.", "test", "esc.", "test"]
    rows = []
    for name, stage in picks.stages.items():
        pick = stage.pick
        if pick is None:
            rows.append([name, "nothing qualifies", *[""] * 5])
            continue
        own, test = pick.validation, pick.test
        shares = (own.accuracy, test.accuracy, own.escape_rate, test.escape_rate)
        p50 = worded("p50_ms", pick.timing.p50_ms).removesuffix(" ms")
        rows.append([name, pick.variant, p50, *map(percent, shares)])
    return measured(header, rows)


def short_lines(picks: PicksFile) -> list[str]:
    """What the short table leaves out: where a pick runs, its warnings, what misses."""
    lines = []
    for name, stage in picks.stages.items():
        pick, miss = stage.pick, stage.nearest_miss
        if pick is not None:
            border = "nearest anchor decides"
            if pick.threshold is not None:
                border = f"good where the ok margin exceeds {pick.threshold:.4g}"
            lines.append(f"{name}: seed {pick.seed} in {pick.place}; {border}")
            asked = any(each.name == "runtimes" for each in stage.constraints)
            if asked or pick.device == "cuda":
                lines.append(f"{name}: {installing(pick.label)}")
            lines += [f"{name}: warning: {words}" for words in stage.warnings]
        elif miss is not None:
            gives = " and ".join(miss.would_have_to_give)
            lines.append(f"{name}: nearest: {miss.variant} in {miss.place} qualifies with {gives}")
        else:
            lines.append(f"{name}: {stage.why}")
        if stage.beyond is not None:
            lines.append(f"{name}: {stage.beyond}")
    return [*lines, *[_NO_OK] * (picks.ok is None)]
