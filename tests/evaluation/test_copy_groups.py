"""`copies.csv`: what it groups stays on one side, with the lots that it ties together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaikan.data.frames import Frames
from gaikan.data.sources import read_source
from gaikan.data.split import split, split_off_test
from gaikan.evaluation.copies import find_copies
from gaikan.evaluation.copy_groups import copy_groups, named_alike
from gaikan.evaluation.leaks import audit


def frames(origins: list[str] | None, n: int, groups: list[str] | None = None) -> Frames:
    rng = np.random.default_rng(n)
    return Frames(
        "source",
        rng.integers(0, 255, (n, 1, 16, 16), np.uint8),
        np.arange(n) % 2,
        ("ok", "spur"),
        ("0", "1"),
        np.arange(n),
        groups=None if groups is None else np.asarray(groups),
        origins=None if origins is None else np.asarray(origins, object),
    )


def test_files_of_one_name_but_for_the_ending_tell_of_one_part() -> None:
    train = frames(["a/part_001.bmp", "a/part_002.bmp", "b/part_001.bmp"], 3)
    test = frames(["a/part_001.JPG", "c/part_002.jpg", "parts.parquet:1", "parts.parquet:2"], 4)
    assert named_alike(train, test).tolist() == [[0, 3]]
    found = audit(train, test, {}, find_copies(train.images, test.images))
    assert found.named.tolist() == [True, False, False, False]
    assert found.leaked.tolist() == [True, False, False, False]
    assert found.pairs["kind"].tolist() == ["name"]
    assert len(named_alike(frames(None, 3), frames(None, 3))) == 0


def test_lots_that_copies_tie_together_become_one() -> None:
    train, test = frames(None, 4, list("aabc")), frames(None, 3, list("cde"))
    table = copy_groups(train, test, np.array([[0, 4], [2, 5]]))  # a with c, b with d
    assert table["group"].tolist() == ["a", "a", "b", "a", "a", "b", "e"]
    assert table["copies"].tolist() == [1, 0, 1, 0, 1, 1, 0]
    alone = copy_groups(replace(train, groups=None), replace(test, groups=None), np.array([[0, 4]]))
    assert len(set(alone["group"])) == 6


@pytest.mark.parametrize("seed", range(3))
def test_a_source_made_of_copies_csv_keeps_copies_on_one_side(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 200, (60, 24, 24), np.uint8)
    images[1::2] = images[::2] // 2 + 40  # each part at two exposures
    for part, rows in (("train", range(40)), ("test", range(40, 60))):
        for row in rows:
            path = tmp_path / part / ("ok" if row % 4 < 2 else "spur") / f"{row}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images[row]).save(path)
    train, test = (read_source(str(tmp_path / part)) for part in ("train", "test"))
    found = audit(train, test, {}, find_copies(train.images, test.images))
    found.copies.to_csv(tmp_path / "copies.csv", index=False)
    whole = read_source(str(tmp_path / "copies.csv"))
    assert len(whole) == 60
    assert whole.origins is not None
    number = np.asarray([int(Path(str(origin)).stem) // 2 for origin in whole.origins])
    rest, held = split_off_test(whole, seed)
    assert not set(number[rest]) & set(number[held])
    parts = split(whole.take(rest), seed)
    assert not set(number[rest][parts.fit]) & set(number[rest][parts.validation])
