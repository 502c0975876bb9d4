"""From the files of a run to its picks: made, and written with their pictures."""

from pathlib import Path

from gaikan.figures.sensitivity_map import sensitivity_map
from gaikan.figures.tree import tree
from gaikan.report.picks_page import page
from gaikan.run_folder.picks_file import MAP, PICKS, TREE, PicksFile
from gaikan.selection.picks import judged_run, make_picks
from gaikan.system.files import write


def pick_run(out: Path, stages: Path | None = None) -> PicksFile:
    """Picks for the stages of the file `stages`, and writes `picks.json`, `picks.md` and figures.

    Raises ConfigError and DataError before anything is written.
    """
    judging, asked = judged_run(out, stages)
    picks = make_picks(judging, asked)
    maps = {out / MAP.format(stage=name): stage for name, stage in picks.stages.items()}
    for old in out.glob(MAP.format(stage="*")):
        if old not in maps:
            old.unlink()  # of a stage that is gone
    for name, stage in picks.stages.items():
        write(out / MAP.format(stage=name), sensitivity_map(name, stage))
    write(out / TREE, tree(judging, picks))
    write(out / "picks.md", page(picks))
    write(out / PICKS, picks.to_json())
    return picks
