"""What the number of training lots does to accuracy on fresh lots, with as many training parts.

`python bench/training_lots.py OUT 15x200 25x120` trains mlp and cnn, vanilla and triplet, with
four seeds each, on rendered terminals of so many lots of so many parts, and prints the accuracy of
each variant on 100 lots of 40 parts that neither those lots nor the default test lots are among:
the mean over seeds, and how far seeds deviate.
Networks are kept in OUT/store, so that an interrupted run goes on.
"""

import sys
from pathlib import Path

import pandas as pd
from trained_grid import decisions

from gaikan.config.toml_files import load_config
from gaikan.data.frames import Frames
from gaikan.data.split import split
from gaikan.data.terminals import in_lots, render
from gaikan.report.markdown_table import markdown, percent

FRESH, FRESH_SIZE = range(1000, 1100), 40
KEYS = {"grid.arch": ["mlp", "cnn"], "grid.style": ["vanilla", "triplet"], "seeds": 4}


def lots(numbers: range, size: int) -> Frames:
    """Rendered terminals as a source."""
    return in_lots(numbers, *render(numbers, size))


def accuracies(plan: str, fresh: Frames, out: Path) -> pd.DataFrame:
    """By variant, mean and deviation over seeds on the fresh lots, trained on `plan`: "15x200"."""
    count, size = map(int, plan.split("x"))
    config, train = load_config(None, KEYS), lots(range(1, count + 1), size)
    parts = {seed: split(train, seed) for seed in config.all_seeds}
    rows = [
        (variant.name, (decision.predicted == fresh.labels).mean())
        for variant, decision in decisions(config, parts, train, fresh, out)
    ]
    table = pd.DataFrame(rows, columns=["variant", plan])
    return table.groupby("variant", sort=False)[plan].agg(["mean", "std"])


def main(out: str, *plans: str) -> None:
    """Prints a Markdown table: a row a variant, a column a plan."""
    fresh = lots(FRESH, FRESH_SIZE)
    table = pd.concat([accuracies(plan, fresh, Path(out)) for plan in plans], axis=1)
    rows = [[name, *map(percent, row)] for name, *row in table.itertuples()]
    columns = [column for plan in plans for column in (plan, "+-")]
    print(markdown(["variant", *columns], rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
