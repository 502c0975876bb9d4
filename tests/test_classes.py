"""Classes of two sources brought together, and the class that means good."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny import bench, write_class

from gaikan.data.classes import align, resolve_ok
from gaikan.data.frames import Frames
from gaikan.errors import DataError

pytestmark = pytest.mark.timeout(120)


def frames(
    classes: str, labels: list[int], keys: str | None = None, modes: str | None = None
) -> Frames:
    """Blank images; names are given as words of one string."""
    return Frames(
        source="made",
        images=np.zeros((len(labels), 1, 2, 3), np.uint8),
        labels=np.array(labels),
        classes=tuple(classes.split()),
        keys=tuple((keys or classes).split()),
        rows=np.arange(len(labels)),
        modes=None if modes is None else np.array(modes.split()),
    )


TRAIN = frames("ok open spur", [0, 1, 2], keys="0 1 4")


def test_classes_in_another_order_are_matched_by_name() -> None:
    test = align(TRAIN, frames("spur ok open", [0, 1, 2, 0]))
    assert test.classes == TRAIN.classes
    assert test.labels.tolist() == [2, 0, 1, 2]


def test_labels_without_names_are_matched_by_key() -> None:
    test = align(TRAIN, frames("1 4", [0, 1, 1]))
    assert test.names.tolist() == ["open", "spur", "spur"]


def test_classes_that_the_test_part_lacks_stay_listed() -> None:
    assert align(TRAIN, frames("spur", [0])).classes == TRAIN.classes


def test_a_class_that_training_lacks_is_listed_last_and_noted() -> None:
    test = align(TRAIN, frames("crack ok", [0, 1, 0]))
    assert test.classes == ("ok", "open", "spur", "crack")
    assert test.labels.tolist() == [3, 0, 3]
    assert test.notes == (
        "class 'crack' is not in made: its 2 test parts can only be classified wrong",
    )


def test_aligning_changes_nothing_but_the_classes() -> None:
    test = frames("spur ok", [1, 0, 1], modes="a b c")
    aligned = align(TRAIN, test)
    assert aligned.names.tolist() == test.names.tolist()
    assert aligned.images is test.images
    assert aligned.modes is test.modes


def test_a_label_of_two_meanings_is_refused() -> None:
    with pytest.raises(DataError, match="label 4 is 'short' there but 'spur' in made"):
        align(TRAIN, frames("ok short", [0, 1], keys="0 4"))


def test_images_of_another_size_are_refused() -> None:
    colour = replace(TRAIN, images=np.zeros((3, 3, 2, 3), np.uint8))
    with pytest.raises(DataError, match="images are 1 x 2 x 3, those of made 3 x 2 x 3"):
        align(colour, TRAIN)


@pytest.mark.parametrize(("ok", "found"), [(None, None), ("spur", "spur"), ("4", "spur")])
def test_the_good_class_goes_by_name_or_label(ok: str | None, found: str | None) -> None:
    assert resolve_ok(TRAIN, ok) == found


def test_the_good_class_goes_by_failure_mode() -> None:
    parts = frames("0 1", [0, 0, 1, 1], modes="good good spur open")
    assert resolve_ok(parts, "good") == "0"


@pytest.mark.parametrize("modes", ["good spur open open", "spur good good open"])
def test_a_failure_mode_that_shares_its_class_is_not_good(modes: str) -> None:
    with pytest.raises(DataError, match="failure mode 'good' does not make a class of its own"):
        resolve_ok(frames("0 1", [0, 0, 1, 1], modes=modes), "good")


def test_an_unknown_good_class_is_told_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'fine' for --ok; classes: ok, open, spur$"):
        resolve_ok(TRAIN, "fine")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`train` with two classes; `test` with a third one; `few`, in which one has two images."""
    path = tmp_path_factory.mktemp("classes")
    for place, name in enumerate(("ok", "spur")):
        write_class(path / "train" / name, 5 * place, 10, seed=0)
        write_class(path / "test" / name, 5 * place, 4, seed=1)
        write_class(path / "few" / name, 5 * place, 6 - 4 * place, seed=0)
    write_class(path / "test/crack", 10, 5, seed=1)
    (path / "tiny.toml").write_text(
        'seeds = 1\nreferences = "none"\n[grid]\narch = ["mlp"]\nstyle = ["vanilla"]\n'
        "[train]\nepochs = 1\n[timing]\nenabled = false\n"
    )
    return path


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    """A run whose test part has a class, `crack`, that training lacks."""
    sources = ("--train", folder / "train", "--test", folder / "test", "--ok", "ok")
    assert bench(folder / "tiny.toml", *sources, "--out", folder / "out") == 0
    return folder / "out"


def counts_of(out: Path) -> dict[str, pd.DataFrame]:
    """Confusion matrices by variant."""
    paths = (out / "confusion").glob("*.csv")
    return {path.stem: pd.read_csv(path, index_col="actual") for path in paths}


def test_a_run_lists_the_unknown_class_last_and_never_predicts_it(out: Path) -> None:
    assert len(counts_of(out)) == 3
    for counts in counts_of(out).values():
        assert counts.index.tolist() == counts.columns.tolist() == ["ok", "spur", "crack"]
        assert counts.sum(axis=1).tolist() == [4, 4, 5]
        assert counts["crack"].sum() == 0


def test_a_run_scores_the_unknown_class_as_wrong(out: Path) -> None:
    scores = pd.read_csv(out / "accuracy.csv").query("split == 'test'").set_index("variant")
    assert scores["n"].tolist() == [13, 13, 13]
    for variant, frame in counts_of(out).items():
        counts = frame.to_numpy(int)
        recall = counts.diagonal() / [4, 4, 5]
        expected = {
            "accuracy": counts.trace() / 13,
            "balanced_accuracy": recall.mean(),
            "escape_rate": counts[1:, 0].sum() / 9,
        }
        given = scores.loc[variant, list(expected)].to_numpy(float)
        assert given == pytest.approx(list(expected.values()), abs=1e-6)


def test_a_run_reports_the_unknown_class(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    (note,) = manifest["data"]["test"]["notes"]
    assert note.startswith("class 'crack' is not in ")
    assert note in (out / "report.md").read_text()


@pytest.mark.parametrize(
    ("train", "arguments", "words"),
    [
        ("few", [], "few: class 'spur' has 2 images, the split needs at least 3; add images"),
        ("train", ["--ok", "fine"], "no class, label or failure mode 'fine' for --ok"),
        ("train", ["--out", "tiny.toml/out"], "--out tiny.toml/out: cannot be written"),
    ],
)
def test_what_cannot_run_is_one_line_and_exit_code_2(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    train: str,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(folder)
    assert bench("tiny.toml", "--train", train, *arguments) == 2
    stderr = capsys.readouterr().err
    assert words in stderr
    assert stderr.count("\n") == 1
    assert not (folder / "results").exists()


def test_target_distances_of_an_unknown_class_are_refused_before_anything_is_trained(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "far.toml"
    config.write_text("[style.siamese.targets]\nok = {spurt = 3.0}\n")
    assert bench(config, "--train", folder / "train", "--out", tmp_path / "out") == 2
    assert "row 'ok', column 'spurt': no class 'spurt'" in capsys.readouterr().err
