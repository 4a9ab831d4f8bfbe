"""The notebook of the documentation, executed as it stands."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from support.scripts import HANG, ROOT, environment


@pytest.mark.slow
@pytest.mark.sweep
def test_the_notebook_runs_sweeps_reads_them_and_shows_figures(tmp_path: Path) -> None:
    file = ROOT / "docs" / "notebook.ipynb"
    notebook = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    places = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=HANG, resources=places).execute(env=environment())
    outputs = {
        cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"
    }  # an error in a cell has been raised
    told = [each for cell in outputs.values() for each in cell if each.output_type == "stream"]
    assert {each.name for each in told} == {"stdout"}, "stderr is an error to people at a notebook"
    runs = [cell for source, cell in outputs.items() if "run(" in source]
    assert len(runs) == 2
    assert ["trials recorded · best" in cell[0].data["text/plain"] for cell in runs] == [True, True]
    pages = [
        each.data.get("text/html", "")
        for cell in outputs.values()
        for each in cell
        if each.output_type == "execute_result"
    ]
    assert sum(page.count("data:image/png;base64,") for page in pages) == 3
