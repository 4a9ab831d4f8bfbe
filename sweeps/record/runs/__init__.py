"""Finished trials as MLflow runs: values, points, tables, and their writing."""
