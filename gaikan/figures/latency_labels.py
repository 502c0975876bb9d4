"""How figures and tables of latency write a number."""


def digits(value: float | None, figures: int = 3) -> str:
    """A number with `figures` significant digits, never in powers of ten; empty for None."""
    if value is None:
        return ""
    decimals = max(0, figures - 1 - _magnitude(value))
    return f"{value:.{decimals}f}"


def _magnitude(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])
