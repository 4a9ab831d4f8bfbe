"""Robustness over many seeds: numbers, figures, tables, sentences."""
