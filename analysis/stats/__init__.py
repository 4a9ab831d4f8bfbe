"""Statistics over seeds: intervals, pairs, equivalence, sources of variance."""
