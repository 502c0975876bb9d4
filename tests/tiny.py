"""Tiny image folders, and runs of `gaikan bench` on them, here or in a process of their own."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaikan.cli import main

SIDE = 12


def write_class(folder: Path, place: int, count: int, seed: int, contrast: int = 120) -> None:
    """`count` noisy grey images into `folder`; a brighter bar at row `place` makes the class."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, place])
    pixels = rng.integers(0, 120, (count, SIDE, SIDE), np.uint8)
    pixels[:, place : place + 2] += np.uint8(contrast)
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{number:03}.png")


def bench(*arguments: str | Path) -> int:
    """Runs `gaikan bench` in this process, its workers apart; the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["gaikan", "bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def bench_command(*arguments: str | Path) -> list[str]:
    """The command line that runs `gaikan bench` in a process of its own."""
    program = [sys.executable, "-c", "from gaikan.cli import main; main()", "bench"]
    return program + [str(argument) for argument in arguments]
