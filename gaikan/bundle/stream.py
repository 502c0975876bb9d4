"""`gaikan predict`: decisions on a stream of images, as lines of CSV or JSON."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from gaikan.bundle.bundle import Bundle
from gaikan.bundle.images import ImageBatch
from gaikan.errors import DataError

COLUMNS = ("image", "class", "verdict", "distance", "margin")
Line = tuple[str, str, str, float, float]
_QUOTED = re.compile('[,"\r\n]').search  # RFC 4180, section 2


@dataclass
class Tally:
    """Counts over a whole stream of images."""

    images: int = 0
    changes: Counter[str] = field(default_factory=Counter)  # made to images to fit the model
    classes: Counter[str] = field(default_factory=Counter)


def predict(bundle: Bundle, batches: Iterable[ImageBatch], tally: Tally) -> Iterator[list[Line]]:
    """The lines of each batch, in the order of its images, counted in `tally`.

    `verdict` is ok or defective, empty where no class means good; `distance` is to the nearest
    anchor, `margin` second nearest minus nearest. Raises DataError naming an image whose distances
    are not finite: its nearest class would be any, the good one too.
    """
    card = bundle.card
    names = np.asarray(card.classes, object)
    verdicts = np.full(len(names), "" if card.ok is None else "defective", object)
    if card.ok_index is not None:
        verdicts[card.ok_index] = "ok"
    for batch in batches:
        decisions = bundle(batch.images)
        finite = np.isfinite(decisions.distances).all(1)
        if not finite.all():
            name = batch.names[int(finite.argmin())]
            raise DataError(
                f"{name}: gives no finite distances; its pixels are damaged, or the model"
            )
        classes = names[decisions.predicted].tolist()
        tally.images += len(classes)
        tally.changes += batch.changes
        tally.classes.update(classes)
        yield list(
            zip(
                batch.names,
                classes,
                verdicts[decisions.predicted].tolist(),
                decisions.distances.min(1).tolist(),
                decisions.margin.tolist(),
                strict=True,
            )
        )


def csv_text(lines: list[Line]) -> str:
    """The lines as rows of a CSV file; numbers with the seven digits that float32 has.

    By hand, because the `csv` module takes twice as long: a small network predicts an image in
    the time that it takes to format ten.
    """
    rows = [
        f"{_cell(name)},{_cell(label)},{verdict},{distance:.7g},{margin:.7g}\n"
        for name, label, verdict, distance, margin in lines
    ]
    return "".join(rows)


def _cell(text: str) -> str:
    if _QUOTED(text) is None:
        return text
    return '"' + text.replace('"', '""') + '"'


def json_line(line: Line, plain: bool = False) -> str:
    """The line as one JSON object, without a line break; if `plain`, in ASCII alone."""
    return json.dumps(dict(zip(COLUMNS, line, strict=True)), ensure_ascii=plain)
