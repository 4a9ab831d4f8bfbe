"""Ray: which one, how it starts, what its nodes have, and packs as its trials."""
