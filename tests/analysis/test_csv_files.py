"""Text in CSV files starts no formula and comes back; numbers stay numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.plotting.csv_files import safe, write_csv

FORMULAS = [
    '=HYPERLINK("http://example.org","x")',
    "-2+3",
    "+1",
    "@SUM(1)",
    "\tx",
    "\rx",
    "\n=1",
    "\0=1",
    "＝1+1",
    "'=1",
    "-0.5",
]
HARMLESS = ["l2=0.010000", "<img src=x onerror=alert(1)>", 'a "b", =c', "a\r=b", "λ", "1e5", ""]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize("kind", ["object", "category"])
def test_texts_are_safe_and_come_back(name: str, kind: str, tmp_path: Path) -> None:
    texts = [text for text in FORMULAS + HARMLESS if "\0" not in text]  # pandas cannot read that
    table = pd.DataFrame({"config": pd.Series(texts, dtype=kind), "x": -0.5})
    write_csv(table, tmp_path / name)
    read = pd.read_csv(tmp_path / name, keep_default_na=False)
    assert not read["config"].str.startswith(tuple("=+-@\t\r\n＝")).any()
    assert list(read["config"].str.replace("^'", "", regex=True)) == texts
    assert list(read["x"]) == [-0.5] * len(texts)
    assert list(table["config"]) == texts, "the caller's table changed"


@pytest.mark.parametrize("text", FORMULAS)
def test_what_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("cell", [*HARMLESS, -0.5, -3, None, float("-inf"), np.float32(-1)])
def test_all_else_stays(cell: object) -> None:
    assert safe(cell) is cell


def test_numbers_keep_their_type(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"a": [-0.5, np.nan], "b": [-3, 4], "c": [True, False], "=d": [None, -2.5]}
    )
    write_csv(table, tmp_path / "t.csv")
    read = pd.read_csv(tmp_path / "t.csv")
    assert list(read.columns) == ["a", "b", "c", "'=d"]
    assert read["a"].dtype == read["'=d"].dtype == np.float64
    assert read["b"].dtype == np.int64
    assert read["c"].dtype == np.bool_
    first, second = (tmp_path / "t.csv").read_text().splitlines()[1:]
    assert (first, second) == ("-0.5,-3,true,", ",4,false,-2.5")
