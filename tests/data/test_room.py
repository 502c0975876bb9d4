"""Images that lie in a file, as memory has no room for them."""

import subprocess
import sys

import numpy as np
import pytest

from gaikan.data import room


def test_gathered_images_are_those_that_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LARGE", 0)
    monkeypatch.setattr(room, "_AT_ONCE", 2000)
    images = np.random.default_rng(0).integers(0, 256, (120, 1, 12, 12), np.uint8)
    index = np.random.default_rng(1).integers(0, 120, 300)
    found = room.gathered(images, index)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, images[index])


def test_without_room_on_the_disk_there_is_one_line_and_not_a_crash() -> None:
    program = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"
        "from gaikan.data.room import room\n"
        "from gaikan.errors import DataError\n"
        "try:\n"
        "    room((2**29,), 'uint8')\n"
        "except DataError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.returncode == 0
    assert said.stderr == ""
    assert "no room for 0.5 GB of images (File too large)" in said.stdout
