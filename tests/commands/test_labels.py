"""`gaikan labels`, from a run to the corrected run."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runner import gaikan

from gaikan.language.words import say
from gaikan.run_folder.manifest import read_manifest

pytest.importorskip("cleanlab", reason="gaikan[labels] is not installed")

CONFIG = """
pictures = false
references = "none"
seeds = 2
[data]
train = "train.parquet"
test = "test.parquet"
{data}
[grid]
arch = ["mlp"]
style = ["vanilla"]
anchor = ["mean_embedding"]
[train]
epochs = 8
[timing]
enabled = false
"""
NAMES = ["ok", "spur", "open"]
FLIPPED = {"train": [5, 20, 50, 77, 101, 130], "test": [7, 40, 83, 120]}


def write_parts(path: Path, flipped: list[int], seed: int) -> None:
    """150 parts: a bright bar, whose place makes the class."""
    truth = np.arange(150) % 3
    pixels = np.random.default_rng(seed).integers(0, 120, (150, 12, 12), np.uint8)
    for image, place in zip(pixels, 4 * truth, strict=True):
        image[place : place + 2] += np.uint8(120)
    labels = truth.copy()
    labels[flipped] = (labels[flipped] + 1) % 3
    table = pd.DataFrame(pixels.reshape(150, 144), columns=[f"data{i}" for i in range(144)])
    table["label"], table["fmode"] = labels, np.array(NAMES)[labels]
    table.to_parquet(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of parts of which some have the next class's label."""
    folder = tmp_path_factory.mktemp("labels")
    for seed, (part, rows) in enumerate(FLIPPED.items()):
        write_parts(folder / f"{part}.parquet", rows, seed)
    config = folder / "parts.toml"
    config.write_text(CONFIG.format(data=""))
    assert gaikan("bench", config, "--out", folder / "run") == 0
    assert gaikan("labels", folder / "run") == 0
    return folder


def read(run: Path) -> pd.DataFrame:
    return pd.read_csv(run / "labels.csv", dtype=str, keep_default_na=False)


def test_flipped_labels_are_proposed_with_the_true_class(folder: Path) -> None:
    table = read(folder / "run")
    assert (table["correct"] == "").all()
    for part, rows in FLIPPED.items():
        listed = table[table["part"] == part]
        assert len(set(listed["row"].astype(int)) & set(rows)) >= 0.8 * len(rows)
        found = listed[listed["doubted"] == "yes"]
        assert found.index.tolist() == listed.index.tolist()[: len(found)]
        numbers = found["row"].astype(int)
        assert len(set(numbers) & set(rows)) >= len(rows) / 2
        assert len(set(numbers) - set(rows)) <= 1
        right = found[numbers.isin(rows)]
        assert right["proposed"].tolist() == [NAMES[int(row) % 3] for row in right["row"]]
        assert right["image"].tolist() == [f"{part}.parquet:{row}" for row in right["row"]]
    of_validation = table["validation"] != ""
    assert set(table["part"][of_validation]) == {"train"}


def test_a_second_call_writes_the_same_and_trains_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [folder / "run" / name for name in ("labels.csv", "labels.html")]
    before = [file.read_bytes() for file in files]
    assert gaikan("labels", folder / "run") == 0
    said = capsys.readouterr().out
    assert re.search(r"\b(\d+) of \1 cells are stored", said)
    assert "labels are doubted" in said
    assert [file.read_bytes() for file in files] == before


def test_the_page_needs_no_network_and_speaks_two_languages(folder: Path) -> None:
    page = (folder / "run" / "labels.html").read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "train.parquet:5<" in page
    assert "疑わしいラベル" in page


def test_corrections_make_another_run_that_says_so_and_are_not_overwritten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = read(folder / "run")
    wrong = {(part, str(row)) for part, rows in FLIPPED.items() for row in rows}
    parts = list(zip(table["part"], table["row"], strict=True))
    flipped = wrong & set(parts)
    table["correct"] = table["proposed"].where(pd.Series([part in flipped for part in parts]), "")
    mended = folder / "mended.csv"
    table.to_csv(mended, index=False, sep=";", encoding="utf-8-sig")  # as a spreadsheet does
    config = folder / "mended.toml"
    config.write_text(CONFIG.format(data='corrections = "mended.csv"'))
    assert gaikan("bench", config, "--out", folder / "run") == 2  # it is of other labels
    assert gaikan("bench", config, "--out", folder / "new") == 0
    said = capsys.readouterr().out
    manifest = read_manifest(folder / "new")
    for part in FLIPPED:
        count = sum(each == part for each, _ in flipped)
        source = f"{folder}/{part}.parquet"
        words = f"mended.csv: {count} labels of {source} corrected"
        assert "".join(words.split()) in "".join(said.split())  # a terminal folds it
        notes = getattr(manifest.data, part).notes
        assert say("labels_corrected", file="mended.csv", n=count, source=source) in (
            note.values.get("corrected") for note in notes
        )
    assert gaikan("labels", folder / "new") == 0
    again = read(folder / "new")
    kept = again[again["correct"] != ""]
    assert set(zip(kept["part"], kept["row"], strict=True)) == flipped
    capsys.readouterr()
    assert gaikan("labels", folder / "new") == 2
    assert "holds corrections" in capsys.readouterr().err


def test_no_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gaikan("labels", tmp_path) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no run folder" in said


def test_without_the_extra_one_line_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    assert gaikan("labels", folder / "run") == 2
    assert capsys.readouterr().err == (
        "gaikan: gaikan labels: cleanlab is missing: pip install 'gaikan[labels]'\n"
    )
