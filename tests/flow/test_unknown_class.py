"""Runs on a class that training lacks, and runs that cannot be."""

import json
from pathlib import Path

import pandas as pd
import pytest
from runner import bench
from tiny import write_class

from gaikan.language.words import unpacked

pytestmark = pytest.mark.timeout(120)


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
    (kept,) = manifest["data"]["test"]["notes"]
    note = unpacked(json.dumps(kept)).en
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
