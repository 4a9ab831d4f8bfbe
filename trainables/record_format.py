"""How a sweep stands in its record: what its writer and its readers must agree on."""

from __future__ import annotations


def short(value: float) -> float:
    """Six significant digits, so that people can read them; the full ones are in Parquet."""
    return float(f"{value:.6g}")
