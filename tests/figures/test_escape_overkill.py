"""The picture of escapes against overkill."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from runner import gaikan
from small_run import write_run

from gaikan.figures.escape_overkill import Curve
from gaikan.run_folder.picks_file import read_picks

COSTS = {"factory": {"defect_rate": 0.02, "escape_cost": 100, "overkill_cost": 1}}
SVG = "{http://www.w3.org/2000/svg}"


def picked(out: Path, **settings: Any) -> dict[str, ElementTree.Element]:
    """The pictures of a run's stages, by file name; the run is written and picked from."""
    write_run(out, **settings)
    gaikan("pick", out)
    return {path.name: ElementTree.parse(path).getroot() for path in out.glob("figures/escapes-*")}


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_a_picture_a_stage_names_the_pick_the_ceiling_and_the_kinds(tmp_path: Path) -> None:
    pictures = picked(tmp_path / "run")
    assert set(pictures) == {"escapes-intermediate.svg", "escapes-final.svg"}
    picks = read_picks(tmp_path / "run/picks.json")
    assert picks is not None
    for name, ceiling in (("intermediate", "10 %"), ("final", "3 %")):
        shown, pick = texts(pictures[f"escapes-{name}.svg"]), picks.stages[name].pick
        assert pick is not None
        assert f"{pick.variant}: picked" in shown
        assert f"ceiling {ceiling}" in shown
        kinds = [text for text in shown if text.endswith("% at the border")]
        assert {text.split(":")[0] for text in kinds} == {"open", "long spur", "short spur"}
        rates = [float(text.split(": ")[1].split()[0]) for text in kinds]
        assert rates == sorted(rates, reverse=True)
        assert not [text for text in shown if "1,000 parts cost" in text]


def test_a_variant_that_a_stage_cannot_have_has_no_curve(tmp_path: Path) -> None:
    pictures = picked(tmp_path / "run")
    small, large = (texts(pictures[f"escapes-{name}.svg"]) for name in ("intermediate", "final"))
    assert not any(text.startswith("cnn-") for text in small)  # operations
    assert any(text.startswith("cnn-") for text in large)


def test_costs_draw_lines_of_equal_cost(tmp_path: Path) -> None:
    pictures = picked(tmp_path / "run", config=COSTS)
    picks = read_picks(tmp_path / "run/picks.json")
    assert picks is not None
    pick = picks.stages["intermediate"].pick
    assert pick is not None
    assert pick.validation.cost
    words = f"1,000 parts cost {pick.validation.cost:.3g}, as there; half; twice"
    assert words in texts(pictures["escapes-intermediate.svg"])


def test_where_nothing_qualifies_the_nearest_miss_is_shown(tmp_path: Path) -> None:
    stage = {"sure": {"escape_bound": {"max": 0.0001}}}
    shown = texts(picked(tmp_path / "run", config={"stage": stage})["escapes-sure.svg"])
    assert [text for text in shown if text.endswith(": nearest to qualifying")]


def test_without_a_good_class_there_is_none_and_an_old_one_goes(tmp_path: Path) -> None:
    assert picked(tmp_path / "run")
    assert picked(tmp_path / "run", ok=None) == {}
    assert "figures/escapes-" not in (tmp_path / "run/picks.md").read_text()


@pytest.mark.parametrize("stage", ["intermediate", "final"])
def test_the_curve_of_the_pick_goes_through_its_border(stage: str, tmp_path: Path) -> None:
    root = picked(tmp_path / "run")[f"escapes-{stage}.svg"]
    bold = [p for p in root.iter(f"{SVG}path") if p.get("stroke-width") == "2.6"]
    points = np.array(re.findall(r"(\d+) (\d+)", bold[0].get("d") or "")).astype(float)
    dots = [r for r in root.iter(f"{SVG}rect") if r.get("rx") == "5" and r.get("fill") == "#222222"]
    centre = np.array([float(dots[0].get(axis) or 0) + 5 for axis in ("x", "y")])
    low, high = np.minimum(points[:-1], points[1:]), np.maximum(points[:-1], points[1:])
    assert ((low - 1 <= centre) & (centre <= high + 1)).all(1).any()  # all steps are upright


def test_the_least_escapes_at_an_overkill_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    escapes = np.sort(rng.integers(0, 20, 30)) / 20
    overkills = np.sort(rng.integers(0, 20, 30))[::-1] / 20
    curve = Curve("a", escapes, overkills)
    at = np.linspace(0, 1, 41)
    for overkill, found in zip(at, curve.least(at), strict=True):
        within = [e for e, o in zip(escapes, overkills, strict=True) if o <= overkill]
        assert found == min(within, default=1.0)
