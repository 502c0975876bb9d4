"""What the regression gate says of a figure; `history.csv` holds these words."""

WORSE, INCONCLUSIVE, SAME, RAISE, MISSING = (
    "WORSE",
    "inconclusive",
    "same",
    "can be raised",
    "MISSING",
)
