"""The runtimes that are there."""

import pytest

from gaikan.language.words import say
from gaikan.timing.runtimes import RUNTIMES, chosen


def test_what_compiles_says_that_there_is_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "")
    assert RUNTIMES["torch.compile-fp32"].unavailable() == say("no_compiler")
    assert RUNTIMES["torch-fp32"].unavailable() is None


def test_the_reference_is_always_among_the_runtimes() -> None:
    assert [r.label for r in chosen(["openvino-int8"])] == ["torch-fp32", "openvino-int8"]
    assert "torch.compile-fp32" not in [r.label for r in chosen(None)]
    assert "torch.compile-fp32" in [r.label for r in chosen(["torch.compile-fp32"])]
