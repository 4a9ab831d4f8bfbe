"""Statistics over seeds: intervals, pairs, trends, equivalence, sources of variance."""
