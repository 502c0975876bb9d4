"""From the files of a run to its picks: made, and written with their pictures."""

import csv
import io
from pathlib import Path

from gaikan.figures.asking_picture import asking_picture
from gaikan.figures.escape_overkill import escape_overkill
from gaikan.figures.sensitivity_map import sensitivity_map
from gaikan.figures.tree import tree
from gaikan.report.picks_page import page
from gaikan.run_folder.picks_file import (
    ASKING,
    ASKING_CURVE,
    CURVES,
    MAP,
    PICKS,
    TREE,
    AskingPoint,
    PicksFile,
)
from gaikan.selection.candidates import Judging
from gaikan.selection.picks import judged_run, make_picks
from gaikan.system.files import write


def pick_run(out: Path, stages: Path | None = None) -> PicksFile:
    """Picks for the stages of the file `stages`, and writes `picks.json`, `asking.csv` and pages.

    Raises ConfigError and DataError before anything is written.
    """
    judging, asked = judged_run(out, stages)
    picks = make_picks(judging, asked)
    _write_pictures(out, judging, picks)
    write(out / TREE, tree(judging, picks))
    write(out / "picks.md", page(picks))
    write(out / ASKING, _asking_table(picks))
    write(out / PICKS, picks.to_json())
    return picks


def _asking_table(picks: PicksFile) -> str:
    """`asking.csv`: escapes against the share of good parts asked about, a row a share."""
    figures = [*AskingPoint.model_fields]
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["stage", "variant", "seed", *figures])
    for name, stage in picks.stages.items():
        shown = stage.pick or stage.nearest_miss
        if shown is None:
            continue
        for point in stage.asking_curve:
            values = (getattr(point, figure) for figure in figures)
            rows.writerow([name, shown.variant, shown.seed, *values])
    return table.getvalue()


def _write_pictures(out: Path, judging: Judging, picks: PicksFile) -> None:
    """The pictures of each stage; those of a stage that is gone, or can have none, go."""
    drawn: dict[Path, str] = {}
    for name, stage in picks.stages.items():
        drawn[out / MAP.format(stage=name)] = sensitivity_map(name, stage)
        curves = escape_overkill(judging, name, stage)
        if curves is not None:
            drawn[out / CURVES.format(stage=name)] = curves
        asking = asking_picture(name, stage)
        if asking is not None:
            drawn[out / ASKING_CURVE.format(stage=name)] = asking
    for pattern in (MAP, CURVES, ASKING_CURVE):
        for old in out.glob(pattern.format(stage="*")):
            if old not in drawn:
                old.unlink()
    for path, content in drawn.items():
        write(path, content)
