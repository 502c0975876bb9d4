"""The command line, run in this process or in one of its own."""

import sys
from pathlib import Path

import pytest
from here import one_thread

from gaikan.cli import main


def gaikan(*arguments: str | Path) -> int:
    """Runs a `gaikan` command in this process; the exit code.

    It trains in a thread: a process of its own would import torch for longer than it works.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gaikan.grid.pool.processes", one_thread)
        patch.setattr("gaikan.evaluation.references.processes", one_thread)
        patch.setattr(sys, "argv", ["gaikan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def bench(*arguments: str | Path) -> int:
    """`gaikan bench`, likewise."""
    return gaikan("bench", *arguments)


def command_line(*arguments: str | Path) -> list[str]:
    """The command line that runs `gaikan` in a process of its own."""
    program = [sys.executable, "-c", "from gaikan.cli import main; main()"]
    return program + [str(argument) for argument in arguments]


# What the line does without.
HEAVY = ("torch", "pandas", "scipy", "sklearn", "matplotlib", "datasets", "onnx")
