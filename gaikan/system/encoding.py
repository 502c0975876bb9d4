"""The encoding of a text file that people wrote: told by its bytes, or not at all."""

import codecs
from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AT_ONCE = 2**20  # bytes
_REMEDY = "save it as UTF-8 (in Excel: 'CSV UTF-8')"


def encoding_of(path: Path) -> str:
    """`utf-8`, `utf-8-sig`, `utf-16` or `cp932`, as Python calls them.

    Raises ValueError, which says what to do, where the bytes are of none of these for certain. A
    Western text is mostly valid cp932 too, of other letters.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in _MARKS:
        if start.startswith(mark):
            if _is(path, name):
                return name
            raise ValueError(f"its text is damaged: it begins as Unicode; {_REMEDY}")
    if 0 in start:
        raise ValueError(f"its text is UTF-16 or UTF-32 without the mark that says so; {_REMEDY}")
    if _is(path, "utf-8"):
        return "utf-8"
    if _is(path, "cp932") and _is_japanese(path.read_bytes().decode("cp932")):
        return "cp932"
    raise ValueError(f"its text is neither UTF-8, UTF-16 nor Japanese cp932; {_REMEDY}")


def _is(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while some := file.read(_AT_ONCE):
                decoder.decode(some)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_japanese(text: str) -> bool:
    """Whether some of it is kana or common kanji, and nothing of a maker's own area.

    The lead bytes of these (0x81 to 0x9F) are no letters of a Western text.
    """
    leads = {c.encode("cp932")[0] for c in set(text) if not c.isascii()}
    own = any("\ue000" <= c <= "\uf8ff" for c in text)
    return not own and any(0x81 <= lead <= 0x9F for lead in leads)
