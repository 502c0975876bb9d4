"""`report.html` in a real browser, made from a tiny run whose classes have hostile names."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import complaints, requested, show
from hostile_parts import NAMES, H, W, images_of
from PIL import Image
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from gaikan.run_folder.picks_file import read_picks

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def page(browser: Chrome, out: Path) -> Chrome:
    show(browser, out / "report.html")
    return browser


def column(browser: Chrome, number: int) -> list[str]:
    """The cells of a column of the accuracy table, those that are seen."""
    rows = browser.find_elements(By.CSS_SELECTOR, "#accuracy tbody tr")
    cells = [row.find_elements(By.TAG_NAME, "td")[number] for row in rows if row.is_displayed()]
    return [cell.text for cell in cells]


def test_the_picks_come_first(browser: Chrome, timed: Path) -> None:
    show(browser, timed / "report.html")
    browser.find_element(By.ID, "language").click()
    assert browser.find_element(By.TAG_NAME, "section").get_attribute("id") == "pick"
    line, never = browser.find_elements(By.CSS_SELECTOR, "#pick .card")
    picked = json.loads((timed / "picks.json").read_text())["stages"]["line"]["pick"]
    test, shown = picked["test"], line.text.splitlines()
    assert shown[:2] == ["Stage: line", picked["variant"]]
    right = f"{100 * picked['validation']['accuracy']:.1f} % of validation parts, "
    assert f"{right}{100 * test['accuracy']:.1f} % of test parts" in shown
    first = browser.find_element(By.TAG_NAME, "figcaption").text
    assert first.startswith("line: escapes against overkill")
    assert any(
        text.startswith(f"{test['escapes']} of {test['defects']} defective") for text in shown
    )
    assert "the best accuracy with threads ≤ 1" in line.text
    assert "Nothing qualifies" in never.text
    assert "It would qualify with accuracy >= " in never.text
    for fold in browser.find_elements(By.CSS_SELECTOR, "#pick summary"):
        fold.click()
    rows = browser.find_elements(By.CSS_SELECTOR, "#pick details tbody tr")
    assert any("escape bound" in row.text and "✓" in row.text for row in rows)
    assert any("accuracy" in row.text and "✗" in row.text for row in rows)


def test_every_picture_is_inside_the_page(browser: Chrome, timed: Path) -> None:
    show(browser, timed / "report.html")
    widths = browser.execute_script(
        "return [...document.images].map((image) => [image.alt, image.naturalWidth])"
    )
    assert all(width > 100 for _, width in widths)
    files = len(list((timed / "figures").glob("*.png"))) - 3  # a live one for each scatter, gallery
    files += 2 * len(list((timed / "figures").glob("*.svg")))  # in both languages
    assert len(widths) == files + len(list((timed / "confusion").glob("*.png")))


def test_it_opens_without_a_complaint_or_a_request(browser: Chrome, out: Path) -> None:
    requested(browser), complaints(browser)
    show(browser, out / "report.html")
    assert browser.title == "gaikan: tiny, which network to install"
    assert complaints(browser) == []
    asked = requested(browser)
    assert (out / "report.html").as_uri() in asked
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert all(url == (out / "report.html").as_uri() for url in asked if url.startswith("file"))


def test_its_policy_stops_a_request_and_a_script(page: Chrome) -> None:
    """What the page itself never does: the policy, not luck, keeps it from happening."""
    requested(page), complaints(page)
    page.execute_script("""
        document.body.append(Object.assign(new Image(), {src: "http://127.0.0.1:9/probe"}));
        const added = document.createElement("div");
        added.innerHTML = "<img src='data:,' onerror='window.ran = true'>";
        document.body.append(added);
    """)
    page.execute_async_script("setTimeout(arguments[0], 200)")
    assert requested(page)["http://127.0.0.1:9/probe"] == "csp"
    assert page.execute_script("return window.ran") is None
    refused = complaints(page)
    assert len(refused) == 2
    assert all("Content Security Policy" in text for text in refused)


def test_hostile_names_are_text(page: Chrome) -> None:
    with pytest.raises(NoAlertPresentException):
        _ = page.switch_to.alert
    assert page.execute_script("return document.scripts.length") == 2
    assert page.execute_script("return document.querySelectorAll('img[onerror], i, b').length") == 0
    legend = [item.text for item in page.find_elements(By.CSS_SELECTOR, ".legend li")]
    assert len(legend) == len(NAMES)
    for name, text in zip(NAMES, legend, strict=True):
        assert text == f"{' '.join(name.split())} (20)"
    assert page.find_element(By.TAG_NAME, "header").text.count("<script>alert(1)</script>") == 1
    assert "test <i>.parquet" in page.find_element(By.TAG_NAME, "header").text


def test_a_click_on_a_heading_sorts(page: Chrome) -> None:
    variant, accuracy = page.find_elements(By.CSS_SELECTOR, "#accuracy th button")[0:3:2]
    assert accuracy.text == "accuracy"
    page.execute_script("""
        const cells = document.querySelectorAll("#accuracy tbody td:nth-child(3)");
        const texts = ["9.0", "100.0", "", "10.5-20", "-1"];
        texts.forEach((text, i) => { cells[i].textContent = text; });
    """)
    accuracy.click()
    assert column(page, 2) == ["-1", "9.0", "10.5-20", "100.0", ""]
    accuracy.click()
    assert column(page, 2) == ["100.0", "10.5-20", "9.0", "-1", ""]
    variant.click()
    names = column(page, 0)
    assert names == sorted(names)


def test_the_filter_leaves_rows_that_have_all_words(page: Chrome) -> None:
    field = page.find_element(By.CSS_SELECTOR, "#accuracy input")
    field.send_keys("mean_image Triplet")
    assert column(page, 0) == ["mlp-triplet-mean_image"]
    field.clear()
    field.send_keys("nothing of that name")
    assert column(page, 0) == []


def isolated(browser: Chrome) -> int:
    """The part whose point is farthest from all others."""
    centres = browser.execute_script("""
        return [...document.querySelectorAll("path[data-part]")].map((path) => {
            const box = path.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        });
    """)
    points = np.array(centres)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    return int(distances.min(1).argmax())


@pytest.mark.parametrize("variant", ["mlp-triplet-mean_image", "mlp-vanilla-head"])
def test_a_point_under_the_pointer_tells_its_part(page: Chrome, out: Path, variant: str) -> None:
    Select(page.find_element(By.CSS_SELECTOR, "#scatter select")).select_by_visible_text(variant)
    part = isolated(page)
    point = page.find_element(By.CSS_SELECTOR, f'path[data-part="{part}"]')
    tip = page.find_element(By.CSS_SELECTOR, ".tip")
    assert not tip.is_displayed()
    ActionChains(page).move_to_element(point).perform()
    assert tip.is_displayed()

    table = pd.read_parquet(out / "predictions.parquet")
    own = table[(table["variant"] == variant) & (table["split"] == "test") & (table["seed"] == 0)]
    told = own.iloc[part]
    assert tip.text.splitlines() == [
        f"class: {' '.join(told['label'].split())}",
        f"failure mode: {' '.join(told['mode'].split())}",
        f"called: {' '.join(told['predicted'].split())}",
        f"from: {told['origin']}",
    ]
    seen = tip.find_element(By.CSS_SELECTOR, ".part").screenshot_as_png
    assert nearest_image(seen) == told["sample"]
    ActionChains(page).move_to_element(page.find_element(By.TAG_NAME, "h1")).perform()
    assert not tip.is_displayed()


def nearest_image(png: bytes) -> int:
    """The row of the test table whose image a screenshot is most like."""
    small = Image.open(io.BytesIO(png)).convert("L").resize((W, H), Image.Resampling.BOX)
    differences = images_of(100, 1).astype(float) - np.asarray(small, float)
    return int(np.abs(differences).mean((1, 2)).argmin())


def test_the_gallery_shows_the_images_of_wrong_parts(page: Chrome, out: Path) -> None:
    items = page.find_elements(By.CSS_SELECTOR, ".gallery li")
    assert 3 < len(items) <= 24
    for item in items[:3]:
        number = int(item.text.splitlines()[-1].rpartition(":")[2])
        picture = item.find_element(By.CSS_SELECTOR, ".part")
        assert nearest_image(picture.screenshot_as_png) == number


def test_matrix_and_wrong_parts_are_of_the_pick_with_its_threshold(
    browser: Chrome, timed: Path
) -> None:
    picks = read_picks(timed / "picks.json")
    assert picks is not None
    stage = picks.stages["line"]
    assert stage.pick is not None
    assert stage.pick.threshold is not None
    wrong = [cell for cell in stage.judged if cell.actual != cell.called]
    show(browser, timed / "report.html")
    items = browser.find_elements(By.CSS_SELECTOR, ".gallery li")
    assert len(items) == min(24, sum(cell.parts for cell in wrong))
    escapes = sum(cell.parts for cell in wrong if cell.called == "ok")
    assert [index for index, item in enumerate(items) if "→ ok\n" in item.text] == [*range(escapes)]
    numbers = browser.find_elements(By.CSS_SELECTOR, "#confusion tbody td.figure")
    assert sum(int(cell.text) for cell in numbers) == stage.pick.test.n


def test_lang_ja_shows_japanese_and_the_switch_english(browser: Chrome, timed: Path) -> None:
    show(browser, timed / "report.html")
    assert browser.execute_script("return document.documentElement.lang") == "ja"
    text = browser.find_element(By.TAG_NAME, "body").text
    for words in ("どれを選ぶ", "正解率", "混同行列", "見逃し率", "推論時間", "データ漏れの監査"):
        assert words in text
    assert "Confusion matrices" not in text
    browser.find_element(By.ID, "language").click()
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "Confusion matrices" in text
    assert "混同行列" not in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_nothing_hangs_over_the_edge_of_a_telephone(
    browser: Chrome, timed: Path, language: str
) -> None:
    show(browser, timed / "report.html", width=390)
    width = browser.execute_script(
        """
        document.documentElement.lang = arguments[0];
        for (const fold of document.querySelectorAll("details")) fold.open = true;
        return document.documentElement.scrollWidth;
    """,
        language,
    )
    assert width == 390


def test_latencies_of_other_machines_are_merged(timed: Path, browser: Chrome) -> None:
    show(browser, timed / "report.html")
    assert complaints(browser) == []
    headings = browser.find_elements(By.CSS_SELECTOR, "#latency h3")
    assert ["here" in headings[0].text, "<b>pi" in headings[1].text] == [True, True]
    assert "\\<b>pi" in (timed / "report.md").read_text()


def test_a_leak_is_told_before_any_figure(out: Path, page: Chrome) -> None:
    markdown = (out / "report.md").read_text()
    assert "1 test parts are pixel for pixel in training" in markdown
    assert markdown.index("see the leak audit") < markdown.index("## What to install")
    alerts = [alert.text for alert in page.find_elements(By.CSS_SELECTOR, "header .alert")]
    assert "validation was divided by picture" in alerts[0]  # these parts have no lots
    assert any("see the leak audit" in alert for alert in alerts)
    assert len(page.find_elements(By.CSS_SELECTOR, "#leaks tbody tr")) == 5


def test_the_title_says_what_the_page_is_in_the_language_that_is_shown(
    browser: Chrome, timed: Path
) -> None:
    show(browser, timed / "report.html")
    heading = browser.find_element(By.TAG_NAME, "h1")
    assert browser.title == heading.text
    assert "導入する構成" in heading.text
    browser.find_element(By.ID, "language").click()
    assert browser.title == heading.text == "gaikan: tiny, which network to install"


def test_a_narrow_page_shows_the_tree_as_a_list(browser: Chrome, timed: Path) -> None:
    show(browser, timed / "report.html", width=420)
    picture = browser.find_element(By.CSS_SELECTOR, ".tree figure")
    branches = browser.find_element(By.CSS_SELECTOR, ".tree .branches")
    assert (picture.is_displayed(), branches.is_displayed()) == (False, True)
    ends = [
        " ".join(item.text.split())
        for item in branches.find_elements(By.CSS_SELECTOR, "li")
        if not item.find_elements(By.TAG_NAME, "ul")
    ]
    summary = pd.read_csv(timed / "summary.csv").query("kind != 'reference'")
    assert len(ends) == len(summary)
    drawn = (timed / "figures" / "tree.svg").read_text()
    for accuracy in summary["accuracy"]:
        share = f"{100 * accuracy:.1f} %"
        assert share in drawn
        assert any(f" {share}" in text for text in ends)
    picked = json.loads((timed / "picks.json").read_text())["stages"]["line"]["pick"]["variant"]
    (marked,) = [text for text in ends if text.endswith("line")]
    assert marked.startswith(picked.rpartition("-")[2])
    show(browser, timed / "report.html")
    assert browser.find_element(By.CSS_SELECTOR, ".tree figure").is_displayed()
    assert not browser.find_element(By.CSS_SELECTOR, ".tree .branches").is_displayed()


def test_only_what_voids_a_figure_is_red(browser: Chrome, timed: Path) -> None:
    show(browser, timed / "report.html")
    never = browser.find_elements(By.CSS_SELECTOR, "#pick .card")[1]
    (note,) = never.find_elements(By.CLASS_NAME, "note")
    alert = browser.find_element(By.CSS_SELECTOR, "header .alert")
    red, calm = (each.value_of_css_property("background-color") for each in (alert, note))
    assert red != calm
    before = "return getComputedStyle(arguments[0], '::before').content"
    signs = [browser.execute_script(before, each) for each in (alert, note)]
    assert "\u26a0" in signs[0]
    assert signs[1] == "none"
