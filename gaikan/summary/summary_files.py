"""The files of a summary: `summary.csv`, `summary.md` and the critical-difference diagram."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gaikan.figures.critical_difference import critical_difference_diagram, svg
from gaikan.figures.style import save
from gaikan.summary.page import DIAGRAM, PAGE, Failed, page
from gaikan.summary.standings import DataSet, Standings, standings
from gaikan.system.files import write


def summarise(out: Path, runs: Mapping[str, Path], failed: Sequence[Failed]) -> Standings:
    """Compares the runs (folders by data set) and writes the summary of all to `out`."""
    table = standings([DataSet.read(name, folder) for name, folder in runs.items()])
    write(out / "summary.csv", long_table(table).to_csv(index=False, float_format="%.6g"))
    pictures = [out / f"{DIAGRAM}.png", out / f"{DIAGRAM}.svg"]
    if table.critical_difference is None:
        for picture in pictures:
            picture.unlink(missing_ok=True)  # of an earlier summary in this folder
    else:
        figure = critical_difference_diagram(table.ranked["rank"], table.critical_difference)
        save(figure, pictures[0])
        write(pictures[1], svg(figure))
    reports = {
        name: Path(os.path.relpath(folder / "report.html", out)).as_posix()
        for name, folder in runs.items()
    }
    names = [*runs, *(data_set.name for data_set in failed)]
    write(out / PAGE, page(f"{len(names)} data sets", table, failed, reports))
    return table


def long_table(table: Standings) -> pd.DataFrame:
    """`summary.csv`: one row per variant and data set; an empty rank where it is not ranked."""
    order = [*table.ranked.index, *table.left_out]
    rows = [
        {
            "variant": variant,
            "data_set": name,
            "accuracy": table.accuracy.loc[variant, name],
            "rank": table.ranks.loc[variant, name] if variant in table.ranks.index else None,
        }
        for variant in order
        for name in table.accuracy.columns
    ]
    columns = ["variant", "data_set", "accuracy", "rank"]
    return pd.DataFrame(rows, columns=columns).dropna(subset="accuracy")
