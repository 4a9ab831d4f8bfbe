"""chart.html shows every trial, needs nothing from outside, and takes names as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Dialog, Page

from analysis.plotting.panels import LinePanel, Point, Series
from analysis.plotting.y_ranges import y_ranges
from support.made_up_results import diverge, made_up, result_of, summaries
from support.scripts import HANG
from sweeps import batch_size, dropout, elastic_net, l2
from sweeps.plan.sweep import Sweep
from sweeps.record.pages.chart_page import chart_page
from sweeps.record.runs.tables import mean_curves
from trainables.manifest import Manifest
from trainables.result import TrialResult
from trainables.y_range import YRange, row_share

EPOCHS = np.array([0, 4, 9])
NASTY = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "&lt;\"'%{x}<b>$plotly</b>",
)


def _page(manifest: Manifest, results: list[TrialResult]) -> str:
    run_ids = {trial.key: f"id of {number}" for number, trial in enumerate(manifest.trials)}
    parts = [mean_curves(results[:3], EPOCHS), mean_curves(results[3:], EPOCHS)]
    return chart_page(manifest, summaries(manifest, results), run_ids, parts)


def _sweep(sweep: Sweep, *flags: str) -> tuple[Manifest, list[TrialResult]]:
    return made_up(sweep, "--seeds", "3", "--epochs", "10", *flags)


def _data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    return dict(json.loads(found[1]))


def _nasty() -> tuple[Manifest, list[TrialResult]]:
    """A sweep in which everything that a person may choose is a try at breaking the page."""
    manifest = _sweep(l2.SWEEP, "--num-samples", "4")[0]
    named = zip(manifest.trials, (*NASTY, "l2=0.1"), strict=True)
    trials = tuple(replace(trial, name=name) for trial, name in named)
    axes = (replace(manifest.axes[0], label=NASTY[0]),)
    changed = replace(manifest, trials=trials, axes=axes, question=NASTY[1], run_name=NASTY[0])
    return changed, [result_of(trial, number) for number, trial in enumerate(trials)]


def test_joined_tables_of_curves_make_the_same_page() -> None:
    manifest, results = _sweep(l2.SWEEP, "--num-samples", "5")
    run_ids = {trial.key: trial.name for trial in manifest.trials}
    numbers = summaries(manifest, results)
    parts = [mean_curves([result], EPOCHS) for result in results]
    joined = pa.concat_tables(parts).combine_chunks()
    expected = chart_page(manifest, numbers, run_ids, parts)
    assert chart_page(manifest, numbers, run_ids, [joined]) == expected


def test_every_trial_is_there_with_its_numbers_and_curves() -> None:
    manifest, results = _sweep(l2.SWEEP, "--num-samples", "7")
    data = _data(_page(manifest, results))
    found = summaries(manifest, results)
    assert data["configs"] == [trial.name for trial in manifest.trials]
    assert data["runs"] == [f"id of {number}" for number in range(7)]
    assert data["seeds"] == 3
    assert data["axes"][0]["values"] == [t.hyperparameters.l2 for t in manifest.trials]
    assert data["epochs"] == [1, 5, 10]
    for place, result in enumerate(results):
        for kind in ("test", "train"):
            expected = found[result.trial.key][f"{kind}_accuracy"]
            shown = [data[kind][name][place] for name in ("mean", "low", "high")]
            assert shown == pytest.approx([expected.mean, expected.low, expected.high], abs=1e-5)
            curve = result.trained.curves[f"{kind}/accuracy"][:, EPOCHS].mean(axis=0)
            assert data["curves"][kind][place] == pytest.approx(list(curve), abs=1e-5)


def test_trials_that_diverged_or_are_missing_are_counted_out() -> None:
    manifest, results = _sweep(l2.SWEEP, "--num-samples", "7")
    diverge(results[2], model=0, epoch=3)
    page = _page(manifest, results[:-1])
    data = _data(page)
    assert len(data["configs"]) == 6
    assert data["test"]["mean"][2] is None
    assert data["curves"]["test"][2][1:] == [None, None]
    assert "failed, diverged or not recorded: 2." in page


@pytest.mark.parametrize(
    ("sweep", "flags", "setting"),
    [
        (l2.SWEEP, (), "iris, random split, 10 epochs, hidden 32, batch 16, learning rate 0.005."),
        (
            l2.SWEEP,
            ("--lr", "0.01", "--dropout", "0.2", "--hidden", "8", "4"),
            "iris, random split, 10 epochs, hidden 8 4, batch 16, learning rate 0.01, dropout 0.2.",
        ),
        (
            batch_size.SWEEP,
            ("--lr", "0.01", "--split", "stratified"),
            "iris, stratified split, 10 epochs, hidden 32, learning rate 0.01.",
        ),
    ],
)
def test_the_page_says_what_its_models_were_made_with(
    sweep: Sweep, flags: tuple[str, ...], setting: str
) -> None:
    page = _page(*_sweep(sweep, *flags))
    assert f" seeds; all models: {setting} Accuracies are means" in page


def _learned(results: list[TrialResult], level: Callable[[float], float], gap: float) -> None:
    """Curves that rise to the level of each trial's dropout rate; training `gap` above test."""
    for result in results:
        top = level(result.trial.hyperparameters.dropout)
        rise = np.exp(-np.arange(1, 11)) * (0.3 - top)
        seeds = np.array([[-0.004], [0.0], [0.004]])
        for kind, more in (("train", gap), ("test", 0.0)):
            result.trained.curves[f"{kind}/accuracy"][:] = top + rise + seeds + more


def _lesson(rate: float) -> float:
    return 0.95 - 0.05 * rate**2 if rate < 1 else 0.333


def _as_figures_show(manifest: Manifest, series: Sequence[Series], style: Any) -> YRange | None:
    panel = LinePanel("", "", "", tuple(series), style, least=row_share(manifest))
    return y_ranges([panel])[0]


@pytest.mark.parametrize("level", [_lesson, lambda _: 0.9])
def test_y_is_what_figures_show_of_the_same_numbers(level: Callable[[float], float]) -> None:
    manifest, results = _sweep(dropout.SWEEP)
    _learned(results, level, 0.01)
    data = _data(_page(manifest, results))
    points = [
        Series(kind, tuple(map(Point, count(), *(data[kind][n] for n in ("mean", "low", "high")))))
        for kind in ("train", "test")
    ]
    expected = _as_figures_show(manifest, points, "points")
    assert expected is not None
    assert data["range"]["shown"] == pytest.approx(expected.shown)
    assert (data["range"]["whole"] is None) == (level is not _lesson)
    if expected.whole:
        assert data["range"]["whole"] == pytest.approx(expected.whole)
        assert 0.85 < data["range"]["shown"][0] < 0.91  # a rate of 1 squashes nothing
    curves = [
        Series(f"{kind} {place}", tuple(map(Point, data["epochs"], one)))
        for kind in ("train", "test")
        for place, one in enumerate(data["curves"][kind])
    ]
    of_curves = _as_figures_show(manifest, curves, "curve")
    assert of_curves is not None
    assert data["curve_range"]["shown"] == pytest.approx(of_curves.shown)
    assert data["curve_range"]["whole"] == pytest.approx(of_curves.whole)


def test_what_is_less_than_a_test_row_looks_small() -> None:
    manifest, results = _sweep(l2.SWEEP)
    for result in results:
        for curve in result.trained.curves.values():
            curve[:] = 0.9 + 1e-5 * result.trial.hyperparameters.l2
    low, high = _data(_page(manifest, results))["range"]["shown"]
    assert high - low > 2 / (30 * 3)


def test_a_page_without_any_trial_is_a_page() -> None:
    manifest, _ = _sweep(l2.SWEEP)
    data = _data(chart_page(manifest, {}, {}, []))
    assert data["configs"] == []
    assert data["best"] is None


def test_names_stay_within_their_place_in_the_page() -> None:
    page = _page(*_nasty())
    assert _data(page)["configs"] == [*NASTY, "l2=0.1"]
    harmless = _page(*_sweep(l2.SWEEP, "--num-samples", "4"))
    for tag in ("<script", "</script", "<img"):
        assert page.count(tag) == harmless.count(tag)


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A page of its own that must neither complain nor ask for anything outside."""
    wrong: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        wrong.append(dialog.message)
        dialog.dismiss()

    with chromium.new_context() as context:
        context.set_default_timeout(HANG * 1000)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", dismiss)
        page.on(
            "request",
            lambda request: None if request.url.startswith("file:") else wrong.append(request.url),
        )
        yield page
        assert wrong == []


def _open(tab: Page, folder: Path, page: str) -> None:
    (folder / "chart.html").write_text(page, encoding="utf-8")
    tab.goto((folder / "chart.html").as_uri())
    tab.wait_for_selector("#curves .main-svg")


def _hover(tab: Page, point: int, name: str) -> str:
    """The text that appears at a point, once it has `name` in it."""
    # The trace before the last, which is the ring around the chosen trial.
    tab.locator("#trials .scatterlayer .trace:nth-last-child(2) .point").nth(point).hover(
        force=True
    )
    label = tab.locator("#trials .hoverlayer .hovertext", has_text=name)
    label.wait_for()
    return label.text_content() or ""


@pytest.mark.browser
def test_pointing_at_a_trial_tells_its_numbers_and_a_click_shows_its_curves(
    tab: Page, tmp_path: Path
) -> None:
    manifest, results = _sweep(l2.SWEEP, "--num-samples", "5")
    _open(tab, tmp_path, _page(manifest, results))
    assert tab.locator("#trials .scatterlayer .point").count() == 2 * 5 + 1
    text = _hover(tab, 3, manifest.trials[3].name)
    found = summaries(manifest, results)[manifest.trials[3].key]["test_accuracy"]
    assert f"test {100 * found.mean:.1f} % [" in text
    assert "n = 3 seeds" in text
    assert "id of 3" in text
    tab.mouse.down()
    tab.mouse.up()
    tab.locator("#curves .gtitle", has_text=manifest.trials[3].name).wait_for()
    assert tab.locator("#curves .scatterlayer .trace").count() == 2


@pytest.mark.browser
def test_a_rate_at_which_nothing_is_learned_stands_in_the_strip_alone(
    tab: Page, tmp_path: Path
) -> None:
    manifest, results = _sweep(dropout.SWEEP)
    _learned(results, _lesson, 0.01)
    _open(tab, tmp_path, _page(manifest, results))
    above, strip = (
        [
            box["y"] + box["height"] / 2
            for mark in tab.locator(f"#trials .{plot} .trace:has(.point) .point").all()
            if (box := mark.bounding_box())
        ]
        for plot in ("xy", "xy2")
    )
    assert np.ptp(above[:10]) > 100  # pixels: rates 0 to 0.9 are told apart
    assert np.ptp(strip[:10]) < 15 < np.ptp(strip[:11])
    assert "The strip below a chart is its whole range" in (
        tab.locator("#said").text_content() or ""
    )
    assert tab.locator("#trials .legendtext").all_text_contents() == ["train", "test"]


@pytest.mark.browser
def test_lines_that_coincide_are_drawn_once_and_said_to(tab: Page, tmp_path: Path) -> None:
    manifest, results = _sweep(dropout.SWEEP)
    _learned(results, lambda rate: 0.9 - 0.5 * rate, 0.0004)
    _open(tab, tmp_path, _page(manifest, results))
    assert tab.locator("#trials .legendtext").all_text_contents() == ["train = test"]
    said = tab.locator("#said").text_content() or ""
    assert "accuracy are nowhere more than 0.04 points apart, so they are drawn once" in said
    assert "train and test are nowhere more than 0.04" in (
        tab.locator("#curves .gtitle").text_content() or ""
    )
    assert tab.locator("#curves .xy .trace").count() == 1
    assert "train 90.0 % [" in _hover(tab, 0, manifest.trials[0].name)


@pytest.mark.browser
def test_no_button_sends_the_data_away(tab: Page, tmp_path: Path) -> None:
    _open(tab, tmp_path, _page(*_sweep(l2.SWEEP)))
    titles = [
        button.get_attribute("data-title") or "" for button in tab.locator(".modebar-btn").all()
    ]
    assert "Zoom" in titles
    assert not [title for title in titles if re.search("share|cloud|edit", title, re.I)]


@pytest.mark.browser
def test_names_are_shown_and_not_run(tab: Page, tmp_path: Path) -> None:
    _open(tab, tmp_path, _page(*_nasty()))
    assert tab.locator("h1").text_content() == NASTY[0]
    for number, name in enumerate(NASTY):
        assert name in _hover(tab, number, name)
    assert tab.locator("img").count() == 0


@pytest.mark.browser
def test_a_log_axis_has_its_values_evenly_and_two_axes_are_a_map(tab: Page, tmp_path: Path) -> None:
    _open(tab, tmp_path, _page(*_sweep(batch_size.SWEEP)))
    points = tab.locator("#trials .scatterlayer .trace:nth-last-child(2) .point").all()
    places = [box["x"] for point in points if (box := point.bounding_box())]
    assert np.diff(places) == pytest.approx(np.full(5, np.diff(places).mean()), abs=1)
    _open(tab, tmp_path, _page(*_sweep(elastic_net.SWEEP)))
    assert tab.locator("#trials .scatterlayer .point").count() == 25 + 1
    assert tab.locator("#trials .cbtitle").text_content() == "test accuracy"
