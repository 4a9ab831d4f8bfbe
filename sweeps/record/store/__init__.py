"""The tracking store: opening it, its patience, and what it holds of a sweep."""
