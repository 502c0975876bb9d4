"""Images as files, decoded."""

from pathlib import Path

import numpy as np
import pytest

from gaikan.errors import GaikanError
from gaikan.timing.decode import decoded, encode


@pytest.mark.parametrize("channels", [1, 3])
def test_decoding_a_file_gives_back_its_image(tmp_path: Path, channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, channels, 8, 6), np.uint8)
    np.testing.assert_array_equal(decoded(encode(images, tmp_path)), images)
    with pytest.raises(GaikanError, match="--include-decode: images of 2 channels"):
        encode(np.zeros((1, 2, 4, 4), np.uint8), tmp_path)
