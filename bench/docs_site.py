"""What README.md, docs/, bench/README.md and SECURITY.md need to be one site: a hook of mkdocs.

On a forge their links are paths in the repository. On the site README.md is the first page, and
files that are no page (code, configurations) are named without a link.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "bench/README.md": "measurements.md",
    "SECURITY.md": "security.md",
}
PICTURES = "bench/figures"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]*)(#[^)]*)?\)")
_SOURCE = re.compile(r'src="([^"]+)"')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages and pictures that are outside docs/."""
    pictures = {f"{PICTURES}/{p.name}": f"figures/{p.name}" for p in (ROOT / PICTURES).iterdir()}
    for path, place in (PAGES | pictures).items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """The page with its links as they are on the site."""
    place = page.file.src_uri
    source = {site: path for path, site in PAGES.items()}.get(place, f"docs/{place}")

    def link(found: re.Match[str]) -> str:
        mark, words, target, anchor = found[1], found[2], found[3], found[4] or ""
        if not target or "://" in target:
            return found[0]
        there = _place(source, target)
        if (
            files.get_file_from_path(there) is None
            and (ROOT / source).parent.joinpath(target).exists()
        ):
            return words
        return f"{mark}[{words}]({there}{anchor})"

    def picture(found: re.Match[str]) -> str:
        return f'src="{_place(source, found[1])}"'

    return _SOURCE.sub(picture, _LINK.sub(link, markdown))


def _place(source: str, target: str) -> str:
    """Where on the site `target` is, as the file `source` of the repository links it."""
    path = normpath(PurePosixPath(source).parent / target)
    if path.startswith(PICTURES):
        return f"figures/{PurePosixPath(path).name}"
    return PAGES.get(path, relpath(path, "docs"))
