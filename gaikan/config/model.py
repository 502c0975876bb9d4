"""The configuration of a run as typed models, and how it is read from TOML."""

import csv
import difflib
import os
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gaikan.config.stages import Stage, TomlSection
from gaikan.errors import ConfigError, shown
from gaikan.system.encoding import encoding_of
from gaikan.system.files import LONGEST_NAME, file_name, is_short

_CONTROL = re.compile(r"[\x00-\x1f]").search
T = TypeVar("T", bound=BaseModel)


def _name(value: str) -> str:
    if value and not (re.fullmatch(r"[\w-][\w.-]*", value) and is_short(value)):
        raise ValueError(
            "a name is letters, digits, '.', '_' and '-', without a '.' in front, "
            f"at most {LONGEST_NAME} bytes"
        )
    return value


_ENDINGS = (".parquet", ".csv", ".pth", ".pt")

Name = Annotated[str, AfterValidator(_name)]  # that a run folder may have


class DataConfig(TomlSection):
    """`[data]`: what is trained and tested on."""

    train: str = Field("terminals", description="source of the fit and validation parts")
    test: str | None = Field(
        None, min_length=1, description="source of the test part; none: split off `train`"
    )
    ok: str | None = Field(None, description="class or failure mode that means good")
    shape: str | None = Field(None, description="height x width of the images, such as '36x39'")
    image_column: str | None = Field(
        None, min_length=1, description="of a table with several columns of images or paths"
    )
    label_column: str | None = Field(
        None, min_length=1, description="of a table that has no column 'label'"
    )

    @field_validator("train", "test")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        if value is not None and _CONTROL(value):
            raise ValueError(
                "has a control character; a path with backslashes stands in 'single quotes'"
            )
        return value

    @field_validator("shape")
    @classmethod
    def _shape(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[1-9]\d{0,4}x[1-9]\d{0,4}", value):
            raise ValueError(f"{value!r} is not HEIGHTxWIDTH, such as '36x39'")
        return value

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that `shape` asks for."""
        if self.shape is None:
            return None
        height, width = self.shape.split("x")
        return int(height), int(width)


class GridConfig(TomlSection):
    """`[grid]`: names of architectures, styles and anchor methods; none given means all."""

    arch: tuple[str, ...] | None = Field(None, strict=False)
    style: tuple[str, ...] | None = Field(None, strict=False)
    anchor: tuple[str, ...] | None = Field(None, strict=False)


class TrainConfig(TomlSection):
    """`[train]`: the recipe that all cells share."""

    epochs: int = Field(
        24, ge=1, le=100_000, description="of the cnn; the mlp trains 3.5 times as many, rounded"
    )
    batch_size: int = Field(64, ge=8, le=2**20, description="of the cnn; the mlp's is twice that")
    learning_rate: float = Field(2e-3, gt=0, description="peak of the one-cycle schedule")
    weight_decay: float = Field(1e-2, ge=0)
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="of the forward and backward pass; auto: bf16 where it is native"
    )
    normalise: Literal["auto", "source", "image"] = Field(
        "auto",
        description="by mean and deviation of the fit part (source), or then of each image too; "
        "auto: image where brightness varies much from image to image of a class",
    )


class AugmentConfig(TomlSection):
    """`[augment]`: how an image may be changed and still show the same part."""

    shift: int = Field(3, ge=0, le=10_000, description="largest shift in pixels, each way")
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    brightness: float = Field(0.0, ge=0, description="largest change, in image deviations")
    noise: float = Field(0.0, ge=0, description="deviation of added noise, in image deviations")


class FactoryConfig(TomlSection):
    """`[factory]`: how many parts are defective where they are made, and what errors cost there."""

    defect_rate: float | None = Field(None, ge=0, le=1, description="defective share of all parts")
    escape_cost: float | None = Field(None, ge=0, description="of a defective part called good")
    overkill_cost: float | None = Field(None, ge=0, description="of a good part called defective")
    escape_target: float | None = Field(
        None, gt=0, lt=1, description="largest escape rate that is acceptable"
    )

    @model_validator(mode="after")
    def _complete(self) -> "FactoryConfig":
        costs = ("defect_rate", "escape_cost", "overkill_cost")
        missing = [name for name in costs if getattr(self, name) is None]
        if missing and len(missing) < len(costs):
            raise ValueError(f"a cost needs {', '.join(costs)}; {missing[0]} is missing")
        return self


class TimingConfig(TomlSection):
    """`[timing]`: inference timing at the end of a run."""

    enabled: bool = True
    plan: Literal["quick", "default", "thorough"] = "default"
    runtimes: tuple[str, ...] | None = Field(
        None, strict=False, description="such as 'openvino-int8'; default: all but torch.compile"
    )
    threads: tuple[int, ...] | None = Field(
        None, strict=False, description="default: 1 and all cores"
    )


class Config(TomlSection):
    """All that a user asks of a run: the keys of its TOML file."""

    name: Name = Field("", description="names the folder under results/; default: the train source")
    seeds: int = Field(3, ge=1, le=1000, description="how many seeds")
    base_seed: int = Field(
        0, ge=0, le=2**31, description="the first of them; it also draws the test part"
    )
    device: Literal["auto", "cpu", "cuda"] = "auto"
    executor: str = Field(
        "local", exclude=True, description="where cells are trained: local, or dask://HOST:PORT"
    )
    worker_resources: dict[str, float] = Field(
        default_factory=dict,
        exclude=True,
        description="of Dask workers: only those with them count",
    )
    data: DataConfig = DataConfig()
    grid: GridConfig = GridConfig()
    train: TrainConfig = TrainConfig()
    augment: AugmentConfig = AugmentConfig()
    factory: FactoryConfig = FactoryConfig()
    protocol: Literal["held-out", "original"] = Field(
        "held-out", description="original: also by anchors from the test set's own labels"
    )
    references: Literal["all", "none"] = Field(
        "all", description="classical classifiers beside the grid"
    )
    pictures: bool = Field(True, description="off: tables alone, no figures and no pages")
    timing: TimingConfig = TimingConfig()
    style: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="one table a style; its keys are the style's own"
    )
    stage: dict[str, Stage] = Field(
        default_factory=dict, description="inspection stages to pick for; none: the two usual ones"
    )

    @field_validator("executor")
    @classmethod
    def _executor(cls, value: str) -> str:
        if value != "local" and not re.fullmatch(
            r"dask://([\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}", value
        ):
            raise ValueError("expected local or dask://HOST:PORT, such as dask://10.0.0.5:8786")
        return value

    @field_validator("worker_resources", mode="before")
    @classmethod
    def _resources(cls, value: Any) -> Any:
        """Takes text too, as `dask worker --resources` does: "GPU=1,MEM=8e9"."""
        if not isinstance(value, str):
            return value
        try:
            pairs = [pair.split("=") for pair in value.replace(",", " ").split()]
            return {name: float(amount) for name, amount in pairs}
        except ValueError:
            raise ValueError("expected NAME=AMOUNT, such as GPU=1") from None

    @field_validator("worker_resources")
    @classmethod
    def _of_dask(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if value and info.data.get("executor") == "local":
            raise ValueError("these are of Dask workers; they need an executor dask://HOST:PORT")
        return value

    @field_validator("stage")
    @classmethod
    def _stage_names(cls, value: dict[str, Stage]) -> dict[str, Stage]:
        for name in value:
            if not (re.fullmatch(r"[\w-]+", name) and is_short(name)):
                raise ValueError(
                    f"{shown(name)}: a stage's name is letters, digits, '_' and '-', "
                    f"at most {LONGEST_NAME} bytes"
                )
        return value

    @property
    def all_seeds(self) -> range:
        """The seeds of the run."""
        return range(self.base_seed, self.base_seed + self.seeds)

    @property
    def run_name(self) -> str:
        """`name`, or what the train source is called."""
        return self.name or path_name(self.data.train) or "run"


def path_name(source: str) -> str:
    """A name made from a source's folder and file: `boards-train` of `data/boards/train.csv`.

    Of a source on the hub, the last part of its name. May be empty.
    """
    path = Path(source)
    if source.startswith("hub:"):
        return file_name(Path(source.rstrip("/").split("/")[-1]).stem)
    name = file_name(path.name if path.suffix.lower() not in _ENDINGS else path.stem)
    with_folder = "-".join(filter(None, (file_name(path.parent.name), name)))
    return with_folder if is_short(with_folder) else name


def load_config(path: Path | None, overrides: dict[str, Any]) -> Config:
    """The configuration of a TOML file, with `overrides` ({"data.train": ...}) on top.

    The run's name defaults to the file's. Raises ConfigError naming file, key and remedy.
    """
    return configured(read_values(path), overrides, origin(path))


def origin(path: Path | None) -> str:
    """Where a configuration comes from, for errors."""
    return "command line" if path is None else str(path)


def read_values(path: Path | None) -> dict[str, Any]:
    """The tables and keys of a TOML file, not yet checked; empty without a file."""
    if path is None:
        return {}
    values = {"name": file_name(path.stem)} | _read_toml(path)
    _read_target_tables(values, path)
    composed: dict[str, Any] = _composed(values)
    data = composed.get("data")
    for table in data if isinstance(data, list) else [data]:
        if isinstance(table, dict):
            for key in ("train", "test"):
                if isinstance(table.get(key), str):
                    table[key] = _beside(path, table[key])
    return composed


def configured(values: dict[str, Any], overrides: dict[str, Any], where: str) -> Config:
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


def validated(model: type[T], values: dict[str, Any], where: str, table: str = "") -> T:
    """`model` from `values`, which stand in `table` of `where`.

    Raises ConfigError naming `where` and the first key that is wrong.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        location = [str(part) for part in first["loc"]]
        key = ".".join(([table] if table else []) + location)[:200]
        if first["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            close = difflib.get_close_matches(location[-1][:100], known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key '{key}'; {hint}") from None
        reason = first["msg"].removeprefix("Value error, ")
        reason = _lower(reason).replace("valid tuple", "list")  # TOML's word
        given = first["input"]
        stated = isinstance(given, dict) or (isinstance(given, str) and shown(given) in reason)
        instead = "" if stated else f", not {shown(given)}"
        raise ConfigError(f"{where}: key '{key}': {reason}{instead}") from None


def _known_keys(model: type[BaseModel], location: list[str]) -> list[str]:
    """The keys of the table at `location` within `model`."""
    for part in location:
        if part not in model.model_fields:
            continue  # the name of one of several tables of this model
        inner = _model_within(model.model_fields[part].annotation)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_within(annotation: Any) -> type[BaseModel] | None:
    """The model within a key's type: in `M`, `M | None` or `dict[str, M]` it is `M`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_within, get_args(annotation))), None)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _composed(values: Any) -> Any:
    """With keys in Unicode's composed form, as class names are: a Mac may write another."""
    if isinstance(values, list):
        return [_composed(value) for value in values]
    if not isinstance(values, dict):
        return values
    return {unicodedata.normalize("NFC", key): _composed(value) for key, value in values.items()}


def _beside(path: Path, source: str) -> str:
    """A source in a TOML file: a relative path is relative to the file's folder."""
    if (
        not source
        or source == "terminals"
        or _CONTROL(source)
        or re.match("hub:|[A-Za-z]:[\\\\/]", source)
    ):
        return source
    joined = os.path.join(path.parent, source)  # noqa: PTH118 - keeps a slash at the end
    plain = os.path.normpath(joined)
    # Not where a link is on the way: `..` is then not what the text says.
    return plain if os.path.realpath(plain) == os.path.realpath(joined) else joined


def _read_toml(path: Path) -> dict[str, Any]:
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
        reason = _lower(str(error))[:200] + _backslash_told(text, str(error))
        raise ConfigError(f"{path}: not a TOML file: {reason}") from None
    except OSError as error:
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


def _read_target_tables(values: dict[str, Any], path: Path) -> None:
    """Puts the table in place of `targets = "file.csv"`: a store key then covers its content."""
    styles = values.get("style")
    for options in styles.values() if isinstance(styles, dict) else ():
        if isinstance(options, dict) and isinstance(options.get("targets"), str):
            options["targets"] = _read_target_csv(path.parent / options["targets"])


def _read_target_csv(path: Path) -> dict[str, dict[str, float]]:
    if not path.is_file():  # a device might never end
        raise ConfigError(f"{path}: target distances cannot be read: no such file")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
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
