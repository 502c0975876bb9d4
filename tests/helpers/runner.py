"""The command line, run in this process or in one of its own."""

import sys
from pathlib import Path

import pytest

from gaikan.cli import main


def gaikan(*arguments: str | Path) -> int:
    """Runs a `gaikan` command in this process, what trains apart; the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gaikan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def bench(*arguments: str | Path) -> int:
    return gaikan("bench", *arguments)


def command_line(*arguments: str | Path) -> list[str]:
    """The command line that runs `gaikan` in a process of its own."""
    program = [sys.executable, "-c", "from gaikan.cli import main; main()"]
    return program + [str(argument) for argument in arguments]


HEAVY = ("torch", "pandas", "scipy", "sklearn", "matplotlib", "datasets", "onnx")
