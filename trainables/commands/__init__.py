"""The words of commands that both sweeps and the analysis print or read."""
