"""Numbers and places as figures and tables of latency name them."""

from gaikan.run_folder.latency_rows import Row


def digits(value: float | None, figures: int = 3) -> str:
    """A number with so many significant digits, never in powers of ten; nothing for None."""
    if value is None:
        return ""
    decimals = max(0, figures - 1 - _magnitude(value))
    return f"{value:.{decimals}f}"


def _magnitude(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def figure_places(rows: list[Row]) -> dict[str, tuple[str, str, bool]]:
    """What has figures of its own, by the ending of their file names.

    Machine, device, and whether decoding the image file is inside.
    """
    timed = [row for row in rows if row.p50_ms is not None]
    places = dict.fromkeys((row.machine, row.device, row.includes_decode) for row in timed)
    return {f"-{n}" if n > 1 else "": place for n, place in enumerate(places, start=1)}
