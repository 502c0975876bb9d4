"""Where a run's cells are trained, as the configuration says it."""

from typing import Any

import pytest

from gaikan.config.toml_files import load_config
from gaikan.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"executor": "dask:/x:1"}, "key 'executor': expected local or dask://HOST:PORT"),
        ({"executor": "dask://host"}, "key 'executor': expected local or dask://HOST:PORT"),
        ({"executor": "slurm"}, "key 'executor': expected local or dask://HOST:PORT"),
        (
            {"executor": "dask://h:1", "worker_resources": "GPU"},
            "key 'worker_resources': expected NAME=AMOUNT",
        ),
        ({"worker_resources": "GPU=1"}, "key 'worker_resources': these are of Dask workers"),
    ],
)
def test_a_malformed_executor_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, options)
    assert words in str(caught.value)


@pytest.mark.parametrize("host", ["dask-scheduler.default.svc", "10.0.0.5", "[::1]"])
def test_an_executor_and_its_resources_are_read(host: str) -> None:
    asked = {"executor": f"dask://{host}:8786", "worker_resources": "GPU=1,MEM=8e9 A=0.5"}
    config = load_config(None, asked)
    assert config.executor == f"dask://{host}:8786"
    assert config.worker_resources == {"GPU": 1, "MEM": 8e9, "A": 0.5}
