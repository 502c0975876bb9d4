"""What a run found, as the report shows it."""

from dataclasses import dataclass

import pandas as pd

from gaikan.config.model import FactoryConfig
from gaikan.evaluation.leaks import Leaks
from gaikan.evaluation.rates import JudgedParts
from gaikan.report.strings import Words


@dataclass(frozen=True)
class Findings:
    """Every table of a run; `summary` is the one that people read, best first."""

    table: pd.DataFrame  # predictions
    scores: pd.DataFrame  # accuracy.csv
    summary: pd.DataFrame
    about: Words  # its caption
    comparisons: pd.DataFrame
    judged: JudgedParts  # test decisions of the variants that have every seed
    rates: pd.DataFrame | None  # with an ok class, best first
    classes: pd.DataFrame  # recall by class
    modes: pd.DataFrame | None  # by failure mode, where those are not the classes
    leaks: Leaks
    factory: FactoryConfig
    ok: str | None
