"""From the files of a run to its picks: made, and written with their pictures."""

from pathlib import Path

from gaikan.figures.sensitivity_map import sensitivity_map
from gaikan.figures.tree import tree
from gaikan.report.picks_page import page
from gaikan.selection.picks import Picks, make_picks
from gaikan.selection.picks_json import to_json
from gaikan.system.files import write


def pick_run(out: Path, stages: Path | None = None) -> Picks:
    """Picks and writes `picks.json`, `picks.md` and their figures.

    Raises ConfigError and DataError before anything is written.
    """
    picks = make_picks(out, stages)
    figures = {each.name: f"figures/sensitivity-{each.name}.svg" for each in picks.stages}
    for old in (out / "figures").glob("sensitivity-*.svg"):
        if f"figures/{old.name}" not in figures.values():
            old.unlink()  # of a stage that is no more
    for each in picks.stages:
        write(out / figures[each.name], sensitivity_map(each))
    write(out / "figures/tree.svg", tree(picks))
    write(out / "picks.md", page(picks, {"": "figures/tree.svg", **figures}))
    write(out / "picks.json", to_json(picks))
    return picks
