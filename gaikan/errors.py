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


def lower_first(text: str) -> str:
    """`text` as it stands within a sentence: its first letter in lower case."""
    return text[:1].lower() + text[1:]


def first_line(error: BaseException) -> str:
    """The first line of what an error of another package says, to be put into a sentence.

    At most 300 characters, no full stop; the error's type where it says nothing.
    """
    lines = str(error).strip().splitlines()
    return (lines[0][:300].rstrip(".: ") if lines else "") or type(error).__name__


def kind_and_line(error: BaseException) -> str:
    """As `first_line`, the error's type before it: `ValueError: no such layer`."""
    kind, line = type(error).__name__, first_line(error)
    return kind if line == kind else f"{kind}: {line}"


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
