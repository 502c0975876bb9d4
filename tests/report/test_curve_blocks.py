"""What is said of more images, and where nothing is."""

import pandas as pd

from gaikan.evaluation.error_counts import ErrorCounts
from gaikan.report.curve_blocks import curve_lines, curve_rows, gains

RIGHT = {  # of 1,000 parts, by 240, 480, 960 and 1,800 images
    "steady": [500, 700, 840, 920],
    "sudden": [369, 518, 705, 947],  # with half of the images it has only just begun to learn
}


def counts() -> ErrorCounts:
    rows = [
        {"variant": variant, "seed": seed, "images": images, "lots": 1, "mode": "", "parts": 1000}
        | {"wrong": 1000 - right}
        for variant, all_right in RIGHT.items()
        for seed in range(3)
        for images, right in zip((240, 480, 960, 1800), all_right, strict=True)
    ]
    return ErrorCounts(pd.DataFrame(rows))


def test_nothing_is_said_where_the_curve_misses_what_was_seen() -> None:
    assert [each.variant for each in gains(counts())] == ["steady"]
    _, rows = curve_rows(counts())
    by_variant = {str(variant): (acc, *rest) for variant, _, acc, *rest in rows}
    assert by_variant["sudden"] == ("94.7", "", "", "", "")
    assert all(by_variant["steady"])
    (line,) = [line.en for line in curve_lines(counts()) if line.en.startswith("sudden")]
    assert "nothing is said of more images" in line
