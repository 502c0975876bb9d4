"""Fonts of the figures: Japanese is drawn wherever a font with it is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from matplotlib import font_manager

from gaikan.figures.style import JAPANESE_FONTS

SHOW = """
from gaikan.figures.style import families, labels
print(families()[1:2], labels(["キズ"])["キズ"])
"""


def shown(config: Path) -> str:
    """What a new process draws with, whose matplotlib has its list of fonts in `config`."""
    environment = os.environ | {"MPLCONFIGDIR": str(config), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("lost", [True, False])
def test_a_font_that_is_newer_than_the_list_of_fonts_is_found(tmp_path: Path, lost: bool) -> None:
    font_manager.fontManager.get_font_names()
    (cached,) = Path(matplotlib.get_cachedir()).glob(
        f"fontlist-v{font_manager.FontManager.__version__}.json"
    )
    fonts = json.loads(cached.read_text())
    files = {entry["fname"] for entry in fonts["ttflist"] if entry["name"] in JAPANESE_FONTS}
    if not files:
        pytest.skip("no font with Japanese is installed")
    older = [entry for entry in fonts["ttflist"] if entry["fname"] not in files]
    listed = older if lost else fonts["ttflist"]
    (tmp_path / cached.name).write_text(json.dumps(fonts | {"ttflist": listed}))
    before = (tmp_path / cached.name).read_bytes()
    assert shown(tmp_path).startswith("['")
    assert shown(tmp_path).endswith("] キズ\n")
    assert (tmp_path / cached.name).read_bytes() == before
