"""The first section of a report: what to install at which inspection stage, and why."""

from gaikan.language.words import Words, plain, say
from gaikan.report.accuracy_table import may_be_best
from gaikan.report.blocks import Block, Cards, Fold, Paragraph, StageCard
from gaikan.report.latency_tables import fastest_of
from gaikan.report.markdown_table import percent
from gaikan.report.picks_blocks import TREE, milliseconds, overview, reasons, runs_on
from gaikan.report.tree_list import with_branches
from gaikan.run_folder.latency_rows import runtime_of
from gaikan.run_folder.whole import RunFolder
from gaikan.selection.constraint_words import digits


def pick_section(folder: RunFolder) -> list[Block]:
    """The picks; before there are any, the best variant, and how to pick."""
    if folder.picks is None:
        return [Paragraph(say("no_picks")), Cards([_best(folder)])]
    stages = folder.picks.stages.items()
    folds = [Fold(say("reasons", stage=name), reasons(name, stage)) for name, stage in stages]
    return [*overview(folder.picks, with_branches(folder, TREE)), *folds]


def _best(folder: RunFolder) -> StageCard:
    best = folder.best
    low, high = percent(best["low"]), percent(best["high"])
    known = "share_with_interval" if low else "share_alone"
    share = say(known, share=percent(best["accuracy"]), interval=f"{low}-{high}")
    figures = [(say("c_cost"), plain(digits(best["cost"])))] if "cost" in best else []
    figures.append((say("f_accuracy"), share))
    tied = int(may_be_best(folder.summary).eq(True).sum()) - 1
    if tied > 0 and best["variant"] == folder.variants[0]:  # ties are with the best of all
        figures.append((say("f_tied"), say("others", n=tied)))
    figures += _rates(folder, str(best["variant"]))
    times = [r for (_, v), r in fastest_of(folder.latency).items() if v == best["variant"]]
    if times:
        row = min(times, key=lambda row: row.p50_ms or 0)
        figures.append((say("f_latency"), milliseconds(row.p50_ms, row.p99_ms)))
        figures.append((say("f_runs"), runs_on(runtime_of(row), row.threads, row.machine)))
    title = say("cheapest" if "cost" in best else "most_accurate")
    return StageCard(title, plain(str(best["variant"])), figures, [])


def _rates(folder: RunFolder, variant: str) -> list[tuple[Words, Words]]:
    rates = folder.rates
    if rates is None or variant not in set(rates["variant"]):
        return []
    row = rates[rates["variant"] == variant].iloc[0]
    found = []
    for kind, parts in (("escape", "defects"), ("overkill", "goods")):
        if row[parts]:
            share, bound = percent(row[f"{kind}_rate"]), percent(row[f"{kind}_bound"])
            text = say(f"{kind}_mean", share=share, total=row[parts], bound=bound)
            found.append((say(f"f_{kind}"), text))
    return found
