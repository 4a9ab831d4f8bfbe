"""Several sweeps compared."""
