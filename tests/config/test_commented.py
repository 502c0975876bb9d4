"""The keys of the configuration as commented TOML."""

import tomllib
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from gaikan.config.commented import commented, is_table, toml, toml_key
from gaikan.config.model import Config, NetworkConfig
from gaikan.config.stages import Stage
from gaikan.styles import STYLES


def tables() -> Iterator[type[BaseModel]]:
    """Every model whose keys a person may write, but for limits such as `{ max = 5 }`."""
    yield from (Config, NetworkConfig, Stage)
    for field in Config.model_fields.values():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield type(default)
    for style in STYLES.values():
        yield style.options_type


@pytest.mark.parametrize("model", list(tables()), ids=lambda model: model.__name__)
def test_every_key_has_a_comment_and_a_line_that_the_model_takes(model: type[BaseModel]) -> None:
    lines = commented(model)
    keys = {name for name, field in model.model_fields.items() if not is_table(field)}
    switched_on = [line[1:] for line in lines if line[:2] != "# "]
    values = tomllib.loads("\n".join(switched_on))
    assert set(values) == keys
    made = model.model_validate(values)
    for name in keys:
        field = model.model_fields[name]
        assert field.description, name
        if not field.examples:
            assert getattr(made, name) == field.get_default(call_default_factory=True), name


def test_what_is_given_is_switched_on() -> None:
    lines = commented(Stage, {"description": "a [b] # c", "batch_size": 8})
    values = tomllib.loads("\n".join(lines))
    assert values == {"description": "a [b] # c", "batch_size": 8}


@pytest.mark.parametrize("value", ['a "b"', "C:\\parts", "キズ", "a\x7fb", [1, 2.5], True, {}])
def test_a_value_is_read_back_as_it_was(value: object) -> None:
    assert tomllib.loads(f"key = {toml(value)}") == {"key": value}
    assert tomllib.loads(f"key = {toml({'キズ': value})}") == {"key": {"キズ": value}}
    assert tomllib.loads(f"{toml_key('a b')} = 1") == {"a b": 1}
