"""What it is worth to enrol a failure mode that training never saw.

    python bench/enrolment.py --train parts.parquet --test later_lot.parquet --ok ok \
        --mode open --mode pin-hole --out results/enrolment [--run RUN]

For each mode the cnn is trained in every style on the training source without it; then the mode
gets an anchor, the mean embedding of 1, 5 or 20 of its training images, drawn 50 times. Figures
are of the test source, which neither training nor anchors saw. `--run`, a run on all modes, adds
the recall that training on the mode would have given. Networks are kept in the folder's store.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gaikan.commands.progress import GridProgress
from gaikan.commands.terminal import open_console
from gaikan.config.toml_files import load_config
from gaikan.data.classes import align
from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.data.split import split
from gaikan.grid.cells import cells, resolve_device, run_cells
from gaikan.report.markdown_table import markdown
from gaikan.seeds import stream
from gaikan.system.files import write
from gaikan.system.store import Store
from gaikan.training.nearest_anchor import anchor_distances, nearest
from gaikan.training.stored_network import StoredEmbeddings
from gaikan.variants import Variant

IMAGES, DRAWS = (1, 5, 20), 50
ANCHOR = "mean_embedding"


@dataclass(frozen=True)
class Known:
    """A network that has not seen `mode`, and what it makes of the test parts."""

    mode: str
    ok: str
    classes: NDArray[np.str_]  # (K,) that it was trained on
    actual: NDArray[np.str_]  # (N,) of the test parts
    distances: NDArray[np.float64]  # (N, K) of the test parts
    embeddings: NDArray[np.float32]  # (N, D) of the test parts
    others: NDArray[np.float32]  # (M, D) of the mode's training images

    @classmethod
    def of(
        cls, mode: str, ok: str, train: Frames, test: Frames, embedded: StoredEmbeddings
    ) -> "Known":
        """From the stored embeddings; the mode's training images follow the test parts there."""
        own = embedded.test[: len(test)]
        distances = anchor_distances(own, embedded.anchors[ANCHOR])
        classes = np.asarray(train.classes)
        return cls(mode, ok, classes, test.names, distances, own, embedded.test[len(test) :])

    def figures(self, images: NDArray[np.float32] | None) -> dict[str, float]:
        """Shares of the test parts, with an anchor from the embeddings (n, D) of `images`."""
        distances, names = self.distances, self.classes
        if images is not None:
            anchor = images.mean(0, dtype=np.float64, keepdims=True).astype(np.float32)
            distances = np.hstack([distances, anchor_distances(self.embeddings, anchor)])
            names = np.append(names, self.mode)
        predicted = names[nearest(distances)]
        new = self.actual == self.mode
        return {
            "recall": float((predicted[new] == self.mode).mean()),
            "escape": float((predicted[new] == self.ok).mean()),
            "others": float((predicted[~new] == self.actual[~new]).mean()),
            "taken": float((predicted[~new] == self.mode).mean()),
        }

    def draws(self) -> Iterator[dict[str, float]]:
        """Figures before, and of each draw."""
        yield {"images": 0, "draw": 0, **self.figures(None)}
        for n in IMAGES:
            for draw in range(DRAWS):
                rng = stream(draw, "enrolment", self.mode, str(n))
                chosen = rng.choice(len(self.others), n, replace=False)
                yield {"images": n, "draw": draw, **self.figures(self.others[chosen])}


def without(frames: Frames, mode: str) -> tuple[Frames, Frames]:
    """The images of the other classes, and those of `mode`."""
    place = frames.classes.index(mode)
    rest = frames.take(np.flatnonzero(frames.labels != place))
    labels = rest.labels - (rest.labels > place)
    classes, keys = (
        tuple(name for i, name in enumerate(names) if i != place)
        for names in (frames.classes, frames.keys)
    )
    known = replace(rest, labels=labels, classes=classes, keys=keys)
    return known, frames.take(np.flatnonzero(frames.labels == place))


def joined(test: Frames, more: Frames) -> Frames:
    """Images to embed, one after the other."""
    images: Any = np.concatenate([test.images, more.images])
    labels = np.concatenate([test.labels, np.full(len(more), test.classes.index(more.names[0]))])
    return replace(
        test, images=images, labels=labels, rows=np.arange(len(labels)), modes=None, groups=None
    )


def networks(mode: str, asked: argparse.Namespace) -> Iterator[tuple[str, Known]]:
    """Style and network, trained on all but `mode`."""
    keys = {"train.epochs": asked.epochs, "grid.arch": ["cnn"], "grid.anchor": [ANCHOR], "seeds": 1}
    config = load_config(None, keys | ({"grid.style": asked.style} if asked.style else {}))
    known, left_out = without(read_source(asked.train, "train"), mode)
    test = align(known, read_source(asked.test, "test"))
    todo = cells(config, resolve_device("auto"), {0: split(known, 0)}, known)
    with GridProgress(open_console()) as progress:
        store = Store(Path(asked.out) / "store")
        finished = run_cells(todo, known, joined(test, left_out), store, progress)
    for cell, result in zip(todo, finished, strict=True):
        assert result.embedded is not None, result.failure
        embedded = StoredEmbeddings.unpack(result.embedded)
        yield cell.recipe.style, Known.of(mode, asked.ok, known, test, embedded)


def trained_recall(run: str, mode: str, style: str) -> float:
    """The mode's recall in a run that trained on it."""
    table = pd.read_parquet(Path(run) / "predictions.parquet")
    own = table[
        (table["variant"] == Variant("cnn", style, ANCHOR).name) & (table["split"] == "test")
    ]
    own = own[own["label"] == mode]
    return float((own["predicted"].astype(str) == mode).mean())


def rows(table: pd.DataFrame, run: str | None) -> Iterator[list[str]]:
    """One a mode, style and number of images; means over draws, with deviations."""
    for names, part in table.groupby(["mode", "style"], sort=False):
        mode, style = map(str, names)
        before = part[part["images"] == 0].iloc[0]
        trained = "" if run is None else f"{100 * trained_recall(run, mode, style):.1f}"
        for n, draws in part[part["images"] > 0].groupby("images"):
            change = 100 * (draws["others"] - before["others"])
            yield [
                *(mode, style, str(n)),
                _spread(100 * draws["recall"]),
                trained,
                f"{100 * before['escape']:.1f}",
                _spread(100 * draws["escape"]),
                f"{100 * before['others']:.1f}",
                _spread(change, "+"),
            ]


def _spread(values: pd.Series, sign: str = "") -> str:
    return f"{values.mean():{sign}.1f} ± {values.std():.1f}"


HEADER = ["mode", "style", "images", "recall", "trained on it", "called ok before", "after"]
HEADER += ["others' accuracy before", "change"]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    for name in ("train", "test", "ok", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--mode", action="append", required=True)
    parser.add_argument("--style", action="append")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--run")
    asked = parser.parse_args()
    found = [
        {"mode": mode, "style": style, **figures}
        for mode in asked.mode
        for style, known in networks(mode, asked)
        for figures in known.draws()
    ]
    table = pd.DataFrame(found)
    write(Path(asked.out) / "enrolment.csv", table.to_csv(index=False, float_format="%.6f"))
    text = markdown(HEADER, list(rows(table, asked.run))) + "\n"
    write(Path(asked.out) / "enrolment.md", text)
    print(text)


if __name__ == "__main__":
    main()
