"""The errors that a user can cause and mend: one line each, exit code 2."""

import unicodedata

_NOT_SHOWN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, half characters, line separators


def one_line(text: str) -> str:
    """`text` with line breaks and control characters spelt out, as they stand in source code.

    Names come from files of other people: one with a line break would make two messages, one with
    an escape sequence would colour a terminal, or worse.
    """
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _NOT_SHOWN else c
        for c in text
    )


def shown(value: object) -> str:
    """A value in a message: as Python writes it, not too long."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "a number that is far too long"
    return text if len(text) <= 100 else f"{text[:100]}..."


class GaikanError(Exception):
    """Base of every error that is reported as one line; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class ConfigError(GaikanError):
    """A key, a value or an argument is wrong."""


class DataError(GaikanError):
    """A source cannot be read or does not hold what the experiment needs."""


class BundleError(GaikanError):
    """A bundle is damaged, is not one, or cannot do what is asked of it."""
