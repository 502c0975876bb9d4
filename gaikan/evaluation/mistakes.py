"""The test parts that a variant is most confidently wrong about."""

import pandas as pd

# What a picture of them takes from a table of predictions.
MISTAKE_COLUMNS = (
    *("variant", "split", "sample", "label", "predicted"),
    *("distance", "margin", "origin"),
)


def most_confident_mistakes(table: pd.DataFrame, variant: str, most: int = 18) -> pd.DataFrame:
    """Up to `most` wrong test predictions of a variant, largest margin first, each part once.

    `table` has the predictions; of several seeds, a part's row with the largest margin stays.
    """
    tested = table[(table["variant"] == variant) & (table["split"] == "test")]
    wrong = tested[tested["label"].astype(str) != tested["predicted"].astype(str)]
    ranked = wrong.sort_values("margin", ascending=False, kind="stable")
    return ranked.drop_duplicates("sample").head(most)
