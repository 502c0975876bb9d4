"""The words in which `gaikan check` judges a figure; `history.csv` holds them too."""

WORSE, INCONCLUSIVE, SAME, RAISE, MISSING = (
    "WORSE",
    "inconclusive",
    "same",
    "can be raised",
    "MISSING",
)
