"""Writes `report.md` and `report.html` of a run folder from its other files."""

from pathlib import Path

from gaikan.errors import ConfigError
from gaikan.language.words import LANGUAGES, Language
from gaikan.report import html_page, markdown_page
from gaikan.report.content import document
from gaikan.run_folder.file_names import HTML, MARKDOWN
from gaikan.run_folder.whole import RunFolder
from gaikan.system.files import write


def known_language(name: str) -> Language:
    """The language that `--lang` names. Raises ConfigError."""
    for language in LANGUAGES:
        if name == language:
            return language
    raise ConfigError(f"--lang {name}: there are {' and '.join(LANGUAGES)}")


def write_pages(out: Path, language: Language = "en") -> Path:
    """Writes both and returns the path of `report.html`, which shows `language` first.

    It trains and times nothing, and does not read the data's source. Raises ConfigError and
    DataError where the folder is not whole.
    """
    folder = RunFolder.read(out)
    report = document(folder)
    write(out / MARKDOWN, markdown_page.page(report))
    write(out / HTML, html_page.page(folder, report, language))
    return out / HTML
