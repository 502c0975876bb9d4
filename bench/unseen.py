"""By which score a person is best asked about defects that training has not seen.

    python bench/unseen.py OUT --data parts.toml --arch resnet --style triplet [--seed 1]

trains the network without each defect of the configuration's source in turn, and keeps the
embeddings and pooled last maps of all parts in OUT, so that an interrupted run goes on and scores
are tried without training. Then it prints, for all that OUT holds, the share in % of the left-out
test parts that escape (called good, nobody asked), by score, when 5 % of the good validation parts
called good are asked about, and what that means for the test parts of known classes; and for each
score by how much it leaves fewer escapes than the ok margin does, on the data sets that it is not
judged by. With --made-up the networks learn from made-up defects, too (`made_up.py`).
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from made_up import learned
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn
from torch.nn import functional as F

from gaikan.config.model import Config
from gaikan.config.toml_files import load_config
from gaikan.data.frames import Frames
from gaikan.evaluation.experiment import prepare
from gaikan.evaluation.unseen import ASKED_GOOD
from gaikan.evaluation.without_mode import WithoutMode, leave_out, modes_to_leave_out
from gaikan.grid.cells import cells
from gaikan.report.markdown_table import markdown
from gaikan.seeds import stream
from gaikan.training.cell import Arrays, work
from gaikan.training.nearest_anchor import anchor_distances
from gaikan.training.stored_network import StoredEmbeddings, StoredNetwork

Floats = NDArray[np.float64]
Features = dict[str, NDArray[np.float32]]
Both = tuple[Floats, Floats]  # of validation and test parts
ANCHOR = "mean_embedding"
LAST_MAP = {"resnet": "block3", "cnn": "conv3"}
KNOWN, NEAREST = 300, 5
USED = "Gaussian of good, embedding"  # by `gaikan`
SETTING = ["data", "arch", "style"]


def features(stored: StoredNetwork, frames: Frames) -> Features:
    """Embeddings, and the mean and the maximum of each quarter of the last map, of all images."""
    embedder, maps = stored.fast_embedder(), list[Tensor]()
    found: dict[str, list[Tensor]] = {"emb": [], "qmean": [], "qmax": []}
    module = getattr(embedder.network, LAST_MAP[stored.arch])
    assert isinstance(module, nn.Module)
    hook = module.register_forward_hook(lambda module, given, result: maps.append(F.relu(result)))
    with torch.inference_mode():
        for images in torch.split(torch.from_numpy(frames.images), 256):
            found["emb"].append(embedder(images))
            last = maps.pop()
            found["qmean"].append(F.adaptive_avg_pool2d(last, 2).flatten(1))
            found["qmax"].append(F.adaptive_max_pool2d(last, 2).flatten(1))
    hook.remove()
    return {name: torch.cat(parts).numpy() for name, parts in found.items()}


def trained(
    config: Config, left_out: WithoutMode, seed: int, made_up: bool
) -> dict[str, NDArray[np.generic]]:
    """What is kept of one network: features and names of its parts, its anchors and its head."""
    experiment = left_out.experiment
    train, test, parts = experiment.train, experiment.test, experiment.parts
    (cell,) = cells(config, "cpu", parts, train, ok=experiment.ok)
    assert experiment.ok is not None
    with learned(train.classes.index(experiment.ok)) if made_up else nullcontext():
        done = work(cell, Arrays.of(train, test), None, lambda epoch, loss: None)
    assert done.trained is not None, done.failure
    assert done.embedded is not None
    network, decided = StoredNetwork.unpack(done.trained), StoredEmbeddings.unpack(done.embedded)
    kept: dict[str, NDArray[np.generic]] = {"classes": np.asarray(train.classes)}
    kept["anchors"] = decided.anchors[ANCHOR]
    if decided.head is not None:
        kept |= {"head_w": decided.head.weight, "head_b": decided.head.bias}
    own = parts[seed]
    for name, some in (
        ("fit", train.take(own.fit)),
        ("val", train.take(own.validation)),
        ("test", test),
    ):
        kept |= {f"{name}_{key}": rows for key, rows in features(network, some).items()}
        kept[f"{name}_names"] = some.names
    return kept | {"test_unseen": left_out.unseen}


def train_all(out: Path, source: str, arch: str, style: str, seed: int, made_up: bool) -> None:
    """Every network of one data set, architecture, style and seed that OUT lacks."""
    keys = {"grid.arch": [arch], "grid.style": [style], "grid.anchor": [ANCHOR]}
    config = load_config(Path(source), keys | {"seeds": 1, "base_seed": seed})
    experiment = prepare(config)
    for mode in modes_to_leave_out(experiment):
        left_out = leave_out(experiment, mode)
        path = out / f"{Path(source).stem}--{left_out.mode}--{arch}--{style}--{seed}.npz"
        if left_out.reason is None and not path.exists():
            kept = trained(config, left_out, seed, made_up)
            with path.with_suffix(".part").open("wb") as file:
                np.savez(file, **kept)  # type: ignore[arg-type]
            path.with_suffix(".part").rename(path)
            print(path.stem, flush=True)


class Kept:
    """One network of OUT: its parts, its decisions, and its scores (higher is more unlike)."""

    def __init__(self, path: Path, ok: str) -> None:
        data, mode, arch, style, seed = path.stem.split("--")
        self.names = {"data": data, "mode": mode, "arch": arch, "style": style, "seed": int(seed)}
        self.arrays = np.load(path)
        self.ok, self.known = ok, self.arrays["fit_names"]
        self.place = self.arrays["classes"].tolist().index(ok)
        distances = self.both(lambda part: anchor_distances(self.of(part, "emb"), self.anchors))
        self.near: Both = (distances[0].min(1), distances[1].min(1))
        likely = (-distances[0], -distances[1])
        if "head_w" in self.arrays:  # a vanilla network decides by its head
            likely = self.both(self.logits)
            self.near = (-likely[0].max(1), -likely[1].max(1))
        self.margin: Both = (self.ok_margin(likely[0]), self.ok_margin(likely[1]))

    @property
    def anchors(self) -> NDArray[np.float32]:
        return np.asarray(self.arrays["anchors"], np.float32)

    def of(self, part: str, feature: str) -> NDArray[np.float32]:
        return np.asarray(self.arrays[f"{part}_{feature}"], np.float32)

    def both(self, score: Callable[[str], Floats]) -> Both:
        return score("val"), score("test")

    def logits(self, part: str) -> Floats:
        weight, bias = self.arrays["head_w"], self.arrays["head_b"]
        return np.asarray(self.of(part, "emb") @ weight.T + bias, float)

    def ok_margin(self, likely: Floats) -> Floats:
        """By how much the good class is likelier than the next: positive is called good."""
        return np.asarray(likely[:, self.place] - np.delete(likely, self.place, 1).max(1))

    def gaussian(self, feature: str) -> Both:
        """Mahalanobis distance to the good fit parts, their covariance shrunk."""
        rows = self.of("fit", feature)[self.known == self.ok].astype(float)
        model = LedoitWolf().fit(rows)
        return self.both(lambda part: np.sqrt(model.mahalanobis(self.of(part, feature))))

    def classes_gaussian(self, feature: str) -> Both:
        """To the nearest class mean, by the covariance within classes."""
        rows, label = self.of("fit", feature).astype(float), self.arrays["classes"]
        means = np.stack([rows[self.known == name].mean(0) for name in label])
        own = means[[label.tolist().index(name) for name in self.known]]
        whiten = np.linalg.cholesky(LedoitWolf(assume_centered=True).fit(rows - own).precision_)
        near = NearestNeighbors(n_neighbors=1).fit(means @ whiten)
        return self.both(lambda part: near.kneighbors(self.of(part, feature) @ whiten)[0][:, 0])

    def neighbours(self, feature: str) -> Both:
        """Mean distance to the 5 nearest of 300 fit parts, as many of each class."""
        rng, label = stream(0, "neighbours"), self.arrays["classes"]
        each = KNOWN // len(label)
        rows = np.concatenate(
            [rng.permutation(np.flatnonzero(self.known == name))[:each] for name in label]
        )
        near = NearestNeighbors(n_neighbors=NEAREST).fit(self.of("fit", feature)[rows])
        return self.both(lambda part: near.kneighbors(self.of(part, feature))[0].mean(1))

    def product(self, one: Both, other: Both) -> Both:
        """Of two scores' p-values among good validation parts, negated."""
        good = self.arrays["val_names"] == self.ok

        def p(scores: Both) -> Both:
            held = np.sort(scores[0][good])
            count = [len(held) - np.searchsorted(held, some) for some in scores]
            return (1 + count[0]) / (1 + len(held)), (1 + count[1]) / (1 + len(held))

        (a, b), (c, d) = p(one), p(other)
        return -(a * c), -(b * d)

    def scores(self) -> dict[str, Both]:
        lack = (-self.margin[0], -self.margin[1])
        return {
            "ok margin": lack,
            "max logit": self.near,
            "k-NN, embedding": self.neighbours("emb"),
            "Gaussians of classes, embedding": self.classes_gaussian("emb"),
            USED: self.gaussian("emb"),
            "k-NN, last map": self.neighbours("qmean"),
            "Gaussians of classes, last map": self.classes_gaussian("qmean"),
            "Gaussian of good, last map": self.gaussian("qmean"),
            "Gaussian of good, maxima of last map": self.gaussian("qmax"),
            "margin x Gaussian, embedding": self.product(lack, self.gaussian("emb")),
            "margin x Gaussian, last map": self.product(lack, self.gaussian("qmean")),
        }

    def escapes(self) -> Iterator[dict[str, object]]:
        """A row a score: what becomes of the test parts, left out, known and good."""
        usual = (self.arrays["val_names"] == self.ok) & (self.margin[0] > 0)
        passed = self.margin[1] > 0
        yield self.names | {"score": "natural border"} | self.shares(passed)
        for name, (held, new) in self.scores().items():
            ordered = np.sort(held[usual])[::-1]
            level = ordered[int(ASKED_GOOD * len(ordered))] if len(ordered) else np.inf
            yield self.names | {"score": name} | self.shares(passed & ~(new > level))

    def shares(self, passed: NDArray[np.bool_]) -> dict[str, object]:
        """Of the test parts, where `passed` (N,) are called good and nobody is asked."""
        unseen, good = self.arrays["test_unseen"], self.arrays["test_names"] == self.ok
        known = ~unseen & ~good
        return {"escape": passed[unseen].mean(), "known": passed[known].mean()} | {
            "stopped": 1 - passed[good].mean()
        }


def means_and_worst(table: pd.DataFrame) -> str:
    """A row a score, a column a setting: the mean over modes, and the worst of them, in %."""
    modes = table.groupby([*SETTING, "score", "mode"], sort=False)["escape"].mean()
    by_score = modes.groupby([*SETTING, "score"], sort=False).agg(["mean", "max"])
    shown = (100 * by_score).round(1).astype(str)
    cells_ = (shown["mean"] + " (" + shown["max"] + ")").unstack(SETTING)
    rows = [[str(row[0]), *map(str, row[1:])] for row in cells_.itertuples()]
    return markdown(["score", *(" ".join(names) for names in cells_.columns)], rows)


def known_parts(table: pd.DataFrame) -> str:
    """In %: known defects that escape, good parts rejected or asked about; means over networks."""
    shown = table[table["score"].isin(["natural border", USED])]
    means = 100 * shown.groupby([*SETTING, "score"], sort=False)[["known", "stopped"]].mean()
    rows = [[*map(str, key), f"{a:.1f}", f"{b:.1f}"] for key, a, b in means.itertuples()]
    return markdown([*SETTING, "score", "known escape", "good stopped"], rows)


def on_others(table: pd.DataFrame) -> str:
    """A row a score: escapes as a share of the ok margin's, chosen on one data set or on others."""
    means = table.groupby([*SETTING, "score"], sort=False)["escape"].mean().unstack("score")
    ratio = (means + 1e-4).div(means["ok margin"] + 1e-4, axis=0).map(np.log)
    data = ratio.index.get_level_values("data")
    columns = {f"without {name}": np.exp(ratio[data != name].mean()) for name in data.unique()}
    found = pd.DataFrame({"all": np.exp(ratio.mean())} | columns).sort_values("all")
    rows = [[str(row[0]), *(f"{x:.2f}" for x in row[1:])] for row in found.itertuples()]
    return markdown(["escapes as a share of those by ok margin", *map(str, found.columns)], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("out", type=Path)
    for name in ("data", "arch", "style"):
        parser.add_argument(f"--{name}", action="append", default=[])
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--made-up", action="store_true")
    parser.add_argument("--ok", default="ok", help="the good class of all data sets")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for seed in asked.seed or [0]:
        for source in asked.data:
            for arch in asked.arch:
                for style in asked.style:
                    train_all(asked.out, source, arch, style, seed, asked.made_up)
    kept = [Kept(path, asked.ok) for path in sorted(asked.out.glob("*.npz"))]
    table = pd.DataFrame([row for each in kept for row in each.escapes()])
    table.to_csv(asked.out / "unseen.csv", index=False, float_format="%.6f")
    print(table.groupby(SETTING)["seed"].unique().to_string(), means_and_worst(table), sep="\n\n")
    print(known_parts(table), on_others(table), sep="\n\n")


if __name__ == "__main__":
    main()
