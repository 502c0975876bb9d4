"""`sources.json`: what the run in a folder is of, from before its first training on."""

from pathlib import Path

from gaikan.data.run_sources import RunSources
from gaikan.errors import ConfigError
from gaikan.system import json_files
from gaikan.system.files import write

FILE = "sources.json"
_REMEDY = "choose another --out, or --replace that run"


def holds_run(out: Path) -> bool:
    """Whether a run was begun or ended there."""
    return any((out / name).exists() for name in (FILE, "manifest.json"))


def refuse_other(out: Path, sources: RunSources) -> None:
    """Raises ConfigError where the folder holds a run of other sources, finished or not."""
    if not holds_run(out):
        return
    before = _read(out)
    if before.is_of(sources):
        return
    run = "a run" if (out / "manifest.json").exists() else "an unfinished run"
    other = f"and this one is of {sources}"
    if str(before) == str(sources):
        other = "whose pixels, labels, modes or groups have changed since"
    raise ConfigError(f"{out}: holds {run} of {before}, {other}; {_REMEDY}")


def _read(out: Path) -> RunSources:
    path = out / FILE
    try:
        return json_files.read(RunSources, path.read_bytes(), path, _REMEDY)
    except FileNotFoundError:
        raise ConfigError(f"{out}: holds another run (there is no {FILE}); {_REMEDY}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error}); {_REMEDY}") from None


def write_sources(out: Path, sources: RunSources) -> None:
    """Says what the run is of, where the file does not yet. Raises UnwritableError."""
    content = (sources.model_dump_json(indent=1) + "\n").encode()
    if not (out / FILE).exists() or (out / FILE).read_bytes() != content:
        write(out / FILE, content)
