"""Fixtures of the suites."""

from collections.abc import Iterator

import pytest
import torch
from contest import Contest
from pytest_benchmark.fixture import BenchmarkFixture

from gaikan.system import machine


@pytest.fixture
def contest(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> Contest:
    return Contest(benchmark, capsys)


@pytest.fixture
def all_cores() -> Iterator[int]:
    """How many there are; torch uses them all in this process."""
    before = torch.get_num_threads()
    torch.set_num_threads(machine.cores())
    yield machine.cores()
    torch.set_num_threads(before)
