"""The TOML files of a run: tables and keys as people write them, made into a configuration."""

import csv
import os
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path

from gaikan.config.checked import validated
from gaikan.config.model import CONTROL, Config
from gaikan.errors import ConfigError, lower_first, shown
from gaikan.system.encoding import encoding_of
from gaikan.system.files import file_name

Values = dict[str, object]  # tables and keys, not yet checked


def load_config(path: Path | None, overrides: Mapping[str, object]) -> Config:
    """The configuration of a TOML file, with `overrides` ({"data.train": ...}) on top.

    The run's name defaults to the file's. Raises ConfigError naming file, key and remedy.
    """
    return configured(read_values(path), overrides, origin(path))


def origin(path: Path | None) -> str:
    """Where a configuration comes from, for errors."""
    return "command line" if path is None else str(path)


def read_values(path: Path | None) -> Values:
    """The tables and keys of a TOML file, not yet checked; empty without a file."""
    if path is None:
        return {}
    values = {"name": file_name(path.stem)} | _read_toml(path)
    _read_target_tables(values, path)
    composed = {unicodedata.normalize("NFC", k): _composed(value) for k, value in values.items()}
    data = composed.get("data")
    for table in data if isinstance(data, list) else [data]:
        if isinstance(table, dict):
            for key in ("train", "test", "corrections"):
                if isinstance(table.get(key), str):
                    table[key] = _beside(path, table[key])
    networks = composed.get("network")
    for network in networks.values() if isinstance(networks, dict) else ():
        if isinstance(network, dict) and isinstance(network.get("onnx"), str):
            network["onnx"] = str(path.parent / network["onnx"])
    return composed


def configured(values: Values, overrides: Mapping[str, object], where: str) -> Config:
    """The configuration of `values` with `overrides` ({"data.train": ...}) on top.

    Raises ConfigError naming `where`, or the command line where `values` alone are good.
    """
    merged = deepcopy(values)
    for key, value in overrides.items():
        table, _, leaf = key.rpartition(".")
        section = merged.setdefault(table, {}) if table else merged
        if isinstance(section, dict):
            section[leaf] = value
    try:
        return validated(Config, merged, where)
    except ConfigError:
        validated(Config, values, where)
        return validated(Config, merged, origin(None))


def _composed(values: object) -> object:
    """With keys in Unicode's composed form, as class names are: a Mac may write another."""
    if isinstance(values, list):
        return [_composed(value) for value in values]
    if not isinstance(values, dict):
        return values
    return {unicodedata.normalize("NFC", key): _composed(value) for key, value in values.items()}


def _beside(path: Path, source: str) -> str:
    """A source in a TOML file: a relative path is relative to the file's folder."""
    elsewhere = re.match(r"(terminals)?$|hub:|[A-Za-z]:[\\/]", source)
    if elsewhere or CONTROL(source):
        return source
    joined = os.path.join(path.parent, source)  # noqa: PTH118 - keeps a slash at the end
    plain = os.path.normpath(joined)
    # Not where a link is on the way: `..` is then not what the text says.
    return plain if os.path.realpath(plain) == os.path.realpath(joined) else joined


def seen_from(path: Path, source: str) -> str:
    """The source as a file at `path` names it: a relative path begins at the file's folder.

    Where a link is on the way, `..` is not the folder above: the path is then absolute.
    """
    if source == "terminals" or source.startswith("hub:") or Path(source).is_absolute():
        return source
    relative = os.path.relpath(source, path.parent)
    if os.path.realpath(path.parent / relative) != os.path.realpath(source):
        return Path(source).absolute().as_posix()
    return Path(relative).as_posix()


def _read_toml(path: Path) -> Values:
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except RecursionError:
        raise ConfigError(f"{path}: not a TOML file: nested too deeply") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a TOML file: {_encoding_told(path)}") from None
    except ValueError as error:  # not only TOMLDecodeError: numbers have their own
        reason = lower_first(str(error))[:200] + _backslash_told(text, str(error))
        raise ConfigError(f"{path}: not a TOML file: {reason}") from None
    except OSError as error:
        if path.is_dir():
            raise ConfigError(f"{path}: a folder; for one of images: --train {path}") from None
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _encoding_told(path: Path) -> str:
    try:
        return f"its text is {encoding_of(path)}, which TOML is not; save it as UTF-8"
    except ValueError as error:
        return str(error)


def _backslash_told(text: str, error: str) -> str:
    """What a path as Windows writes it needs, where the line that is wrong has one."""
    number = re.search(r"at line (\d+)", error)
    line = text.splitlines()[int(number[1]) - 1 :][:1] if number else []
    if not line or not re.search(r'"[^"]*\\', line[0]):
        return ""
    return "; a path with backslashes stands in 'single quotes'"


def _read_target_tables(values: Values, path: Path) -> None:
    """Puts the table in place of `targets = "file.csv"`: a store key then covers its content."""
    styles = values.get("style")
    for options in styles.values() if isinstance(styles, dict) else ():
        if isinstance(options, dict) and isinstance(options.get("targets"), str):
            options["targets"] = _read_target_csv(path.parent / options["targets"])


def _read_target_csv(path: Path) -> dict[str, dict[str, float]]:
    if not path.is_file():  # a device might never end
        raise ConfigError(f"{path}: target distances cannot be read: no such file")
    try:
        with path.open(newline="", encoding=encoding_of(path)) as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(f"{path}: target distances cannot be read: {error}") from None
    if len(rows) < 2 or len(rows[0]) < 2:
        raise ConfigError(f"{path}: expected a header row and column of class names")
    return {row[0]: dict(_target_row(path, rows[0], row)) for row in rows[1:]}


def _target_row(path: Path, header: list[str], row: list[str]) -> Iterator[tuple[str, float]]:
    if len(row) != len(header):
        raise ConfigError(
            f"{path}: row {shown(row[0])} has {len(row)} cells, the header {len(header)}"
        )
    for column, cell in zip(header[1:], row[1:], strict=True):
        if cell.strip():
            try:
                yield column, float(cell)
            except ValueError:
                raise ConfigError(
                    f"{path}: row {shown(row[0])}, column {shown(column)}: {shown(cell)} "
                    "is not a number"
                ) from None
