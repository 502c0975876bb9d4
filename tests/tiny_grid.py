"""`gaikan bench` on a tiny grid, without pictures, which take longer than it trains."""

import sys
from pathlib import Path
from unittest.mock import patch

from gaikan.cli import main

TOML = """
seeds = 2
pictures = false
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


def bench_here(*arguments: str | Path) -> int:
    """Runs `gaikan bench` in this process, its workers apart; the exit code."""
    import pytest  # whoever runs this file does without, as do its workers

    argv = ["gaikan", "bench", *map(str, arguments)]
    with patch.object(sys, "argv", argv), pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def bench_command(*arguments: str | Path) -> list[str]:
    """The command line that runs `gaikan bench` in a process of its own."""
    program = [sys.executable, "-c", "from gaikan.cli import main; main()", "bench"]
    return program + [str(argument) for argument in arguments]
