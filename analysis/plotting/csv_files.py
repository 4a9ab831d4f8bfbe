"""CSV files that a spreadsheet can open without running what a name holds.

A spreadsheet takes a cell such as `=HYPERLINK("…")` for a formula. Names are data, so text that
begins like one gets an apostrophe in front; numbers, such as -0.5, stay numbers. Text that begins
with an apostrophe gets another, so that taking the first one away gives every text back.
Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

# The last four: full-width forms, which spreadsheets of some languages take for the plain ones.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "'", "＝", "＋", "－", "＠")


def safe(cell: Any) -> Any:
    """The cell itself, or text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_RISKY) else cell


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Writes the table, as gzip if `path` ends so: text `safe` and in quotes, what is lacking or
    not a number as an empty cell.
    """
    # Not pandas' own writer: it leaves a lone carriage return bare, and what follows it is then
    # read as a new row's first cell.
    content = pa.Table.from_pandas(_safe_table(table), preserve_index=False)
    with pa.output_stream(str(path), compression="detect") as stream:
        pyarrow.csv.write_csv(content, stream)


def _safe_table(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({safe(str(name)): _safe_column(table[name]) for name in table.columns})


def _safe_column(column: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        # A few texts however many rows; `safe` keeps different texts different.
        return column.cat.rename_categories(list(map(safe, column.cat.categories)))
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    return column.map(safe)
