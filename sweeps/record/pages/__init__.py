"""What people read in the record: the description, the chart, the saved view, the best model."""
