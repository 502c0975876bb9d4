"""Picks for people: a short table for a terminal, and `picks.md`."""

from gaikan.report.installed_blocks import as_installed
from gaikan.report.markdown_page import markdown
from gaikan.report.markdown_table import Rows, measured, percent
from gaikan.report.picks_blocks import overview, reasons
from gaikan.report.strings import say
from gaikan.run_folder.picks_file import PicksFile, Quality
from gaikan.selection.bundles import installing
from gaikan.selection.constraint_words import worded

_NO_OK = "No class means good (--ok): escapes are not known, and no stage limits them."


def page(picks: PicksFile) -> str:
    """`picks.md`."""
    parts = [f"# {say('s_pick').en}", markdown(overview(picks)).rstrip()]
    parts += [_NO_OK] * (picks.ok is None)
    for name, stage in picks.stages.items():
        blocks = [*reasons(name, stage), *as_installed(name, stage)]
        parts += [f"## {name}", markdown(blocks).rstrip()]
    return "\n\n".join(parts) + "\n"


def short_rows(picks: PicksFile) -> tuple[list[str], Rows]:
    """Two lines a stage, which fit a terminal of 80 columns."""
    header = ["stage", "on", "escapes", "%", "at most", "overkill", "%", "acc."]
    rows = []
    for name, stage in picks.stages.items():
        if stage.pick is None:
            rows.append([name, "nothing qualifies", *[""] * 6])
            continue
        rows.append([name, "validation", *_figures(stage.pick.validation)])
        rows.append(["", "test", *_figures(stage.pick.test)])
        if stage.promise is not None and stage.promise.lots is None:
            rows[-2][4] = "not promised"
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
        percent(figures.accuracy),
    ]


def short_lines(picks: PicksFile) -> list[str]:
    """What the short table leaves out: where a pick runs, its warnings, what misses."""
    lines = []
    for name, stage in picks.stages.items():
        pick, miss = stage.pick, stage.nearest_miss
        if pick is not None:
            border = "nearest anchor decides"
            if pick.threshold is not None:
                border = f"good where the ok margin exceeds {pick.threshold:.4g}"
            p50 = worded("p50_ms", pick.timing.p50_ms)
            where = f"seed {pick.seed} in {pick.place}, p50 {p50}"
            lines.append(f"{name}: {pick.variant}, {where}; {border}")
            if stage.promise is not None:
                lines.append(f"{name}: escape ceiling {stage.promise.headline}")
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
