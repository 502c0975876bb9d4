"""What `gaikan check` cannot tell, and what it says of that."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd
import pytest
from checked_run import VARIANTS, VICTIM, check, drop, spoil, verdicts

pytestmark = pytest.mark.timeout(120)


UNSURE = "of 12 lines inconclusive: "


def test_what_rules_no_change_out_is_inconclusive_in_every_output_and_fails_unless_it_is_allowed(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three seeds against four others: intervals of ten points and more."""
    drop(run, lambda table: table["seed"] > 2)
    table = pd.read_parquet(run / "predictions.parquet")
    table["seed"] += 100
    table.to_parquet(run / "predictions.parquet")
    page, suites, lines = run / "m.md", run / "j.xml", run / "h.csv"
    options = ("--allow-seeds", "--markdown", page, "--junit", suites, "--history", lines)
    assert check(run, folder / "baseline.json", *options) == 1
    said = capsys.readouterr().out
    assert UNSURE in said
    assert said.splitlines()[-1].startswith("INCONCLUSIVE: nothing is shown to be worse; --allow")
    assert "passed" not in said
    found = verdicts(page.read_text())
    assert "cannot tell" in set(found.values()) <= {"cannot tell", "same"}
    suite = ElementTree.parse(suites).getroot()[0]
    unsure = {
        (c.attrib["name"], c.attrib["classname"]) for c in suite if c.find("skipped") is not None
    }
    own = {(f, f"gaikan.{v}") for (f, v), verdict in found.items() if verdict == "cannot tell"}
    assert own <= unsure
    failed = [case.attrib["classname"] for case in suite if case.find("failure") is not None]
    assert failed == ["gaikan.inconclusive"]
    history = pd.read_csv(lines)
    assert history["verdict"].tolist() == ["inconclusive"] * len(VARIANTS)
    assert check(run, folder / "baseline.json", *options, "--allow-inconclusive") == 0
    said = capsys.readouterr().out
    assert "lines inconclusive: a change beyond the margin" in said.split("allowed: ")[2]
    assert said.splitlines()[-1].startswith("passed: 3 variants")
    assert "lines inconclusive" in said.splitlines()[-1]


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_are_inconclusive(
    folder: Path, run: Path, seeds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    drop(run, lambda table: table["seed"] >= seeds)
    options = ("--allow-seeds", "--markdown", run / "m.md")
    assert check(run, folder / "baseline.json", *options) == 1
    assert f"{UNSURE}fewer than 3 seeds; more seeds would tell more" in capsys.readouterr().out
    assert set(verdicts((run / "m.md").read_text()).values()) == {"cannot tell"}
    assert check(run, folder / "baseline.json", *options, "--allow-inconclusive") == 0


def test_what_such_a_run_would_find_is_one_line(
    folder: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(run, folder / "baseline.json") == 0
    assert "No decision turned right or wrong." in capsys.readouterr().out
    spoil(run, VICTIM, 0.12)
    assert check(run, folder / "baseline.json") == 1
    said = capsys.readouterr().out
    found = re.search(r"this run would find a drop of accuracy of (\S+) \((\S+)\)", said)
    assert found
    assert float(found[1]) >= 1
    assert found[2] == VICTIM
