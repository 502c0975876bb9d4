"""What makes figures wrong or void is told apart from what is only a note."""

import re
from pathlib import Path

import pytest
from manifests import manifest
from small_run import Fake, write_run

from gaikan.flow.pick_run import pick_run
from gaikan.language.words import Words, joined, plain, say, strings
from gaikan.report import cautions, markdown_page
from gaikan.report.blocks import Alert, Document
from gaikan.report.html_page import page_environment
from gaikan.run_folder.picks_file import StagePicks


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> StagePicks:
    """Its pick rejects most good parts."""
    fake = Fake("mlp-triplet-mean_embedding", 0.3, {"onnxruntime-fp32": 2.0})
    asked = {"any": {"escape_bound": {"max": 0.1}}}
    out = write_run(tmp_path_factory.mktemp("run"), [fake], seeds=1, config={"stage": asked})
    return pick_run(out).stages["any"]


def with_warnings(stage: StagePicks, *texts: Words) -> list[Alert]:
    return cautions.of_pick(stage.model_copy(update={"warnings": [*texts]}))


def test_every_serious_text_is_a_text() -> None:
    assert set(strings()) >= cautions.SERIOUS


def test_what_voids_a_figure_comes_first_and_is_a_warning(stage: StagePicks) -> None:
    harmless = say("no_test_parts", name="x")
    disturbed = say("time_disturbed", share="80 %")
    first, then = with_warnings(stage, harmless, disturbed)
    assert (first.serious, then.serious) == (True, False)
    assert first.text.en.startswith("Warning: its time is unreliable")
    assert then.text.en.startswith("Note: test has no parts")
    assert then.text.ja.startswith("注")


def test_a_serious_text_within_another_counts(stage: StagePicks) -> None:
    inside = joined([say("file_no_image", endings="x"), say("class_darker", name="bent")])
    assert [alert.serious for alert in with_warnings(stage, inside)] == [True]


def test_a_note_and_a_warning_are_told_apart_without_colour() -> None:
    shown = [Alert(say("note", text="calm")), Alert(say("note", text="calm"), serious=False)]
    report = Document(plain("x"), [], shown, [])
    nothing = {"policy": "", "style": "", "script": "", "data": {}, "gallery": []}
    page = (
        page_environment()
        .get_template("report.html.jinja")
        .render(report=report, language="en", ok=None, **nothing)
    )
    assert re.findall('<p class="(.*?)"', page) == ["alert", "note"]
    style = (Path(cautions.__file__).parent / "templates" / "report.css").read_text("utf-8")
    assert '.alert::before { content: "\\26a0' in style
    assert ".note::before" not in style
    assert markdown_page.page(report).split("\n\n")[1:] == ["**Note: calm.**", "Note: calm.\n"]


def test_a_pick_that_rejects_much_is_a_note(stage: StagePicks) -> None:
    alerts = cautions.of_pick(stage)
    (much,) = [alert for alert in alerts if "of the good validation parts" in alert.text.en]
    assert not much.serious


@pytest.mark.parametrize(
    ("exact", "near", "of_groups", "told"),
    [
        (20, 0, 0, ["20 of 20 test parts are also in training, so the test figures say nothing"]),
        (18, 2, 20, ["18 of 20 test parts are also in training, so the test figures say nothing"]),
        (5, 4, 0, ["9 of 20 test parts are also in training, or seem to be: see the leak audit"]),
        (0, 0, 7, ["7 of 20 test parts are of groups (lots) that are also in training: see"]),
        (0, 0, 0, []),
    ],
)
def test_parts_in_training_and_test_are_counted(
    exact: int, near: int, of_groups: int, told: list[str]
) -> None:
    changes = {
        "test_parts_with_exact_copy_in_training": exact,
        "test_parts_with_near_copy_in_training": near,
        "test_parts_of_those_groups": of_groups,
    }
    alerts = cautions.leak_alerts(manifest().leaks.model_copy(update=changes), 20)
    assert len(alerts) == len(told)
    for alert, text in zip(alerts, told, strict=True):
        assert alert.en.startswith(text)
