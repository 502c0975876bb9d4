"""The test parts that a variant is most confidently wrong about."""

import pandas as pd


def most_confident_mistakes(table: pd.DataFrame, variant: str, most: int = 18) -> pd.DataFrame:
    """Up to `most` wrong test predictions of a variant, largest margin first, each part once.

    `table` is that of predictions; with several seeds a part stands with its largest margin.
    """
    own = table[(table["variant"] == variant) & (table["split"] == "test")]
    wrong = own[own["label"].astype(str) != own["predicted"].astype(str)]
    ranked = wrong.sort_values("margin", ascending=False, kind="stable")
    return ranked.drop_duplicates("sample").head(most)
