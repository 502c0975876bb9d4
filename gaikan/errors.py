"""The errors that a user can cause and mend: one line each, exit code 2."""

import unicodedata

_NOT_SHOWN = {"Cc", "Cs", "Zl", "Zp"}  # Unicode categories: control, surrogate, line, paragraph


def one_line(text: str) -> str:
    """`text` with each line break and control character written as an escape, as in source code.

    Names come from other people's files: a line break in one would make two messages of one, and
    an escape sequence would control the terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _NOT_SHOWN else c
        for c in text
    )


def shown(value: object) -> str:
    """A value as a message shows it: its `repr`, cut after 100 characters."""
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
