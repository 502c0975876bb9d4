"""`gaikan predict`: decisions on a stream of images, as lines of CSV or JSON."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaikan.bundle.bundle import Bundle, Decisions
from gaikan.bundle.decision import VERDICTS
from gaikan.bundle.image_batch import ImageBatch
from gaikan.errors import DataError

COLUMNS = ("image", "class", "verdict", "distance", "margin", "novelty_p", "error")
Line = tuple[str, str, str, float, float, float, str]
UNREAD = "unread"  # the verdict on an image that cannot be read
_VERDICTS = np.array([*VERDICTS, ""], object)  # the last, -1: no class means good
_QUOTED = re.compile('[,"\r\n]').search  # RFC 4180, section 2


@dataclass
class Tally:
    """Counts over a whole stream of images."""

    images: int = 0
    unread: int = 0  # not among the above
    changes: Counter[str] = field(default_factory=Counter)  # made to images to fit the model
    classes: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)


def predict(
    bundle: Bundle, batches: Iterable[ImageBatch], tally: Tally, strict: bool = False
) -> Iterator[list[Line]]:
    """The lines of each batch, in the order of its images, counted in `tally`.

    `verdict` is ok, defective or ask (called good, but a person should look), empty where no class
    means good; `distance` is to the nearest anchor, `margin` second nearest minus nearest. An image
    that cannot be read, or whose distances are not finite (its nearest class would be any, the good
    one too), is `unread`, with the reason in `error`; if `strict`, DataError is raised instead.
    """
    card = bundle.card
    classes = np.asarray(card.classes, object)
    for batch in batches:
        names = [name for i, name in enumerate(batch.names) if i not in batch.unread]
        lines = _lines(bundle(batch.images), names, classes) if names else []
        for i in sorted(batch.unread):
            lines.insert(i, _unread(batch.names[i], batch.unread[i]))
        errors = [line[-1] for line in lines if line[-1]]
        if strict and errors:
            raise DataError(errors[0])
        tally.unread += len(errors)
        tally.images += len(lines) - len(errors)
        tally.changes += batch.changes
        tally.classes.update(line[1] for line in lines if not line[-1])
        tally.verdicts.update(line[2] for line in lines if not line[-1])
        yield lines


def _lines(decisions: Decisions, names: list[str], classes: NDArray[Any]) -> list[Line]:
    """The lines of images that were read."""
    columns = (
        classes[decisions.predicted].tolist(),
        _VERDICTS[decisions.verdict].tolist(),
        decisions.distances.min(1).tolist(),
        decisions.margin.tolist(),
        decisions.novelty_p.tolist(),
    )
    lines: list[Line] = list(zip(names, *columns, repeat("", len(names)), strict=True))
    for i in np.flatnonzero(~np.isfinite(decisions.distances).all(1)).tolist():
        reason = "gives no finite distances; its pixels are damaged, or the model"
        lines[i] = _unread(names[i], f"{names[i]}: {reason}")
    return lines


def _unread(name: str, reason: str) -> Line:
    return name, "", UNREAD, nan, nan, nan, reason


def csv_text(lines: list[Line]) -> str:
    """The lines as rows of a CSV file; numbers with the seven digits that float32 has.

    By hand, because the `csv` module takes twice as long: a small network predicts an image in
    the time that it takes to format ten.
    """
    rows = [
        f"{_cell(name)},{_cell(label)},{verdict},{distance:.7g},{margin:.7g},{p:.4g},\n"
        if not error
        else f"{_cell(name)},,{verdict},,,,{_cell(error)}\n"
        for name, label, verdict, distance, margin, p, error in lines
    ]
    return "".join(rows)


def _cell(text: str) -> str:
    if _QUOTED(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


def json_line(line: Line, plain: bool = False) -> str:
    """The line as one JSON object, without a line break; if `plain`, in ASCII alone.

    What there is not of an image that cannot be read, or of the error of one that can, is null.
    """
    fields: dict[str, Any] = dict(zip(COLUMNS, line, strict=True))
    absent = ("class", "distance", "margin", "novelty_p") if line[-1] else ("error",)
    return json.dumps(fields | dict.fromkeys(absent), ensure_ascii=plain)
