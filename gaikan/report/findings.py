"""What a run found, as the report shows it."""

from dataclasses import dataclass

import pandas as pd

from gaikan.config import FactoryConfig
from gaikan.data.leaks import Leaks
from gaikan.report.words import Words
from gaikan.shopfloor import Judged


@dataclass(frozen=True)
class Findings:
    """Every table of a run; `summary` is the one that people read, best first."""

    table: pd.DataFrame  # predictions
    scores: pd.DataFrame  # accuracy.csv
    summary: pd.DataFrame
    about: Words  # its caption
    comparisons: pd.DataFrame
    judged: Judged  # test decisions of the variants that have every seed
    rates: pd.DataFrame | None  # with an ok class, best first
    classes: pd.DataFrame  # recall by class
    modes: pd.DataFrame | None  # by failure mode, where those are not the classes
    leaks: Leaks
    factory: FactoryConfig
    ok: str | None
