"""Views of the sweep in the MLflow UI that compare its trials at once.

Left to itself the UI opens on an empty page, hides nested runs from its charts and shows no metric
column. A shared view, stored as an experiment tag, sets filter, sorting, columns and charts. Its
format is MLflow's own and undocumented, and this file alone knows it; it was tried with the
versions below. Elsewhere, and where the tag cannot be set, a plain link opens the sorted table:
nothing is lost but the comfort.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from trainables.manifest import Manifest
from trainables.record_format import Final, Kind, Metric, Parameter, Tag, tagged

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOADED = 100  # runs that the UI loads, and so the most that its charts show

CHARTS = "Charts of all trials"
TABLE = "Table of all trials"
SEEDS = "Curves of the seeds, averaged by configuration"

_VERSIONS = ("3.17.",)
STATE = "mlflow.sharedViewState."  # what the names of tags with views begin with
OF_SEEDS = "-seeds"
NEWEST = "newest"  # the view of the trials of the sweep that ended last
_COLUMNS = 2  # of charts; a third leaves no room for their titles
_COLUMN_WIDTH = 190  # pixels; the default cuts names such as final/test_accuracy
_VALUE_WIDTH = 120  # of what was swept, whose names are short
_DURATION, _DURATION_WIDTH = "duration", 80  # a column that is always there, but last
_ANSWER = Metric.FINAL + Final.TEST_ACCURACY
_CROSS_VALIDATED = Metric.FINAL + Final.CV_ACCURACY
_HELD_OUT = Metric.FINAL + Final.HELD_OUT_ACCURACY
_GAP, _NORM = Metric.FINAL + Final.GAP, Metric.FINAL + Final.WEIGHT_NORM
_TRAIN = Metric.FINAL + Final.TRAIN_ACCURACY
_FINALS = (
    _ANSWER,
    _ANSWER + Final.CI_LOW,
    _ANSWER + Final.CI_HIGH,
    _TRAIN,
    _GAP,
    Metric.FINAL + Final.TEST_LOSS,
    _NORM,
    Metric.FINAL + Final.SPARSITY,
)
_PREFIXES = ("final", "train", "test", "time")
_SEED_FINALS = tuple(
    name for name in _FINALS if not name.endswith((Final.CI_LOW, Final.CI_HIGH))
)  # one seed has no interval


def save_views(client: MlflowClient, experiment_id: str, manifest: Manifest) -> dict[str, str]:
    """Stores the sweep's views; titles and addresses of what then shows its trials.

    An address is the part after the server's name. Never raises: should a view not be possible,
    the plain table is all that there is.
    """
    log_seeds = bool(manifest.options.get("log_seeds"))
    sweep, trials = manifest.run_name, _trials_state(manifest)
    views = {sweep: _tag(sweep, trials), NEWEST: _tag(newest_name(sweep), trials)}
    if log_seeds:
        views[f"{sweep}{OF_SEEDS}"] = _tag(f"{sweep}{OF_SEEDS}", _seeds_state(manifest))
    try:
        if not _server_version(client).startswith(_VERSIONS):
            return {TABLE: table_link(experiment_id, sweep)}
        for view_id, value in views.items():
            client.set_experiment_tag(experiment_id, f"{STATE}{view_id}", value)
    except Exception:  # a convenience in an undocumented format must not end a sweep
        return {TABLE: table_link(experiment_id, sweep)}
    links = {
        CHARTS: view_link(experiment_id, sweep, charts=True),
        TABLE: view_link(experiment_id, sweep, charts=False),
    }
    if log_seeds:
        links[SEEDS] = view_link(experiment_id, f"{sweep}{OF_SEEDS}", charts=True)
    return links


def view_tags(sweep: str) -> tuple[str, str]:
    """The experiment's tags with the views of the sweep of that name, of which it may have none."""
    return f"{STATE}{sweep}", f"{STATE}{sweep}{OF_SEEDS}"


def newest_name(sweep: str) -> str:
    """What the view `NEWEST` is called while it shows the trials of that sweep."""
    return f"{NEWEST} sweep: {sweep}"


def table_link(experiment_id: str, sweep: str) -> str:
    """Address of the sweep's trials by test accuracy, from what the UI documents: no charts."""
    search = {
        "workflowType": "machine_learning",
        "searchFilter": _filter(sweep, Kind.TRIAL),
        "orderByKey": f"metrics.`{_ANSWER}`",
        "orderByAsc": "false",
    }
    return f"/#/experiments/{experiment_id}/runs?{urlencode(search, quote_via=quote)}"


def view_link(experiment_id: str, view_id: str, charts: bool) -> str:
    """Address of a view, as charts or as a table."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return (
        f"/#/experiments/{experiment_id}/runs?viewStateShareKey={view_id}{mode}"
        "&workflowType=machine_learning"
    )


def _server_version(client: MlflowClient) -> str:
    """The version whose UI will read the views: the server's, else that installed here."""
    import mlflow

    uri = client.tracking_uri
    if not uri.startswith("http"):
        return str(mlflow.__version__)
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    ask: Callable[..., Any] = http_request
    credentials: Callable[..., Any] = get_default_host_creds
    return str(ask(credentials(uri), "/version", "GET").text)


def _tag(name: str, state: Mapping[str, Any]) -> str:
    """The tag's value as the UI itself writes it, compressed: MLflow takes 20,000 characters."""
    now = int(time.time() * 1000)
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    view = {"name": name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    return json.dumps(view)


def _filter(sweep: str, kind: str) -> str:
    return tagged({Tag.SWEEP: sweep, Tag.KIND: kind})


def _trials_state(manifest: Manifest) -> dict[str, Any]:
    """All trials by the accuracy that they are judged by, and charts against what was swept."""
    fields = [axis.field for axis in manifest.axes]
    shown = len(manifest.configurations)
    own = _filter(manifest.run_name, Kind.TRIAL)
    if shown < len(manifest.trials):
        # The others are these configurations once more.
        own += f" AND params.{Parameter.EXCHANGED} IS NULL"
    cross_validated = [_CROSS_VALIDATED] if manifest.folds else []
    held_out = [_HELD_OUT] if manifest.held_out_rows else []
    judge, finals = [*cross_validated, _ANSWER][0], [*cross_validated, *_FINALS, *held_out]
    return _state(
        own,
        # Sorted by anything but the creation time, the UI lists nested runs flat.
        (f"metrics.`{judge}`", False),
        [f"params.`{name}`" for name in fields] + [f"metrics.`{name}`" for name in finals],
        [
            *(each for name in cross_validated for each in _scatters(manifest, name, shown)),
            *_scatters(manifest, _ANSWER, shown),
            *_scatters(manifest, _GAP, shown),
            _parallel(fields, shown),
            _lines("accuracy", shown),
            _lines("loss", shown),
        ],
    )


def _seeds_state(manifest: Manifest) -> dict[str, Any]:
    """The runs of single seeds in groups of one configuration, which the UI averages.

    By configuration, so that the runs that the UI loads are whole groups and the last alone may
    lack seeds.
    """
    shown = len(manifest.trials) * len(manifest.trials[0].seeds)
    state = _state(
        _filter(manifest.run_name, Kind.SEED),
        (f"tags.`{Tag.CONFIG}`", True),
        [
            f"tags.`{Tag.CONFIG}`",
            f"params.`{Parameter.SEED}`",
            *(f"metrics.`{name}`" for name in _SEED_FINALS),
        ],
        [
            _lines("accuracy", shown),
            _lines("loss", shown),
            *_scatters(manifest, _ANSWER, shown),
        ],
    )
    by_config = {"mode": "tag", "groupByData": Tag.CONFIG}
    return state | {"groupBy": {"aggregateFunction": "average", "groupByKeys": [by_config]}}


def _state(
    search: str, order: tuple[str, bool], columns: list[str], charts: list[dict[str, Any]]
) -> dict[str, Any]:
    key, ascending = order
    return {
        "searchFilter": search,
        "orderByKey": key,
        "orderByAsc": ascending,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": [_DURATION, *columns],
        "columnWidths": {_DURATION: _DURATION_WIDTH} | {name: _width(name) for name in columns},
        "runsHiddenMode": "SHOW_ALL",
        "runsPinned": [],
        "runsExpanded": {},
        "runsHidden": [],
        "runsVisibilityMap": {},
        "groupBy": None,
        "groupsExpanded": {},
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "isAccordionReordered": False,
        "autoRefreshEnabled": False,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0},
        "chartsSearchFilter": "",
        "compareRunSections": [
            _section("answer", "Accuracy"),
            _section("curves", "Curves"),
            # Sections that the UI makes by itself, a chart per metric: there, but folded.
            *(_section(name, name, display=False) for name in _PREFIXES),
        ],
        "compareRunCharts": charts,
    }


def _width(column: str) -> int:
    return _VALUE_WIDTH if column.startswith("params.") else _COLUMN_WIDTH


def _section(key: str, title: str, display: bool = True) -> dict[str, Any]:
    return {
        "uuid": key,
        "name": title,
        "display": display,
        "columns": _COLUMNS,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
    }


def _chart(key: str, kind: str, section: str, shown: int) -> dict[str, Any]:
    return {
        "uuid": key,
        "type": kind,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": shown,
    }


def _scatters(manifest: Manifest, metric: str, shown: int) -> list[dict[str, Any]]:
    """`metric` against each swept hyperparameter, or against its logarithm on a log axis."""
    keys = [Parameter.LOG10 + axis.field if axis.log else axis.field for axis in manifest.axes]
    return [
        _chart(f"scatter-{key}-{metric}", "SCATTER", "answer", shown)
        | {"xaxis": {"key": key, "type": "PARAM"}, "yaxis": {"key": metric, "type": "METRIC"}}
        for key in keys
    ]


def _parallel(fields: Sequence[str], shown: int) -> dict[str, Any]:
    return _chart("parallel", "PARALLEL", "answer", shown) | {
        "selectedParams": list(fields),
        "selectedMetrics": [_NORM, _TRAIN, _ANSWER],
        "showAllRuns": True,
    }


def _lines(metric: str, shown: int) -> dict[str, Any]:
    return _chart(f"lines-{metric}", "LINE", "curves", shown) | {
        "metricKey": f"train/{metric}",
        "selectedMetricKeys": [f"train/{metric}", f"test/{metric}"],
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "lineSmoothness": 0,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "selectedXAxisMetricKey": "",
        "range": {},
        "displayPoints": False,
        "ignoreOutliers": False,
    }
