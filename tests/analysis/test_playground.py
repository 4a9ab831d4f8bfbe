"""playground.html: moving the slider shows what torch computes from the recorded weights and what
the record says, from one small file, by mouse, finger and keyboard.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page
from scipy.ndimage import distance_transform_edt
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from analysis.playground import PlaygroundOptions, main
from analysis.playground_page import page as page_of
from analysis.playground_page.moved_values import moved_values
from analysis.playground_page.page import MOST_BYTES, playground_page
from analysis.reading.connection import open_store
from analysis.reading.load_sweep import load_sweep
from analysis.reading.sweep_record import SweepRecord
from support.quiet_tab import quiet_tab, wait_until
from support.record_fixture import DATASET, diverging, made_up_sweep, new_store, write_sweep
from support.warm_scripts import run_warm
from trainables import data
from trainables.network import Network
from trainables.result import Array

SEEDS = 3
LOST, LOST_SEED = 3, 1  # the place of a value and of a seed whose model diverged there
PICTURES = ("decision", "accuracy", "heat", "path")
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
IRIS = data.load("iris")
ROWS = {
    "dataset": {
        **DATASET,
        "digest": IRIS.digest,
        "class_names": list(IRIS.class_names),
        "feature_names": list(IRIS.feature_names),
    }
}


def write(folder: Path, name: str, standardize: bool, **changes: object) -> str:
    points = [{name: value, "standardize": standardize} for value in (0.0, 0.01, 0.02, 0.1)]
    sweep = made_up_sweep([name], points, SEEDS)
    sweep[LOST] = diverging(sweep[LOST], LOST_SEED, epoch=5)
    uri = f"sqlite:///{folder}/mlflow.db"
    run_name = f"{name}-20261130-101500-{'ab12' if standardize else 'cd34'}"
    return write_sweep(
        uri, folder / "artifacts", name, [name], sweep, run_name, changes={**ROWS, **changes}
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a standardised sweep of λ and one of dropout that is not."""
    folder = tmp_path_factory.mktemp("playground")
    new_store(folder)
    write(folder, "l2", standardize=True)
    write(folder, "dropout", standardize=False, question=NASTY)
    return folder


@pytest.fixture(scope="module")
def record(store: Path) -> SweepRecord:
    return load_sweep(open_store(f"sqlite:///{store}/mlflow.db"), "l2")


@pytest.fixture(scope="module")
def file(store: Path) -> Path:
    """What the script writes where nothing is said."""
    done = run_warm("analysis/playground.py", cwd=store)
    assert (done.returncode, done.stderr) == (0, "")
    written = store / done.stdout.splitlines()[-1]
    assert written == store / "figures" / "l2-20261130-101500-ab12" / "playground.html"
    return written


def torch_scores(record: SweepRecord, value: int, seed: int, inputs: Array) -> Array:
    """Class scores (N, C) of a recorded model for rows of raw inputs (N, F), by torch alone."""
    trial = record.usable[value]
    raw = trial.hyperparameters.at(standardize=False)
    scaler = StandardScaler().fit(data.split(IRIS, trial.seeds[seed], raw).x_train)
    if trial.hyperparameters.standardize:
        inputs = scaler.transform(inputs)
    network = Network(4, trial.hyperparameters.hidden, 3).double().eval()
    for number, layer in enumerate(network.linear_layers()):
        layer.weight.data = torch.tensor(record.parameter(trial, f"{number}.weight")[seed]).double()
        layer.bias.data = torch.tensor(record.parameter(trial, f"{number}.bias")[seed]).double()
    scores = network(torch.from_numpy(inputs)).detach().numpy()
    return np.asarray(scores, dtype=np.float64)


def on_plane(plane: dict[str, Any], a: Array, b: Array) -> Array:
    """Raw inputs (len(b) · len(a), F) at those places, row by row."""
    along = np.array(plane["along"])
    places = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    return np.asarray(np.array(plane["origin"]) + places @ along)


def middles(plane: dict[str, Any], side: int) -> tuple[Array, Array]:
    steps = (np.arange(side) + 0.5) / side
    low, high = np.array(plane["low"]), np.array(plane["high"])
    return low[0] + (high - low)[0] * steps, low[1] + (high - low)[1] * steps


def torch_shares(record: SweepRecord, value: int, plane: dict[str, Any]) -> Array:
    """(C, G, G): the share of the models left that decide for each class."""
    inputs = on_plane(plane, *middles(plane, plane["side"]))
    left = [seed for seed in range(SEEDS) if (value, seed) != (LOST, LOST_SEED)]
    found = [torch_scores(record, value, seed, inputs).argmax(axis=1) for seed in left]
    side = plane["side"]
    return np.array([np.mean([one == c for one in found], axis=0) for c in range(3)]).reshape(
        3, side, side
    )


@pytest.mark.parametrize("name", ["l2", "dropout"])
@pytest.mark.parametrize("features", [(), ("petal width (cm)", "sepal length (cm)")])
def test_colours_are_the_shares_of_the_seeds_that_torch_decides_for_each_class(
    store: Path, name: str, features: tuple[str, ...]
) -> None:
    record = load_sweep(open_store(f"sqlite:///{store}/mlflow.db"), name)
    found = moved_values(record, features, room=1_000_000)
    plane = found["plane"]
    in_255ths = np.frombuffer(base64.b64decode(found["shares"]), np.uint8)
    shares = in_255ths.reshape(4, 3, plane["side"], plane["side"]) / 255
    for value in range(4):
        # A place just between two classes may fall to either in the last bit.
        far = np.abs(shares[value] - torch_shares(record, value, plane)) > 1 / 255
        assert far.mean() < 1e-3
    assert len(np.unique(shares)) > 3  # seeds disagree somewhere


def test_the_plane_is_that_of_scikit_learns_principal_components(record: SweepRecord) -> None:
    plane = moved_values(record, (), room=1_000_000)["plane"]
    scaler, pca = StandardScaler(), PCA(2)
    theirs = pca.fit_transform(scaler.fit_transform(IRIS.x))
    points = np.array(plane["points"])
    signs = np.sign((points * theirs).sum(axis=0))
    np.testing.assert_allclose(points, theirs * signs, atol=1e-3)
    inputs = np.array(plane["origin"]) + points @ np.array(plane["along"])
    np.testing.assert_allclose(
        inputs, scaler.inverse_transform(pca.inverse_transform(points * signs)), atol=1e-2
    )
    percent = f"{100 * pca.explained_variance_ratio_[0]:.0f} % of the variance"
    assert percent in plane["labels"][0]


def test_a_plane_of_two_features_has_all_others_at_their_mean(record: SweepRecord) -> None:
    names = ("petal width (cm)", "sepal length (cm)")
    plane = moved_values(record, names, room=1_000_000)["plane"]
    (inputs,) = on_plane(plane, np.array([1.5]), np.array([6.0]))
    mean = IRIS.x.mean(axis=0)
    np.testing.assert_allclose(inputs, [6.0, mean[1], mean[2], 1.5])
    assert "the 2 others are at their mean" in plane["about"]


def test_what_has_no_room_is_left_out_and_said(
    record: SweepRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of, "MOST_BYTES", 130_000)
    text = playground_page([record])
    assert len(text.encode()) <= page_of.MOST_BYTES
    kept = moved_values(record, (), page_of.MOST_BYTES - page_of._FOR_THE_PAGE)
    assert 0 < len(kept["seeds"]) < SEEDS


# ---- the script ----


def test_the_script_adds_the_page_to_the_runs_of_its_sweeps(file: Path, store: Path) -> None:
    assert file.stat().st_size <= MOST_BYTES
    client = MlflowClient(f"sqlite:///{store}/mlflow.db")
    ids = [each.experiment_id for each in client.search_experiments()]
    runs = client.search_runs(ids, "tags.kind = 'sweep'")
    assert len(runs) == 2
    for run in runs:
        kept = [each.path for each in client.list_artifacts(run.info.run_id, "playground")]
        assert kept == ["playground/playground.html"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"sweeps": ("two",)}, "needs a sweep of one number, such as l2 or dropout, got two"),
        ({"sweeps": ("other",)}, "with digest 0000000000000000, here they have"),
        (
            {"features": ("petal width", "sepal width (cm)")},
            r"got petal width: did you mean petal width \(cm\)\?",
        ),
        ({"features": ("sepal width (cm)",) * 2}, "two different features"),
        ({"sweeps": ("a", "b", "c", "d", "e")}, "takes up to 4 sweeps, got 5"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(
    options: dict[str, Any],
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = new_store(tmp_path)
    write(tmp_path, "l2", standardize=False)
    two = made_up_sweep(["l1", "l2"], [{"l1": 0.0, "l2": 0.0}, {"l1": 0.1, "l2": 0.1}])
    write_sweep(uri, tmp_path / "a", "elastic_net", ["l1", "l2"], two, "two", changes=ROWS)
    other = made_up_sweep(["l1"], [{"l1": 0.0}, {"l1": 0.1}])
    write_sweep(uri, tmp_path / "a", "l1", ["l1"], other, "other")
    assert main(PlaygroundOptions(**options)) == 2
    told = capsys.readouterr().err
    assert re.search(line, told)
    assert told.count("\n") == 1
    assert not (tmp_path / "figures").exists()


# ---- in the browser ----


@pytest.fixture
def tab(chromium: Browser, file: Path) -> Iterator[Page]:
    with quiet_tab(chromium, file, viewport={"width": 1400, "height": 900}) as page:
        yield page


def text(tab: Page, name: str) -> str:
    return tab.locator(f"#{name}").text_content() or ""


def picture(tab: Page, name: str) -> str:
    found: str = tab.evaluate(f"document.getElementById('{name}').toDataURL()")
    return found


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


@pytest.mark.browser
def test_each_step_shows_the_record_at_that_value(tab: Page, record: SweepRecord) -> None:
    slider = tab.get_by_role("slider")
    slider.focus()
    pictures: dict[str, set[str]] = {
        name: set() for name in ("decision", "accuracy", "heat", "path")
    }
    for place, trial in enumerate(record.usable):
        assert float(text(tab, "shown")) == trial.hyperparameters.l2
        for part in ("test", "train"):
            finals = record.final(trial, f"{part}/accuracy")
            assert text(tab, f"all-{part}").startswith(percent(float(np.nanmean(finals))))
            assert text(tab, f"one-{part}") == percent(float(finals[0]))
        left = np.isfinite(record.final(trial, "test/accuracy")).sum()
        assert text(tab, "all-seeds").startswith(f"mean of {left}")
        weights = [record.parameter(trial, f"{layer}.weight")[0] for layer in (0, 1)]
        norm = np.sqrt(sum((weight.astype(float) ** 2).sum() for weight in weights))
        assert text(tab, "one-norm") == f"{norm:.2f}"
        assert (slider.get_attribute("aria-valuetext") or "").startswith("L2 penalty λ ")
        for name, seen in pictures.items():
            seen.add(picture(tab, name))
            assert len(seen) == place + 1
        tab.keyboard.press("ArrowRight")


@pytest.mark.browser
def test_another_seed_is_another_network_and_one_that_diverged_is_said_to(
    tab: Page, record: SweepRecord
) -> None:
    before = [picture(tab, name) for name in ("decision", "heat", "path")]
    tab.get_by_label("One network").select_option(f"seed {LOST_SEED}")
    finals = record.final(record.usable[0], "test/accuracy")
    assert text(tab, "one-test") == percent(float(finals[LOST_SEED]))
    assert all(
        picture(tab, name) != old
        for name, old in zip(("decision", "heat", "path"), before, strict=True)
    )
    tab.get_by_role("slider").press("End")
    assert text(tab, "one-test") == "diverged"
    assert text(tab, "all-seeds") == f"mean of {SEEDS - 1}/{SEEDS} seeds"


@pytest.mark.browser
@pytest.mark.parametrize("name", ["l2", "dropout"])
def test_the_line_on_the_map_is_where_torch_changes_its_mind(
    tab: Page, store: Path, name: str
) -> None:
    record = load_sweep(open_store(f"sqlite:///{store}/mlflow.db"), name)
    if name == "dropout":
        tab.get_by_label("dropout").check()
    plane = tab.evaluate("sweep.plane")
    side = 24
    lines_of = "(v, s) => boundary(scoresOnPlane(sweep, v, s, 64), 64)"
    counts = tab.evaluate(f"[0, 1, 2].map(v => [0, 1, 2].map(s => ({lines_of})(v, s).length))")
    value, seed = map(int, np.unravel_index(np.argmax(counts), (3, 3)))
    theirs = tab.evaluate(f"[...scoresOnPlane(sweep, {value}, {seed}, {side})]")
    ends = [
        np.linspace(low, high, side) for low, high in zip(plane["low"], plane["high"], strict=True)
    ]
    ours = torch_scores(record, value, seed, on_plane(plane, ends[0], ends[1]))
    np.testing.assert_allclose(np.reshape(theirs, (-1, 3)), ours, atol=1e-5)
    lines = tab.evaluate(f"({lines_of})({value}, {seed})")
    assert len(lines) > 50
    middle = np.array(lines).reshape(-1, 2, 2).mean(axis=1)
    low, high = np.array(plane["low"]), np.array(plane["high"])
    places = low + (high - low) * middle
    scores = np.sort(
        torch_scores(
            record, value, seed, np.array(plane["origin"]) + places @ np.array(plane["along"])
        ),
        axis=1,
    )
    lead = scores[:, 2] - scores[:, 1]
    assert np.median(lead) < 0.01 * np.ptp(ours)
    assert lead.max() < 0.1 * np.ptp(ours)


def numpy_scores(record: SweepRecord, value: int, seed: int, inputs: Array) -> Array:
    """Class scores (N, C) of a recorded model for rows of raw inputs (N, F), by numpy alone."""
    trial = record.usable[value]
    rows = data.split(IRIS, trial.seeds[seed], trial.hyperparameters.at(standardize=False)).x_train
    first, last = (
        (record.parameter(trial, f"{n}.weight")[seed], record.parameter(trial, f"{n}.bias")[seed])
        for n in (0, 1)
    )
    hidden = (inputs - rows.mean(axis=0)) / rows.std(axis=0) @ first[0].T + first[1]
    scores: Array = np.maximum(hidden, 0) @ last[0].T + last[1]
    return scores


def pixels(tab: Page, name: str) -> NDArray[np.int64]:
    """(height, width, 3): what is seen of a picture, in CSS pixels."""
    png = base64.b64decode(picture(tab, name).partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=np.int64)


def rgb(colour: str) -> NDArray[np.int64]:
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])


def near(places: NDArray[np.bool_], within: float) -> NDArray[np.bool_]:
    """Pixels that are so near to one of the `places`."""
    return np.asarray(distance_transform_edt(~places) <= within)


@pytest.mark.browser
def test_the_pixels_of_the_map_are_what_numpy_predicts(tab: Page, record: SweepRecord) -> None:
    plane, box, ink = (tab.evaluate(name) for name in ("sweep.plane", "box", "colours()"))
    left, right, top, bottom = (round(box[side]) for side in ("left", "right", "top", "bottom"))
    wide, high, side = right - left, bottom - top, plane["side"]
    low, up = np.array(plane["low"]), np.array(plane["high"]) - np.array(plane["low"])
    inputs = on_plane(
        plane,
        low[0] + up[0] * (np.arange(wide) + 0.5) / wide,
        low[1] + up[1] * (np.arange(high)[::-1] + 0.5) / high,  # pixels are counted downwards
    )
    rows = np.zeros((high, wide), dtype=bool)
    x, y = (np.array(plane["points"]) - low).T / up[:, None]
    rows[((1 - y) * high).astype(int), (x * wide).astype(int)] = True
    hidden_by_rows = near(rows, 8)
    # In the middle of a cell nothing is blended with its neighbours.
    middles_of_cells = np.zeros((high, wide), dtype=bool)
    at = (np.arange(side) + 0.5) / side
    middles_of_cells[np.ix_((at * high).astype(int), (at * wide).astype(int))] = True
    slider = tab.get_by_role("slider")
    slider.focus()
    for value in range(len(record.usable)):
        seen = pixels(tab, "decision")[top:bottom, left:right]
        left_over = [seed for seed in range(SEEDS) if (value, seed) != (LOST, LOST_SEED)]
        classes = np.array(
            [
                numpy_scores(record, value, seed, inputs).argmax(axis=1).reshape(high, wide)
                for seed in left_over
            ]
        )
        steps = [np.diff(classes, axis=axis, append=-1) != 0 for axis in (1, 2)]
        changes = steps[0] | steps[1]
        changes[:, -1, :] = changes[:, :, -1] = False
        plain = middles_of_cells & ~near(changes.any(axis=0), 24) & ~hidden_by_rows
        shares = np.array([(classes == number).mean(axis=0) for number in range(3)])
        mixed = np.einsum("chw,cp->hwp", shares, np.array(list(map(rgb, ink["classes"][:3]))))
        expected = 0.55 * rgb(ink["panel"]) + 0.45 * mixed
        assert plain.sum() > 100
        assert np.abs(seen - expected)[plain].max() <= 2
        assert len(np.unique(expected[plain].round(), axis=0)) > 2  # several classes are sampled
        # The line is that of seed 0: where numpy changes its mind, and nowhere else.
        dark = np.abs(seen - rgb(ink["ink"])).max(axis=2) < 60
        its_own = changes[0]
        inside = np.zeros_like(rows)
        inside[8:-8, 8:-8] = True
        assert near(dark, 3)[its_own & inside].mean() > 0.99
        assert near(its_own, 3)[dark & inside & ~hidden_by_rows].mean() > 0.99
        tab.keyboard.press("ArrowRight")


@pytest.mark.browser
def test_pointing_and_arrow_keys_tell_the_shares_of_a_place(tab: Page, record: SweepRecord) -> None:
    plane = tab.evaluate("sweep.plane")
    side = plane["side"]
    shares = torch_shares(record, 0, plane)
    disagree = np.argwhere((shares > 0).sum(axis=0) > 1)
    row, column = disagree[len(disagree) // 2]
    said = {
        f"{100 * shares[c, row, column]:.0f} % {name}"
        for c, name in enumerate(IRIS.class_names)
        if shares[c, row, column] > 0
    }
    box, drawn = tab.locator("#decision").bounding_box(), tab.evaluate("box")
    assert box
    x = drawn["left"] + (column + 0.5) / side * (drawn["right"] - drawn["left"])
    y = drawn["bottom"] - (row + 0.5) / side * (drawn["bottom"] - drawn["top"])
    tab.mouse.move(box["x"] + x, box["y"] + y)
    assert set(text(tab, "here").removeprefix("Here: ").split(", ")) == said
    tab.mouse.move(2, 2)
    assert "Here" not in text(tab, "here")
    tab.locator("#decision").press("ArrowUp")
    middle = shares[:, side // 2 + 1, side // 2]
    best = IRIS.class_names[int(middle.argmax())]
    assert text(tab, "here").startswith(f"Here: {100 * middle.max():.0f} % {best}")


@pytest.mark.browser
def test_two_sweeps_take_turns(tab: Page) -> None:
    assert text(tab, "label") == "L2 penalty λ"
    tab.get_by_role("radio").first.focus()
    tab.keyboard.press("ArrowRight")
    assert text(tab, "label") == "dropout rate p"
    assert "dropout-20261130-101500-cd34" in text(tab, "notes")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 768])
def test_a_narrow_screen_scrolls_down_only_and_its_text_is_large_enough(
    chromium: Browser, file: Path, width: int
) -> None:
    size = {"width": width, "height": 800}
    with quiet_tab(chromium, file, viewport=size, is_mobile=True, has_touch=True) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        small = """[...document.querySelectorAll("body :not(script, option)")]
            .filter(one => [...one.childNodes].some(c => c.nodeType === 3 && c.data.trim()))
            .filter(one => parseFloat(getComputedStyle(one).fontSize) < 16)
            .map(one => one.outerHTML.slice(0, 80))"""
        assert tab.evaluate(small) == []
        tab.locator("#path").scroll_into_view_if_needed()
        assert tab.get_by_role("slider").is_visible()  # it stays while one scrolls
        before = picture(tab, "path")
        slider = tab.get_by_role("slider").bounding_box()
        assert slider
        tab.touchscreen.tap(slider["x"] + slider["width"] - 8, slider["y"] + slider["height"] / 2)
        assert picture(tab, "path") != before


@pytest.mark.browser
def test_in_the_dark_all_is_drawn_anew_and_stays_legible(tab: Page) -> None:
    light = [picture(tab, name) for name in PICTURES]
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        tab.emulate_media(color_scheme=scheme)
        shades = tab.evaluate("colours()")
        for text_colour in ("ink", "soft", "train", "test", "less", "more"):
            for ground in ("paper", "panel"):
                assert contrast(shades[text_colour], shades[ground]) >= 4.5
        for colour in shades["classes"]:
            assert contrast(colour, shades["panel"]) >= 2.5
    for name, before in zip(PICTURES, light, strict=True):
        another = f"before => document.getElementById('{name}').toDataURL() !== before"
        wait_until(tab, another, before)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio of two colours such as #16181b."""

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
