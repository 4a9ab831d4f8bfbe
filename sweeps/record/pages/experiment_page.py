"""What somebody finds who clicks on the experiment instead of opening the link that was printed.

The UI of MLflow 3.17 opens every experiment on its pages for language models: that is decided by
the kind of work chosen in the browser, "GenAI" until somebody chooses "Model training", and by
nothing in the store. But there, and in its lists of experiments, it shows the experiment's
description, which therefore leads on. Other versions open where the tag of its kind says.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sweeps.record.pages.saved_view import (
    NEWEST,
    OF_SEEDS,
    STATE,
    newest_name,
    view_link,
    view_tags,
)
from trainables.manifest import Manifest
from trainables.record_format import Kind, Tag, tagged

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

_KIND = "custom_model_development"  # what MLflow calls machine learning in this tag
_NEWEST_TAG = f"{STATE}{NEWEST}"
_END = " — "  # of the links


def introduce(client: MlflowClient, experiment_id: str, manifest: Manifest) -> None:
    """Gives the experiment its kind and a description, unless it has them. Never raises."""
    with suppress(Exception):  # a convenience must not end a sweep
        tags = client.get_experiment(experiment_id).tags
        if Tag.EXPERIMENT_KIND not in tags:
            client.set_experiment_tag(experiment_id, Tag.EXPERIMENT_KIND, _KIND)
        if Tag.NOTE not in tags:
            # The UI shows a line of it until it is unfolded.
            text = f"{_links(experiment_id, _NEWEST_TAG in tags)}{_END}{manifest.question}"
            client.set_experiment_tag(experiment_id, Tag.NOTE, text)


def forget(client: MlflowClient, experiment: Experiment, sweep: str) -> None:
    """Removes the views of the sweep of that name; the newest is another's then, or nobody's."""
    experiment_id, tags = experiment.experiment_id, dict(experiment.tags)
    for tag in set(view_tags(sweep)) & set(tags):
        client.delete_experiment_tag(experiment_id, tag)
        del tags[tag]
    if _name(tags.get(_NEWEST_TAG, "")) != newest_name(sweep):
        return
    left = [
        json.loads(value)
        for tag, value in tags.items()
        if tag == view_tags(_name(value))[0] and not tag.endswith(OF_SEEDS)
    ]
    if left:
        view = max(left, key=lambda each: int(each["createdAt"]))
        value = json.dumps(view | {"name": newest_name(view["name"])})
        client.set_experiment_tag(experiment_id, _NEWEST_TAG, value)
        return
    client.delete_experiment_tag(experiment_id, _NEWEST_TAG)
    links, _, _ = tags.get(Tag.NOTE, "").partition(_END)
    if links == _links(experiment_id, True):  # else somebody has changed it
        client.delete_experiment_tag(experiment_id, Tag.NOTE)


def _links(experiment_id: str, has_views: bool) -> str:
    search = {
        "workflowType": "machine_learning",
        "searchFilter": tagged({Tag.KIND: Kind.SWEEP}),
    }
    sweeps = f"/#/experiments/{experiment_id}/runs?{urlencode(search, quote_via=quote)}"
    if not has_views:
        return f"[All sweeps]({sweeps})"
    charts = view_link(experiment_id, NEWEST, charts=True)
    table = view_link(experiment_id, NEWEST, charts=False)
    return f"Newest sweep: [charts]({charts}), [table]({table}) · [all sweeps]({sweeps})"


def _name(value: str) -> str:
    """The name of the view that a tag holds, empty if there is none."""
    try:
        view: dict[str, Any] = json.loads(value)
        return str(view["name"])
    except (ValueError, TypeError, KeyError):
        return ""
