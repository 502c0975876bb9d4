"""The configuration of a run as typed models: the keys of its TOML file."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from gaikan.config.recipe import AugmentConfig, TrainConfig
from gaikan.config.stages import Stage, TomlSection
from gaikan.errors import shown
from gaikan.system.files import LONGEST_NAME, file_name, is_short

CONTROL = re.compile(r"[\x00-\x1f]").search
_ENDINGS = (".parquet", ".csv", ".pth", ".pt")


def _name(value: str) -> str:
    if value and not (re.fullmatch(r"[\w-][\w.-]*", value) and is_short(value)):
        raise ValueError(
            "a name is letters, digits, '.', '_' and '-', without a '.' in front, "
            f"at most {LONGEST_NAME} bytes"
        )
    return value


Name = Annotated[str, AfterValidator(_name)]  # that a run folder may have


class DataConfig(TomlSection):
    """`[data]`: what is trained and tested on."""

    train: str = Field("terminals", description="source of the fit and validation parts")
    test: str | None = Field(
        None,
        min_length=1,
        description="source of the test part; none: split off `train`",
        examples=["later_lot.parquet"],
    )
    ok: str | None = Field(
        None, description="class or failure mode that means good", examples=["ok"]
    )
    shape: str | None = Field(
        None,
        description="height x width of the images, in pixels: of a table of pixels, or to resize "
        "a folder to; none: as the source has them",
        examples=["36x39"],
    )
    image_column: str | None = Field(
        None,
        min_length=1,
        description="of a table with several columns of images or paths",
        examples=["image"],
    )
    label_column: str | None = Field(
        None,
        min_length=1,
        description="of a table that has no column 'label'",
        examples=["class"],
    )
    corrections: str | None = Field(
        None,
        min_length=1,
        description="table of `gaikan labels` with labels that are corrected",
        examples=["labels.csv"],
    )

    @field_validator("train", "test", "corrections")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        if value is not None and CONTROL(value):
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
    """`[grid]`: names of architectures, styles and anchor methods.

    None given means all, but for styles of the extra `gaikan[styles]`.
    """

    arch: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description="what maps an image to its embedding; none: all",
        examples=[("mlp", "resnet", "cnn")],
    )
    style: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description="what a network is trained by; none: all but those of gaikan[styles]",
        examples=[("vanilla", "siamese", "triplet")],
    )
    anchor: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description="what stands for a class; none: all",
        examples=[("mean_image", "mean_embedding")],
    )


class NetworkConfig(TomlSection):
    """`[network.NAME]`: a network that others trained, the architecture NAME."""

    onnx: str = Field(
        min_length=1,
        description="its file: N x C x H x W to N x D, or to a map",
        examples=["backbone.onnx"],
    )


class FactoryConfig(TomlSection):
    """`[factory]`: how many parts are defective where they are made, and what errors cost there."""

    defect_rate: float | None = Field(
        None, ge=0, le=1, description="defective share of all parts", examples=[0.005]
    )
    escape_cost: float | None = Field(
        None,
        ge=0,
        description="of a defective part called good, in any currency",
        examples=[200.0],
    )
    overkill_cost: float | None = Field(
        None, ge=0, description="of a good part called defective, in the same", examples=[2.0]
    )
    escape_target: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="largest share of the defective parts that may be called good",
        examples=[0.01],
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

    enabled: bool = Field(True, description="off: nothing is timed, and so nothing picked")
    plan: Literal["quick", "default", "thorough"] = Field(
        "default", description="how long each case is timed, and in how many settings"
    )
    runtimes: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description="none: all but torch.compile",
        examples=[("onnxruntime-fp32", "openvino-int8")],
    )
    threads: tuple[int, ...] | None = Field(
        None, strict=False, description="none: 1 and all cores", examples=[(1, 2)]
    )


class Config(TomlSection):
    """All that a user asks of a run: the keys of its TOML file."""

    name: Name = Field(
        "",
        description="names the folder under results/; none: the file's own name, or the source's",
        examples=["parts"],
    )
    seeds: int = Field(3, ge=1, le=1000, description="how many seeds")
    base_seed: int = Field(
        0, ge=0, le=2**31, description="the first of them; it also draws the test part"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="what trains")
    executor: str = Field(
        "local",
        exclude=True,
        description="where cells are trained: on this machine (local), or on a Dask cluster",
        examples=["dask://10.0.0.5:8786"],
    )
    worker_resources: dict[str, float] = Field(
        default_factory=dict,
        exclude=True,
        description="of Dask workers: only those with them count",
        examples=[{"GPU": 1.0}],
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
    unseen: bool = Field(
        False, description="train the grid once more without each failure mode, to score that mode"
    )
    pictures: bool = Field(True, description="off: tables alone, no figures and no pages")
    timing: TimingConfig = TimingConfig()
    style: dict[str, dict[str, object]] = Field(
        default_factory=dict, description="one table a style; its keys are the style's own"
    )
    network: dict[str, NetworkConfig] = Field(
        default_factory=dict, description="one table a network that others trained"
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
    def _resources(cls, value: object) -> object:
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
