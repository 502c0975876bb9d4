"""`manifest.json` of an odd kind: refused with the file's name."""

import os
from pathlib import Path

import pytest

from gaikan.errors import ConfigError
from gaikan.run_folder.manifest import read_manifest


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("folder", "manifest.json: is not a file; move it away"),
        ("pipe", "manifest.json: is not a file; move it away"),
        ("list", "manifest.json: key '(all of it)': input should be an object; run `gaikan bench`"),
        ("nothing", "no run folder (no manifest.json in it)"),
    ],
)
@pytest.mark.timeout(20)
def test_an_odd_kind_is_named(kind: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "list":
        path.write_text("[]")
    with pytest.raises(ConfigError, match=str(tmp_path)) as refused:
        read_manifest(tmp_path)
    assert words in str(refused.value)


def test_a_file_in_place_of_the_folder_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    with pytest.raises(ConfigError, match="run: no run folder"):
        read_manifest(tmp_path / "run")
