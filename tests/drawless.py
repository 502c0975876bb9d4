"""`gaikan bench` without its pictures and pages, which take longer than a tiny grid trains."""

import sys
from pathlib import Path
from unittest.mock import patch

from gaikan.cli import main

TOML = """
seeds = 2
references = "none"
[data]
train = "{folder}/parts"
[grid]
arch = ["mlp"]
style = ["siamese", "triplet"]
anchor = ["mean_embedding"]
[timing]
enabled = false
[train]
epochs = {epochs}
batch_size = 16
"""


def drawless() -> None:
    """Runs the command line of this process."""
    with (
        patch("gaikan.report.run_files.write_figures"),
        patch("gaikan.report.run_files.write_confusions"),
        patch("gaikan.flow.bench_run.write_pages"),
        patch("gaikan.report.pages.write_pages"),
    ):
        main()


def drawless_bench(*arguments: str | Path) -> int:
    """Runs `gaikan bench` in this process, its workers apart; the exit code."""
    import pytest  # whoever runs this file does without, as do its workers

    argv = ["gaikan", "bench", *map(str, arguments)]
    with patch.object(sys, "argv", argv), pytest.raises(SystemExit) as ended:
        drawless()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def drawless_command(*arguments: str | Path) -> list[str]:
    """The command line that runs `gaikan bench` in a process of its own."""
    program = [sys.executable, __file__, "bench"]
    return program + [str(argument) for argument in arguments]


if __name__ == "__main__":
    drawless()
