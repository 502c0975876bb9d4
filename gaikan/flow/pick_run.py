"""From the files of a run to its picks: made, and written with their pictures."""

from pathlib import Path

from gaikan.figures.escape_overkill import escape_overkill
from gaikan.figures.sensitivity_map import sensitivity_map
from gaikan.figures.tree import tree
from gaikan.report.picks_page import page
from gaikan.run_folder.picks_file import CURVES, MAP, PICKS, TREE, PicksFile
from gaikan.selection.candidates import Judging
from gaikan.selection.picks import judged_run, make_picks
from gaikan.system.files import write


def pick_run(out: Path, stages: Path | None = None) -> PicksFile:
    """Picks for the stages of the file `stages`, and writes `picks.json`, `picks.md` and figures.

    Raises ConfigError and DataError before anything is written.
    """
    judging, asked = judged_run(out, stages)
    picks = make_picks(judging, asked)
    _write_pictures(out, judging, picks)
    write(out / TREE, tree(judging, picks))
    write(out / "picks.md", page(picks))
    write(out / PICKS, picks.to_json())
    return picks


def _write_pictures(out: Path, judging: Judging, picks: PicksFile) -> None:
    """The pictures of each stage; those of a stage that is gone, or can have none, go."""
    drawn: dict[Path, str] = {}
    for name, stage in picks.stages.items():
        drawn[out / MAP.format(stage=name)] = sensitivity_map(name, stage)
        curves = escape_overkill(judging, name, stage)
        if curves is not None:
            drawn[out / CURVES.format(stage=name)] = curves
    for pattern in (MAP, CURVES):
        for old in out.glob(pattern.format(stage="*")):
            if old not in drawn:
                old.unlink()
    for path, content in drawn.items():
        write(path, content)
