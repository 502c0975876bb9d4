"""The screen at the end of a run, as text, in terminals of two widths and where there is none."""

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from manifests import manifest
from rich.console import Console
from scipy.stats import norm
from small_run import FAKES, Fake, row, write_run

from gaikan.commands.closing import show_closing
from gaikan.config.model import Config
from gaikan.flow.pick_run import pick_run
from gaikan.language.words import say
from gaikan.run_folder.bench_files import write_manifest
from gaikan.run_folder.latency_rows import Row, write_rows

HERE = Path(__file__).with_name("screens")
STAGES = {
    "intermediate": {"objective": "latency", "escape_bound": {"max": 0.3}},
    "final": {"escape_bound": {"max": 0.01}, "p50_ms": {"max": 5}},
    "impossible": {"p50_ms": {"max": 0.01}},
}
# Variants behind those four, so that the table is longer than a terminal shows.
OTHERS = [Fake(f"mlp-{name}-mean_image", 0.5, {}) for name in "abcdefgh"]


def skipped(fake: Fake, runtime: str) -> Row:
    return row(
        Fake(fake.variant, 0, {f"{runtime}-fp32": 1.0}),
        f"{runtime}-fp32",
        1,
        batch_size=None,
        p50_ms=None,
        skipped=say("not_installed", package=runtime),
    )


def _fix_decisions(path: Path) -> None:
    """Margins from a formula instead of drawn ones, so that the screens change by choice alone."""
    table = pd.read_parquet(path)
    place = table.groupby(["variant", "seed", "split"], observed=True).cumcount().to_numpy()
    skill = table["variant"].astype(str).map({fake.variant: fake.skill for fake in FAKES})
    is_ok = place % 2 == 0
    shift = 0.1 * (table["split"] == "test") + 0.05 * table["seed"]  # so that the parts differ
    spread = norm.ppf((place * (5**0.5 - 1) / 2 + shift) % 1 * 0.998 + 0.001)
    margin = np.where(is_ok, skill, -skill) + spread
    defect = np.where(place % 4 == 1, "open", "spur")
    fixed: dict[str, Any] = {
        "sample": place,
        "group": [f"lot-{n % 60}" for n in place],
        "label": np.where(is_ok, "ok", defect),
        "mode": np.where(is_ok, "ok", defect),
        "defect": defect,
        "ok_margin": margin.astype("f4"),
        "predicted": np.where(margin > 0, "ok", defect),
    }
    text = [name for name in fixed if name not in ("sample", "ok_margin")]
    table.assign(**fixed).astype(dict.fromkeys(text, "category")).to_parquet(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with picks, its tables written by hand: 12 variants, three of which may be the best."""
    out = write_run(tmp_path_factory.mktemp("end") / "run", lots=60, config={"stage": STAGES})
    _fix_decisions(out / "predictions.parquet")
    rows = [row(fake, label, 1) for fake in FAKES for label in fake.p50_ms]
    write_rows(out / "latency.csv", [*rows, *(skipped(FAKES[0], name) for name in ("a", "b"))])
    summary = [
        {
            "variant": fake.variant,
            "kind": "variant",
            "seeds": 2,
            "accuracy": 0.95 - 0.02 * place,
            "low": 0.93 - 0.02 * place,
            "high": 0.97 - 0.02 * place,
            "balanced_accuracy": 0.94 - 0.02 * place,
            "validation_accuracy": 0.96 - 0.02 * place,
            "escape_rate": None,
            "overkill_rate": None,
            "tied": place < 3,
        }
        for place, fake in enumerate([*FAKES, *OTHERS])
    ]
    pd.DataFrame(summary).to_csv(out / "summary.csv", index=False)
    recalls = ("variant", "kind", "parts", "seeds", "right", "recall", "low", "high")
    pd.DataFrame([dict.fromkeys(recalls, 1)]).to_csv(out / "classes.csv", index=False)
    pick_run(out)
    return out


def screen(run: Path, width: int, terminal: bool = True) -> str:
    shown = StringIO()
    console = Console(
        file=shown, width=width, force_terminal=terminal, color_system=None, highlight=False
    )
    show_closing(console, run)
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines()).replace(
        str(run), "RUN"
    )


SCREENS = {"80": 80, "120": 120}


@pytest.mark.parametrize("name", [*SCREENS, "no-terminal"])
def test_the_screen_is_as_it_was_looked_at(run: Path, name: str) -> None:
    """Look at a screen that changes, then put it into its file."""
    shown = screen(run, SCREENS.get(name, 10_000), terminal=name in SCREENS)
    assert shown.splitlines() == (HERE / f"{name}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("width", SCREENS.values())
def test_in_a_terminal_it_is_one_screen_and_loses_nothing(run: Path, width: int) -> None:
    lines = screen(run, width).splitlines()
    assert len(lines) <= 36
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    (picked,) = [line for line in lines if line.startswith("intermediate  ")]
    assert len(picked.split()) == 8
    for each in ("install mlp-triplet-mean_embedding", "0.1 ms", "mlp-d-mean_image", "accuracy.md"):
        assert each in words
    assert "4 more variants" in words


def test_where_there_is_no_terminal_no_variant_is_left_out(run: Path) -> None:
    shown = screen(run, 10_000, terminal=False)
    assert all(fake.variant in shown for fake in [*FAKES, *OTHERS])


def test_the_table_says_that_it_knows_no_border_of_a_stage_where_a_pick_has_one(
    run: Path, tmp_path: Path
) -> None:
    told = "Without the borders that stages set."
    assert told not in " ".join(screen(run, 120).split())  # none has
    stage = {"any": {"objective": "overkill", "escape_rate": {"max": 0.1}}}
    out = shutil.copytree(run, tmp_path / "run")
    write_manifest(out, manifest(config=Config.model_validate({"stage": stage}), ok="ok"))
    assert pick_run(out).picked[0].threshold is not None
    assert told in " ".join(screen(out, 120).split())
