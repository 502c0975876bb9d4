"""The test parts of a run folder, and which of them the page shows."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.data.frames import Images
from gaikan.errors import ConfigError
from gaikan.evaluation.mistakes import most_confident_mistakes
from gaikan.language.words import Words, say
from gaikan.report.installed_blocks import about, installed
from gaikan.run_folder.picks_file import PickedCandidate
from gaikan.run_folder.predictions import read_predictions
from gaikan.run_folder.whole import RunFolder
from gaikan.seeds import stream
from gaikan.system.store import unpack
from gaikan.timing.timed_run import TimedRun
from gaikan.training.stored_network import StoredEmbeddings

Index = NDArray[np.int64]

MOST = 1500  # parts in the scatter
GALLERY = 24  # wrong parts shown of a variant
_OF_OK = ("ok_margin", "defect")
_COLUMNS = ("variant", "seed", "split", "sample", "label", "predicted", "margin", "origin")


@dataclass(frozen=True)
class TestParts:
    """Images of N test parts, and what every network called them."""

    __test__ = False  # pytest would take it for a test case

    run: TimedRun
    images: Images  # (N, C, H, W)
    predictions: pd.DataFrame  # N rows per variant and seed, in the order of `images`
    chosen: Index  # positions of the parts that the page shows, ascending

    @classmethod
    def read(cls, folder: RunFolder) -> "TestParts":
        """Raises ConfigError where predictions are missing or the store lacks the images."""
        run = TimedRun.read(folder.out)
        images = unpack(run.entry(run.inputs_key))[0]["images"]
        parts = cls(run, images, _predictions(folder), np.zeros(0, np.int64))
        wrong = [parts.positions(rows) for _, rows in parts.galleries(folder)]
        return replace(parts, chosen=shown_parts(parts.labels, np.concatenate(wrong)))

    @cached_property
    def first(self) -> pd.DataFrame:
        """The N rows of one variant and seed: each part once."""
        table = self.predictions
        variant, seed = table[["variant", "seed"]].iloc[0]
        return table[table["variant"].eq(variant) & table["seed"].eq(seed)]

    @cached_property
    def seed(self) -> int:
        """The first seed, whose networks the page draws."""
        return int(self.predictions["seed"].min())

    @cached_property
    def labels(self) -> NDArray[np.str_]:
        """Actual class names (N,)."""
        return self.first["label"].to_numpy(str)

    def galleries(self, folder: RunFolder) -> list[tuple[Words, pd.DataFrame]]:
        """(caption, rows of `predictions`): wrong parts of the picks as installed, or of the best.

        The class that they were called is that of the stage's threshold.
        """
        ok = folder.manifest.ok
        picked = [
            (say("gallery_installed", about=about(name, pick)), self._wrong_as_installed(pick, ok))
            for name, _, pick in installed(folder.picks)
        ]
        if picked:
            return picked
        best = str(folder.best["variant"])
        wrong = most_confident_mistakes(self.predictions, best, GALLERY)
        return [(say("gallery_caption", variant=best), wrong)]

    def _wrong_as_installed(self, pick: PickedCandidate, ok: str | None) -> pd.DataFrame:
        """Up to `GALLERY` rows, escapes first, then those with the largest margin."""
        table = self.predictions
        rows = table[table["variant"].eq(pick.variant) & table["seed"].eq(pick.seed)]
        if pick.threshold is not None:
            called = rows["defect"].astype(str).mask(rows["ok_margin"] > pick.threshold, ok)
            rows = rows.assign(predicted=called)
        wrong = rows[rows["label"].astype(str) != rows["predicted"].astype(str)]
        ranked = wrong.assign(escaped=wrong["predicted"] == ok)
        order = ranked.sort_values(["escaped", "margin"], ascending=False, kind="stable")
        return order.head(GALLERY)

    def positions(self, rows: pd.DataFrame) -> Index:
        """Positions (n,) of the parts of these rows among the N."""
        order = {sample: i for i, sample in enumerate(self.first["sample"].tolist())}
        return np.asarray([order[sample] for sample in rows["sample"].tolist()], np.int64)

    def embedded(self, network: str) -> StoredEmbeddings | None:
        """Embeddings and anchors of a network of the first seed; None where its training failed."""
        for entry in self.run.networks:
            if (entry.network, entry.seed) == (network, self.seed):
                return StoredEmbeddings.unpack(self.run.entry(entry.store.embedded))
        return None


def _predictions(folder: RunFolder) -> pd.DataFrame:
    path = folder.out / "predictions.parquet"
    table: pd.DataFrame = read_predictions(path, _COLUMNS, ("mode", "group", *_OF_OK)).to_pandas()
    test = table[table["split"] == "test"].reset_index(drop=True)
    if test.empty:
        raise ConfigError(f"{path}: no test rows; run `gaikan bench` again")
    first, *others = (parts.to_numpy() for _, parts in test.groupby(["variant", "seed"])["sample"])
    if not all(np.array_equal(first, other) for other in others):
        raise ConfigError(
            f"{path}: column 'sample': not the same test parts of every variant and seed; "
            "run `gaikan bench` again"
        )
    return test


def shown_parts(labels: NDArray[np.str_], wanted: Index, most: int = MOST) -> Index:
    """Positions of up to `most` parts at random, always the same, and of those `wanted`.

    Half the room is divided evenly between the classes, so that rare ones stay in sight.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    order = stream(0, "parts on the page").permutation(len(labels))
    by_class = pd.Series(labels[order]).groupby(labels[order])
    late = by_class.cumcount().to_numpy() >= most // 2 // by_class.ngroups
    first = order[np.argsort(late, kind="stable")][:most]
    return np.union1d(first, wanted)
