"""A recorded sweep in MLflow's own UI, in a browser: what the printed links lead to.

The browser has a fresh profile every time, as that of someone who was sent a link. The UI's pages
never come to rest, so each test waits for what it is about.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from support.scripts import HANG, environment, run_script

pytestmark = [pytest.mark.browser, pytest.mark.sweep, pytest.mark.slow]

TRIALS = 50
CARD = '[data-testid="experiment-view-compare-runs-card"]'


@dataclass(frozen=True)
class Served:
    """A server with one finished sweep: its address, the printed links, the sweep's run."""

    url: str
    links: list[str]
    experiment: str
    run_id: str

    def run_page(self, run_id: str, rest: str = "") -> str:
        return f"{self.url}/#/experiments/{self.experiment}/runs/{run_id}{rest}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real `mlflow server`."""
    folder = tmp_path_factory.mktemp("server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = (
        f"--backend-store-uri sqlite:///{folder}/mlflow.db --artifacts-destination {folder}/kept"
    )
    command = f"{sys.executable} -m mlflow server --port {port} --workers 1 {places}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command.split(),
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/health", process)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(HANG)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + HANG
    while True:
        try:
            urllib.request.urlopen(address, timeout=HANG).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < give_up, "the server does not answer"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A sweep recorded through the server, with its figures."""
    request.getfixturevalue("chromium")  # first: without a browser all of this is for nothing
    server = request.getfixturevalue("server")
    folder = tmp_path_factory.mktemp("user")
    flags = f"--num-samples {TRIALS} --seeds 2 --epochs 30 --log-seeds --tracking-uri {server}"
    done = run_script("sweeps/l2.py", *flags.split(), cwd=folder)
    assert done.returncode == 0, done.stderr
    drawn = run_script("analysis/l2.py", "--tracking-uri", server, cwd=folder)
    assert drawn.returncode == 0, drawn.stderr
    client = MlflowClient(server)
    found = client.get_experiment_by_name("l2")
    assert found is not None
    experiment = found.experiment_id
    (parent,) = client.search_runs([experiment], "tags.kind = 'sweep'")
    links = re.findall(rf"{re.escape(server)}/#\S+", done.stdout)
    return Served(server, links, experiment, parent.info.run_id)


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A tab of a fresh profile, high enough for 50 rows, in which no script may fail."""
    with chromium.new_context(viewport={"width": 1600, "height": 2600}) as context:
        context.set_default_timeout(HANG * 1000)
        failures: list[str] = []
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        yield page
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


def test_two_links_are_printed(served: Served) -> None:
    assert len(served.links) == 2
    assert all("viewStateShareKey=" in link for link in served.links)


def test_the_first_link_shows_the_accuracy_of_all_trials_and_their_curves(
    served: Served, tab: Page
) -> None:
    tab.goto(served.links[0])
    _wait_for_count(
        _card(tab, "l2 vs. final/test_accuracy").locator(".scatterlayer .point"), TRIALS
    )
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
    with tab.context.expect_page() as opened:
        tab.get_by_role("link", name="Table of all trials").click()
    table = opened.value
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
    _wait_for_count(
        _card(tab, "l2 vs. final/test_accuracy").locator(".scatterlayer .point"), TRIALS
    )
    _wait_for_curves(_card(tab, "train/accuracy vs test/accuracy"))
    tab.get_by_text(f"{2 * TRIALS} matching runs").wait_for()


def test_the_sweeps_page_answers_first(served: Served, tab: Page) -> None:
    tab.goto(served.run_page(served.run_id))
    answer = tab.locator("p", has_text="Best: l2=").first
    first, second = answer.inner_text().splitlines()[:2]
    assert re.search(
        r"Best: l2=0\.\d{6}, test accuracy [\d.]+ % \[.*\](; .* points to l2=0\.000000)?: ", first
    )
    assert "Charts of all trials" in second


def test_a_trials_page_answers_first(served: Served, tab: Page) -> None:
    trial = MlflowClient(served.url).search_runs([served.experiment], "tags.kind = 'trial'")[0]
    tab.goto(served.run_page(trial.info.run_id))
    text = tab.locator("p", has_text="Test accuracy").first.inner_text()
    assert f"{100 * trial.data.metrics['final/test_accuracy']:.1f} %" in text.splitlines()[0]


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


def test_the_best_five_can_be_compared(served: Served, tab: Page) -> None:
    best = MlflowClient(served.url).search_runs(
        [served.experiment],
        "tags.kind = 'trial'",
        order_by=["metrics.`final/test_accuracy` DESC"],
        max_results=5,
    )
    runs = quote(json.dumps([run.info.run_id for run in best]))
    experiments = quote(json.dumps([served.experiment]))
    tab.goto(f"{served.url}/#/compare-runs?runs={runs}&experiments={experiments}")
    tab.get_by_text("Comparing 5 Runs from 1 Experiment").wait_for()
    tab.locator(".js-plotly-plot .main-svg").first.wait_for()
    for run in best:
        assert tab.get_by_text(run.info.run_name, exact=True).count() >= 1
