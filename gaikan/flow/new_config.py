"""`gaikan new`: a source becomes a configuration with every key, to be read and changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaikan.config.commented import comment, commented, is_table, toml
from gaikan.config.model import Config, DataConfig, NetworkConfig, path_name
from gaikan.config.stages import Stage
from gaikan.config.toml_files import seen_from
from gaikan.data.columns import Asked
from gaikan.data.frames import Frames
from gaikan.data.proposals import proposed_lot_columns, proposed_lot_names, proposed_ok
from gaikan.data.sources import read_source
from gaikan.errors import ConfigError
from gaikan.evaluation.refusals import refusals
from gaikan.language.words import Words
from gaikan.styles import STYLES
from gaikan.system.files import write

_SHOWN = 12  # classes that are counted one by one


@dataclass(frozen=True)
class NewConfig:
    """The file that was written, and what was found for it."""

    path: Path
    found: list[str]  # sentences on classes, the good class and lots
    refused: list[Words]  # why `gaikan bench` would refuse the source


def new_config(data: DataConfig, path: Path | None) -> NewConfig:
    """Writes a configuration for the source `data.train`, by default `NAME.toml` in this folder.

    Raises DataError where the source cannot be read, ConfigError where the file is there already.
    """
    path = path or Path(f"{path_name(data.train) or 'parts'}.toml")
    if path.exists():
        raise ConfigError(f"{path}: is there already, and is not replaced; name another by --out")
    if path.suffix.lower() != ".toml":
        raise ConfigError(f"--out {path}: is a TOML file; name it so: {path.stem}.toml")
    asked = Asked(data.image_column, data.label_column)
    frames = read_source(data.train, "train", data.size, asked)
    ok = proposed_ok(frames.classes)
    found = [_classes_said(frames), _ok_said(ok), *_lots_said(frames)]
    told = data.model_dump(exclude_none=True) | {"train": seen_from(path, data.train)}
    if ok is not None:
        told["ok"] = ok
    write(path, config_text(told, found))
    return NewConfig(path, found, refusals(frames, Config()))


def config_text(told: Mapping[str, object], found: list[str]) -> str:
    """The file: `told` are the keys of `[data]` that are set, `found` what is said of the source.

    All other keys stand at their defaults, switched off; so a table by name does, such as a stage.
    """
    intro = [
        "# Run it: gaikan bench THIS_FILE",
        "# A line such as #seeds = 3 is switched off and shows the default: take away the '#' to",
        "# change it. Where the comment above tells the default, the line is an example.",
        "# A relative path begins at the folder of this file.",
    ]
    blocks = [intro, commented(Config)]
    for name, field in Config.model_fields.items():
        section = type(field.get_default(call_default_factory=True))
        if not is_table(field) or section is dict:
            continue
        keys = commented(section, told if name == "data" else None)
        about = [line for each in found * (name == "data") for line in comment(f"{each}.")]
        blocks.append([f"[{name}]", *about, *keys])
    for style, kind in STYLES.items():
        blocks.append([f"#[style.{style}]", *commented(kind.options_type)])
    network = "# A network that others trained, as an architecture of its own. NAME is yours."
    blocks.append([network, "#[network.NAME]", *commented(NetworkConfig)])
    stage = "# An inspection stage to pick for, as many as you like; none: the two usual ones."
    blocks.append([stage, "#[stage.NAME]", *commented(Stage)])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _classes_said(frames: Frames) -> str:
    counts = np.bincount(frames.labels, minlength=len(frames.classes))
    each = [f"{toml(name)} {n}" for name, n in zip(frames.classes, counts, strict=True)]
    more = [f"{len(each) - _SHOWN} more"] if len(each) > _SHOWN else []
    named = ", ".join(each[:_SHOWN] + more)
    return f"{len(frames)} images of {len(each)} classes: {named}"


def _ok_said(ok: str | None) -> str:
    if ok is None:
        return "No class is called as good parts are: say `ok`, or no escape rate is known"
    return f"Class {toml(ok)} is set as the good one (key `ok`), by its name; check it"


def _lots_said(frames: Frames) -> list[str]:
    """Which lots the source has, or what may be lots; nothing where no name shows any."""
    if frames.groups is not None:
        n = len(np.unique(frames.groups))
        return [f"{n} lots (`group`): parts of one are never on two sides of a split"]
    columns = proposed_lot_columns(frames.source)
    if columns:
        return [f"Column {toml(columns[0])} may be a lot: name it `group`, and it is kept whole"]
    begins = proposed_lot_names(frames)
    if begins:
        return [
            f"File names begin in {len(begins)} ways, such as {toml(begins[0])}: where that is a "
            "lot, make a folder of each within its class's, or a table path,label,group"
        ]
    return ["No lots are told: parts of one lot may stand on two sides of a split"]
