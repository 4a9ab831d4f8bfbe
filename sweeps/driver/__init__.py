"""A sweep under way, from its command line to its last line."""
