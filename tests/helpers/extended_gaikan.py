"""`gaikan` with the parts of `extra_parts`: each is its own file and one line of a registry here.

Processes that are spawned import the program's main file again, so its workers know them too.
Its argument is a JSON list of command lines, run one after the other until one fails.
"""

import json
import sys
from unittest.mock import patch

from extra_parts import MyStyle, TinyNet, trimmed_mean

from gaikan.anchors import ANCHORS
from gaikan.cli import main
from gaikan.networks import NETWORKS
from gaikan.styles import STYLES

NETWORKS["tiny-net"] = TinyNet
STYLES["my-style"] = MyStyle
ANCHORS["trimmed-mean"] = trimmed_mean


def run(command: list[str]) -> None:
    """Ends the program where the command does not end well."""
    sys.argv = ["gaikan", *command]
    try:
        with patch("gaikan.system.machine.cores", return_value=1):  # one worker, not one a core
            main()
    except SystemExit as ended:
        if ended.code:
            sys.exit(f"`{' '.join(command)}` ended with {ended.code}")


if __name__ == "__main__":
    for each in json.loads(sys.argv[1]):
        run(each)
