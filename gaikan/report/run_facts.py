"""What advice on a run may be taken from, and a piece of advice."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pandas as pd

from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.language.words import Words
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.picks_file import PicksFile


@dataclass(frozen=True)
class RunFacts:
    """What advice may be taken from; None where the run does not have it."""

    run: Path  # its folder
    picks: PicksFile | None
    scores: pd.DataFrame  # accuracy.csv
    curve: ErrorCounts | None
    doubted: int | None  # training labels in `labels.csv`
    images: int  # of training

    @property
    def folder(self) -> str:
        """As commands name it."""
        return quote(str(self.run))

    @property
    def pick_again(self) -> str:
        """The command that picks anew, by the stages of the run's configuration."""
        return f"gaikan pick {self.folder} --stages {self.file}"

    @property
    def file(self) -> str:
        """Its configuration, as commands name it."""
        return quote(str(self.run / AGAIN))


@dataclass(frozen=True)
class NextStep:
    """A thing to do."""

    worth: float  # share of the parts that it is about
    words: Words
    command: str
