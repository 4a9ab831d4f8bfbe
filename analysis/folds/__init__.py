"""Choosing by cross-validation, and what the choice is worth."""
