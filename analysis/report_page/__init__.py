"""The lesson's report as one HTML page."""
