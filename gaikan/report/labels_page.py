"""`labels.html`: the parts whose label a person should look at, with their images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaikan.data.frames import Frames, Images
from gaikan.evaluation.without_parts import Figures
from gaikan.figures.thumbnails import COLUMNS, sheet
from gaikan.language.words import Words, joined, say
from gaikan.report import blocks
from gaikan.report.html_page import rendered
from gaikan.report.markdown_table import percent
from gaikan.run_folder.labels_file import LABELS_PAGE, YES, DoubtedPart
from gaikan.system.files import write

MOST = 1500  # parts that the page shows of each source


@dataclass(frozen=True)
class DoubtedImages:
    """The parts of one source to look at, the doubted first."""

    part: str  # train or test
    of: int  # how many parts the source has
    rows: Sequence[DoubtedPart]  # n of them
    images: Images  # (n, C, H, W); at most `MOST` are needed
    lots: Sequence[str] | None  # (n,)

    @property
    def doubted(self) -> int:
        """How many of the rows."""
        return sum(row.doubted == YES for row in self.rows)

    @classmethod
    def of_frames(
        cls, part: str, frames: Frames, index: Sequence[int], rows: Sequence[DoubtedPart]
    ) -> "DoubtedImages":
        """Of the parts at `index` of the source."""
        shown = np.asarray(index[:MOST], np.int64)
        lots = None if frames.groups is None else frames.groups[shown].tolist()
        return cls(part, len(frames), rows, frames.images[shown], lots)


def write_labels_page(
    out: Path,
    name: str,
    network: str,
    trainings: int,
    train: DoubtedImages,
    test: DoubtedImages,
    figures: Sequence[Figures],
) -> Path:
    """Writes the page to the run folder `out` and returns its path.

    `network` is what judged, in so many trainings. Raises GaikanError where it is too large.
    """
    images = np.concatenate([train.images, test.images])
    tiles = sheet(images if len(images) else np.zeros((1, *images.shape[1:]), np.uint8))
    page = rendered(
        _document(name, network, trainings, train, test, figures),
        "en",
        tiles,
        str(out / LABELS_PAGE),
        data={"tile": {"width": tiles.width, "height": tiles.height, "columns": COLUMNS}},
        gallery=[_gallery(train, 0), _gallery(test, len(train.images))],
        ok=None,
    )
    write(out / LABELS_PAGE, page)
    return out / LABELS_PAGE


def _document(
    name: str,
    network: str,
    trainings: int,
    train: DoubtedImages,
    test: DoubtedImages,
    figures: Sequence[Figures],
) -> blocks.Document:
    return blocks.Document(
        say("title_labels", name=name),
        [
            say("labels_headline", network=network, trainings=trainings),
            say(
                "labels_counted",
                train=train.doubted,
                train_of=train.of,
                test=test.doubted,
                test_of=test.of,
            ),
        ],
        [blocks.Alert(say("labels_doubt"), serious=False)],
        [
            blocks.ReportSection(
                "labels",
                say("s_labels"),
                [blocks.Paragraph(say("labels_how")), blocks.Live("gallery", [])],
            ),
            blocks.ReportSection("figures", say("s_labels_figures"), _figures(test, figures)),
        ],
    )


def _gallery(doubted: DoubtedImages, first: int) -> tuple[Words, list[dict[str, object]]]:
    """The caption and the parts of one source; `first` is the number of its first tile."""
    n, shown = len(doubted.rows), len(doubted.images)
    caption = [say(f"labels_{doubted.part}")]
    caption += [say("labels_next", doubted=doubted.doubted)] if n else [say("labels_none")]
    caption += [say("labels_first", shown=shown, n=n)] if shown < n else []
    parts: list[dict[str, object]] = [
        {
            "tile": first + place,
            "label": row.label,
            "mode": None,
            "predicted": row.proposed,
            "said": say("labels_sure", sure=percent(float(row.sure))),
            "lot": None if doubted.lots is None else doubted.lots[place],
            "origin": row.image,
        }
        for place, row in enumerate(doubted.rows[:shown])
    ]
    return joined(caption), parts


def _figures(test: DoubtedImages, figures: Sequence[Figures]) -> list[blocks.Block]:
    columns = ["variant", "with_all", "without_doubted", "escape_all", "escape_without"]
    rows = [[each.variant, *map(percent, each.shares)] for each in figures]
    return [
        blocks.Paragraph(say("labels_figures", n=test.doubted)),
        blocks.Table.of(columns, rows, filtered=True),
    ]
