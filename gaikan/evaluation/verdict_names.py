"""The words in which `gaikan check` judges a figure; `history.csv` holds them too."""

from typing import Final

WORSE: Final = "WORSE"
INCONCLUSIVE: Final = "inconclusive"
SAME: Final = "same"
RAISE: Final = "can be raised"
MISSING: Final = "MISSING"
