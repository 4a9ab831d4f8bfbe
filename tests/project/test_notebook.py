"""The notebooks of the documentation, executed as they stand, one after the other in one kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from support.scripts import HANG, ROOT, environment

Outputs = dict[str, list[Any]]  # of each cell of code, by its source
FORGET = "%reset -f"  # Ray and the recorder stay, no name of the notebook before does


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outputs]:
    """What the cells of each notebook gave; an error in one has been raised."""
    both = {
        name: nbformat.read(ROOT / "docs" / name, as_version=4)  # type: ignore[no-untyped-call]
        for name in ("notebook.ipynb", "class.ipynb")
    }
    first, second = both.values()
    forget = nbformat.v4.new_code_cell(FORGET)  # type: ignore[no-untyped-call]
    joined = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]
        cells=[*first.cells, forget, *second.cells], metadata=first.metadata
    )
    places = {"metadata": {"path": str(tmp_path_factory.mktemp("notebooks"))}}
    NotebookClient(joined, timeout=HANG, resources=places).execute(env=environment())
    return {
        name: {cell.source: cell.outputs for cell in one.cells if cell.cell_type == "code"}
        for name, one in both.items()
    }


def pictures(outputs: Outputs) -> int:
    pages = [
        each.data.get("text/html", "")
        for cell in outputs.values()
        for each in cell
        if each.output_type == "execute_result"
    ]
    return sum(page.count("data:image/png;base64,") for page in pages)


def require_sweeps(outputs: Outputs, count: int) -> None:
    """So many cells ran a sweep to its end, and none complained."""
    told = [each for cell in outputs.values() for each in cell if each.output_type == "stream"]
    complaints = [each.text for each in told if each.name == "stderr"]
    assert told
    assert complaints == [], "stderr is an error to people at a notebook"
    runs = [cell for source, cell in outputs.items() if "= run(" in source]
    assert len(runs) == count
    for cell in runs:
        assert "trials recorded · best" in cell[0].data["text/plain"]


@pytest.mark.slow
@pytest.mark.sweep
def test_the_notebook_runs_sweeps_reads_them_and_shows_figures(
    executed: dict[str, Outputs],
) -> None:
    require_sweeps(executed["notebook.ipynb"], 2)
    assert pictures(executed["notebook.ipynb"]) == 6 + 2  # of a penalty, and of any sweep


@pytest.mark.slow
@pytest.mark.sweep
def test_the_notebook_for_a_class_finds_what_it_asks_about(executed: dict[str, Outputs]) -> None:
    outputs = executed["class.ipynb"]
    require_sweeps(outputs, 3)
    assert pictures(outputs) >= 4
    told = {
        source: "".join(each.text for each in cell if each.output_type == "stream")
        for source, cell in outputs.items()
    }
    (by_hand,) = [text for text in told.values() if text.startswith("by hand")]
    assert by_hand.split()[-1] == "0.0"  # its accuracies are those of the record
    (winner,) = [text.strip() for text in told.values() if text.startswith("l2=")]
    assert winner != "l2=0.000000"


def test_no_notebook_holds_outputs_of_somebody_s_machine() -> None:
    files = sorted(Path(ROOT, "docs").glob("*.ipynb"))
    assert len(files) == 2
    for file in files:
        notebook = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
        for cell in notebook.cells:
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None
