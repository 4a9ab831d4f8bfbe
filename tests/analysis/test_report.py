"""report.html: what it says is what the record says, whatever the record holds; it needs nothing
from outside, and is read on paper, on a phone and by keyboard.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Browser, Page

from analysis.claims import judge
from analysis.claims_of_lesson.lesson_sweeps import LessonSweeps
from analysis.claims_of_lesson.verdict_texts import MEANING, word
from analysis.claims_of_lesson.verdicts import Verdict, decide, untested
from analysis.figures.by_sweep import accuracy_against_value, loss_against_epoch
from analysis.figures.of_sweeps import FIGURES, SweepFigure
from analysis.figures.penalty_figure import penalties
from analysis.reading.errors import Stop
from analysis.reading.script_options import Places
from analysis.reading.sweep_record import SweepRecord
from analysis.report import main
from analysis.report_page.page import report_page, script_json
from analysis.report_page.report_claims import answer
from analysis.report_page.report_figures import Image, image, lesson_figures
from support.lesson_fixture import PLAUSIBLE, in_memory
from support.quiet_tab import report_tab, unfold, wait_until
from support.record_fixture import diverging, new_store
from support.report_records import EPOCHS, SEEDS, record_of, sweep_of, with_axes
from support.scripts import HANG
from support.warm_scripts import run_warm

NASTY = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "&lt;\"'%{x}<b>$plotly</b>{{ 7 * 7 }}" + "very-long-" * 40,
)


@pytest.fixture(scope="module")
def records() -> dict[str, SweepRecord]:
    """All roles; names that try to break the page, a lost model, a sweep that lacks a trial."""
    found = {role: record_of(role) for role in PLAUSIBLE}
    sweep = sweep_of("l2")
    for place, name in enumerate(NASTY):
        sweep[place] = replace(sweep[place], trial=replace(sweep[place].trial, name=name))
    sweep[3] = diverging(sweep[3], model=1, epoch=5)
    nasty = with_axes(in_memory("l2", sweep), label=NASTY[0])
    origin: dict[str, Any] = {
        "command": "python '/my home/sweeps/l2.py' --tracking-uri http://me:secret@host </script>",
        "commit": "c0ffee",
        "dirty": True,
        "versions": {"python": "3.11.2", "torch": NASTY[0]},
    }
    manifest = replace(nasty.manifest, question=NASTY[1], run_name=NASTY[0], **origin)
    found["l2"] = replace(nasty, manifest=manifest, warnings=(NASTY[2],))
    lacking = found["dropout"]
    short = replace(lacking, trials=lacking.trials.iloc[:-1], lacking={"dropout=1": "failed"})
    rows = len(lacking.curves) - SEEDS * EPOCHS
    found["dropout"] = replace(short, curves=lacking.curves.iloc[:rows])
    return found


@pytest.fixture(scope="module")
def verdicts(records: Mapping[str, SweepRecord]) -> list[Verdict]:
    found = judge(LessonSweeps(records))
    nothing = untested(NASTY[2])
    (none,) = decide([(NASTY[0], NASTY[1])], [nothing])
    return [*found, none]


@pytest.fixture(scope="module")
def page(records: Mapping[str, SweepRecord], verdicts: list[Verdict]) -> str:
    return report_page(records, verdicts)


class _Outline(HTMLParser):
    """The page's elements; `wrong`: end tags that close another element than the open one."""

    VOID = ("meta", "img", "source", "br", "link", "input", "hr")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def outline(page: str) -> _Outline:
    return _Outline(page)


def test_elements_are_closed_ids_differ_and_links_lead_somewhere(
    outline: _Outline, records: Mapping[str, SweepRecord]
) -> None:
    sweep_runs = [record.run_id for record in records.values()]
    assert outline.wrong == []
    assert outline.open == []
    ids = [attrs["id"] for _, attrs in outline.found if "id" in attrs]
    assert len(set(ids)) == len(ids)
    links = [str(attrs["href"]) for tag, attrs in outline.found if tag == "a"]
    assert len(links) > 20
    outside = [link for link in links if not link.startswith("#")]
    (address,) = {link.partition("/#/")[0] for link in outside}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    assert f"while it runs at {address})" in "".join(outline.text)
    assert outside == [f"{address}/#/runs/{run}" for run in sweep_runs]
    assert {link[1:] for link in links if link not in outside} <= set(ids)
    for tag, attrs in outline.found:
        assert attrs.get("aria-labelledby", ids[0]) in ids
        if tag == "img":
            assert attrs["alt"]
            assert str(attrs["src"]).startswith("data:image/svg+xml;base64,")


def test_names_are_text_and_nothing_else(page: str, outline: _Outline) -> None:
    tags = [tag for tag, _ in outline.found]
    assert tags.count("script") == 3
    assert not [attrs for _, attrs in outline.found if any(name.startswith("on") for name in attrs)]
    text = "".join(outline.text)
    for name in NASTY:
        assert name in text
    charts = re.search(r'id="charts">(.*?)</script>', page, re.S)
    assert charts
    assert len(json.loads(charts[1])) == len(PLAUSIBLE)


def test_json_in_a_script_cannot_end_it() -> None:
    text = script_json({"name": "</script><!--"})
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><!--"}


def test_every_claim_and_every_number_has_its_run_and_its_origin(
    outline: _Outline, records: Mapping[str, SweepRecord], verdicts: list[Verdict]
) -> None:
    text = "".join(outline.text)
    for record in records.values():
        assert record.run_id in text
        for run in record.trials["run_id"]:
            assert run in text
    for verdict in verdicts:
        assert verdict.claim in text
        assert verdict.reason in text
        assert word(verdict) in text
        assert all(run[:8] in text for run in verdict.run_ids)
    assert all(meaning in text for meaning in MEANING.values())
    assert "c0ffee, with uncommitted changes" in text
    assert "python sweeps/l2.py --tracking-uri http://***@host" in text
    assert "secret" not in text
    assert "python sweeps/reproduce.py RUN_ID" in text
    assert "digest 0000000000000000" in text


def test_no_number_is_nan_or_none(outline: _Outline) -> None:
    assert not re.search(r"\bnan\b|\bNone\b|Undefined", "".join(outline.text))


def test_the_first_lines_count_verdicts_models_and_what_is_lacking(
    records: Mapping[str, SweepRecord], verdicts: list[Verdict], outline: _Outline
) -> None:
    found = answer(records, verdicts)
    assert sum(count for *_, count in found.counts) == len(verdicts)
    assert {word: count for word, *_, count in found.counts}["inconclusive"] == sum(
        one.verdict == "inconclusive" for one in verdicts
    )
    configurations = sum(len(record.usable) for record in records.values())
    assert found.configurations == configurations
    assert (found.models, found.diverged) == (configurations * SEEDS, 1)
    assert found.data == "iris (150 rows), digits (1797 rows)"
    text = "".join(outline.text)
    assert "1 model diverged" in " ".join(text.split())
    assert "Partial." in text
    assert "dropout=1: failed" in text


def _no_image(*_: object) -> Image:
    return Image("data:", 1, 1)


def test_missing_sweeps_are_named_and_the_rest_stands(
    records: Mapping[str, SweepRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.report_page.report_figures.image", _no_image)
    figures = {(one.role, one.kind): one for one in lesson_figures({"l1": records["l1"]})}
    assert "no sweep 'dropout'" in figures["dropout", "missing"].missing
    assert figures["l1", "accuracy"].missing == ""
    text = report_page({"l1": records["l1"]}, [])
    assert "No claim was tested." in text


def test_a_figure_for_a_role_that_no_sweep_plays_is_refused_in_one_line(
    records: Mapping[str, SweepRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.report_page.report_figures.image", _no_image)
    figure = SweepFigure(lambda record: accuracy_against_value(record, "title"), lesson="a line")
    monkeypatch.setitem(FIGURES, "l3", (figure,))
    with pytest.raises(Stop, match=r"^a figure of the report needs a role among .*, got l3$"):
        lesson_figures(records)


def test_a_figure_declared_for_a_role_stands_in_the_report(
    records: Mapping[str, SweepRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.report_page.report_figures.image", _no_image)
    more = SweepFigure(lambda record: loss_against_epoch(record, "One more"), lesson="a sketch")
    monkeypatch.setitem(FIGURES, "l2", (*FIGURES["l2"], more))
    (found,) = [figure for figure in lesson_figures(records) if figure.title == "One more"]
    assert found.lesson == "a sketch"
    assert found.ours  # what the record says


def test_equal_plots_give_equal_images() -> None:
    assert image(penalties()) == image(penalties())


def test_images_hold_whole_figures(page: str) -> None:
    wide, narrow = (
        re.findall(rf' {name}="data:image/svg\+xml;base64,([^"]+)"', page)
        for name in ("src", "srcset")
    )
    sources = [*wide, *narrow]
    assert len(wide) == len(narrow) > 10
    for source in sources:
        svg = base64.b64decode(source).decode()
        assert svg.rstrip().endswith("</svg>")
        assert svg.count("<path") > 10


# ---- in the browser ----


@pytest.fixture(scope="module")
def file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tab(chromium: Browser, file: Path) -> Iterator[Page]:
    yield from report_tab(chromium, file)


@pytest.fixture
def phone(chromium: Browser, file: Path) -> Iterator[Page]:
    size = {"width": 360, "height": 740}
    yield from report_tab(chromium, file, viewport=size, is_mobile=True, has_touch=True)


@pytest.mark.browser
def test_the_keyboard_reaches_claims_numbers_and_figures(tab: Page) -> None:
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "To the claims"
    tab.keyboard.press("Enter")
    assert tab.evaluate("location.hash") == "#claims"
    boxes = tab.locator(".scroll")
    assert all(box.get_attribute("tabindex") == "0" for box in boxes.all())
    folded = tab.locator("details:not([open])").count()
    tab.locator("summary").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("details:not([open])").count() == folded - 1
    tab.keyboard.press("Enter")


@pytest.mark.browser
def test_every_chart_is_drawn_and_pointing_at_a_seed_tells_which(
    tab: Page, records: Mapping[str, SweepRecord]
) -> None:
    unfold(tab)
    charts = tab.locator(".chart")
    assert charts.count() == len(PLAUSIBLE)
    for chart in charts.all():
        assert chart.locator(".scatterlayer path.point").count() > 0
        assert chart.locator(".scatterlayer .errorbar").count() > 0
    tab.locator("#chart-l1 .scatterlayer .trace:nth-child(1) .point").nth(SEEDS + 2).hover(
        force=True
    )
    label = tab.locator("#chart-l1 .hoverlayer .hovertext", has_text="seed 2")
    label.wait_for()
    text = label.text_content() or ""
    trial = records["l1"].usable[1]
    assert f"{trial.name}, seed 2" in text
    assert records["l1"].run_of(trial) in text
    value = 100 * records["l1"].final(trial, "train/accuracy")[2]
    assert f"{value:.2f} %" in text


@pytest.mark.browser
def test_hostile_names_are_shown_and_not_run(tab: Page) -> None:
    unfold(tab)
    points = tab.locator("#chart-l2 .scatterlayer .trace:nth-child(1) .point")
    for place, name in enumerate(NASTY):
        points.nth(place * SEEDS + 1).hover(force=True)
        label = tab.locator("#chart-l2 .hoverlayer .hovertext", has_text=name[:40])
        label.filter(has_text="seed 1").wait_for()
    images = [image.get_attribute("src") or "" for image in tab.locator("img").all()]
    assert len(images) > 10
    assert all(source.startswith("data:image/svg+xml") for source in images)
    assert tab.evaluate("[...document.images].every(one => one.naturalWidth > 100)")


@pytest.mark.browser
def test_a_phone_scrolls_down_and_never_sideways_and_its_text_is_large_enough(phone: Page) -> None:
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    unfold(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    small = """[...document.querySelectorAll("body :not(script, style, noscript, svg, svg *)")]
        .filter(one => !one.closest(".chart"))
        .filter(one => [...one.childNodes].some(c => c.nodeType === 3 && c.data.trim()))
        .filter(one => parseFloat(getComputedStyle(one).fontSize) < 16)
        .map(one => one.outerHTML.slice(0, 80))"""
    assert phone.evaluate(small) == []


@pytest.mark.browser
def test_on_paper_nothing_is_cut_or_folded(tab: Page) -> None:
    folded = tab.locator("details:not([open])").count()
    assert tab.pdf(format="A4").startswith(b"%PDF")
    assert tab.locator("details:not([open])").count() == folded
    tab.set_viewport_size({"width": 680, "height": 1000})  # A4 between margins of 14 mm
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    wait_until(tab, "document.querySelector('.chart .main-svg').clientWidth <= 660")
    assert tab.locator("details:not([open])").count() == 0
    beyond = """[...document.querySelectorAll("table, img, svg.main-svg, pre, dl")]
        .filter(one => one.getBoundingClientRect().right > 681)
        .map(one => one.outerHTML.slice(0, 80))"""
    assert tab.evaluate(beyond) == []


@pytest.mark.browser
def test_no_button_sends_the_data_away(tab: Page) -> None:
    titles = [one.get_attribute("data-title") or "" for one in tab.locator(".modebar-btn").all()]
    assert "Zoom" in titles
    assert not [title for title in titles if re.search("share|cloud|edit", title, re.I)]


@pytest.mark.browser
def test_links_within_the_page_work_in_the_frame_in_which_mlflow_shows_artifacts(
    chromium: Browser, page: str
) -> None:
    with chromium.new_context() as context:
        context.set_default_timeout(HANG * 1000)
        tab = context.new_page()
        frame = """page => {
            const frame = document.createElement("iframe");
            frame.sandbox = "allow-scripts";
            frame.src = URL.createObjectURL(new Blob([page], { type: "text/html" }));
            document.body.append(frame);
        }"""
        tab.evaluate(frame, page)
        inside = tab.frame_locator("iframe")
        inside.locator(".chart .main-svg").first.wait_for()
        inside.locator("nav a", has_text="reproduce").click()
        moved = "one => { const y = one.getBoundingClientRect().top; return 0 <= y && y < 150; }"
        heading = inside.locator("#reproduce").element_handle()
        for _ in range(10 * HANG):
            if heading.evaluate(moved):
                break
            tab.wait_for_timeout(100)
        assert heading.evaluate(moved)


# ---- the script ----


@pytest.mark.slow
def test_the_script_writes_the_page_and_adds_it_to_every_sweep(
    lesson_store: str, tmp_path: Path
) -> None:
    done = run_warm("analysis/report.py", "--tracking-uri", lesson_store, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "figures" / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 12e6
    assert done.stdout.strip().endswith("report.html")
    client = MlflowClient(lesson_store)
    ids = [each.experiment_id for each in client.search_experiments()]
    sweeps = client.search_runs(ids, "tags.kind = 'sweep'")
    assert len(sweeps) == len(PLAUSIBLE)
    for run in sweeps:
        assert run.info.run_id in page
        (artifact,) = client.list_artifacts(run.info.run_id, "report")
        assert artifact.path == "report/report.html"


def test_without_the_lessons_sweeps_the_script_says_how_to_record_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = Places(tracking_uri=new_store(tmp_path), out=tmp_path / "figures")
    capsys.readouterr()  # MLflow's lines on making the store
    assert main(places) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "python sweeps/lesson.py" in said
    assert not (tmp_path / "figures").exists()
