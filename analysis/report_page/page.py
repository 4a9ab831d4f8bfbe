"""The report as one HTML page that needs nothing from outside.

The template (`page.html`) is filled by Jinja2, which escapes every text from the record.
Plotly's script, which its package brings, is copied in (4.8 MB): a page in MLflow's frame may load
nothing, and a reader may be off the network. The package itself is never imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.claims_of_lesson.claims_table import mlflow_ui
from analysis.claims_of_lesson.verdict_texts import MEANING
from analysis.claims_of_lesson.verdicts import Verdict
from analysis.reading.sweep_record import SweepRecord
from analysis.report_page.report_answer import sentences
from analysis.report_page.report_charts import accuracy_chart
from analysis.report_page.report_claims import answer, claim_line
from analysis.report_page.report_figures import lesson_figures
from analysis.report_page.report_origin import origin, shared_facts
from analysis.report_page.report_topics import Section, topics

_FOLDER = Path(__file__).parent


def report_page(records: Mapping[str, SweepRecord], verdicts: Sequence[Verdict]) -> str:
    """The page's text. `records`: the sweeps by the role that they play in the lesson."""
    ui = mlflow_ui(records)
    sections = [
        Section(
            role=role,
            chart=accuracy_chart(record),
            origin=origin(role, record),
            link=ui.page_of_run(record.run_id),
        )
        for role, record in records.items()
    ]
    shown = topics(lesson_figures(records), sections)
    charts = {
        each.anchor: {name: getattr(each.chart, name) for name in ("data", "layout", "narrow")}
        for each in sections
        if not each.chart.missing
    }
    # Where a run's id leads within the page; the first of sweeps that play two roles.
    anchors = {each.origin.run_id: each.origin.anchor for each in reversed(sections)}
    common, own = shared_facts([each.origin for each in sections])
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        sentences=sentences(records, verdicts),
        answer=answer(records, verdicts),
        claims=[claim_line(verdict, shown) for verdict in verdicts],
        meanings=MEANING,
        topics=shown,
        sections=sections,
        common=common,
        own=own,
        anchors=anchors,
        ui=ui.address,
        partial=[each.origin for each in sections if each.origin.lacking],
        charts=script_json(charts),
        style=_trusted(_FOLDER / "page.css"),
        script=_trusted(_FOLDER / "page.js"),
        plotly=_trusted(_plotly()),
    )


def script_json(content: Mapping[str, Any]) -> Markup:
    """JSON that no name in it can end: within a script element HTML reads `<` and nothing else."""
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _trusted(file: Path) -> Markup:
    """The text of a file of this project or of Plotly's package, which no record can change."""
    return Markup(file.read_text(encoding="utf-8"))


def _plotly() -> Path:
    package = find_spec("plotly")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the report needs the package plotly: pip install -e .")
    return Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
