"""The report's figures and charts by topic, and which of them shows what a claim is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from analysis.claims_of_lesson.verdicts import Verdict
from analysis.plotting.file_names import file_name
from analysis.report_page.report_charts import Chart
from analysis.report_page.report_figures import IDEAS, Figure
from analysis.report_page.report_origin import Origin

_CHART = "chart"  # what a sweep's chart is called where figures have their kind
_TOPICS: Mapping[str, tuple[str, ...]] = {
    "Dropout": ("dropout", "dropout-stratified"),
    "L2 penalty": ("l2", "small-l2", "init"),
    "L1 penalty": ("l1", "strong-l1"),
    "Batch size": ("batch_size", "long-batch"),
    "Larger network, harder data": ("large", "harder", "small"),
}
_REST = "Ideas and more"
# What stands open in its topic, by role and kind.
_OPEN = (
    ("dropout", "accuracy"),
    ("l2", "accuracy"),
    ("l1", "accuracy"),
    ("batch_size", "accuracy_by_epoch"),
    ("large", _CHART),
)
# By claim, the best first; of other claims the chart of the first sweep that they follow from.
_SHOWN_BY: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dropout-none-best": (("dropout", "accuracy"),),
    "dropout-slower": (("dropout", "accuracy_by_epoch"), ("dropout", "accuracy")),
    "dropout-lowers-train": (("dropout", "accuracy"),),
    "dropout-gap": (("dropout", "accuracy"),),
    "l2-too-strong": (("l2", "accuracy"),),
    "l2-shrinks": (("l2", "weights"), ("l1", "concepts_weights")),
    "l1-sparse": (("l1", "weights"), ("l1", "concepts_weights")),
    "l1-final": (("l1", "accuracy"),),
    "l1-early": (("strong-l1", "accuracy_by_epoch"), ("l1", "accuracy_by_epoch")),
    "batch-early": (("batch_size", "accuracy_by_epoch"),),
    "batch-final": (("batch_size", "accuracy"),),
    "seeds-vary": (("l2", _CHART),),
    "size-matters-net": (("large", _CHART),),
    "size-matters-data": (("harder", _CHART),),
}


class Section(NamedTuple):
    """A sweep with its chart; `link`: its page in the MLflow UI."""

    role: str
    chart: Chart
    origin: Origin
    link: str

    @property
    def anchor(self) -> str:
        """The id of its chart's element on the page."""
        return file_name(f"chart-{self.role}")


class Exhibit(NamedTuple):
    """A figure or a chart, one of which is None, with its number on the page."""

    number: int
    figure: Figure | None
    section: Section | None

    @property
    def anchor(self) -> str:
        """The id of the element to which links to it lead."""
        return file_name(f"figure-{'-'.join(self.place)}")

    @property
    def place(self) -> tuple[str, str]:
        """Role and kind."""
        if self.figure:
            return self.figure.role, self.figure.kind
        return (self.section.role if self.section else ""), _CHART

    @property
    def title(self) -> str:
        """What stands above it."""
        if self.figure:
            return self.figure.title
        return f"Every seed: {self.section.origin.title}" if self.section else ""


class Topic(NamedTuple):
    """What belongs together: `first` stands open, unless there is none; `others` are folded."""

    anchor: str
    title: str
    first: Exhibit | None
    others: tuple[Exhibit, ...]

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """All of them, in the order of their numbers."""
        return (self.first, *self.others) if self.first else self.others


def topics(figures: Sequence[Figure], sections: Sequence[Section]) -> list[Topic]:
    """All figures and charts, numbered through. What is of no known role comes last."""
    known = {role for roles in _TOPICS.values() for role in roles}
    roles = dict.fromkeys([*(one.role for one in figures), *(one.role for one in sections)])
    rest = [role for role in roles if role not in known and role != IDEAS]
    found: list[Topic] = []
    number = 0
    for title, members in {**_TOPICS, _REST: (*rest, IDEAS)}.items():
        unnumbered = _ordered(members, figures, sections)
        if not unnumbered:
            continue
        shown = [
            one._replace(number=number + place) for place, one in enumerate(unnumbered, start=1)
        ]
        number += len(shown)
        anchor = f"topic-{file_name(title).lower()}"
        opens = shown[0].place in _OPEN
        first, others = (shown[0], shown[1:]) if opens else (None, shown)
        found.append(Topic(anchor, title, first, tuple(others)))
    return found


def _ordered(
    roles: Iterable[str], figures: Sequence[Figure], sections: Sequence[Section]
) -> list[Exhibit]:
    """What is of these roles, role by role, that which stands open before all."""
    found = []
    for role in roles:
        found += [Exhibit(0, one, None) for one in figures if one.role == role]
        found += [Exhibit(0, None, one) for one in sections if one.role == role]
    return sorted(found, key=lambda one: one.place not in _OPEN)


def shown_by(verdict: Verdict, found: Iterable[Topic]) -> Exhibit | None:
    """The figure or chart that shows what the claim is about; None when no sweep was read."""
    exhibits = [one for topic in found for one in topic.exhibits]
    by_place = {one.place: one for one in exhibits if not (one.figure and one.figure.missing)}
    charts = {one.section.origin.run_id: one for one in reversed(exhibits) if one.section}
    for place in _SHOWN_BY.get(verdict.id, ()):
        if place in by_place:
            return by_place[place]
    return next((charts[run] for run in verdict.run_ids if run in charts), None)
