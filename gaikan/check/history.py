"""`history.csv`: one line per check and variant, for the plot of accuracy over commits."""

import math
from datetime import datetime
from pathlib import Path

import pandas as pd

from gaikan.check.measures import measured
from gaikan.check.run_answers import Answers, CheckedRun
from gaikan.check.verdicts import Line
from gaikan.errors import DataError, first_line
from gaikan.evaluation.verdict_names import INCONCLUSIVE
from gaikan.system.files import write

IDENTITY = ["date", "commit", "data", "variant", "seeds"]
FIGURES = ["accuracy", "balanced_accuracy", "escape_rate", "overkill_rate"]
COLUMNS = [*IDENTITY, *FIGURES, "error", "verdict"]


def append(path: Path, tested: CheckedRun, lines: list[Line], date: datetime) -> pd.DataFrame:
    """Adds the run to the file, which is made if it is missing, and returns the whole table.

    `error` is the standard error of the accuracy by seeds alone (empty for one), `data` the
    beginning of the test data's fingerprint, `verdict` the worst of the variant's figures.
    Raises DataError where the file is not such a table.
    """
    verdicts = {line.variant: line.verdict for line in lines if line.verdict == INCONCLUSIVE}
    verdicts |= {line.variant: line.verdict for line in lines if line.fails}
    rows = [
        {
            "date": date.isoformat(timespec="seconds"),
            "commit": tested.manifest.machine.commit or "",
            "data": tested.manifest.data.test.fingerprint[:12],
            "variant": variant,
            "seeds": len(answers.seeds),
            **_figures(tested, answers),
            "verdict": verdicts.get(variant, "passed"),
        }
        for variant, answers in tested.answers.items()
    ]
    new = pd.DataFrame(rows, columns=COLUMNS)
    whole = pd.concat([read_history(path), new], ignore_index=True) if path.exists() else new
    write(path, whole.to_csv(index=False, float_format="%.6f"))
    return whole


def _figures(tested: CheckedRun, answers: Answers) -> dict[str, float]:
    figures: dict[str, float] = {}
    for measure in measured(tested.actual, tested.ok):
        by_seed = measure.of(answers.predicted, tested.actual, tested.ok).mean(1)
        figures[measure.name] = float(by_seed.mean())
        if measure.name == "accuracy" and len(by_seed) > 1:
            figures["error"] = float(by_seed.std(ddof=1)) / math.sqrt(len(by_seed))
    return figures


def read_history(path: Path) -> pd.DataFrame:
    """The table with `COLUMNS`. Raises DataError where the file is not one."""
    text = {"date": str, "commit": str, "data": str, "variant": str, "verdict": str}
    try:
        table = pd.read_csv(path, dtype=text, keep_default_na=True)
        missing = [name for name in COLUMNS if name not in table]
        if not missing:
            for name in ("seeds", *FIGURES, "error"):
                table[name] = pd.to_numeric(table[name])
    except (OSError, ValueError, OverflowError) as error:
        reason = first_line(error)
        raise DataError(f"{path}: no readable history ({reason}); name another file") from None
    if missing:
        raise DataError(f"{path}: column {missing[0]!r} is missing; name another --history file")
    return table[COLUMNS]
