"""`report.html`: one file that needs neither a network nor the run folder.

The scatter is drawn by a script of our own, as SVG: 8 kB, 1,000 parts in 20 ms, the whole page in
0.65 s (Chromium on two busy cores). plotly.js 4.1.2 has 4.8 MB and shows as many points after
2.4 s. The page of a full grid on `terminals` has 1.8 MB, that on DeepPCB (1,515 of 4,353 parts
shown) 1.4 MB; with report.md they take 0.45 and 0.75 s of processor time.

Nothing from the data is ever markup: Jinja2 escapes it, the script's data is JSON whose `<`, `>`,
`&` and `'` are escaped, and the script puts names on the page as text. A content security policy
forbids every request, and every script and style but those of this file, by their hashes.
"""

import base64
import hashlib
import io
import re
from collections.abc import Hashable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from PIL import Image

from gaikan.errors import GaikanError
from gaikan.figures.svg import in_language
from gaikan.figures.thumbnails import Sheet, sheet, webp
from gaikan.language.words import LANGUAGES, Language, Words, plain, say
from gaikan.report.blocks import Document, Picture
from gaikan.report.markdown_table import are_figures
from gaikan.report.parts import TestParts
from gaikan.report.scatter import scatter_data
from gaikan.run_folder.file_names import HTML
from gaikan.run_folder.whole import RunFolder

LIMIT = 8_000_000  # bytes, of the whole page
_LARGE = 300_000  # bytes; a larger picture is kept as WebP
_PIXEL_OF_PAGE = 96 / 144  # pixels of the page for one of a figure
_LABELS = (
    "anchor_mark",
    "is_class",
    "is_mode",
    "is_called",
    "is_lot",
    "is_origin",
    "share_of_variance",
)
_TEMPLATES = Path(__file__).parent / "templates"


def page(folder: RunFolder, report: Document, language: Language) -> str:
    """The page as HTML, shown in `language` at first. Raises GaikanError where it is too large."""
    parts = TestParts.read(folder)
    tiles = sheet(parts.images[parts.chosen])
    shown, everything = len(parts.chosen), len(parts.images)
    whole = "scatter_whole" if shown == everything else "scatter_sampled"
    sampled = say(whole, shown=shown, all=everything)
    labels = {key: [say(key).en, say(key).ja] for key in _LABELS}
    return rendered(
        report,
        language,
        tiles,
        str(folder.out / HTML),
        scripts=("report.js", "scatter.js"),
        data=scatter_data(folder, parts, tiles) | {"labels": labels},
        captions=[say("scatter_caption", seed=parts.seed), sampled],
        gallery=_gallery(folder, parts),
        ok=folder.manifest.ok,
        picture=lambda picture: _embedded(folder, picture),
    )


def rendered(
    report: Document,
    language: Language,
    tiles: Sheet,
    path: str,
    scripts: Sequence[str] = ("report.js",),
    **values: object,
) -> str:
    """A page with the report's look, to be written to `path`; `values` are the template's.

    `tiles` hold the images of the parts that it shows. Raises GaikanError where it is too large.
    """
    # A part's image: its background is the sheet, which the script moves into place.
    tile = f".part{{background-image:url({_data_url(tiles.content, 'webp')})}}\n"
    style = _file("report.css") + tile
    script = "".join(map(_file, scripts))
    text = (
        page_environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            language=language,
            policy=_policy(style, script),
            style=Markup(style),  # our own file, and base64
            script=Markup(script),
            **values,
        )
    )
    if len(text.encode()) > LIMIT:
        raise GaikanError(f"{path} would exceed {LIMIT / 1e6:.0f} MB")
    return text


@cache
def page_environment() -> Environment:
    """What renders the templates of a page; it escapes every text that it is given."""
    environment = Environment(
        loader=PackageLoader("gaikan.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(say=say, are_figures=are_figures)
    environment.filters.update(code=_coded, kind=lambda block: type(block).__name__)
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def _coded(text: str) -> Markup:
    """The text, what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


@cache
def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Content security policy: images in the page, its own style and script, and nothing else."""
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'"
    )


def _data_url(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


class _Embedded(NamedTuple):
    """An image inside the page in each language, and its size there in pixels."""

    url: Words
    width: int
    height: int


def _embedded(folder: RunFolder, picture: Picture) -> _Embedded | None:
    """A picture of the run folder; None where the file is missing."""
    path = folder.picture(picture.path)
    if path is None:
        return None
    content, kind = path.read_bytes(), "png"
    if path.suffix == ".svg":
        root = ElementTree.fromstring(content)
        size = (round(float(root.attrib[side])) for side in ("width", "height"))
        return _Embedded(_drawing_urls(content.decode()), *size)
    with Image.open(io.BytesIO(content)) as image:
        width, height = (round(_PIXEL_OF_PAGE * side) for side in image.size)
        if len(content) > _LARGE:
            content, kind = webp(image.convert("RGB")), "webp"
    return _Embedded(plain(_data_url(content, kind)), width, height)


def _drawing_urls(picture: str) -> Words:
    """An SVG drawing with the words of each language."""
    urls = {name: _data_url(in_language(picture, name).encode(), "svg+xml") for name in LANGUAGES}
    return say("either", **urls)


def _gallery(
    folder: RunFolder, parts: TestParts
) -> list[tuple[Words, list[dict[Hashable, object]]]]:
    """The wrong parts that the page shows, each row with its caption, as rows of `predictions`.

    With the number of the part's `tile`, its `lot` where it has one, and no `mode` where it says
    what the label does.
    """
    tile_of = {int(part): tile for tile, part in enumerate(parts.chosen)}
    gallery = []
    for caption, wrong in parts.galleries(folder):
        modes = wrong["mode"] if "mode" in wrong else wrong["label"]
        told = modes.notna() & modes.astype(str).ne(wrong["label"].astype(str))
        tiles = [tile_of[int(part)] for part in parts.positions(wrong)]
        lots = wrong["group"] if "group" in wrong else pd.Series(None, wrong.index, dtype=object)
        rows = wrong.assign(
            tile=tiles,
            mode=modes.astype(object).where(told, None),
            lot=lots.astype(object).where(lots.notna(), None),
            said=wrong["margin"].map(lambda margin: say("margin_is", value=f"{margin:.2g}")),
        )
        if len(rows):
            gallery.append((caption, rows.to_dict("records")))
    return gallery
