"""Data that are made here, from fixed random numbers: no file, no download."""
