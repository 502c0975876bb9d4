"""The keys of a table of the configuration as commented TOML: each key, its default, its limits."""

import json
import textwrap
from collections.abc import Mapping
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_WIDTH = 96
_LIMITS = {Ge: "at least {}", Gt: "more than {}", Le: "at most {}", Lt: "less than {}"}


def commented(model: type[BaseModel], given: Mapping[str, object] | None = None) -> list[str]:
    """A comment and a line for each key of `model`, but for keys that are tables themselves.

    What is `given` stands there; any other line is switched off by a '#' and shows the default,
    or an example where the model has one.
    """
    told = given or {}
    lines = []
    for name, field in model.model_fields.items():
        if is_table(field):
            continue
        lines += comment(_about(field))
        value = told[name] if name in told else shown_value(field)
        lines.append(f"{'' if name in told else '#'}{name} = {toml(value)}")
    return lines


def comment(text: str) -> list[str]:
    """A sentence as lines of a comment."""
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="#   ")


def is_table(field: FieldInfo) -> bool:
    """Whether a key is a table of its own, or one of tables by name."""
    default = field.get_default(call_default_factory=True)
    if isinstance(default, dict):
        return not default and not field.examples
    return isinstance(default, BaseModel) and not _is_limit(default)


def _is_limit(value: BaseModel) -> bool:
    return set(type(value).model_fields) == {"min", "max"}


def shown_value(field: FieldInfo) -> object:
    """What a line shows: the default, or an example where leaving the key out says more."""
    return field.examples[0] if field.examples else field.get_default(call_default_factory=True)


def _about(field: FieldInfo) -> str:
    """What the key is, its choices or limits, and its default where the line shows an example."""
    about = [field.description or ""]
    choices = _choices(field.annotation)
    if choices:
        about.append(f"one of {', '.join(choices)}")
    limits = [
        text.format(getattr(limit, kind.__name__.lower()))
        for limit in field.metadata
        for kind, text in _LIMITS.items()
        if isinstance(limit, kind)
    ]
    about += [" and ".join(limits)] if limits else []
    if field.is_required():
        about.append("needed")
    elif field.examples:
        default = field.get_default(call_default_factory=True)
        about.append(f"default: {toml(default) if default else 'none'}")
    return ". ".join(part[:1].upper() + part[1:] for part in about if part) + "."


def _choices(annotation: object) -> tuple[str, ...]:
    """The texts of a Literal, or of `Literal | None`."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next(filter(None, map(_choices, get_args(annotation))), ())


def toml(value: object) -> str:
    """A value on one line of TOML. Only keys that are set are shown of a model or a mapping."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(key)} = {toml(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(key: str) -> str:
    """A key as TOML has it, in quotes where it needs them."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else json.dumps(key, ensure_ascii=False)
