"""Files with something wrong in them, and what a reader may do with such a file.

`GAIKAN_FUZZ=N pytest tests -k fuzz` (or `nox -s fuzz -- N`) tries N inputs a reader instead of a
few, other ones each time, and stops at the first that is neither read nor refused in one line.
"""

import atexit
import copy
import json
import os
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gaikan.errors import GaikanError

ASKED = int(os.environ.get("GAIKAN_FUZZ", "0"))
SECONDS, MEGABYTES = 20, 700  # that reading one small file may take: far more than any needs
COUNTS: dict[str, Counter[str]] = {}  # by reader: inputs that were valid, and refused
DEEP = "nested 100,000 deep"  # stands for that in a JSON value

Read = Callable[[], object]
Path = tuple[str | int, ...]


def fuzz(quick: int = 15) -> settings:
    """The number of inputs a test tries: `quick` of them always the same, or as many as asked."""
    return settings(
        max_examples=ASKED or quick,
        derandomize=not ASKED,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
        print_blob=True,
    )


def valid_or_refused(reader: str, read: Read, *names: str) -> None:
    """Fails where `read` does anything but return or refuse in one line with one of `names`."""
    memory, started = _peak_mb(), time.process_time()
    try:
        read()
    except GaikanError as error:
        outcome, text = "refused", str(error)
        assert text.isprintable() or text == text.replace("\n", ""), text
        assert len(text.splitlines()) == 1, text
        assert len(text) < 2000, text
        assert not names or any(name in text for name in names), text
    else:
        outcome = "valid"
    COUNTS.setdefault(reader, Counter())[outcome] += 1
    assert time.process_time() - started < SECONDS
    assert _peak_mb() - memory < MEGABYTES


def _tell() -> None:
    total = sum(sum(outcomes.values()) for outcomes in COUNTS.values())
    print(f"{total} inputs")
    for reader, outcomes in COUNTS.items():
        print(f"{reader}: {', '.join(f'{n} {outcome}' for outcome, n in outcomes.items())}")


if ASKED:
    atexit.register(_tell)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


# ------------------------------------------------------------------------------------------------
# Bytes


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """A file with one to four bytes or pieces changed, taken out, put in, cut off or swapped."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = st.integers(0, max(0, len(data) - 1))
        at, length = draw(place), draw(st.integers(1, 16))
        match draw(st.sampled_from(["flip", "set", "delete", "insert", "truncate", "swap"])):
            case "flip" if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "set":
                data[at : at + 4] = draw(st.sampled_from(_INTEGERS))
            case "delete":
                del data[at : at + length]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=16))
            case "truncate":
                del data[at:]
            case "swap":
                other = draw(place)
                first, second = data[at : at + length], data[other : other + length]
                data[at : at + length], data[other : other + length] = second, first
    return bytes(data)


_INTEGERS = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\n\0\"'"]


# ------------------------------------------------------------------------------------------------
# Values

_ODD = ["", " ", "\0", "a\nb", "../../etc/x", "a/b", "con", "x" * 300, "\U0001f600", "<script>"]
_ODD += [
    "|",
    "$x",
    "%s{0}",
    "\x1b[31m",
    "\u2028",
    "\u202e",
    "=1+1",
    "NaN",
    "-1",
    "1e999",
    "é" * 150,
]
ODD_TEXTS = st.sampled_from(_ODD)
TEXTS = ODD_TEXTS | st.text(max_size=12)
NUMBERS = (
    st.sampled_from([0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 0.5, -0.0])
    | st.sampled_from([1e-320, 1e308, -1e308, float("inf"), -float("inf"), float("nan")])
    | st.integers()
    | st.floats()
)
SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | NUMBERS | TEXTS


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)


VALUES = SCALARS | st.recursive(SCALARS, _nested, max_leaves=6)


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where there is something in a JSON value, itself included."""
    yield at
    pairs = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else pairs:
        yield from places(inner, (*at, key))


def replaced(value: Any, at: Path, new: Any) -> Any:
    """A copy with another value at a place."""
    if not at:
        return new
    whole = copy.deepcopy(value)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = new
    return whole


def found(value: Any, at: Path) -> Any:
    """The value at a place."""
    for key in at:
        value = value[key]
    return value


@st.composite
def altered(draw: st.DrawFn, value: Any, values: st.SearchStrategy[Any] = VALUES) -> Any:
    """A JSON value with one or two parts replaced, left out, named otherwise, or put elsewhere."""
    for _ in range(draw(st.integers(1, 2))):
        every = list(places(value))
        # By depth first: most places are deep inside, and what lies high would never be met.
        depth = draw(st.sampled_from(sorted({len(at) for at in every})))
        at = draw(st.sampled_from([at for at in every if len(at) == depth]))
        kinds = ["replace", "replace", "neighbour"] + (["drop", "rename"] if at else [])
        match draw(st.sampled_from(kinds)):
            case "replace":
                value = replaced(value, at, draw(values))
            case "neighbour":
                value = replaced(
                    value, at, copy.deepcopy(found(value, draw(st.sampled_from(every))))
                )
            case kind:
                value = copy.deepcopy(value)
                outer = found(value, at[:-1])
                inner = outer.pop(at[-1])
                if kind == "rename" and isinstance(outer, dict):
                    outer[draw(TEXTS)] = inner
    return value


def json_text(value: Any) -> bytes:
    """As a file holds it; `DEEP` becomes what it says, half characters stay half."""
    text = json.dumps(value)
    return text.replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000).encode()


JSON_VALUES = VALUES | st.sampled_from([DEEP, "\ud800", {"\udfff": 1}, [[[]]], {}])
