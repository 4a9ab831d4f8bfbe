"""A view of the sweep in the MLflow UI that compares its trials at once.

Left to itself the UI opens on an empty page, hides nested runs from its charts and shows no metric
column. A shared view, stored as an experiment tag, sets filter, sorting, columns and charts. Its
format is MLflow's own and undocumented; it was tried with MLflow 3.17. Without it nothing is lost
but the comfort, so whoever writes it must survive its failing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

_COLUMN_WIDTH = 190  # pixels; the default cuts names such as final/test_accuracy
_FINALS = (
    "final/test_accuracy",
    "final/test_accuracy_ci_low",
    "final/test_accuracy_ci_high",
    "final/train_accuracy",
    "final/generalization_gap",
    "final/test_loss",
    "final/weight_norm",
    "final/sparsity",
)


def view_tag(view_id: str) -> str:
    """Name of the experiment tag that holds the view."""
    return f"mlflow.sharedViewState.{view_id}"


def view_link(experiment_id: str, view_id: str, charts: bool) -> str:
    """The part of the UI's address after the server's name that opens the view."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return (
        f"/#/experiments/{experiment_id}/runs?viewStateShareKey={view_id}{mode}"
        "&workflowType=machine_learning"
    )


def trials_view(sweep: str, fields: Sequence[str], trials: int) -> str:
    """The tag's value: all trials of `sweep` by test accuracy, and charts against `fields`."""
    columns = [f"params.`{name}`" for name in fields] + [f"metrics.`{name}`" for name in _FINALS]
    state = {
        "searchFilter": f"tags.sweep = '{sweep}' AND tags.kind = 'trial'",
        # Sorted by anything but the creation time, the UI lists nested runs flat.
        "orderByKey": "metrics.`final/test_accuracy`",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": dict.fromkeys(columns, _COLUMN_WIDTH),
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
        "compareRunSections": [_section("answer", "Accuracy"), _section("curves", "Curves")],
        "compareRunCharts": [
            *[_scatter(name, "final/test_accuracy", trials) for name in fields],
            *[_scatter(name, "final/generalization_gap", trials) for name in fields],
            _parallel(fields, trials),
            _lines("accuracy", trials),
            _lines("loss", trials),
        ],
    }
    now = int(time.time() * 1000)
    view = {"name": sweep, "createdAt": now, "updatedAt": now, "state": json.dumps(state)}
    return json.dumps(view)


def _section(key: str, title: str) -> dict[str, Any]:
    return {
        "uuid": key,
        "name": title,
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
    }


def _chart(key: str, kind: str, section: str, trials: int) -> dict[str, Any]:
    return {
        "uuid": key,
        "type": kind,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": trials,
    }


def _scatter(field: str, metric: str, trials: int) -> dict[str, Any]:
    return _chart(f"scatter-{field}-{metric}", "SCATTER", "answer", trials) | {
        "xaxis": {"key": field, "type": "PARAM"},
        "yaxis": {"key": metric, "type": "METRIC"},
    }


def _parallel(fields: Sequence[str], trials: int) -> dict[str, Any]:
    return _chart("parallel", "PARALLEL", "answer", trials) | {
        "selectedParams": list(fields),
        "selectedMetrics": ["final/weight_norm", "final/train_accuracy", "final/test_accuracy"],
        "showAllRuns": True,
    }


def _lines(metric: str, trials: int) -> dict[str, Any]:
    return _chart(f"lines-{metric}", "LINE", "curves", trials) | {
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
