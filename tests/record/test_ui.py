"""A recorded sweep in MLflow's own UI, in a browser: what the printed links lead to.

The browser has a fresh profile every time, as that of someone who was sent a link. The UI's pages
never come to rest, so each test waits for what it is about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response, expect

from support.scripts import HANG
from support.served_sweep import Served, served_sweep

pytestmark = [pytest.mark.browser, pytest.mark.sweep, pytest.mark.slow]

TRIALS = 50
CARD = '[data-testid="experiment-view-compare-runs-card"]'
ANSWER = "final/test_accuracy"
# Of pages that stand in for what was asked for: of errors, and of traces where there are none.
INSTEAD = ("Something went wrong", "Page Not Found", "does not exist", "Traces 0")


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    request.getfixturevalue("chromium")  # first: without a browser all of this is for nothing
    flags = f"--num-samples {TRIALS} --seeds 2 --epochs 30 --log-seeds --confirm 3"
    with served_sweep(tmp_path_factory.mktemp("user"), *flags.split()) as sweep:
        yield sweep


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A tab of a fresh profile, high enough for 50 rows.

    In it, and in those that open from it, no script and no request may fail, and no page is one of
    those that the UI shows in place of what was asked for.
    """
    with chromium.new_context(viewport={"width": 1600, "height": 2600}) as context:
        context.set_default_timeout(HANG * 1000)
        failures: list[str] = []

        def answered(response: Response) -> None:
            if response.status >= 500:
                failures.append(f"{response.status} {response.url}")

        context.on("weberror", lambda error: failures.append(str(error.error)))
        context.on("response", answered)
        yield context.new_page()
        for page in context.pages:
            text = page.locator("body").inner_text()
            failures += [each for each in INSTEAD if each in text]
        assert failures == []


def _card(tab: Page, title: str) -> Locator:
    """A chart of the page that was brought into view: the UI draws no others."""
    card = tab.locator(CARD, has_text=title).first
    card.scroll_into_view_if_needed()
    return card


def _wait_for_count(found: Locator, count: int) -> None:
    found.nth(count - 1).wait_for(state="attached")
    assert found.count() == count


def _wait_for_curves(card: Locator) -> None:
    """Train and test of each trial; the UI may draw a line in several traces."""
    card.locator(".scatterlayer path.js-line").nth(2 * TRIALS - 1).wait_for(state="attached")


def _drawn(tab: Page) -> None:
    """The accuracy of all trials against what was swept is drawn."""
    points = _card(tab, "l2 vs. final/test_accuracy").locator(".scatterlayer .point")
    _wait_for_count(points, TRIALS)


def _opened(tab: Page, link: str) -> Page:
    """The page that opens by clicking on that link."""
    with tab.context.expect_page() as opened:
        tab.get_by_role("link", name=link, exact=True).first.click()
    return opened.value


def test_two_links_are_printed(served: Served) -> None:
    assert len(served.links) == 2
    assert all("viewStateShareKey=" in link for link in served.links)


def test_the_first_link_shows_the_accuracy_of_all_trials_and_their_curves(
    served: Served, tab: Page
) -> None:
    tab.goto(served.links[0])
    _drawn(tab)
    tab.get_by_text(f"{TRIALS} matching runs").wait_for()
    for metric in ("accuracy", "loss"):
        _wait_for_curves(_card(tab, f"train/{metric} vs test/{metric}"))
    # The UI's own chart per metric, more than fifty, is folded away.
    assert tab.locator(CARD).count() == 5


def test_the_table_behind_the_sweeps_description_has_all_trials_with_their_metrics(
    served: Served, tab: Page
) -> None:
    tab.set_viewport_size({"width": 1600, "height": 1000})  # the description not unfolded
    tab.goto(served.run_page(served.run_id))
    table = _opened(tab, "Table of all trials")
    table.set_viewport_size({"width": 2600, "height": 2600})
    rows = table.locator(".ag-center-cols-container .ag-row")
    _wait_for_count(rows, TRIALS)
    names = table.locator(".ag-pinned-left-cols-container .ag-row a").all_text_contents()
    assert len(set(names)) == TRIALS
    assert all(name.startswith("l2=") for name in names)
    for column in (
        "params.`l2`",
        "metrics.`final/test_accuracy`",
        "metrics.`final/test_accuracy_ci_low`",
    ):
        cells = rows.locator(f'[col-id="{column}"]').all_text_contents()
        assert len(cells) == TRIALS
        assert all(float(cell) == float(cell) for cell in cells)
    accuracies = rows.locator('[col-id="metrics.`final/test_accuracy`"]').all_text_contents()
    order = [int(row.get_attribute("row-index") or -1) for row in rows.all()]
    by_row = [float(accuracies[order.index(place)]) for place in range(TRIALS)]
    assert by_row == sorted(by_row, reverse=True)


def test_the_second_link_averages_the_seeds_of_each_configuration(
    served: Served, tab: Page
) -> None:
    tab.goto(served.links[1])
    tab.get_by_text("Group by: config").wait_for()
    _drawn(tab)
    _wait_for_curves(_card(tab, "train/accuracy vs test/accuracy"))
    tab.get_by_text(f"{2 * TRIALS} matching runs").wait_for()


def test_the_printed_page_has_what_was_swept_what_came_of_it_and_how_long_it_took(
    served: Served, tab: Page
) -> None:
    """In the table, a click away from the charts, without scrolling."""
    tab.set_viewport_size({"width": 1400, "height": 900})
    tab.goto(served.links[0])
    tab.locator("label", has=tab.locator("input[value=TABLE]")).click()
    best = served.best(1)[0]
    row = tab.locator(".ag-center-cols-container .ag-row[row-index='0']")
    row.wait_for()
    for column, value in (
        ("params.`l2`", re.escape(best.data.params["l2"])),
        ("metrics.`final/test_accuracy`", re.escape(f"{best.data.metrics[ANSWER]}")),
        ("duration", r"\d[\d.]* *m?s"),
    ):
        cell = row.locator(f'[col-id="{column}"]')
        expect(cell).to_have_text(re.compile(f"^{value}$"), timeout=HANG * 1000)
        expect(cell).to_be_in_viewport(ratio=0.9, timeout=HANG * 1000)


def test_an_experiment_that_was_clicked_on_leads_to_its_newest_sweep(
    served: Served, tab: Page
) -> None:
    tab.goto(f"{served.url}/#/experiments/{served.experiment}")
    tab.get_by_role("button", name="Got it").click()
    charts = _opened(tab, "charts")
    charts.set_viewport_size({"width": 1600, "height": 2600})
    # That of the best on fresh seeds, which ended last.
    charts.get_by_text(re.compile(r"^[2-4] matching runs$")).wait_for()
    _card(charts, "l2 vs. final/test_accuracy").locator(".point").first.wait_for()
    tab.close()  # on the empty page that the UI opens every experiment with


def test_the_sweeps_page_answers_first(served: Served, tab: Page) -> None:
    tab.goto(served.run_page(served.run_id))
    answer = tab.locator("p", has_text="On fresh seeds: ").first
    first, second = answer.inner_text().splitlines()[:2]
    assert re.search(r"l2=0\.\d{6}.* points", first)
    assert "Charts of all trials" in second
    tab.get_by_text("Show more").first.click()
    flattered = tab.locator("p", has_text="Chosen on the seeds of this sweep").inner_text()
    assert re.search(
        r"Best: l2=0\.\d{6}, test accuracy [\d.]+ % \[.*\](; .* points to l2=0\.000000)?: ",
        flattered,
    )
    for file in ("chart.html", "results.csv", "sweep.json"):
        tab.locator("code", has_text=file).first.wait_for()
    _drawn(_opened(tab, "Charts of all trials"))


def test_a_trials_page_says_what_it_is_and_leads_to_its_curves(served: Served, tab: Page) -> None:
    trial = served.best(1)[0]
    name = str(trial.info.run_name)
    tab.goto(served.run_page(trial.info.run_id))
    text = tab.locator("p", has_text="Test accuracy").first.inner_text()
    assert f"{100 * trial.data.metrics['final/test_accuracy']:.1f} %" in text.splitlines()[0]
    tab.get_by_role("heading", name=name).first.wait_for()
    tab.get_by_text("kind: trial").first.wait_for()
    for link, metric in (("accuracies", "accuracy"), ("losses", "loss")):
        curves = _opened(tab, link)
        curves.get_by_text(f"train/{metric} vs test/{metric}").first.wait_for()
        for part in ("train", "test"):
            curves.get_by_text(f"{name} ({part}/{metric})").first.wait_for()
        curves.locator(".scatterlayer path.js-line").nth(1).wait_for(state="attached")


@pytest.mark.parametrize(
    ("path", "seen", "count"),
    [
        ("results.csv", "td:has-text('l2=0.000000')", 1),
        ("curves/part-00001.csv", "td:has-text('l2=0')", 30),
        ("weights/part-00001.csv", "td:has-text('l2=0')", 2),
        ("sweep.json", "code:has-text('trainer_version')", 1),
        ("figures/l2_accuracy.png", "img[src^='blob:']", 1),
    ],
)
def test_artifacts_can_be_looked_at(
    served: Served, tab: Page, path: str, seen: str, count: int
) -> None:
    tab.goto(served.run_page(served.run_id, f"/artifacts/{path}"))
    tab.locator(seen).nth(count - 1).wait_for()


def test_the_chart_of_all_trials_runs_in_the_frame_that_the_ui_puts_it_in(
    served: Served, tab: Page
) -> None:
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The UI around the chart, which comes from the server, asks it for things it has not got.
        if not message.location["url"].startswith(served.url):
            wrong.append(message.text)

    tab.on("console", note)
    tab.goto(served.run_page(served.run_id, "/artifacts/chart.html"))
    chart = tab.frame_locator("iframe.mlflow-html-iframe")
    points = chart.locator("#trials .scatterlayer .trace:nth-last-child(2) .point")
    _wait_for_count(points, TRIALS)
    points.nth(7).hover(force=True)
    label = chart.locator("#trials .hoverlayer .hovertext", has_text="n = 2 seeds")
    label.wait_for()
    name = re.match(r"l2=0\.\d{6}", label.text_content() or "")
    assert name
    tab.mouse.down()
    tab.mouse.up()
    chart.locator("#curves .gtitle", has_text=name[0]).wait_for()
    assert wrong == []


def test_compared_trials_are_drawn_by_what_was_swept(served: Served, tab: Page) -> None:
    best = served.best(5)
    runs = quote(json.dumps([run.info.run_id for run in best]))
    experiments = quote(json.dumps([served.experiment]))
    tab.goto(f"{served.url}/#/compare-runs?runs={runs}&experiments={experiments}")
    tab.get_by_text("Comparing 5 Runs from 1 Experiment").wait_for()
    axes = tab.locator(".js-plotly-plot .parcoords .axis-title")
    axes.nth(1).wait_for()
    assert axes.all_text_contents() == ["l2", "final/test_accuracy"]
    for run in best:
        assert tab.get_by_text(run.info.run_name, exact=True).count() >= 1
