"""`gaikan` with the parts of `extra_parts`: each is its own file and one line of a registry here.

Its argument is a JSON list of command lines, run one after the other until one fails. It trains in
a thread, as `runner` does. The processes that time a network import this file again: they know it.
"""

import json
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from unittest.mock import patch

import torch
from extra_parts import MyStyle, TinyNet, trimmed_mean

from gaikan.anchors import ANCHORS
from gaikan.cli import main
from gaikan.networks import NETWORKS
from gaikan.styles import STYLES

NETWORKS["tiny-net"] = TinyNet
STYLES["my-style"] = MyStyle
ANCHORS["trimmed-mean"] = trimmed_mean


def one_thread(n_jobs: int) -> Executor:
    """What trains, in place of a process for each core."""
    return ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,))


def run(command: list[str]) -> None:
    """Ends the program where the command does not end well."""
    sys.argv = ["gaikan", *command]
    try:
        with (
            patch("gaikan.grid.pool.processes", one_thread),
            patch("gaikan.evaluation.references.processes", one_thread),
        ):
            main()
    except SystemExit as ended:
        if ended.code:
            sys.exit(f"`{' '.join(command)}` ended with {ended.code}")


if __name__ == "__main__":
    for each in json.loads(sys.argv[1]):
        run(each)
