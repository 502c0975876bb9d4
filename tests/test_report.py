"""What a report is made of: words in two languages, Markdown, chosen parts, their sheet."""

import io
from pathlib import Path
from string import Formatter
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from manifests import manifest
from PIL import Image

from gaikan.config import stages
from gaikan.figures.thumbnails import COLUMNS, SIDE, sheet
from gaikan.grid.store_keys import Keys
from gaikan.report.blocks import Bullets, Code, Table
from gaikan.report.markdown_page import markdown
from gaikan.report.parts import _choose
from gaikan.report.strings import plain, say, strings
from gaikan.report.trust_words import reference_sentence
from gaikan.run_folder.bench_files import write_manifest
from gaikan.run_folder.manifest import NetworkEntry, NetworkRecipe


def test_every_string_has_both_languages_and_the_same_fields() -> None:
    for key, texts in strings().items():
        assert len(texts) == 2, key
        assert all(texts), key
        english, japanese = (_fields(text) for text in texts)
        assert english == japanese, key


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_constraint_and_objective_of_a_stage_has_a_name() -> None:
    names = {*stages.TIMING, *stages.QUALITY, *stages.NAMES, "recall", "cost"}
    assert {key.removeprefix("k_") for key in strings() if key.startswith("k_")} == names
    objectives = {key.removeprefix("o_") for key in strings() if key.startswith("o_")}
    assert objectives == set(get_args(stages.Objective))


def test_words_are_filled_in_by_language() -> None:
    said = say("and_more", names=say("unknown"), n=3)
    assert (said.en, said.ja) == ("unknown and 3 more", "不明 ほか 3")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("<b>", "\\<b>"),
        ("a < b <= 3", "a < b <= 3"),
        ("[x](javascript:y)", "\\[x](javascript:y)"),
        ("\\<i>", "\\\\\\<i>"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_name_makes_no_markup_in_markdown(name: str, written: str) -> None:
    assert markdown([Bullets([plain(name)])]) == f"- {written}\n"


def test_a_name_cannot_break_a_table_or_leave_a_code_block() -> None:
    lines = markdown([Table([plain("a")], [["x | y"]])]).splitlines()
    assert lines[2] == "| x \\| y |"
    assert markdown([Code("name = '```'")]).startswith("````toml\n")


def test_a_page_shows_all_parts_or_a_sample_that_keeps_rare_classes() -> None:
    labels = np.repeat(["common", "rare", "seldom"], [5000, 12, 300])
    wanted = np.array([3, 4999])
    chosen = _choose(labels, wanted, most=600)
    np.testing.assert_array_equal(chosen, _choose(labels, wanted, most=600))
    assert 600 <= len(chosen) <= 602
    assert len(set(chosen.tolist())) == len(chosen)
    assert set(wanted) <= set(chosen.tolist())
    counts = {name: int((labels[chosen] == name).sum()) for name in set(labels.tolist())}
    assert counts["rare"] == 12
    assert counts["seldom"] >= 100
    np.testing.assert_array_equal(_choose(labels[:600], wanted, most=600), np.arange(600))


@pytest.mark.parametrize("channels", [1, 3])
def test_each_image_has_its_place_on_the_sheet(channels: int) -> None:
    levels = np.linspace(0, 255, COLUMNS + 5).round().astype(np.uint8)
    images = np.broadcast_to(levels[:, None, None, None], (len(levels), channels, 2 * SIDE, SIDE))
    made = sheet(images)
    assert (made.width, made.height) == (SIDE // 2, SIDE)
    with Image.open(io.BytesIO(made.content)) as opened:
        pixels = np.asarray(opened.convert("L"), float)
    assert pixels.shape == (2 * SIDE, COLUMNS * SIDE // 2)
    for i, level in enumerate(levels):
        row, column = divmod(i, COLUMNS)
        tile = pixels[row * SIDE :, column * SIDE // 2 :][: SIDE - 1, : SIDE // 2 - 1]
        assert abs(tile.mean() - level) < 3


@pytest.mark.parametrize("rest", [True, None])
@pytest.mark.parametrize(("tied", "words"), [(True, "cannot be told from"), (False, "is behind")])
def test_a_reference_that_ties_is_not_called_behind(
    tied: bool, rest: bool | None, words: str
) -> None:
    """Whether or not a variant was left out of the comparison, which changes the column's type."""
    summary = pd.DataFrame(
        {
            "variant": ["cnn-a-mean_image", "reference-svm", "mlp-a-mean_image"],
            "kind": ["anchor", "reference", "anchor"],
            "accuracy": [0.9, 0.89, 0.5],
            "tied": [True, tied, rest],
        }
    )
    sentence = reference_sentence(summary)
    assert sentence is not None
    assert f"reference-svm (89.0 %), {words} cnn-a-mean_image" in sentence.en


def trained(key: str) -> NetworkEntry:
    return NetworkEntry(
        network="mlp-triplet",
        seed=0,
        store=Keys(key, key),
        recipe=NetworkRecipe(arch="mlp", style="triplet", seed=0),
        best_epoch=1,
        losses=(0.5,),
        validation_scores={"1": 0.5},
        seconds=1.0,
    )


def test_picks_among_other_networks_go_with_them(tmp_path: Path) -> None:
    def run(*keys: str) -> None:
        write_manifest(tmp_path, manifest(networks=tuple(map(trained, keys))))

    run("a", "b")
    (tmp_path / "picks.json").write_text("{}")
    run("a", "b")
    assert (tmp_path / "picks.json").exists()
    run("a", "c")
    assert not (tmp_path / "picks.json").exists()


def test_what_an_earlier_run_wrote_goes_and_nothing_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for path in (out / "old.csv", out / "new.csv", tmp_path / "outside.csv"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for names in (("old.csv", "new.csv", "../outside.csv"), ("new.csv",)):
        write_manifest(out, manifest(files=dict.fromkeys(names, "0")))
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "new.csv"]
    assert (tmp_path / "outside.csv").exists()


def test_values_that_are_not_bytes_share_one_scale() -> None:
    images = np.linspace(-1, 1, 50, dtype=np.float32)[:, None, None, None] * np.ones(
        (1, 8, 8), "f4"
    )
    with Image.open(io.BytesIO(sheet(images).content)) as opened:
        pixels = np.asarray(opened.convert("L"), float)
    means = [pixels[8 * (i // COLUMNS) :, 8 * (i % COLUMNS) :][:8, :8].mean() for i in range(50)]
    assert means[0] < 5
    assert means[-1] > 250
    assert (np.diff(means) > -2).all()
