"""Wrong parts by the number of images learned from: what a learning curve is fitted to."""

from dataclasses import dataclass

import pandas as pd

from gaikan.evaluation.learning_curve import Sizes

ALL_PARTS = ""  # the `mode` of a row that counts every part


@dataclass(frozen=True)
class ErrorCounts:
    """Wrong validation parts by variant, seed, number of images learned from, and mode."""

    table: pd.DataFrame  # columns variant, seed, images, lots, mode, parts, wrong

    def sizes(self, mode: str = ALL_PARTS) -> dict[str, Sizes]:
        """By variant, of the seeds that have every size and such parts."""
        own = self.table[self.table["mode"] == mode]
        found = {}
        for variant, rows in own.groupby("variant", sort=False):
            ranked = rows.sort_values(["seed", "images"])
            counts = ranked.groupby("seed").size()
            whole = ranked[ranked["seed"].isin(counts[counts == counts.max()].index)]
            shape = (-1, int(counts.max()))
            images = whole["images"].to_numpy(float).reshape(shape)
            wrong = whole["wrong"].to_numpy(float).reshape(shape)
            parts = whole["parts"].to_numpy(float).reshape(shape)[:, 0]
            found[str(variant)] = Sizes(images.mean(0), wrong, parts)
        return found

    def of(self, variants: set[str]) -> "ErrorCounts":
        """Those of these variants alone."""
        return ErrorCounts(self.table[self.table["variant"].isin(variants)])

    @property
    def modes(self) -> list[str]:
        """Failure modes, or else classes, that are counted by themselves."""
        return [str(mode) for mode in self.table["mode"].unique() if mode != ALL_PARTS]
