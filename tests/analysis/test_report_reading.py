"""report.html as it is read: what it says at once, where its links lead, on a desk, on a phone and
on paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.figure import Figure as Drawn
from playwright.sync_api import Browser, Page

from analysis.claims import judge
from analysis.claims_of_lesson.lesson_sweeps import LessonSweeps
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.plotting.draw import draw
from analysis.plotting.panels import Plot
from analysis.reading.sweep_record import SweepRecord
from analysis.report_page import report_figures
from analysis.report_page.page import report_page
from support.legible import require_legible
from support.lesson_fixture import PLAUSIBLE
from support.quiet_tab import report_tab, unfold, wait_until
from support.report_records import record_of

pytestmark = pytest.mark.slow  # its page is one more, and is made for every width

DESK = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
PAPER = (688, 1017)  # pixels of an A4 page between margins of 14 mm
SMALLEST = 11  # pixels of a letter
MOST_WORDS, MOST_SCREENS = 1500, 8
VISIBLE_WORDS = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = [];
    while (texts.nextNode()) {
        const { data, parentElement: holder } = texts.currentNode;
        if (holder.closest("script, style, noscript, .chart, .skip")) continue;
        if (holder.checkVisibility({ contentVisibilityAuto: true })) seen.push(data);
    }
    return seen.join(" ").split(/\\s+/).filter(word => /[\\p{L}\\p{N}]/u.test(word));
}"""


@pytest.fixture(scope="module")
def records() -> dict[str, SweepRecord]:
    return {role: record_of(role) for role in PLAUSIBLE}


@pytest.fixture(scope="module")
def verdicts(records: Mapping[str, SweepRecord]) -> list[Verdict]:
    return judge(LessonSweeps(records))


@pytest.fixture(scope="module")
def made(
    records: Mapping[str, SweepRecord], verdicts: list[Verdict]
) -> tuple[str, list[tuple[float, Drawn]]]:
    """The page, and the figures of it that were drawn for a phone, each with its width."""
    narrow = []

    def watched(plot: Plot, width: float | None = None) -> Drawn:
        figure = draw(plot, width)
        if width:
            narrow.append((width, figure))
        return figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_figures, "draw", watched)
        return report_page(records, verdicts), narrow


@pytest.fixture(scope="module")
def file(
    made: tuple[str, list[tuple[float, Drawn]]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(made[0], encoding="utf-8")
    return path


@pytest.fixture
def desk(chromium: Browser, file: Path) -> Iterator[Page]:
    yield from report_tab(chromium, file, viewport=DESK)


@pytest.fixture
def phone(chromium: Browser, file: Path) -> Iterator[Page]:
    yield from report_tab(chromium, file, viewport=PHONE, is_mobile=True, has_touch=True)


@pytest.mark.browser
def test_it_is_short_and_its_first_words_are_the_answer(desk: Page) -> None:
    words = desk.evaluate(VISIBLE_WORDS)
    assert len(words) <= MOST_WORDS
    assert desk.evaluate("document.documentElement.scrollHeight") <= MOST_SCREENS * DESK["height"]
    answer = desk.locator("h1 + p").text_content() or ""
    assert answer.startswith(("Yes: ", "A little: ", "Hardly: ", "No: ", "That is open: "))
    assert answer.count(". ") == 1
    assert answer.endswith(".")
    unfold(desk)
    assert len(desk.evaluate(VISIBLE_WORDS)) > len(words)


@pytest.mark.browser
def test_every_claim_leads_to_its_figure_which_is_then_seen(
    desk: Page, verdicts: list[Verdict]
) -> None:
    assert desk.locator("details[open]").count() == 0
    for verdict in verdicts:
        link = desk.locator(f"#claim-{verdict.id} a[href^='#figure-']")
        link.click()
        shown = desk.locator(link.get_attribute("href") or "").locator("picture img, .chart").first
        shown.wait_for()
        seen = (
            "one => { const { top } = one.getBoundingClientRect(); return 0 <= top && top < 450; }"
        )
        wait_until(desk, seen, shown.element_handle())
        # It is of one of the sweeps that the claim follows from.
        text = desk.locator(link.get_attribute("href") or "").text_content() or ""
        assert any(run[:8] in text or run in text for run in verdict.run_ids), verdict.id


@pytest.mark.browser
def test_a_chart_is_drawn_when_it_is_unfolded(desk: Page) -> None:
    charts = desk.locator(".chart")
    drawn = desk.locator(".chart:has(.main-svg)")
    assert 0 < drawn.count() < charts.count()
    chart = desk.locator("#chart-l1")
    assert chart.locator(".main-svg").count() == 0
    desk.locator("details:has(#chart-l1) > summary").click()
    chart.locator(".main-svg").first.wait_for()
    assert chart.evaluate("one => one.querySelector('.main-svg').clientWidth > 900")


@pytest.mark.browser
def test_the_words_of_the_tables_head_are_explained_where_its_links_lead(desk: Page) -> None:
    for link in desk.locator(".claims thead a").all():
        link.click()
        assert desk.locator(link.get_attribute("href") or "").get_attribute("open") == ""
    for word in ("dropout", "seed", "points", "95 % interval", "supported", "here"):
        assert desk.locator("#words dt", has_text=word).first.is_visible()


@pytest.mark.browser
def test_on_a_phone_every_figure_is_readable_and_nothing_is_scrolled_sideways(phone: Page) -> None:
    unfold(phone)
    width = PHONE["width"]
    # A claim has the whole width, not that of its column.
    claims = "[...document.querySelectorAll('.claims summary')].map(one => one.clientWidth)"
    assert min(phone.evaluate(claims)) > 0.85 * width
    assert phone.evaluate("document.documentElement.scrollWidth") == width
    assert phone.evaluate("innerWidth") == width
    wide = """[...document.querySelectorAll(".scroll")]
        .filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel ?? one.id)"""
    assert phone.evaluate(wide) == []
    scales = "[...document.images].map(one => one.getBoundingClientRect().width / one.naturalWidth)"
    assert min(phone.evaluate(scales)) >= SMALLEST / 12  # the images' least letters have 9 pt
    beyond = f"""[...document.querySelectorAll("img, .chart text")]
        .filter(one => one.getBoundingClientRect().right > {width})
        .map(one => one.textContent || one.alt)"""
    assert phone.evaluate(beyond) == []
    sizes = """[...document.querySelectorAll(".chart text")].filter(one => one.textContent.trim())
        .map(one => parseFloat(getComputedStyle(one).fontSize))"""
    assert min(phone.evaluate(sizes)) >= SMALLEST
    ends = """[...document.querySelectorAll(".chart")].map(one => [
        one.querySelector(".xaxislayer-above").getBoundingClientRect().bottom,
        one.querySelector(".legend").getBoundingClientRect().top])"""
    assert all(axis < legend for axis, legend in phone.evaluate(ends))


@pytest.mark.browser
def test_letters_of_figures_are_large_enough_at_every_width(desk: Page) -> None:
    unfold(desk)
    scales = """async () => {
        const images = [...document.images];
        await Promise.all(images.map(one => one.decode()));
        return images.map(one => one.getBoundingClientRect().width / one.naturalWidth);
    }"""
    for width in (500, 768, 1000, 1001, 1400):
        desk.set_viewport_size({"width": width, "height": DESK["height"]})
        assert min(desk.evaluate(scales)) >= SMALLEST / 12, width
        assert desk.evaluate("document.documentElement.scrollWidth") == width


def test_figures_for_a_phone_are_as_wide_as_it_and_legible(
    made: tuple[str, list[tuple[float, Drawn]]],
) -> None:
    _, narrow = made
    assert len(narrow) > 10
    for width, figure in narrow:
        assert figure.get_size_inches()[0] == width <= (PHONE["width"] - 28) / 96
        require_legible(figure)


@pytest.mark.browser
def test_no_page_of_paper_is_left_half_empty(desk: Page) -> None:
    width, height = PAPER
    desk.set_viewport_size({"width": width, "height": height})
    desk.emulate_media(media="print")
    desk.evaluate("dispatchEvent(new Event('beforeprint'))")
    # A page ends early by at most what may not be cut, with the headings that stay with it.
    whole = """[...document.querySelectorAll("main *, header *")]
        .filter(one => getComputedStyle(one).breakInside === "avoid" || /IMG|TR/.test(one.tagName))
        .map(one => [one.getBoundingClientRect().height, one.outerHTML.slice(0, 80)])"""
    found = desk.evaluate(whole)
    assert len(found) > 50
    assert [text for high, text in found if high > 0.4 * height] == []


@pytest.mark.browser
def test_how_to_reproduce_is_said_once(desk: Page) -> None:
    unfold(desk)
    blocks = desk.locator("pre").all_text_contents()
    assert len(blocks) == 1
    assert "sweeps/reproduce.py RUN_ID" in blocks[0]
    said = desk.evaluate("document.body.innerText")
    assert said.count("reproduce.py") == 1
    facts = desk.locator("dt", has_text="versions")
    assert facts.count() == 1  # the sweeps were made by one, so it is said once


@pytest.mark.browser
def test_figures_are_numbered_through(desk: Page) -> None:
    unfold(desk)
    heads = desk.locator("h3", has_text="Figure ").all_text_contents()
    numbers = [int(head.split()[1].rstrip(".")) for head in heads]
    assert numbers[0] == 1
    assert all(later == one + 1 for one, later in pairwise(numbers))
